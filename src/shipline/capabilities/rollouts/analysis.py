"""What the analysis of a canary is told, what it remembers and what it answers.

The deciding is in `rules.py`. All times are seconds; those called `now_s` count from the moment the canary could get
its first request. Every duration is a setting, so that a rollout of a minute and one of a day obey the same rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from shipline.domain.errors import InvalidValue
from shipline.ports.signals import Counts
from shipline.statistics.e_process import EProcess, Mixture
from shipline.statistics.two_arms import TwoArms

ERROR_RATIOS = (1.5, 2.5, 5.0, 12.0, 1000.0)
"""The odds ratios, canary to baseline, of failing that are bet on."""
LATENCY_RATIOS = (1.7, 3.0, 6.0, 20.0, 1000.0)
"""The same of being slow."""


class AnalysisVerdict(StrEnum):
    """What to do with the canary now. PAUSE is "insufficient evidence": a person, more time or more traffic decides.
    HOLD is CONTINUE where somebody else sets the weight: not more, since what this one does is not known yet."""

    CONTINUE = "continue"
    HOLD = "hold"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How careful to be. The defaults suit a service in production; scale the times together for shorter rollouts."""

    alpha: float = 0.01
    """Largest chance, 0 to 1, that a canary which is no worse is ever rolled back by this analysis."""
    guard_share: float = 0.2
    """The part of `alpha`, 0 to 1, that the guard on the first requests may use."""
    tolerance: float = 1.1
    """Odds of failing, canary to baseline, that are still no regression; from 1 up, below 1.5."""
    latency_tolerance: float = 1.1
    """The same for the odds of being slow; from 1 up, below 1.7."""
    warm_up_latency_tolerance: float = 1.6
    """The same while instances warm up. Wider, because arms whose instances warm up in other proportions differ in
    their latency tails although nothing is wrong."""
    warm_up_s: float = 60.0
    """How long instances warm up after the canary's share has risen."""
    excess_max: float = 0.02
    """Promotion needs proof that the canary's failure probability is at most this much above the baseline's."""
    evidence_calm: float = 10.0
    """At this evidence and above the weight is held and nothing is promoted; below 1 / alpha."""
    promote_after_s: float = 720.0
    """No promotion before this."""
    deadline_s: float = 3600.0
    """From here on, what is not decided is PAUSE."""
    tick_s: float = 10.0
    """How often observations are made."""
    react_s: float = 20.0
    """How long a regression may go on unseen at one weight, two ticks: the time that the harm budget is spent over."""
    harm_budget_requests: float = 20.0
    """Failed requests that may be risked within `react_s`, given what is known of the canary by then."""
    first_requests: float = 6.0
    """Requests that the canary should get in its first tick: enough for the guard, few enough to lose."""
    weight_min: float = 0.005
    """Smallest share of traffic, 0 to 1; HAProxy can split to 1/256."""
    weight_max: float = 0.5
    """Largest share before promotion; with an equal baseline clone 0.5 is everything."""
    growth: float = 3.0
    """Largest factor by which the weight grows within `growth_period_s`."""
    growth_period_s: float = 30.0
    """The time that `growth` is about."""
    ramp_every_s: float = 10.0
    """The weight is raised at most this often."""
    block_requests: int = 8
    """Ticks are pooled until both arms together had this many requests; matters below one request a tick or so."""

    def __post_init__(self) -> None:
        """Refuse settings under which the promises would not hold."""
        for name in ("alpha", "guard_share", "excess_max"):
            _require(0.0 < getattr(self, name) < 1.0, name, "between 0 and 1")
        for name in ("promote_after_s", "tick_s", "react_s", "harm_budget_requests", "first_requests"):
            _require(0.0 < getattr(self, name) < math.inf, name, "above 0")
        for name in ("growth_period_s", "ramp_every_s"):
            _require(0.0 < getattr(self, name) < math.inf, name, "above 0")
        _require(0.0 <= self.warm_up_s < math.inf, "warm_up_s", "from 0 up")
        _require(1.0 <= self.tolerance < ERROR_RATIOS[0], "tolerance", f"from 1 to below {ERROR_RATIOS[0]}")
        for name in ("latency_tolerance", "warm_up_latency_tolerance"):
            _require(1.0 <= getattr(self, name) < LATENCY_RATIOS[0], name, f"from 1 to below {LATENCY_RATIOS[0]}")
        _require(0.0 < self.weight_min <= self.weight_max <= 1.0, "weight_min", "above 0 and at most weight_max <= 1")
        _require(1.0 <= self.growth < math.inf, "growth", "from 1 up")
        _require(1.0 < self.evidence_calm < self.rollback_evidence, "evidence_calm", "between 1 and 1 / alpha")
        _require(self.promote_after_s <= self.deadline_s < math.inf, "deadline_s", "promote_after_s or later")
        _require(self.block_requests >= 1, "block_requests", "from 1 up")

    @property
    def errors_mixture(self) -> Mixture:
        """What is bet on errors."""
        return Mixture(tolerance=self.tolerance, ratios=ERROR_RATIOS)

    def latency_mixture(self, *, warming_up: bool) -> Mixture:
        """What is bet on latency, at each threshold: on the same ratios, whatever is tolerated."""
        least = self.warm_up_latency_tolerance if warming_up else 1.0
        return Mixture(tolerance=max(self.latency_tolerance, least), ratios=LATENCY_RATIOS)

    @property
    def rollback_evidence(self) -> float:
        """The evidence at which the canary is rolled back."""
        return 1.0 / self.alpha


