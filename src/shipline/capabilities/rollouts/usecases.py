"""Speaking to a rollout, and writing down how it goes: load, decide, save and append, one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.observing.history import POINTS, AnalysisPoint, newest_point
from shipline.capabilities.rollouts.queries import (
    BEGUN,
    DEPLOYMENTS,
    ROLLOUTS,
    current_deployment,
    unfinished_deployments,
)
from shipline.capabilities.rollouts.reminding import Wait, begun, reminder_due
from shipline.capabilities.rollouts.workflow import DRIVE_TITLE, WATCH_TITLE, rehearsal_subject
from shipline.domain.actor import Actor
from shipline.domain.codec import to_json
from shipline.domain.deployment import Deployment
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.rollout import ENDED, Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, runs_of
from shipline.engine.rules import ENDED as RUN_ENDED
from shipline.engine.rules import Phase, RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

VERBS = ("pause", "resume", "promote", "skip", "abort", "retry", "withdraw")
RECENT = 10
REASON_MAX = 500
LOOKS_MAX = 1000
REHEARSED = " It was let fail on purpose: a rehearsal."
SIGNALS = {"skip": "skip-wait"}
"""What a verb is called on its way to the steps, where the engine has a word of the same name."""


@dataclass(frozen=True, slots=True)
class RolloutCommand:
    """What the command line, the page or a webhook says to a rollout. `verb` is pause, resume, promote, skip (the wait
    that it is in), abort, withdraw for one that waits for its turn, or retry for one whose way back had failed.

    `alerts` are the keys of the alerts from outside that say it, none where nobody but the actor does."""

    verb: str
    reason: str
    actor: Actor
    alerts: tuple[str, ...] = ()


def verb_of(kind: str) -> str:
    """The verb that was said, by the kind of its signal."""
    return next((verb for verb, signal in SIGNALS.items() if signal == kind), kind)


def append(tx: Transaction, events: EventWriter, rollout: Rollout, kind: str, body: dict[str, Any]) -> None:
    """One event in the rollout's stream; every body names the rollout, its package, version and environment."""
    common = {
        "rollout_id": rollout.id,
        "package": rollout.package,
        "version": rollout.version,
        "environment": rollout.environment,
    }
    events.append(tx, f"rollout:{rollout.id}", kind, common | body)


def command_rollout(tx: Transaction, engine: Engine, rollout: Rollout, command: RolloutCommand) -> None:
    """Say something to a rollout. RefusedError once it has ended or turned, UsageError for unknown words.

    One that waits for its turn can be withdrawn, which an abort means too, and hears nothing else.
    `retry` is for a rollout whose way back has failed, or that has ended and left instances that could not be stopped,
    or that stands before a step that this version of Shipline does not know; such a one can be aborted at any time.
    """
    verb = command.verb
    if verb not in VERBS:
        raise UsageError(f"a rollout does not know {verb!r}", todo="known ones: " + ", ".join(VERBS))
    if rollout.status is RolloutStatus.QUEUED or verb == "withdraw":
        _withdraw_by(tx, engine, rollout, command)
        return
    runs = runs_of(tx, f"rollout:{rollout.id}")
    is_stopped = any(run.state.status is RunStatus.STOPPED for run in runs)
    if verb == "retry" and not (is_stopped or any(run.state.status is RunStatus.FAILED for run in runs)):
        raise RefusedError(f"the rollout of {rollout.package} {rollout.version} has nothing to retry")
    # What ended well may still have to be cleared away: then `retry` speaks to the step that stops old instances.
    if rollout.status in ENDED and verb != "retry":
        raise RefusedError(f"the rollout of {rollout.package} {rollout.version} has ended: {rollout.status.value}")
    if rollout.status is RolloutStatus.FAILED and verb != "retry":
        raise RefusedError(
            f"the rollout of {rollout.package} {rollout.version} has failed on its way back",
            why=rollout.reason,
            todo=f"mend that, then say: shipline rollout retry {rollout.environment}",
        )
    is_late = rollout.status is RolloutStatus.ROLLING_BACK
    is_late |= rollout.status is RolloutStatus.PROMOTING and verb not in ("abort", "skip")
    if is_late and not is_stopped:
        raise RefusedError(f"too late to {verb}: the rollout is {rollout.status.value.replace('_', ' ')}")
    reason = command.reason[:REASON_MAX] or f"{verb} by {command.actor}"
    body: dict[str, Any] = {"verb": verb, "reason": reason}
    if command.alerts:
        body |= {"alerts": list(command.alerts)}
    append(tx, EventWriter(engine.ids, engine.clock, command.actor), rollout, "RolloutCommanded", body)
    for run in runs:
        engine.send(tx, run.id, SIGNALS.get(verb, verb), {"reason": reason, "actor": to_json(command.actor)})


