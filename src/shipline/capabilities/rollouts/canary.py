"""Watching a canary: read the counts, decide (in `rules.py`), set the weight, write down what was seen."""

from __future__ import annotations

import math
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
from shipline.capabilities.rollouts.effects import lead, run_group
from shipline.capabilities.rollouts.observing.checking import UNREAD, ChecksLook
from shipline.capabilities.rollouts.observing.counting import Weighed, counted_as, delayed, kept, observed
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.observing.history import AnalysisPoint
from shipline.capabilities.rollouts.observing.synthetic import Filling, Made, span_of, synthetic_words
from shipline.capabilities.rollouts.routing import as_routed, canary_routes, routable, stable_routes
from shipline.capabilities.rollouts.steps import Ground, Running, load_rollout, running, strategy_of
from shipline.capabilities.rollouts.strategies import (
    Place,
    Strategy,
    WeightStep,
    analysed_beside,
    first_place,
    next_place,
    weight_at,
    words_at,
)
from shipline.capabilities.rollouts.usecases import awaited, note_analysis
from shipline.capabilities.rollouts.waiting import changed_by_hand, heard_pause, is_told
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import UnavailableError
from shipline.domain.rollout import Rollout
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.signals import CountedGroup, Reading
from shipline.ports.target import Group, Role

