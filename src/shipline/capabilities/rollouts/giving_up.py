"""Giving up on a rollout whose way back has failed: a person takes over what no retry can mend.

Promises: it is recorded with who did it and why; it never says that the rollback succeeded; the environment is free
for the next rollout; and where traffic is, or may be, on the version that was to go, nobody gives up by accident.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.queries import DEPLOYMENTS, ROLLOUTS
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.usecases import append, deployment_id
from shipline.domain.actor import Actor
from shipline.domain.errors import RefusedError, ShiplineError, UsageError
from shipline.domain.rollout import ENDED, Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, runs_of
from shipline.engine.rules import RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

REASON_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True)
class GivingUp:
    """What a person says. `exposure` is what `exposure_of` found; `accepts_exposure`: they know, and mean it."""

    reason: str
    actor: Actor
    exposure: str
    accepts_exposure: bool


def exposure_of(ground: Ground, rollout: Rollout) -> str:
    """Why traffic is, or may be, on the rollout's version; "" where the proxy says that it is not.

    A proxy that cannot be asked is no proof that nothing is served.
    """
    try:
        routes = ground.traffic.routes()
    except ShiplineError as error:
        return f"the proxy cannot say where the traffic is: {error.what}"
    own = [route for route in routes if route.version == rollout.version and route.serves]
    if not own:
        return ""
    share = sum(route.share for route in own)
    return f"{share:.1%} of the traffic is on {rollout.version}" + ("" if share > 0 else ", and its preview")


def give_up_rollout(tx: Transaction, engine: Engine, rollout: Rollout, said: GivingUp) -> Rollout:
    """End what is stuck, as it is. RefusedError where nothing has failed, and where traffic may be on the version
    unless that is accepted; UsageError without a reason."""
    name = f"the rollout of {rollout.package} {rollout.version}"
    stuck = _stuck(tx, rollout)
    if not stuck:
        raise RefusedError(f"{name} has nothing to give up", todo="only a way back that has failed can be given up")
    reason = said.reason.strip()[:REASON_LENGTH_MAX]
    if not reason:
        raise UsageError("giving up needs a reason", todo="say --reason TEXT: it is kept in the log")
    was_open = rollout.status not in ENDED
    if was_open and said.exposure and not said.accepts_exposure:
        raise RefusedError(
            f"{name} is not given up: users may be served by {rollout.version}",
            why=said.exposure,
            todo=f"mend that, then say: shipline rollout retry {rollout.environment}; or say --accept-exposure",
        )
    for run in stuck:
        engine.give_up(tx, run.id)
    left = stuck[-1].state.reason
    given_up = _ended(tx, engine, rollout, said, f"given up by {said.actor}: {reason}. Left as it was: {left}")
    body = {
        "reason": reason,
        "left": left,
        "exposure": said.exposure if was_open else "",
        "was_open": was_open,
        "deployment_id": deployment_id(tx, rollout),
    }
    append(tx, EventWriter(engine.ids, engine.clock, said.actor), given_up, "RolloutGivenUp", body)
    return given_up


def _stuck(tx: Transaction, rollout: Rollout) -> tuple[Run, ...]:
    return tuple(run for run in runs_of(tx, f"rollout:{rollout.id}") if run.state.status is RunStatus.FAILED)


def _ended(tx: Transaction, engine: Engine, rollout: Rollout, said: GivingUp, words: str) -> Rollout:
    """The rollout as it stays. One that had ended keeps its outcome: only what was left over is given up.

    Its deployment has ended where the proxy has said so; else it stays open until the next promotion.
    """
    if rollout.status in ENDED:
        kept = replace(rollout, waiting_for=words)
        ROLLOUTS.save(tx, kept)
        return kept
    now_us = engine.clock.now_us()
    if not said.exposure:
        for deployment in DEPLOYMENTS.where(tx, rollout_id=rollout.id):
            DEPLOYMENTS.save(tx, replace(deployment, ended_us=now_us, failed=True))
    ended = replace(rollout.to(RolloutStatus.GIVEN_UP), reason=words, waiting_for="", ended_us=now_us)
    ROLLOUTS.save(tx, ended)
    return ended
