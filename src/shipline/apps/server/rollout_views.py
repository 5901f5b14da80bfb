"""What the page of one rollout shows, and which of its buttons mean something now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shipline.apps.server.plot import Plot, draw
from shipline.apps.server.site import Site
from shipline.apps.server.step_views import StepView, steps_of_subject
from shipline.capabilities.incidents import incident_of_rollout
from shipline.capabilities.rollouts import ROLLOUTS, AnalysisPoint, analysis_of, verb_of
from shipline.domain.incident import Incident
from shipline.domain.rollout import ENDED, Rollout, RolloutStatus
from shipline.engine import journal
from shipline.engine.rules import RunStatus

WIDE, NARROW = 880.0, 340.0


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
class RolloutView:
    """One moment of a rollout. `said` are commands that it has not heard yet."""

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
    )


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
