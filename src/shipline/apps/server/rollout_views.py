"""What the page of one rollout shows, and which of its buttons mean something now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipline.apps.server.checklist_views import ChecklistView, checklist_views
from shipline.apps.server.plot import Plot, draw
from shipline.apps.server.site import Site
from shipline.apps.server.step_views import StepView, steps_of_subject
from shipline.capabilities.gates import CHECKLIST
from shipline.capabilities.incidents import incident_of_rollout
from shipline.capabilities.releases import EXPEDITED, RELEASES, VERDICTS
from shipline.capabilities.rollouts import ROLLOUTS, AnalysisPoint, Fired, analysis_of, fired, verb_of
from shipline.domain.incident import Incident
from shipline.domain.rollout import ENDED, Rollout, RolloutPurpose, RolloutStatus
from shipline.engine import journal
from shipline.engine.rules import RunStatus
from shipline.store.log import RecordedEvent, read_latest
from shipline.store.transaction import Transaction

WIDE, NARROW = 880.0, 340.0
EVENTS_MAX = 200
# The events in which alerts have their say, and what they did by that.
ALERTED = {"RolloutCommanded": "It was turned back by", "RolloutStarted": "This way back was ordered by"}


@dataclass(frozen=True, slots=True)
class Arm:
    """What one role's requests came to in the whole analysis."""

    role: str
    version: str
    requests: int
    failed: int

    @property
    def share(self) -> float:
        """The part that failed, 0 to 1; 0 without requests."""
        return self.failed / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Control:
    """A button. `why_not` says why it cannot be pressed now, "" if it can. `asks`: it wants to be confirmed."""

    verb: str
    label: str
    why_not: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class AlertView:
    """Alerts from outside: `what` they did to the rollout, as the beginning of a sentence, which they are, who told of
    them and when (UTC microseconds), and their own `words`. Of those that go on it is the incident that says who."""

    what: str
    alerts: tuple[Fired, ...]
    by: str = ""
    time_us: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class RolloutView:
    """One moment of a rollout. `said` are commands that it has not heard yet. `checklists` are those of the stage,
    empty where none are asked for; `expedited` says in words that and how it took a hotfix's shorter way, "" where it
    did not. `alert` is what came from outside."""

    rollout: Rollout
    rollback_at: float
    arms: tuple[Arm, ...]
    looks: int
    plots: tuple[Plot, ...]
    steps: tuple[StepView, ...]
    controls: tuple[Control, ...]
    said: tuple[str, ...]
    incident: Incident | None
    release_id: str | None
    checklists: tuple[ChecklistView, ...] = ()
    expedited: str = ""
    alert: AlertView | None = None

    @property
    def ended(self) -> bool:
        """True when nothing about it will change: it has ended, and so has its last step."""
        return self.rollout.status in ENDED and all(step.outcome != "running" for step in self.steps)


def rollout_view(site: Site, rollout_id: str) -> RolloutView | None:
    """All that is to be shown, None for an unknown id."""
    with site.reading() as tx:
        rollout = ROLLOUTS.find(tx, rollout_id)
        if rollout is None:
            return None
        points = analysis_of(tx, rollout_id)
        incident = incident_of_rollout(tx, rollout_id)
        steps = steps_of_subject(tx, site.engine.catalogue, f"rollout:{rollout_id}")
        runs = journal.runs_of(tx, f"rollout:{rollout_id}")
        said = tuple(verb_of(signal.kind) for run in runs for signal in journal.pending_signals(tx, run.id))
        checklists, expedited = _asked_of(site, tx, rollout), expedited_words(tx, rollout, site.stage_of)
    line = site.rollback_line(rollout.environment)
    began_us = points[0].time_us if points else rollout.started_us
    plots = [draw(points, began_us=began_us, rollback_at=line, width=width) for width in (WIDE, NARROW)]
    return RolloutView(
        rollout=rollout,
        rollback_at=line,
        arms=arms(rollout, points),
        looks=len(points),
        plots=tuple(plot for plot in plots if plot is not None),
        steps=steps,
        controls=controls(rollout, is_stuck=any(run.state.status is RunStatus.FAILED for run in runs)),
        said=said,
        incident=incident,
        release_id=rollout.release_id,
        checklists=checklists,
        expedited=expedited,
        alert=alert_view(rollout, read_latest(site.store, EVENTS_MAX, f"rollout:{rollout_id}")),
    )