# How often the copies are looked at, too: it may cost a platform's API several requests.
HAND_LOOK_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What the step remembers between two looks. `number` counts the looks from 1, `weight` is what is in effect, and
    `weights` are those that counts may still come in for.

    `place` is where it stands in the strategy's steps, None where the weight follows the harm budget; `checks` is what
    the checks remember. `filling` is how the traffic is filled up, None where it is not, `synthetic_sent` by how many
    requests. `looked_us` is when somebody last looked whether the groups are what they were; 0: when it began.
    """

    cursor: str
    began_us: int
    number: int
    weight: float
    paused: bool
    analysis: AnalysisState
    place: Place | None = None
    checks: dict[str, Any] | None = None
    weights: tuple[Weighed, ...] = ()
    filling: Filling | None = None
    synthetic_sent: int = 0
    looked_us: int = 0


class CanaryStep:
    """The action `canary` of a rollout's workflow."""

    def __init__(self, ground: Ground, settings: AnalysisSettings) -> None:
        self.ground = ground
        self.settings = settings

    def __call__(self, context: StepContext) -> Outcome:
        """One look. Without a canary (the first deployment, another strategy) there is nothing to watch."""
        groups = running(context)
        if groups.baseline is None:
            return Done({"watched": False}, idle="there is no canary")
        self.ground.traffic.open(revision=context.revision)
        signals = self.ground.signals
        settings = settings_for(self.settings, strategy_of(context), signals.delay_s)
        if context.memory is None:
            said = is_told(context, "promote") or context.results["preview"]["promote"]
            return Done({"watched": False}) if said else self._begin(context, groups, settings)
        watch = _heard(_in_time(from_json(Watch, context.memory), context.now_us), context)
        reading = signals.read(watch.cursor, counted_groups(groups))
        weights = watch.weights or (Weighed(watch.began_us, watch.weight),)
        seen = observed(reading, weights, now_us=context.now_us, delay_s=signals.delay_s)
        watch = replace(watch, weights=kept(weights, reading, delay_s=signals.delay_s))
        decision = rules.decide(settings, watch.analysis, seen, max(0, context.now_us - watch.began_us) / 1e6)
        watch = self._filled_up(self._advanced(context, watch, decision, settings), context, groups, settings)
        rollout = load_rollout(self.ground, context)
        checks = UNREAD  # What is worse goes back at once: a source that hangs must not hold that up.
        if decision.verdict is not AnalysisVerdict.ROLLBACK:
            checks = self.ground.checks.look(watch.checks, rollout, seen.canary, context.now_us)
        return self._answer(_Look(context, groups, rollout, watch, reading, seen, decision, checks, settings))

    def _begin(self, context: StepContext, groups: Running, settings: AnalysisSettings) -> Outcome:
        """The first weight: that of the first step, or from the traffic that the stable version had meanwhile."""
        before = self.ground.signals.read(groups.cursor, tuple(counted_as(one, Role.STABLE) for one in groups.stable))
        seconds = _seconds_of(before, context.now_us - groups.started_us)
        stable = before.roles.get(Role.STABLE, NO_COUNTS)
        rate_per_s = max(stable.requests / seconds, self.ground.synthetic.wanted_per_s)
        state, weight = rules.begin(settings, rate_per_s=rate_per_s, stable_histogram=stable.histogram)
        steps = strategy_of(context).steps
        place = first_place(context.now_us) if steps else None
        wanted = weight_at(steps, place) if place is not None else weight
        held = self._set_weight(context, groups, wanted, before=0.0)
        state = replace(state, weight=held)
        paused = context.results["preview"]["paused"]
        watch = Watch(self.ground.signals.cursor(), context.now_us, 1, held, paused=paused, analysis=state, place=place)
        filling = self._first_filling(before, groups, context.now_us, watch.cursor)
        watch = self._sent(replace(watch, weights=(Weighed(context.now_us, held),)), filling, context, settings)
        watch = replace(watch, synthetic_sent=0)  # What is told now was sent for another canary.
        return Again(settings.tick_s, to_json(_heard(watch, context)), "Waiting for the canary's first requests.")

    def _advanced(self, context: StepContext, watch: Watch, decision: Decision, settings: AnalysisSettings) -> Watch:
        """The watch at its place in the steps now; what is paused stays where it is."""
        if watch.place is None or watch.paused:
            return watch
        calm = rules.evidence(settings, decision.state) < settings.evidence_calm
        said = [signal.kind for signal in context.signals]
        steps = strategy_of(context).steps
        return replace(watch, place=next_place(steps, watch.place, context.now_us, said=said, calm=calm))

    def _first_filling(self, before: Reading, groups: Running, now_us: int, cursor: str) -> Filling | None:
        """What is missing at first; nothing is sent before it is known how much users make."""
        synthetic, delay_s = self.ground.synthetic, self.ground.signals.delay_s
        if synthetic.wanted_per_s == 0.0:
            return None
        span = span_of(before, since_us=groups.started_us, now_us=now_us, delay_s=delay_s)
        return Filling(cursor, now_us, (Made(now_us, 0.0 if span is None else synthetic.missing_per_s(span.per_s)),))

    def _filled_up(self, watch: Watch, context: StepContext, groups: Running, settings: AnalysisSettings) -> Watch:
        """Have what is missing of the traffic made. Where nobody knows how much users make, nothing is."""
        if watch.filling is None:
            return watch
        signals = self.ground.signals
        everyone = (*(counted_as(one, Role.STABLE) for one in groups.stable), *counted_groups(groups))
        try:
            reading = signals.read(watch.filling.cursor, everyone)
        except UnavailableError:
            return watch
        filling = self.ground.synthetic.refilled(watch.filling, reading, now_us=context.now_us, delay_s=signals.delay_s)
        return self._sent(watch, filling, context, settings)

    def _sent(self, watch: Watch, filling: Filling | None, context: StepContext, settings: AnalysisSettings) -> Watch:
        """Send until the next look: it is another process that looks then, perhaps, and sends."""
        if filling is None:
            return watch
        made, sent = self.ground.synthetic.keep(
            filling.made, since_us=watch.began_us, now_us=context.now_us, for_s=settings.tick_s
        )
        return replace(watch, filling=replace(filling, made=made), synthetic_sent=watch.synthetic_sent + sent)

    def _answer(self, look: _Look) -> Outcome:
        if look.verdict is AnalysisVerdict.ROLLBACK:
            self.ground.synthetic.end()
            # The harm ends here, in this very step; the undo that follows finds it done.
            routes = self.ground.traffic.routes()
            stable = tuple(as_routed(group, routes) for group in look.groups.stable)
            lead(self.ground.traffic, stable_routes(stable), revision=look.context.revision)
            return Failed(look.reason, save=self._save(look, weight=0.0))
        promotes = is_told(look.context, "promote") or (
            look.verdict is AnalysisVerdict.PROMOTE and not look.watch.paused
        )
        changed = self._changed(look) if promotes or look.is_hand_look else ""
        if changed:
            self.ground.synthetic.end()
            return Failed(changed, save=self._save(look, look.watch.weight))
        if promotes:
            self.ground.synthetic.end()
            return Done({"watched": True, "reason": look.reason}, save=self._save(look, look.watch.weight))
        weight, weights = look.watch.weight, look.watch.weights
        if not look.watch.paused and look.wanted_weight != weight:
            weight = self._set_weight(look.context, look.groups, look.wanted_weight, before=weight)
        if weight != look.watch.weight:
            weights = (*weights, Weighed(look.context.now_us, weight))
        following = replace(
            look.watch,
            cursor=look.reading.cursor,
            number=look.watch.number + 1,
            weight=weight,
            weights=weights,
            analysis=replace(look.decision.state, weight=weight),
            checks=look.checks.state,
            looked_us=look.context.now_us if look.is_hand_look else look.watch.looked_us,
        )
        words = awaited(look.reason, waiting=look.waiting)
        return Again(look.settings.tick_s, to_json(following), words, save=self._save(look, weight))

    def _changed(self, look: _Look) -> str:
        """What somebody else has made of one of the groups: requests to it are no evidence of its version any more. ""
        also where the platform does not answer; it is asked again."""
        groups = look.groups
        try:
            now = {group.id: group for group in self.ground.target.groups()}
        except UnavailableError:
            return ""
        before = (*groups.young, *groups.stable)
        return changed_by_hand(tuple(now[one.id] for one in before if one.id in now), before)

    def _set_weight(self, context: StepContext, groups: Running, weight: float, *, before: float) -> float:
        """Give the canary this share, or for now as much more than `before` as its copies can carry; returns which.

        A copy carries the share that one of the environment's does. Where more are needed they are begun, of the
        baseline as well, so that both stay equally young; the share rises with the look that finds them ready.
        """
        assert groups.baseline is not None  # noqa: S101 - the caller has looked
        routes = self.ground.traffic.routes()
        canary, baseline, held = groups.new, groups.baseline, weight
        copies = copies_for(weight, self.ground.instances)
        if copies > 1 and weight > before:
            canary, baseline = self._grown(context, (canary, baseline), copies)
            carried = min(canary.ready, baseline.ready) / self.ground.instances
            held = max(before, min(weight, carried))
        stable = tuple(as_routed(group, routes) for group in groups.stable)
        wanted = canary_routes(stable, routable(canary, routes), routable(baseline, routes), weight=held)
        lead(self.ground.traffic, wanted, revision=context.revision)
        return held

    def _grown(self, context: StepContext, groups: tuple[Group, Group], copies: int) -> tuple[Group, Group]:
        """Both as they stand, with more copies ordered where they are too few. Nothing waits for the target."""
        try:
            now = {group.id: group for group in self.ground.target.groups()}
            first, second = (now.get(group.id, group) for group in groups)
            return self._with_copies(context, first, copies), self._with_copies(context, second, copies)
        except UnavailableError:
            return groups

    def _with_copies(self, context: StepContext, group: Group, copies: int) -> Group:
        if group.size >= copies:
            return group
        return run_group(self.ground.target, replace(group.spec, size=copies), revision=context.revision)

    def _save(self, look: _Look, weight: float) -> Save:
        point = look.point(weight)
        wait = self.ground.wait(look.context, waiting=look.waiting)
        return lambda tx: note_analysis(tx, self.ground.events, look.rollout, point, wait)


