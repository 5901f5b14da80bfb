"""The analysis of a canary whose weight somebody else sets.

There is no baseline as young as the canary: it is compared with the stable version, whose part of the traffic is all
the rest. And nobody says when the weight will change. So each look is counted by itself, and one in which the weight
has changed is no evidence: the two arms were split in two ways in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts import rules
from shipline.capabilities.rollouts.analysis import AnalysisSettings, AnalysisState, Decision, Observation
from shipline.capabilities.rollouts.observing.counting import Weighed, counted_as, delayed, kept, observed
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.steps import Ground, Running
from shipline.ports.signals import CountedGroup, Reading
from shipline.ports.target import Role


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered between two looks. `weight` is what the last one found, at `looked_us`; `weights` are those
    that counts may still come in for. `is_judged`: requests that were made at this weight have been compared. Times are
    UTC microseconds."""

    cursor: str
    began_us: int
    looked_us: int
    weight: float
    analysis: AnalysisState
    weights: tuple[Weighed, ...]
    checks: dict[str, Any] | None = None
    is_judged: bool = False

    @property
    def is_known(self) -> bool:
        """True if it is known what this weight does: without it nobody may raise it."""
        return self.is_judged or self.weight == 0


def driven_settings(settings: AnalysisSettings, delay_s: float) -> AnalysisSettings:
    """The analysis where each look is a block of its own: nobody waits with a weight until one is full."""
    return replace(delayed(settings, delay_s), block_requests=1)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Reads the counts of a canary and of the stable version, and decides. `settings` are `driven_settings`."""

    ground: Ground
    settings: AnalysisSettings

    def begin(self, groups: Running, weight: float, now_us: int) -> Watched:
        """Before the first counts. The stable version's latency so far is what the canary's is held to."""
        signals = self.ground.signals
        before = signals.read(groups.cursor, tuple(counted_as(one, Role.STABLE) for one in groups.stable))
        stable = before.roles.get(Role.STABLE, NO_COUNTS)
        state, _ = rules.begin(self.settings, rate_per_s=0.0, stable_histogram=stable.histogram)
        weights = (Weighed(now_us, weight),)
        return Watched(signals.cursor(), now_us, now_us, weight, replace(state, weight=weight), weights)

    def look(
        self, groups: Running, watched: Watched, weight: float, now_us: int
    ) -> tuple[Watched, Observation, Decision]:
        """Read the counts since the last look, at which the weight was another one perhaps, and decide."""
        reading = self.ground.signals.read(watched.cursor, compared_groups(groups))
        delay_s = self.ground.signals.delay_s
        weights = with_weight(watched, weight, now_us)
        seen = seen_of(reading, watched, weights, now_us=now_us, delay_s=delay_s)
        elapsed_s = max(0, now_us - watched.began_us) / 1e6
        decision = rules.decide(self.settings, watched.analysis, seen, elapsed_s)
        following = replace(
            watched,
            cursor=reading.cursor,
            looked_us=now_us,
            weight=weight,
            weights=kept(weights, reading, delay_s=delay_s),
            analysis=replace(decision.state, weight=weight),
            is_judged=(watched.is_judged and weight == watched.weight) or _compares(seen),
        )
        return following, seen, decision


def _compares(seen: Observation) -> bool:
    return seen.is_one_split and seen.canary.requests > 0 and seen.baseline.requests > 0


def compared_groups(groups: Running) -> tuple[CountedGroup, ...]:
    """The canary, and the stable version in the place of a baseline."""
    return (counted_as(groups.new, Role.CANARY), *(counted_as(one, Role.BASELINE) for one in groups.stable))


def with_weight(watched: Watched, weight: float, now_us: int) -> tuple[Weighed, ...]:
    """The weights with what this look has found. When it was changed between the two looks nobody knows: that time
    belongs to neither, so it gets a weight of its own."""
    if weight == watched.weight:
        return watched.weights
    between = (watched.weight + weight) / 2
    return (*watched.weights, Weighed(watched.looked_us, between), Weighed(now_us, weight))


def seen_of(
    reading: Reading, watched: Watched, weights: tuple[Weighed, ...], *, now_us: int, delay_s: float
) -> Observation:
    """The look as the analysis takes it."""
    seen = observed(reading, weights, now_us=now_us, delay_s=delay_s, part_of=all_the_rest)
    has_changed = reading.window is None and len(weights) > len(watched.weights)
    return replace(seen, is_one_split=False) if has_changed else seen


def all_the_rest(weight: float) -> float:
    """Of the requests of both, the canary's part, where the other gets all the rest."""
    return weight