def _withdraw_by(tx: Transaction, engine: Engine, rollout: Rollout, command: RolloutCommand) -> None:
    name = f"the rollout of {rollout.package} {rollout.version}"
    if rollout.status is not RolloutStatus.QUEUED:
        raise RefusedError(
            f"{name} does not wait for its turn: it is {rollout.status.value.replace('_', ' ')}",
            todo="" if rollout.status in ENDED else f"shipline rollout abort {rollout.environment}",
        )
    if command.verb not in ("withdraw", "abort"):
        raise RefusedError(
            f"{name} waits for its turn, and cannot be told to {command.verb}",
            todo=f"wait for it, or say: shipline rollout withdraw {rollout.environment}",
        )
    events = EventWriter(engine.ids, engine.clock, command.actor)
    withdraw(tx, events, rollout, command.reason[:REASON_MAX] or f"withdrawn by {command.actor}")


def withdraw(
    tx: Transaction, events: EventWriter, rollout: Rollout, reason: str, *, replaced_by: str | None = None
) -> Rollout:
    """End a rollout whose turn had not come; the run that waits for it finds that and ends. `replaced_by` is the id of
    the newer one that waits in its place."""
    ended_us = events.clock.now_us()
    withdrawn = replace(rollout.to(RolloutStatus.WITHDRAWN), reason=reason, waiting_for="", ended_us=ended_us)
    ROLLOUTS.save(tx, withdrawn)
    append(tx, events, withdrawn, "RolloutWithdrawn", {"reason": reason, "replaced_by": replaced_by})
    return withdrawn


def note_start(tx: Transaction, events: EventWriter, rollout: Rollout, given: dict[str, Any]) -> None:
    """The new version runs and can get requests from now on: a deployment has begun."""
    now_us = events.clock.now_us()
    deployment = Deployment(
        id=events.ids.new("dep"),
        environment=rollout.environment,
        package=rollout.package,
        version=rollout.version,
        rollout_id=rollout.id,
        began_us=now_us,
        commit=given.get("commit"),
        rollback=bool(given.get("rollback")),
    )
    DEPLOYMENTS.save(tx, deployment)
    ROLLOUTS.save(tx, rollout.to(RolloutStatus.RUNNING))
    body = {"deployment_id": deployment.id, "rollback": deployment.rollback, "commit": deployment.commit}
    body |= {"purpose": rollout.purpose.value}
    append(tx, events, rollout, "DeploymentBegan", body)


def awaited(reason: str, *, waiting: bool) -> str:
    """What a rollout waits for after a look that ended with `reason`. `waiting`: for a person."""
    return f"Paused until a person resumes, promotes or aborts it. {reason}" if waiting else reason


