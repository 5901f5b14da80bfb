"""How a canary's settings would behave on traffic that is only imagined: before anything is shipped.

Requests come as a Poisson stream, fail independently with a probability of their version, and take a log-normal time
that both versions share. Real traffic is worse: clients retry, incidents hit both versions at once, caches are cold.
What the analysis promises holds for those too (`docs/explanation/canary-analysis.md`); the times told here may not.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.analysis import AnalysisSettings, AnalysisVerdict, Observation
from shipline.capabilities.rollouts.observing.counting import delayed
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.rules import begin, decide, evidence
from shipline.capabilities.rollouts.strategies import WeightStep, analysed_beside, first_place, next_place, weight_at
from shipline.domain.errors import InvalidValue
from shipline.ports.signals import EDGES_S, Counts

LATENCY_SIGMA = 0.5
LET_GO_ON = ("resume",)
NORMAL_FROM = 50.0
"""From this mean on a count is drawn from the normal distribution: its error is below a tenth of its deviation."""


@dataclass(frozen=True, slots=True)
class ImaginedTraffic:
    """What is imagined: `rate_per_s` requests a second in all, above 0; the part of them that fails on the stable and
    on the new version, 0 to 1; the median latency of both in seconds; how much slower the new one is, 1 for not."""

    rate_per_s: float
    stable_failing: float
    new_failing: float
    latency_s: float = 0.05
    slower: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no traffic can be."""
        if not 0.0 < self.rate_per_s <= 1e6:
            raise InvalidValue("the rate is above 0, and at most 1,000,000 requests a second")
        if not (0.0 <= self.stable_failing <= 1.0 and 0.0 <= self.new_failing <= 1.0):
            raise InvalidValue("a part of requests that fail is from 0 to 1")
        if not (0.0 < self.latency_s <= 60.0 and 0.01 <= self.slower <= 1000.0):
            raise InvalidValue("a latency is above 0 and at most 60 s, and a factor from 0.01 to 1000")


@dataclass(frozen=True, slots=True)
class Imagined:
    """How one rollout went: its last verdict, when that came, and the canary's failed requests until then."""

    verdict: AnalysisVerdict
    seconds: float
    failed_requests: int


