"""Letting a version fail on purpose, to see what the analysis of a rollout, and people, make of it.

Promises: only answers of the chosen groups fail or come late, while they have the role that was chosen, and only until
a deadline; the proxy itself keeps to both, whatever becomes of Shipline; a rollout that was turned back so is no
incident and no failed change; what was done, by whom, and what came of it is in the log. Requests are made by whoever
ordered it, and end with that process.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from shipline.capabilities.rollouts.observing.history import AnalysisPoint
from shipline.capabilities.rollouts.queries import ROLLOUTS, open_rollout_of
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.strategies import StrategyKind
from shipline.capabilities.rollouts.usecases import found_worse
from shipline.capabilities.rollouts.workflow import (
    environment_key,
    rehearsal_key,
    rehearsal_subject,
    rehearse_name,
)
from shipline.domain.actor import Actor
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of
from shipline.engine.rules import ENDED as RUN_ENDED
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Again, Done, Failed, Outcome, StepContext
from shipline.ports.target import Role
from shipline.ports.traffic import Faulty, InjectedFault
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

SECOND_US = 1_000_000
LOOK_EVERY_S = 1.0
WATCHED = frozenset({RolloutStatus.RUNNING, RolloutStatus.PAUSED})
TURNED = frozenset({RolloutStatus.ROLLING_BACK, RolloutStatus.ROLLED_BACK, RolloutStatus.FAILED})


@dataclass(frozen=True, slots=True)
class RehearsalOrder:
    """What is rehearsed. `errors` is the part of the answers of `on` that fail, 0 to 1, and `latency_ms` how much later
    each of them comes; 0 for not at all. `rate_per_s` is how many requests are made meanwhile, 0 for none. All of it
    ends after `seconds`."""

    environment: str
    on: Role
    seconds: int
    errors: float = 0.0
    latency_ms: int = 0
    rate_per_s: float = 0.0

    @property
    def is_faulty(self) -> bool:
        """True if something is injected."""
        return self.errors > 0 or self.latency_ms > 0


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it. `turned_back`: the analysis sent the version back, `seconds` after it began to fail and after
    `failed_requests`. `words` are for people."""

    turned_back: bool
    seconds: float
    failed_requests: int
    words: str


def order_rehearsal(tx: Transaction, engine: Engine, order: RehearsalOrder, actor: Actor) -> str:
    """Begin a rehearsal; returns its run's subject. RefusedError while another is under way there, and where a canary
    shall fail and there is none."""
    where = order.environment
    if holder_of(tx, rehearsal_key(where)) is not None:
        raise RefusedError(f"a rehearsal is under way in {where}", todo="wait for it, or end it where it was begun")
    rollout = _watched(tx, where) if order.is_faulty and order.on is Role.CANARY else None
    subject = rehearsal_key(where) if rollout is None else rehearsal_subject(rollout.id)
    body = _body(order) | {"rollout_id": None if rollout is None else rollout.id}
    until_us = engine.clock.now_us() + order.seconds * SECOND_US
    given = {"order": to_json(order), "rollout_id": body["rollout_id"], "until_us": until_us}
    engine.start(tx, rehearse_name(where), subject=subject, given=given, exclusive_key=rehearsal_key(where))
    events = EventWriter(engine.ids, engine.clock, actor)
    events.append(tx, environment_key(where), "RehearsalStarted", body | {"until_us": until_us})
    return subject


def end_rehearsal(tx: Transaction, engine: Engine, environment: str) -> None:
    """End the one that is under way there, if one is."""
    run = holder_of(tx, rehearsal_key(environment))
    if run is not None:
        engine.send(tx, run.id, "end", {})


def _watched(tx: Transaction, environment: str) -> Rollout:
    rollout = open_rollout_of(tx, environment)
    if rollout is None or rollout.status not in WATCHED or rollout.strategy != StrategyKind.CANARY.value:
        raise RefusedError(
            f"there is no canary in {environment} that could fail",
            why="none is being rolled out" if rollout is None else f"the rollout is {rollout.status.value}",
            todo="deploy a version first, and rehearse while its canary is watched",
        )
    return rollout