def note_analysis(tx: Transaction, events: EventWriter, rollout: Rollout, point: AnalysisPoint, wait: Wait) -> None:
    """One look at the canary: its point, and the rollout as it stands now."""
    POINTS.save(tx, point)
    seen = replace(
        rollout,
        weight=point.weight,
        evidence_value=point.evidence_value,
        failed_requests=rollout.failed_requests + point.canary_errors,
        waiting_for=awaited(point.reason, waiting=wait.waiting),
    )
    if point.verdict != "rollback":
        seen = _waiting(tx, events, seen, point.reason, wait)
    if point.weight != rollout.weight:
        body = {"weight": point.weight, "before": rollout.weight, "evidence_value": point.evidence_value}
        append(tx, events, seen, "CanaryWeightChanged", body)
    if point.verdict == "rollback":
        seen = replace(seen, rollback_began_us=point.time_us)
    ROLLOUTS.save(tx, seen)


def note_wait(tx: Transaction, events: EventWriter, rollout: Rollout, words: str, wait: Wait) -> None:
    """What the rollout waits for now."""
    seen = replace(rollout, waiting_for=awaited(words, waiting=wait.waiting and not wait.signs))
    if rollout.status is not RolloutStatus.PROMOTING:
        seen = _waiting(tx, events, seen, words, wait)
    ROLLOUTS.save(tx, seen)


def _waiting(tx: Transaction, events: EventWriter, rollout: Rollout, words: str, wait: Wait) -> Rollout:
    """The rollout paused or not, with the event of what has changed, or of what has not for long."""
    now_us = events.clock.now_us()
    status = RolloutStatus.PAUSED if wait.waiting else RolloutStatus.RUNNING
    since_us, until_us = begun(rollout, wait, now_us)
    is_due = reminder_due(rollout, wait, now_us)
    told_us = now_us if is_due else rollout.reminded_us
    seen = replace(
        rollout, paused_us=since_us, paused_until_us=until_us, reminded_us=told_us if since_us is not None else None
    )
    body: dict[str, Any] = {"reason": words}
    if status is not rollout.status:
        seen = replace(seen.to(status), reminded_us=None)
        append(tx, events, seen, "RolloutPaused" if wait.waiting else "RolloutResumed", body)
    elif is_due and since_us is not None:
        body = {"reason": rollout.waiting_for, "seconds": (now_us - since_us) / 1e6, "turns_back_us": wait.ends_us}
        append(tx, events, seen, "RolloutStillPaused", body)
    return seen


def note_under_way(tx: Transaction, rollout_id: str, words: str) -> None:
    """What others are carrying out, and nobody here can hasten."""
    rollout = ROLLOUTS.find(tx, rollout_id)
    if rollout is not None and rollout.waiting_for != words:
        ROLLOUTS.save(tx, replace(rollout, waiting_for=words))


def note_share(tx: Transaction, events: EventWriter, rollout_id: str, weight: float) -> None:
    """The new version's share of the traffic, where it does not follow an analysis."""
    rollout = ROLLOUTS.find(tx, rollout_id)
    if rollout is not None and weight != rollout.weight:
        body = {"weight": weight, "before": rollout.weight, "evidence_value": rollout.evidence_value}
        append(tx, events, rollout, "CanaryWeightChanged", body)
        ROLLOUTS.save(tx, replace(rollout, weight=weight))


def note_warm(tx: Transaction, rollout_id: str, until_us: int | None) -> None:
    """Until when what served before is kept running; None: it is not. What a rollout before it had kept is stopped."""
    rollout = ROLLOUTS.find(tx, rollout_id)
    if rollout is None:
        return
    recent = ROLLOUTS.where(
        tx, environment=rollout.environment, status=BEGUN, order="started_us", newest_first=True, limit=RECENT
    )
    for one in recent:
        kept_us = until_us if one.id == rollout_id else None
        if one.warm_until_us != kept_us:
            ROLLOUTS.save(tx, replace(one, warm_until_us=kept_us))


def note_promoting(tx: Transaction, rollout: Rollout) -> None:
    """All traffic is on the new version."""
    ROLLOUTS.save(tx, replace(rollout.to(RolloutStatus.PROMOTING), weight=1.0, waiting_for=""))