def imagine(
    settings: AnalysisSettings,
    traffic: ImaginedTraffic,
    rng: random.Random,
    *,
    delay_s: float = 0.0,
    steps: tuple[WeightStep, ...] = (),
) -> Imagined:
    """Play one rollout to its verdict; PAUSE is "insufficient evidence" at the deadline. Counts come `delay_s` seconds
    late; that some of them may be in doubt then is not imagined. With fixed `steps` these say the weights, and a person
    lets each go on at once."""
    settings = delayed(analysed_beside(settings, steps), delay_s)
    late = deque[Observation]()
    shares = _bucket_shares(traffic.latency_s), _bucket_shares(traffic.latency_s * traffic.slower)
    before = _counts(rng, traffic.rate_per_s * settings.tick_s, traffic.stable_failing, shares[0])
    state, weight = begin(settings, rate_per_s=traffic.rate_per_s, stable_histogram=before.histogram)
    failed, now_s, place = 0, 0.0, first_place(0)
    if steps:
        weight = weight_at(steps, place)
        state = replace(state, weight=weight)
    while True:
        now_s += settings.tick_s
        mean = traffic.rate_per_s * settings.tick_s * weight
        canary = _counts(rng, mean, traffic.new_failing, shares[1])
        baseline = _counts(rng, mean, traffic.stable_failing, shares[0])
        failed += canary.errors
        late.append(Observation(canary, baseline, weight, seconds=settings.tick_s))
        seen = late.popleft() if now_s > delay_s else Observation(NO_COUNTS, NO_COUNTS, weight, seconds=0.0)
        decision = decide(settings, state, seen, now_s)
        calm = evidence(settings, decision.state) < settings.evidence_calm
        place = next_place(steps, place, int(now_s * 1_000_000), said=LET_GO_ON, calm=calm)
        # Until the steps are over they decide, unless the canary is worse.
        is_held = place.index < len(steps) and decision.verdict is not AnalysisVerdict.ROLLBACK
        if decision.verdict is not AnalysisVerdict.CONTINUE and not is_held:
            return Imagined(decision.verdict, now_s, failed)
        weight = weight_at(steps, place) if steps else decision.weight
        state = replace(decision.state, weight=weight)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What many imagined rollouts came to: how many of `runs` ended in each way, and medians (None where none did).

    `failed_requests` is the median, over those that were rolled back, of the canary's failed requests until then.
    """

    runs: int
    rolled_back: int
    promoted: int
    undecided: int
    rollback_s: float | None
    promote_s: float | None
    failed_requests: float | None


def forecast(  # noqa: PLR0913 - two things are imagined, the rest says how
    settings: AnalysisSettings,
    traffic: ImaginedTraffic,
    *,
    runs: int,
    rng: random.Random,
    delay_s: float = 0.0,
    steps: tuple[WeightStep, ...] = (),
) -> Forecast:
    """Imagine `runs` rollouts, whose counts come `delay_s` seconds late, with these fixed steps."""
    ends = [imagine(settings, traffic, rng, delay_s=delay_s, steps=steps) for _ in range(runs)]
    back = [end for end in ends if end.verdict is AnalysisVerdict.ROLLBACK]
    promoted = [end for end in ends if end.verdict is AnalysisVerdict.PROMOTE]
    return Forecast(
        runs=runs,
        rolled_back=len(back),
        promoted=len(promoted),
        undecided=runs - len(back) - len(promoted),
        rollback_s=_median([end.seconds for end in back]),
        promote_s=_median([end.seconds for end in promoted]),
        failed_requests=_median([float(end.failed_requests) for end in back]),
    )


def chance_upper(hits: int, runs: int) -> float:
    """The exact (Clopper and Pearson, Biometrika 26, 1934) 95% upper bound of a chance that was seen `hits` times."""
    if hits >= runs:
        return 1.0
    low, high = hits / runs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        seen = sum(math.comb(runs, each) * middle**each * (1 - middle) ** (runs - each) for each in range(hits + 1))
        low, high = (middle, high) if seen > 0.05 else (low, middle)
    return high


def _median(values: list[float]) -> float | None:
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _counts(rng: random.Random, mean: float, failing: float, shares: tuple[tuple[int, float], ...]) -> Counts:
    requests = _poisson(rng, mean)
    errors = _binomial(rng, requests, failing)
    histogram = [0] * (len(EDGES_S) + 1)
    left, rest = requests, 1.0
    for bucket, share in shares:
        count = _binomial(rng, left, min(1.0, share / rest)) if rest > 0 else left
        histogram[bucket] = count
        left, rest = left - count, rest - share
        if left == 0:
            break
    histogram[-1] += left
    return Counts(requests, errors, errors, tuple(histogram))


def _bucket_shares(median_s: float) -> tuple[tuple[int, float], ...]:
    """The part of requests in each bucket of the histogram that has a notable one, by a log-normal curve."""
    below = [0.5 * (1 + math.erf(math.log(edge / median_s) / (LATENCY_SIGMA * math.sqrt(2)))) for edge in EDGES_S]
    parts = [high - low for low, high in zip([0.0, *below], [*below, 1.0], strict=True)]
    return tuple((bucket, part) for bucket, part in enumerate(parts) if part > 1e-9)


def _poisson(rng: random.Random, mean: float) -> int:
    if mean >= NORMAL_FROM:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0  # Knuth, TAOCP 2, 3.4.1, algorithm Q.
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def _binomial(rng: random.Random, trials: int, chance: float) -> int:
    """Exact for few expected hits or misses (by the gaps between them), normal beyond."""
    if trials == 0 or chance <= 0.0:
        return 0
    if chance > 0.5:
        return trials - _binomial(rng, trials, 1.0 - chance)
    mean = trials * chance
    if mean >= NORMAL_FROM:
        return min(trials, max(0, round(rng.gauss(mean, math.sqrt(mean * (1 - chance))))))
    hits, place, log_miss = 0, 0, math.log1p(-chance)
    while True:
        place += int(math.log(1.0 - rng.random()) / log_miss) + 1
        if place > trials:
            return hits
        hits += 1