def copies_for(weight: float, instances: int) -> int:
    """How many copies carry this share of what `instances` copies carry: 1 at least."""
    return max(1, math.ceil(weight * instances - 1e-9))


def settings_for(settings: AnalysisSettings, strategy: Strategy, delay_s: float = 0.0) -> AnalysisSettings:
    """The analysis beside fixed steps: their times say when it may promote at the earliest, and no other. `delay_s` is
    how late the counts come."""
    return delayed(analysed_beside(settings, strategy.steps), delay_s)


def counted_groups(groups: Running) -> tuple[CountedGroup, ...]:
    """The two whose requests are compared while a canary is watched. Its own moments of being counted are kept to, so
    that nothing of it is in doubt."""
    assert groups.baseline is not None  # noqa: S101 - the caller has looked
    return counted_as(groups.new, Role.CANARY), counted_as(groups.baseline, Role.BASELINE)


def _seconds_of(reading: Reading, elapsed_us: int) -> float:
    """The time that the counts were made in, above 0."""
    window = reading.window
    return max(0.001, (elapsed_us if window is None else window.until_us - window.since_us) / 1e6)


@dataclass(frozen=True, slots=True)
class _Look:
    context: StepContext
    groups: Running
    rollout: Rollout
    watch: Watch
    reading: Reading
    seen: Observation
    decision: Decision
    checks: ChecksLook
    settings: AnalysisSettings

    @property
    def steps(self) -> tuple[WeightStep, ...]:
        return strategy_of(self.context).steps

    @property
    def in_steps(self) -> bool:
        """True while the steps are not over: they decide then, unless the canary is worse."""
        return self.watch.place is not None and self.watch.place.index < len(self.steps)

    @property
    def is_hand_look(self) -> bool:
        """True if it is time to look whether somebody else has changed a group."""
        since_us = self.watch.looked_us or self.watch.began_us
        return self.context.now_us - since_us >= HAND_LOOK_EVERY_S * 1_000_000

    @property
    def verdict(self) -> AnalysisVerdict:
        """The analysis's; but a check that fails turns back too, and nothing is promoted before the steps are over and
        the checks have passed."""
        verdict = self.decision.verdict
        if verdict is AnalysisVerdict.ROLLBACK or self.checks.verdict is Answer.FAIL:
            return AnalysisVerdict.ROLLBACK
        if self.checks.awaits_person:
            return AnalysisVerdict.PAUSE
        is_held = self.in_steps or (verdict is AnalysisVerdict.PROMOTE and self.checks.verdict is Answer.UNKNOWN)
        return AnalysisVerdict.CONTINUE if is_held else verdict

    @property
    def wanted_weight(self) -> float:
        """By the steps where there are some, else by the harm budget."""
        return self.decision.weight if self.watch.place is None else weight_at(self.steps, self.watch.place)

    @property
    def waiting(self) -> bool:
        """True if only a person can end the wait."""
        waits = self.watch.place is not None and self.watch.place.waits
        return self.watch.paused or waits or self.verdict is AnalysisVerdict.PAUSE

    @property
    def reason(self) -> str:
        """What the checks say that have not passed, where it stands in the steps, what the analysis says, and how much
        of what it has seen is synthetic."""
        place = self.watch.place
        words = [self.checks.words] if self.checks.verdict is not Answer.PASS else []
        words += [words_at(self.steps, place, self.context.now_us)] if place is not None and self.in_steps else []
        words += [self.decision.reason, synthetic_words(self.watch.synthetic_sent)]
        return " ".join(word for word in words if word)

    def point(self, weight: float) -> AnalysisPoint:
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
            evidence_value=rules.evidence(self.settings, self.decision.state),
            verdict=self.verdict.value,
            reason=self.reason,
            checks=self.checks.readings,
            synthetic_requests=self.watch.synthetic_sent,
        )


def _in_time(watch: Watch, now_us: int) -> Watch:
    """The watch where the clock was set back: it goes on as long after its beginning as the last look was."""
    latest_us = now_us - int(watch.analysis.last_s * 1_000_000)
    if watch.began_us <= latest_us:
        return watch
    place = watch.place
    if place is not None:
        place = replace(place, since_us=min(place.since_us, now_us))
    return replace(watch, began_us=latest_us, place=place)


def _heard(watch: Watch, context: StepContext) -> Watch:
    said = heard_pause(context)
    return watch if said is None else replace(watch, paused=said)