def _asked_of(site: Site, tx: Transaction, rollout: Rollout) -> tuple[ChecklistView, ...]:
    """The lists that are to be ticked before it begins. The way back asks for none, nor does a shorter way without."""
    release = RELEASES.find(tx, rollout.release_id) if rollout.release_id is not None else None
    if release is None or rollout.purpose is not RolloutPurpose.RELEASE or rollout.status in ENDED:
        return ()
    where = next((one for one in site.environments() if one.name == rollout.environment), None)
    if rollout.expedited and where is not None and CHECKLIST in where.hotfix.skip_gates:
        return ()
    return checklist_views(site, tx, release, (site.stage_of(rollout.environment),))


def expedited_words(tx: Transaction, rollout: Rollout, stage_of: Callable[[str], str]) -> str:
    """The shorter way of a hotfix as it is on record: why, who wanted it, and what was not asked. "" for the usual one.

    Until the gates have been asked, only why and who.
    """
    if not rollout.expedited:
        return ""
    stage = stage_of(rollout.environment)
    asked = VERDICTS.where(tx, release_id=rollout.release_id, stage=stage, gate=EXPEDITED, order="decided_us")
    begun = [one.reasons[0] for one in asked if one.decided_us >= rollout.started_us and one.reasons]
    words = begun[-1] if begun else f"expedited, because {rollout.expedited} ({rollout.ordered_by})"
    return words[:1].upper() + words[1:]


def alert_view(rollout: Rollout, events: Sequence[RecordedEvent]) -> AlertView | None:
    """What alerts have done to a rollout by its events, the oldest first; else those that blame it and go on."""
    for event in (entry.event for entry in reversed(events) if not entry.is_erased):
        found = fired(event.body.get("alerts", ()))
        if found and event.kind in ALERTED:
            return AlertView(ALERTED[event.kind], found, str(event.actor), event.time_us, str(event.body["reason"]))
    going_on = fired(rollout.alerted)
    return AlertView("It is blamed by", going_on) if going_on else None


def arms(rollout: Rollout, points: Sequence[AnalysisPoint]) -> tuple[Arm, ...]:
    """Canary and baseline, summed over all looks."""
    return (
        Arm(
            "Canary",
            rollout.version,
            sum(point.canary_requests for point in points),
            sum(point.canary_errors for point in points),
        ),
        Arm(
            "Baseline",
            rollout.stable_version or "",
            sum(point.baseline_requests for point in points),
            sum(point.baseline_errors for point in points),
        ),
    )


def controls(rollout: Rollout, *, is_stuck: bool) -> tuple[Control, ...]:
    """The buttons: what `command_rollout` takes and what would change anything. `is_stuck`: a step failed for good."""
    status = rollout.status
    if is_stuck:
        return (Control("retry", "Try again", ""),)
    if status is RolloutStatus.QUEUED:
        return (Control("withdraw", "Withdraw", ""),)
    done = "" if status is RolloutStatus.PROMOTING else _over(status)  # Until it has baked it can still turn back.
    over = _over(status)
    is_paused = status is RolloutStatus.PAUSED
    not_running = "" if status is RolloutStatus.RUNNING else "It can be paused while it waits or is watched."
    return (
        Control("pause", "Pause", over or ("It is paused already." if is_paused else not_running)),
        Control("resume", "Resume", over or ("" if is_paused else "It is not paused.")),
        Control("skip", "Skip the wait", done),
        Control("promote", "Promote", over, asks=True),
        Control("abort", "Abort", done, asks=True),
    )


def _over(status: RolloutStatus) -> str:
    if status in ENDED:
        return "The rollout has ended."
    if status is RolloutStatus.PROMOTING:
        return "Too late: it is being promoted."
    return "Too late: it is being rolled back." if status is RolloutStatus.ROLLING_BACK else ""