class RehearsalSteps:
    """The actions of `rehearse_workflow`."""

    def __init__(self, ground: Ground, tick_s: float) -> None:
        self.ground = ground
        self.counted_s = ground.signals.delay_s + tick_s
        """How many seconds after it was served a request has been looked at, at the latest."""

    def inject(self, context: StepContext) -> Outcome:
        """Have the proxy fail what the chosen groups answer."""
        order = from_json(RehearsalOrder, context.input["order"])
        with self.ground.store.begin() as tx:
            rollout = _rollout(tx, context)
        result: dict[str, Any] = {"since_us": context.now_us, "groups": [], "counted_s": self.counted_s}
        result["failed_before"] = 0 if rollout is None else rollout.failed_requests
        if not order.is_faulty:
            return Done(result, idle="nothing is to fail")
        if rollout is not None and rollout.status not in WATCHED:
            return Failed(f"the canary of {rollout.version} is watched no more: {rollout.status.value}")
        # Another canary that has come since was not asked for.
        version = None if rollout is None else rollout.version
        groups = [
            one.group_id
            for one in self.ground.traffic.routes()
            if one.role is order.on and one.share > 0 and version in (None, one.version)
        ]
        if not groups:
            return Failed(f"no {order.on.value} gets requests in {order.environment}")
        until_us = int(context.input["until_us"])
        faults = tuple(InjectedFault(name, order.on, until_us, order.errors, order.latency_ms) for name in groups)
        cast("Faulty", self.ground.traffic).inject(faults)
        return Done(result | {"groups": groups})

    def hold(self, context: StepContext) -> Outcome:
        """Wait until its time is over, until it is told to end, or until the rollout has gone one way or the other."""
        with self.ground.store.begin() as tx:
            rollout = _rollout(tx, context)
            is_found = rollout is not None and rollout.status in TURNED and found_worse(tx, rollout)
        began, is_told = context.results["inject"], any(one.kind == "end" for one in context.signals)
        found = _found(rollout, began, context.now_us, is_found=is_found)
        # What fails last is counted, and looked at, later than it is over.
        late_s = 0.0 if rollout is None else self.counted_s
        left_s = (int(context.input["until_us"]) - context.now_us) / SECOND_US + late_s
        if found is None and not is_told and left_s > 0:
            return Again(min(LOOK_EVERY_S, left_s), {}, f"The rehearsal goes on for another {left_s:.0f} s.")
        if found is None:
            words = "it was ended" if is_told else "its time was over"
            found = _since(rollout, began, context.now_us, words, turned_back=False)
        return Done(to_json(found))

    def clear(self, _context: StepContext) -> Outcome:
        """Take away what was injected. Where no proxy answers there is none, or it keeps to the deadline by itself."""
        if not getattr(self.ground.traffic, "faults", ()):
            return Done()
        try:
            cast("Faulty", self.ground.traffic).inject(())
        except UnavailableError as trouble:
            return Done(idle=f"the proxy keeps to the deadline by itself: {trouble.what}")
        return Done()


def _rollout(tx: Transaction, context: StepContext) -> Rollout | None:
    name = context.input["rollout_id"]
    return None if name is None else ROLLOUTS.find(tx, str(name))


def _found(rollout: Rollout | None, began: dict[str, Any], now_us: int, *, is_found: bool) -> Found | None:
    """What came of it, None while nothing has: pure."""
    if rollout is None or rollout.status in WATCHED:
        return None
    if not is_found:
        words = f"the rollout is {rollout.status.value.replace('_', ' ')}, and not because of the analysis"
        return _since(rollout, began, now_us, words, turned_back=False)
    back_us = rollout.rollback_began_us or now_us
    return _since(rollout, began, back_us, "the analysis sent it back", turned_back=True)


def _since(rollout: Rollout | None, began: dict[str, Any], until_us: int, words: str, *, turned_back: bool) -> Found:
    failed = 0 if rollout is None else max(0, rollout.failed_requests - int(began["failed_before"]))
    seconds = max(0.0, (until_us - int(began["since_us"])) / SECOND_US)
    return Found(turned_back, seconds, failed, words)


def follow_rehearsal(tx: Transaction, events: EventWriter, run: Run) -> None:
    """Tell how a rehearsal has ended."""
    if run.state.status not in RUN_ENDED:
        return
    order = from_json(RehearsalOrder, run.input["order"])
    body = _body(order) | {"rollout_id": run.input["rollout_id"]}
    found = found_by(run)
    body |= to_json(found if found is not None else Found(False, 0.0, 0, run.state.reason))
    events.append(tx, environment_key(order.environment), "RehearsalEnded", body)


def found_by(run: Run) -> Found | None:
    """What came of a rehearsal that has ended, None of one that came to nothing."""
    is_whole = run.state.status is RunStatus.DONE and "hold" in run.state.results
    return from_json(Found, run.state.results["hold"]) if is_whole else None


def _body(order: RehearsalOrder) -> dict[str, Any]:
    return {
        "environment": order.environment,
        "on": order.on.value,
        "errors": order.errors,
        "latency_ms": order.latency_ms,
        "rate_per_s": order.rate_per_s,
    }


def experienced(points: Sequence[AnalysisPoint]) -> tuple[float, float]:
    """The traffic that a canary was watched in: requests a second in all, and the part that fails without the canary.

    Both from the looks that there were, oldest first; 0 where they do not tell.
    """
    seconds = sum(
        before.weight * (after.time_us - before.time_us) / SECOND_US for before, after in itertools.pairwise(points)
    )
    requests, errors = (sum(getattr(one, f"baseline_{name}") for one in points) for name in ("requests", "errors"))
    rate = sum(one.canary_requests for one in points[1:]) / seconds if seconds > 0 else 0.0
    return rate, errors / requests if requests else 0.0


def rehearsal_actions(ground: Ground, tick_s: float) -> dict[str, Action]:
    """The action of every step of `rehearse_workflow`, by name. Canaries are looked at every `tick_s` seconds."""
    steps = RehearsalSteps(ground, tick_s)
    return {"inject": steps.inject, "hold": steps.hold, "clear": steps.clear}