def note_promotion(tx: Transaction, events: EventWriter, rollout: Rollout) -> None:
    """The new version keeps all traffic: its deployment is finished, and the one before it has ended."""
    now_us = events.clock.now_us()
    before = current_deployment(tx, rollout.environment, rollout.package)
    for left in unfinished_deployments(tx, rollout.environment):
        if left.rollout_id != rollout.id:
            DEPLOYMENTS.save(tx, replace(left, ended_us=now_us, failed=True))
            append(tx, events, rollout, "DeploymentEnded", {"deployment_id": left.id, "ended_version": left.version})
    if before is not None:
        DEPLOYMENTS.save(tx, replace(before, ended_us=now_us))
        append(tx, events, rollout, "DeploymentEnded", {"deployment_id": before.id, "ended_version": before.version})
    for deployment in DEPLOYMENTS.where(tx, rollout_id=rollout.id):
        DEPLOYMENTS.save(tx, replace(deployment, finished_us=now_us))
        body = {"deployment_id": deployment.id, "rollback": deployment.rollback, "commit": deployment.commit}
        append(tx, events, rollout, "DeploymentFinished", body)
    promoted = replace(rollout.to(RolloutStatus.PROMOTED), ended_us=now_us)
    ROLLOUTS.save(tx, promoted)
    body = {"seconds": (now_us - rollout.started_us) / 1e6, "synthetic_requests": _synthetic_requests(tx, rollout)}
    append(tx, events, rollout, "RolloutPromoted", body)


def follow_run(tx: Transaction, events: EventWriter, run: Run) -> None:
    """Keep the rollout's status in step with its run: promoted, turning back, turned back, or stuck on the way."""
    rollout = ROLLOUTS.find(tx, str(run.input["rollout_id"]))
    if rollout is None:
        return
    if rollout.status in ENDED:
        # Its outcome stands. What may still go wrong is to stop what serves nothing.
        waiting_for = run.state.reason if run.state.status is RunStatus.FAILED else ""
        ROLLOUTS.save(tx, replace(rollout, waiting_for=waiting_for))
        return
    now_us = events.clock.now_us()
    if run.state.phase is Phase.FORWARD:
        stuck = run.state.reason if run.state.status is not RunStatus.ACTIVE else ""
        ROLLOUTS.save(tx, replace(rollout, waiting_for=stuck))
    elif run.state.status is RunStatus.FAILED:
        ROLLOUTS.save(tx, replace(rollout.to(RolloutStatus.FAILED), reason=run.state.reason))
        append(tx, events, rollout, "RolloutFailed", {"reason": run.state.reason})
    elif run.state.undone and rollout.status not in (RolloutStatus.ROLLING_BACK, RolloutStatus.ROLLED_BACK):
        began_us = rollout.rollback_began_us if rollout.rollback_began_us is not None else now_us
        reason = run.state.reason.removeprefix(f"{WATCH_TITLE}: ").removeprefix(
            f"{DRIVE_TITLE}: "
        )  # What the analysis found speaks for itself.
        rehearsed = is_rehearsed(tx, rollout)
        # It may have failed by itself before it heard that it is superseded.
        by = rollout.superseded_by if reason == superseding(rollout.superseded_by) else ""
        reason += REHEARSED if rehearsed else ""
        turning = replace(
            rollout.to(RolloutStatus.ROLLING_BACK), reason=reason, rollback_began_us=began_us, superseded_by=by
        )
        ROLLOUTS.save(tx, turning)
        body = {"reason": reason, "failed_requests": rollout.failed_requests, "exposed": exposed(tx, rollout)}
        body |= {"superseded_by": by, "rehearsed": rehearsed}
        append(tx, events, rollout, "RollbackBegan", body | {"deployment_id": deployment_id(tx, rollout)})
    elif run.state.phase is Phase.CLOSING and rollout.status is RolloutStatus.ROLLING_BACK:
        _note_rolled_back(tx, events, rollout, now_us)
    elif run.state.phase is Phase.CLOSING and rollout.status is RolloutStatus.PROMOTING:
        note_promotion(tx, events, rollout)


