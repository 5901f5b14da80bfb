"""Rehearsing the way back for real: to the version before, and forward again to the one that served.

Promises: both ways are rollouts like any rollback, with their gates, their waits for copies and their drains, so that
no request is lost; the version that serves is kept running meanwhile. How long the way back took is in the log. A drill
is a change: it begins where a deployment may. It is no failed change, and no deployment, to the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.ordering import RolloutOrder, open_rollout
from shipline.capabilities.rollouts.queries import ROLLOUTS, open_rollout_of, queued_rollouts
from shipline.capabilities.rollouts.waiting import pause_s
from shipline.capabilities.rollouts.workflow import drill_key, drill_name, environment_key
from shipline.domain.actor import Actor
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import ENDED, Rollout, RolloutPurpose, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of, runs_of
from shipline.engine.rules import ENDED as RUN_ENDED
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Again, Done, Failed, Outcome, StepContext
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

SECOND_US = 1_000_000
REASON_MAX = 500
# The version that serves is kept running for so long on the way back, so that coming back needs no start.
WARM_S = 3600.0


@dataclass(frozen=True, slots=True)
class DrillOrder:
    """A drill: `back` is the way to the version before, `forth` the way to the one that serves now."""

    back: RolloutOrder
    forth: RolloutOrder
    scheduled: bool = False


def order_drill(tx: Transaction, engine: Engine, order: DrillOrder, actor: Actor) -> str:
    """Begin a drill; returns its run's subject. RefusedError while the environment is busy, or others wait for it."""
    where = order.back.environment
    rollout = open_rollout_of(tx, where)
    if rollout is not None:
        raise RefusedError(
            f"{where} is being rolled out to: {rollout.package} {rollout.version} is {rollout.status.value}",
            todo="wait for it, then drill",
        )
    if holder_of(tx, environment_key(where)) is not None:
        raise RefusedError(f"{where} is being changed now", todo="wait for it, then drill")
    if queued_rollouts(tx, where):
        raise RefusedError(f"a rollout waits for its turn in {where}", todo="wait for it, then drill")
    if holder_of(tx, drill_key(where)) is not None:
        raise RefusedError(f"a drill is under way in {where}", todo="wait for it")
    given = {
        "back": to_json(_drilling(order.back, engine, keep_warm_s=WARM_S)),
        "forth": to_json(_drilling(order.forth, engine, keep_warm_s=0.0)),
        "actor": to_json(actor),
    }
    key = drill_key(where)
    engine.start(tx, drill_name(where), subject=key, given=given, exclusive_key=key)
    body = _body(order.back, order.forth) | {"scheduled": order.scheduled}
    EventWriter(engine.ids, engine.clock, actor).append(tx, environment_key(where), "DrillStarted", body)
    return key


def _drilling(order: RolloutOrder, engine: Engine, *, keep_warm_s: float) -> RolloutOrder:
    """Its id is chosen now: a step that is called again orders the same rollout."""
    return replace(
        order,
        id=engine.ids.new("rol"),
        strategy=replace(order.strategy, keep_warm_s=keep_warm_s),
        rollback=True,
        purpose=RolloutPurpose.DRILL,
    )


def last_drill_us(tx: Transaction, environment: str) -> int | None:
    """When the newest drill there was ordered, None before the first."""
    found = runs_of(tx, drill_key(environment))
    return found[-1].created_us if found else None


def skip_drill(tx: Transaction, events: EventWriter, environment: str, refusal: RefusedError, *, due_us: int) -> None:
    """Tell that a drill which was due does not begin, and why."""
    body = {"environment": environment, "due_us": due_us, "reason": refusal.diagnosis()[:REASON_MAX]}
    events.append(tx, environment_key(environment), "DrillSkipped", body)


class DrillSteps:
    """The actions of `drill_workflow`. `engine` gives the one that runs them, to start the rollouts."""

    def __init__(self, store: Store, engine: Callable[[], Engine]) -> None:
        self.store = store
        self.engine = engine

    def back(self, context: StepContext) -> Outcome:
        """To the version before; what it took is the drill's result."""
        return self._go(context, from_json(RolloutOrder, context.input["back"]))

    def forth(self, context: StepContext) -> Outcome:
        """And forward again, unless somebody has begun something else there meanwhile: it is left to them then."""
        return self._go(context, from_json(RolloutOrder, context.input["forth"]))

    def _go(self, context: StepContext, order: RolloutOrder) -> Outcome:
        where = order.environment
        with self.store.begin() as tx:
            rollout = ROLLOUTS.find(tx, order.id)
            if rollout is None:
                other = open_rollout_of(tx, where)
                if other is not None:
                    return Failed(f"{other.package} {other.version} is being rolled out to {where} meanwhile")
                if holder_of(tx, environment_key(where)) is not None:
                    return _again(context, "Waiting until what served before is stopped, or kept warm.")
                rollout = open_rollout(tx, self.engine(), order, from_json(Actor, context.input["actor"]))
        if rollout.status is RolloutStatus.PROMOTED and rollout.ended_us is not None:
            return Done({"seconds": (rollout.ended_us - rollout.started_us) / SECOND_US})
        if rollout.status in ENDED or rollout.status is RolloutStatus.FAILED:
            status = rollout.status.value.replace("_", " ")
            return Failed(f"the way to {rollout.package} {rollout.version} is {status}: {rollout.reason}")
        return _again(context, _words(rollout))


def _again(context: StepContext, words: str) -> Again:
    return Again(pause_s(context.now_us - context.started_us), {}, words)


def _words(rollout: Rollout) -> str:
    status = rollout.status.value.replace("_", " ")
    return rollout.waiting_for or f"{rollout.package} {rollout.version} is {status}."


def follow_drill(tx: Transaction, events: EventWriter, run: Run) -> None:
    """Tell how a drill has ended. `seconds` are those of the way back, None where there was none."""
    if run.state.status not in RUN_ENDED:
        return
    back, forth = (from_json(RolloutOrder, run.input[name]) for name in ("back", "forth"))
    results = run.state.results
    body = _body(back, forth) | {"seconds": results.get("back", {}).get("seconds")}
    if run.state.status is RunStatus.DONE:
        kind, body = "DrillFinished", body | {"forth_seconds": results["forth"]["seconds"]}
    else:
        kind, body = "DrillFailed", body | {"reason": run.state.reason}
    events.append(tx, environment_key(back.environment), kind, body)


def _body(back: RolloutOrder, forth: RolloutOrder) -> dict[str, Any]:
    return {
        "environment": back.environment,
        "package": back.package,
        "version": forth.version,
        "back_to": back.version,
    }


def drill_actions(store: Store, engine: Callable[[], Engine]) -> dict[str, Action]:
    """The action of every step of `drill_workflow`, by name."""
    steps = DrillSteps(store, engine)
    return {"back": steps.back, "forth": steps.forth}
