"""How a rollout moves the traffic, as data: the strategy is written down with the order, and holds to its end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shipline.capabilities.rollouts.analysis import AnalysisSettings
from shipline.domain.errors import InvalidValue
from shipline.ports.traffic import Traffic

CANNOT_SPLIT = "what routes the traffic there switches it as a whole: this strategy needs one that splits it"
STEPS_MAX = 50
HOLD_S_MAX = 30 * 86_400


class StrategyKind(StrEnum):
    """What serves beside what, and who decides."""

    ALL_AT_ONCE = "all-at-once"
    ROLLING = "rolling"
    BLUE_GREEN = "blue-green"
    CANARY = "canary"
    DRIVEN = "driven"  # A controller of the platform decides what serves beside what, and is followed.


class PreviewBy(StrEnum):
    """Which requests a new version gets before it has a share: those that ask for it, or copies of all."""

    HEADER = "header"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Preview:
    """A time before the first share. It ends after `hold_s` seconds, and with `approve` when a person says so.

    With `approvals` it ends when so many people of each role have signed for what is previewed, and no word ends it.
    """

    by: PreviewBy = PreviewBy.HEADER
    hold_s: float = 0.0
    approve: bool = False
    approvals: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        _check_hold(self.hold_s)
        if any(count < 1 for count in self.approvals.values()):
            raise InvalidValue("a preview wants 1 or more approvals of a role")


@dataclass(frozen=True, slots=True)
class WeightStep:
    """A canary's share of the traffic, above 0 and below 1, for `hold_s` seconds; with `approve` until a person says
    that it goes on."""

    weight: float
    hold_s: float = 0.0
    approve: bool = False

    def __post_init__(self) -> None:
        """Refuse a share that is none, or all."""
        if not 0.0 < self.weight < 1.0:
            raise InvalidValue(f"the weight of a step is above 0 and below 1, not {self.weight}")
        _check_hold(self.hold_s)


@dataclass(frozen=True, slots=True)
class Strategy:
    """All of it. Times are seconds.

    `preview` is for blue-green and canary, `steps` for canary (empty: its weight follows the harm budget), `batch` (1
    or more copies) and `batch_hold_s` for rolling. After all traffic has moved the rollout can still turn back for
    `bake_s`, and what served before is kept running for `keep_warm_s` from then on.
    """

    kind: StrategyKind
    preview: Preview | None = None
    steps: tuple[WeightStep, ...] = ()
    batch: int = 1
    batch_hold_s: float = 0.0
    bake_s: float = 0.0
    keep_warm_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what belongs to another strategy, and steps that go back."""
        if self.preview is not None and self.kind not in (StrategyKind.BLUE_GREEN, StrategyKind.CANARY):
            raise InvalidValue(f"the strategy {self.kind.value} has no preview")
        if self.steps and self.kind is not StrategyKind.CANARY:
            raise InvalidValue(f"the strategy {self.kind.value} has no steps of weight")
        if len(self.steps) > STEPS_MAX:
            raise InvalidValue(f"a rollout has at most {STEPS_MAX} steps, not {len(self.steps)}")
        weights = [step.weight for step in self.steps]
        if weights != sorted(weights):
            raise InvalidValue("the weights of the steps never fall")
        if self.batch < 1:
            raise InvalidValue(f"a batch has 1 copy or more, not {self.batch}")
        for seconds in (self.batch_hold_s, self.bake_s, self.keep_warm_s):
            _check_hold(seconds)

    @property
    def splits(self) -> bool:
        """True if it needs shares between 0 and 1."""
        return self.kind in (StrategyKind.CANARY, StrategyKind.ROLLING)


def _check_hold(seconds: float) -> None:
    if not (0.0 <= seconds <= HOLD_S_MAX and math.isfinite(seconds)):
        raise InvalidValue(f"a time to hold is 0 to {HOLD_S_MAX} s, not {seconds}")


def impossible(strategy: Strategy, traffic: Traffic) -> str:
    """Why what routes the traffic cannot carry out the strategy, "" if it can."""
    if strategy.kind is StrategyKind.DRIVEN:
        return "nothing drives there: the strategy driven needs [environment.controller]"
    if strategy.splits and not traffic.splits:
        return CANNOT_SPLIT
    if strategy.preview is None:
        return ""
    if strategy.preview.by is PreviewBy.HEADER and not traffic.previews:
        return "no request can ask for a preview there: name a `preview_header` for the traffic"
    if strategy.preview.by is PreviewBy.MIRROR and not traffic.mirrors:
        return "what routes the traffic there cannot copy requests"
    return ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a canary stands in its steps: at which (len(steps): past the last), since when, and whether it waits for
    a person. `since_us` is UTC microseconds."""

    index: int
    since_us: int
    waits: bool = False


def first_place(now_us: int) -> Place:
    """Before anything was held."""
    return Place(0, now_us)


def next_place(steps: tuple[WeightStep, ...], place: Place, now_us: int, *, said: Iterable[str], calm: bool) -> Place:
    """Where it stands now. `said` are the signals since the last look, `calm` is False while nothing may be raised.

    `skip-wait` ends the hold at once, `resume` the wait for a person. One step at most is passed in a look, so that
    each weight is held and looked at.
    """
    if place.index >= len(steps):
        return place
    step, words = steps[place.index], tuple(said)
    held = now_us - place.since_us >= step.hold_s * 1_000_000 or "skip-wait" in words
    approved = not step.approve or "skip-wait" in words or (place.waits and "resume" in words)
    if held and approved and calm:
        return Place(place.index + 1, now_us)
    return Place(place.index, place.since_us, waits=held and not approved)


def weight_at(steps: tuple[WeightStep, ...], place: Place) -> float:
    """The share at a place: past the last step, that of the last."""
    return steps[min(place.index, len(steps) - 1)].weight


def analysed_beside(settings: AnalysisSettings, steps: tuple[WeightStep, ...]) -> AnalysisSettings:
    """The analysis beside fixed steps: their times say when it may promote at the earliest, and no other."""
    if not steps:
        return settings
    held_s = max(settings.tick_s, sum(step.hold_s for step in steps))
    return replace(settings, promote_after_s=held_s, deadline_s=max(settings.deadline_s, held_s))


def words_at(steps: tuple[WeightStep, ...], place: Place, now_us: int) -> str:
    """What is awaited there, as a sentence; "" past the last step."""
    if place.index >= len(steps):
        return ""
    step, number = steps[place.index], f"step {place.index + 1} of {len(steps)}"
    if place.waits:
        return f"At {step.weight:.0%} ({number}): a person says that it goes on."
    left_s = max(0.0, step.hold_s - (now_us - place.since_us) / 1e6)
    return f"At {step.weight:.0%} ({number}) for another {left_s:.0f} s."