def _note_rolled_back(tx: Transaction, events: EventWriter, rollout: Rollout, now_us: int) -> None:
    """All traffic is on the stable version again; what is left is to stop the canary."""
    rehearsed = is_rehearsed(tx, rollout)
    has_failed = not (rollout.superseded_by or rehearsed)
    for deployment in DEPLOYMENTS.where(tx, rollout_id=rollout.id):
        DEPLOYMENTS.save(tx, replace(deployment, ended_us=now_us, failed=has_failed))
    back = replace(rollout.to(RolloutStatus.ROLLED_BACK), weight=0.0, ended_us=now_us, waiting_for="")
    ROLLOUTS.save(tx, back)
    began_us = rollout.rollback_began_us if rollout.rollback_began_us is not None else now_us
    body = {
        "reason": rollout.reason,
        "failed_requests": rollout.failed_requests,
        "rollback_seconds": (now_us - began_us) / 1e6,
        "deployment_id": deployment_id(tx, rollout),
        "exposed": exposed(tx, rollout),
        "found_worse": found_worse(tx, rollout) and not rehearsed,
        "rehearsed": rehearsed,
        "synthetic_requests": _synthetic_requests(tx, rollout),
        "release_id": rollout.release_id,
        "superseded_by": rollout.superseded_by,
        "purpose": rollout.purpose.value,
    }
    append(tx, events, rollout, "RolloutRolledBack", body)


def superseding(name: str) -> str:
    """Why a rollout is turned back for a newer version, whose name and version are given."""
    return f"superseded by {name}"


def is_rehearsed(tx: Transaction, rollout: Rollout) -> bool:
    """True if its version was, or may have been, let fail on purpose while the evidence of its end was made, so that
    its end says nothing about it."""
    runs = runs_of(tx, rehearsal_subject(rollout.id))
    return bool(runs) and any(_may_have_failed_us(run) > _blameless_us(tx, rollout) for run in runs)


def _may_have_failed_us(run: Run) -> int:
    """Until when what a rehearsal lets fail was counted at the latest, in UTC microseconds; 0 where nothing was."""
    began, until_us = run.state.results.get("inject"), int(run.input["until_us"])
    if began is None:
        return 0 if run.state.status in RUN_ENDED else until_us
    held = run.state.results.get("hold")
    if held is not None:
        until_us = min(until_us, int(began["since_us"]) + int(held["seconds"] * 1_000_000))
    return until_us + int(began.get("counted_s", 0.0) * 1_000_000)


def _blameless_us(tx: Transaction, rollout: Rollout) -> int:
    """The last look, but for one that turned it back, at which there was no evidence against it, in UTC microseconds;
    0 for none. What had failed before that is not why it ended."""
    looks = POINTS.where(tx, rollout_id=rollout.id, order="number", newest_first=True, limit=LOOKS_MAX)
    return next((one.time_us for one in looks if one.evidence_value <= 1.0 and one.verdict != "rollback"), 0)


def found_worse(tx: Transaction, rollout: Rollout) -> bool:
    """True if the analysis turned it back, and not a person or a step that failed."""
    last = newest_point(tx, rollout.id)
    return last is not None and last.verdict == "rollback"


def _synthetic_requests(tx: Transaction, rollout: Rollout) -> int:
    """How many of the requests that it was judged by, to all versions, were made on purpose."""
    last = newest_point(tx, rollout.id)
    return 0 if last is None else last.synthetic_requests


def exposed(tx: Transaction, rollout: Rollout) -> bool:
    """True if the version may have served a request in this rollout."""
    return bool(DEPLOYMENTS.where(tx, rollout_id=rollout.id))


def deployment_id(tx: Transaction, rollout: Rollout) -> str | None:
    """The deployment that this rollout began, None if it began none."""
    found = DEPLOYMENTS.where(tx, rollout_id=rollout.id)
    return found[0].id if found else None
