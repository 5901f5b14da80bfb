"""Watching a canary: read the counts, decide (in `rules.py`), set the weight, write down what was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts import rules
from shipline.capabilities.rollouts.analysis import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Decision,
    Observation,
)
from shipline.capabilities.rollouts.history import AnalysisPoint
from shipline.capabilities.rollouts.routing import as_routed, canary_routes, stable_routes
from shipline.capabilities.rollouts.steps import Ground, RolloutSteps, Running, load_rollout, running
from shipline.capabilities.rollouts.usecases import awaited, note_analysis
from shipline.domain.codec import from_json, to_json
from shipline.domain.rollout import Rollout
from shipline.engine.workflow import Action, Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.signals import EDGES_S, Counts, Reading
from shipline.ports.target import Role

NO_COUNTS = Counts(0, 0, 0, (0,) * (len(EDGES_S) + 1))


@dataclass(frozen=True, slots=True)
class Watch:
    """What the step remembers between two looks. `number` counts the looks from 1, `weight` is what is in effect."""

    cursor: str
    began_us: int
    number: int
    weight: float
    paused: bool
    analysis: AnalysisState


class CanaryStep:
    """The action `canary` of a rollout's workflow."""

    def __init__(self, ground: Ground, settings: AnalysisSettings) -> None:
        self.ground = ground
        self.settings = settings

    def __call__(self, context: StepContext) -> Outcome:
        """One look. Without a canary (the first deployment, all-at-once) there is nothing to watch."""
        groups = running(context)
        if groups.baseline is None:
            return Done({"watched": False}, idle="all at once, so there is none")
        rollout = load_rollout(self.ground, context)
        self.ground.traffic.open()
        if context.memory is None:
            return Done({"watched": False}) if _is_told_to_promote(context) else self._begin(context, groups)
        watch = _heard(from_json(Watch, context.memory), context)
        reading = self.ground.signals.read(watch.cursor)
        seen = Observation(
            canary=reading.roles.get(Role.CANARY, NO_COUNTS),
            baseline=reading.roles.get(Role.BASELINE, NO_COUNTS),
            weight=watch.weight,
        )
        decision = rules.decide(self.settings, watch.analysis, seen, max(0, context.now_us - watch.began_us) / 1e6)
        look = _Look(context, groups, rollout, watch, reading, seen, decision)
        return self._answer(look)

    def _begin(self, context: StepContext, groups: Running) -> Outcome:
        """The first weight, from the traffic that the stable version had while the canary was started."""
        before = self.ground.signals.read(groups.cursor)
        seconds = max((context.now_us - groups.started_us) / 1e6, 0.001)
        stable = before.roles.get(Role.STABLE, NO_COUNTS)
        state, weight = rules.begin(
            self.settings, rate_per_s=stable.requests / seconds, stable_histogram=stable.histogram
        )
        self._set_weight(context, groups, weight)
        watch = Watch(self.ground.signals.cursor(), context.now_us, 1, weight, paused=False, analysis=state)
        return Again(self.settings.tick_s, to_json(_heard(watch, context)), "Waiting for the canary's first requests.")

    def _answer(self, look: _Look) -> Outcome:
        verdict = look.decision.verdict
        if verdict is AnalysisVerdict.ROLLBACK:
            # The harm ends here, in this very step; the undo that follows finds it done.
            routes = self.ground.traffic.routes()
            stable = tuple(as_routed(group, routes) for group in look.groups.stable)
            self.ground.traffic.apply(stable_routes(stable), revision=look.context.revision)
            return Failed(look.decision.reason, save=self._save(look, weight=0.0))
        if _is_told_to_promote(look.context) or (verdict is AnalysisVerdict.PROMOTE and not look.watch.paused):
            return Done({"watched": True, "reason": look.decision.reason}, save=self._save(look, look.watch.weight))
        weight = look.watch.weight if look.watch.paused else look.decision.weight
        if weight != look.watch.weight:
            self._set_weight(look.context, look.groups, weight)
        following = replace(
            look.watch,
            cursor=look.reading.cursor,
            number=look.watch.number + 1,
            weight=weight,
            analysis=replace(look.decision.state, weight=weight),
        )
        words = awaited(look.decision.reason, waiting=look.waiting)
        return Again(self.settings.tick_s, to_json(following), words, save=self._save(look, weight))

    def _set_weight(self, context: StepContext, groups: Running, weight: float) -> None:
        assert groups.baseline is not None  # noqa: S101 - the caller has looked
        routes = self.ground.traffic.routes()
        stable = tuple(as_routed(group, routes) for group in groups.stable)
        canary, baseline = as_routed(groups.new, routes), as_routed(groups.baseline, routes)
        wanted = canary_routes(stable, canary, baseline, weight=weight)
        self.ground.traffic.apply(wanted, revision=context.revision)

    def _save(self, look: _Look, weight: float) -> Save:
        point = look.point(self.settings, weight)
        return lambda tx: note_analysis(tx, self.ground.events, look.rollout, point, waiting=look.waiting)


@dataclass(frozen=True, slots=True)
class _Look:
    context: StepContext
    groups: Running
    rollout: Rollout
    watch: Watch
    reading: Reading
    seen: Observation
    decision: Decision

    @property
    def waiting(self) -> bool:
        """True if only a person can end the wait."""
        return self.watch.paused or self.decision.verdict is AnalysisVerdict.PAUSE

    def point(self, settings: AnalysisSettings, weight: float) -> AnalysisPoint:
        """What is kept of this look."""
        return AnalysisPoint(
            id=f"{self.rollout.id}-{self.watch.number}",
            rollout_id=self.rollout.id,
            number=self.watch.number,
            time_us=self.context.now_us,
            weight=weight,
            canary_requests=self.seen.canary.requests,
            canary_errors=self.seen.canary.errors,
            baseline_requests=self.seen.baseline.requests,
            baseline_errors=self.seen.baseline.errors,
            evidence_value=rules.evidence(settings, self.decision.state),
            verdict=self.decision.verdict.value,
            reason=self.decision.reason,
        )


def _is_told_to_promote(context: StepContext) -> bool:
    return any(signal.kind == "promote" for signal in context.signals)


def _heard(watch: Watch, context: StepContext) -> Watch:
    """Pause and resume, in the order in which they were said."""
    said: Any = None
    for signal in context.signals:
        said = {"pause": True, "resume": False}.get(signal.kind, said)
    return watch if said is None else replace(watch, paused=said)


def actions(ground: Ground, settings: AnalysisSettings) -> dict[str, Action]:
    """The action of every step of `rollout_workflow`, by name."""
    steps = RolloutSteps(ground)
    return {
        "gate": steps.gate,
        "prepare": steps.prepare,
        "start": steps.start,
        "canary": CanaryStep(ground, settings),
        "promote": steps.promote,
        "restore": steps.restore,
        "retire": steps.retire,
    }