def _require(holds: bool, name: str, range_: str) -> None:  # noqa: FBT001 - a condition and its words, private
    if not holds:
        raise InvalidValue(f"analysis setting {name!r} must be {range_}")


@dataclass(frozen=True, slots=True)
class Arms:
    """Counts of both arms."""

    canary: Counts
    baseline: Counts


@dataclass(frozen=True, slots=True)
class Observation:
    """One tick. `baseline` is a clone of the stable version, as young as the canary, on the same load balancer.

    `weight` is the canary's share of all traffic that was in effect when the counts were made, 0 to 1, as read from
    the splitter. Counts are of this tick alone; all histograms have the edges that the analysis began with. `seconds`
    is the time that they were made in, None for that since the tick before.

    Where both arms were not counted at the same moments, `least` is what surely was counted within one and the same
    time, and `most` what may have been; both None where the counts are of one time. `is_one_split` is False where the
    traffic of the two arms was split in another way for a part of that time: then nothing can be compared.
    """

    canary: Counts
    baseline: Counts
    weight: float
    seconds: float | None = None
    least: Arms | None = None
    most: Arms | None = None
    is_one_split: bool = True


@dataclass(frozen=True, slots=True)
class ArmTally:
    """Sums of one arm. `requests` is all of them; `counted` leaves out a client's further failures after its first
    in a tick; `failures` is at most one a client and tick; `slow` counts those above each latency threshold."""

    requests: int = 0
    counted: int = 0
    failures: int = 0
    slow: tuple[int, ...] = (0, 0)

    def plus(self, other: ArmTally) -> ArmTally:
        """The sum of both."""
        return ArmTally(
            requests=self.requests + other.requests,
            counted=self.counted + other.counted,
            failures=self.failures + other.failures,
            slow=tuple(mine + yours for mine, yours in zip(self.slow, other.slow, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of both arms."""

    canary: ArmTally = ArmTally()
    baseline: ArmTally = ArmTally()

    def plus(self, other: Tally) -> Tally:
        """The sum of both."""
        return Tally(canary=self.canary.plus(other.canary), baseline=self.baseline.plus(other.baseline))

    @property
    def failing(self) -> TwoArms:
        """What is compared for errors."""
        return TwoArms(
            canary_failures=self.canary.failures,
            canary_requests=self.canary.counted,
            baseline_failures=self.baseline.failures,
            baseline_requests=self.baseline.counted,
        )

    def slow(self, threshold: int) -> TwoArms:
        """What is compared for the latency threshold of this number."""
        return TwoArms(
            canary_failures=self.canary.slow[threshold],
            canary_requests=self.canary.requests,
            baseline_failures=self.baseline.slow[threshold],
            baseline_requests=self.baseline.requests,
        )


@dataclass(frozen=True, slots=True)
class AnalysisState:
    """All that is remembered from tick to tick; of constant size, and exact through JSON (`domain.codec`).

    `weight` is the canary's share asked for. `errors`, `latency` (one per threshold) and `guard_comparison` are
    e-processes, `guard_absolute` the logarithm of a likelihood ratio. `pending` holds ticks that are not counted
    yet, `total` everything. `history` is the latency histogram that thresholds are read from: the stable version's
    before the rollout and the baseline's since. `share_s` is the canary's weight summed over seconds.
    `share_seen` is the canary's share in the last tick, `risen_s` when it last rose, `counted_s` when the last block
    that was counted ended.
    """

    weight: float
    next_ramp_s: float
    last_ramp_s: float
    last_s: float
    rate_per_s: float
    share_s: float
    errors: EProcess
    latency: tuple[EProcess, ...]
    guard_comparison: EProcess
    guard_absolute: float
    pending: Tally
    total: Tally
    history: tuple[int, ...]
    share_seen: float = 0.0
    risen_s: float = 0.0
    counted_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """`weight` is the canary's share of traffic from now on: 0 to roll back, 1 to promote. `reason` is for people."""

    state: AnalysisState
    weight: float
    verdict: AnalysisVerdict
    reason: str
