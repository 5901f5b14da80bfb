"""A mixture e-process on the counts of two arms: evidence against a canary that may be looked at after every tick.

Promise. Let every request's odds of failing in the canary be at most `tolerance` times its odds in the baseline, and
let the traffic splitter route requests without knowing which will fail. Then the chance that the value ever reaches
1/alpha is at most alpha: for any number of looks, any weights chosen from what was seen before, and any failure rate
that both arms share, however it drifts.

Why. Fix one tick with n_c and n_b requests and k failures in both arms together. Given these, the number K of failures
on the canary follows Fisher's noncentral hypergeometric law with an odds ratio w <= tolerance (one failure probability
an arm and tick; for w = 1 random routing alone is enough, whatever each request's own probability).
  1. Its mean is at most k pi with pi = w n_c / (w n_c + n_b): the law satisfies E[K (n_b - k + K)] =
     w E[(n_c - K)(k - K)], so n_b E[K] = w n_c (k - E[K]) - (w - 1) E[K (k - K)], and the last term is not negative
     for w >= 1. A smaller w only lowers the law stochastically, and the increments below grow with K.
  2. K is distributed as a sum of independent Bernoulli variables, because its generating polynomial has real roots
     only (Vatutin and Mikhailov, Theory Probab. Appl. 27, 1982). For such a sum E[s^K] is largest when all
     probabilities are equal (Hoeffding, Ann. Math. Statist. 27, 1956; used for sampling without replacement in
     J. Amer. Statist. Assoc. 58, 1963, section 6).
  3. So the ratio of the binomial(k, pi(r)) to the binomial(k, pi(tolerance)) likelihood, which has the form
     c s^K with s = r / tolerance > 1, has mean at most 1: a bet on the odds ratio r that cannot be expected to win.
The running product of such ratios is a nonnegative supermartingale that begins at 1; a mixture of them, over odds
ratios r and over the tick at which the bet begins, is one too; Ville's inequality (1939) gives the promise.

Size. A bet that begins late begins with its own part of the capital, and from then on grows by the same factors as
every other bet on the same r. It is therefore enough to keep one sum of wealth for each r, and the capital that is
not bet yet. The state has the same size after a second and after a year, and no start is forgotten or merged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from shipline.domain.errors import InvalidValue
from shipline.statistics.two_arms import TwoArms

VALUE_MAX = 1e100
"""Cap of a reported value: far beyond any threshold, and a number that every JSON reader can hold."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What is bet on.

    `tolerance` >= 1 is the odds ratio that is still no regression. `ratios` are the odds ratios bet on, each above
    the tolerance, with their `shares` of the capital (positive, sum 1). `share_from_start` in (0, 1] is bet from the
    first update on; of the rest, the j-th later start gets 1 / (j (j + 1)), one start every `updates_per_start`.
    """

    tolerance: float
    ratios: tuple[float, ...] = (1.5, 2.5, 5.0, 12.0, 1000.0)
    shares: tuple[float, ...] = (0.18, 0.18, 0.23, 0.23, 0.18)
    share_from_start: float = 0.6
    updates_per_start: int = 6

    def __post_init__(self) -> None:
        """Refuse a mixture that would not be an e-process."""
        if not 1.0 <= self.tolerance < math.inf:
            raise InvalidValue(f"the tolerance must be a number from 1 up, found {self.tolerance}")
        if len(self.ratios) != len(self.shares) or not all(self.tolerance < ratio < math.inf for ratio in self.ratios):
            raise InvalidValue(f"every odds ratio must be above the tolerance {self.tolerance}", why=str(self.ratios))
        if min(self.shares, default=0.0) <= 0.0 or abs(sum(self.shares) - 1.0) > 1e-9:
            raise InvalidValue("the shares of a mixture must be positive and sum to 1", why=str(self.shares))
        if not 0.0 < self.share_from_start <= 1.0 or self.updates_per_start < 1:
            raise InvalidValue("a mixture must bet part of its capital from the start, and start at whole updates")


@dataclass(frozen=True, slots=True)
class EProcess:
    """Where an e-process stands; a JSON round trip is exact.

    `log_wealth` is the natural logarithm of the wealth on each of the mixture's ratios, `unspent` the capital in
    [0, 1] that is not bet yet, `updates` how many ticks with traffic in both arms have been counted.
    """

    log_wealth: tuple[float, ...]
    unspent: float
    updates: int = 0


def begin(mixture: Mixture) -> EProcess:
    """An e-process that has seen nothing; its value is 1."""
    log_wealth = tuple(math.log(mixture.share_from_start * share) for share in mixture.shares)
    return EProcess(log_wealth=log_wealth, unspent=1.0 - mixture.share_from_start)


def log_likelihood_ratios(mixture: Mixture, arms: TwoArms) -> tuple[float, ...]:
    """The logarithm of what one tick multiplies each bet by; all 0 when an arm has no requests."""
    if not arms.comparable:
        return (0.0,) * len(mixture.ratios)
    canary, baseline = arms.canary_requests, arms.baseline_requests
    failures = arms.canary_failures + arms.baseline_failures
    tolerated = mixture.tolerance * canary + baseline
    return tuple(
        arms.canary_failures * math.log(ratio / mixture.tolerance)
        - failures * math.log((ratio * canary + baseline) / tolerated)
        for ratio in mixture.ratios
    )


def update(mixture: Mixture, state: EProcess, arms: TwoArms) -> EProcess:
    """Count one tick. Without traffic in both arms the evidence does not change: the same state comes back."""
    if not arms.comparable:
        return state
    state = _with_new_start(mixture, state)
    growth = log_likelihood_ratios(mixture, arms)
    log_wealth = tuple(wealth + factor for wealth, factor in zip(state.log_wealth, growth, strict=True))
    return replace(state, log_wealth=log_wealth, updates=state.updates + 1)


def value(state: EProcess) -> float:
    """The evidence: 1 at the start, large against the canary; from 0 to VALUE_MAX."""
    cap = math.log(VALUE_MAX)
    return min(state.unspent + sum(math.exp(min(wealth, cap)) for wealth in state.log_wealth), VALUE_MAX)


def _with_new_start(mixture: Mixture, state: EProcess) -> EProcess:
    start, rest = divmod(state.updates, mixture.updates_per_start)
    spent = (1.0 - mixture.share_from_start) / (start * (start + 1)) if start and not rest else 0.0
    if spent == 0.0:
        return state
    log_wealth = tuple(
        _log_add(wealth, math.log(spent * share))
        for wealth, share in zip(state.log_wealth, mixture.shares, strict=True)
    )
    return replace(state, log_wealth=log_wealth, unspent=max(0.0, state.unspent - spent))


def _log_add(first: float, second: float) -> float:
    high, low = max(first, second), min(first, second)
    return high + math.log1p(math.exp(low - high))
