"""Bounds on failure probabilities.

`excess_estimate_upper` steers the ramp: quick, approximate, nothing is promised by it. `excess_upper` is what may be
said to people: a bound that holds at every look at once, as long as each arm's failure probability holds still.
"""

from __future__ import annotations

import math

from shipline.domain.errors import InvalidValue
from shipline.statistics.two_arms import TwoArms

BISECTIONS = 60


def excess_estimate_upper(arms: TwoArms) -> float:
    """About a 99% upper bound of the canary's excess failure probability, from 1e-5 to 1; 1 without requests.

    Upper end of a Poisson count by its normal approximation (one-sided z = 2.33: k + z^2/2 + z sqrt(k + z^2/4)),
    less the baseline's observed rate.
    """
    if arms.canary_requests == 0:
        return 1.0
    count_upper = arms.canary_failures + 2.7 + 2.33 * math.sqrt(arms.canary_failures + 1.35)
    baseline = arms.baseline_failures / arms.baseline_requests if arms.baseline_requests else 0.0
    return min(1.0, max(1e-5, count_upper / arms.canary_requests - baseline))


def probability_bounds(failures: int, requests: int, *, alpha: float) -> tuple[float, float]:
    """A confidence sequence for a failure probability: (lower, upper), missed at any look with chance <= alpha.

    Robbins' mixture method (Ann. Math. Statist. 41, 1970): the ratio of the beta(1/2, 1/2)-mixed likelihood to that
    at p is a martingale under p, and the p at which it is below 1 / alpha are kept.
    """
    if not 0 <= failures <= requests or not 0.0 < alpha < 1.0:
        raise InvalidValue(f"impossible counts or level: {failures} of {requests}, alpha {alpha}")
    if requests == 0:
        return 0.0, 1.0
    mean = failures / requests
    lower = 0.0 if failures == 0 else _edge(failures, requests, alpha, inside=mean, outside=0.0)
    upper = 1.0 if failures == requests else _edge(failures, requests, alpha, inside=mean, outside=1.0)
    return lower, upper


def excess_upper(arms: TwoArms, *, alpha: float) -> float:
    """Upper bound of (canary's less baseline's failure probability), valid at every look, each arm at alpha / 2."""
    canary = probability_bounds(arms.canary_failures, arms.canary_requests, alpha=alpha / 2)
    baseline = probability_bounds(arms.baseline_failures, arms.baseline_requests, alpha=alpha / 2)
    return canary[1] - baseline[0]


def _edge(failures: int, requests: int, alpha: float, *, inside: float, outside: float) -> float:
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        if _log_mixture_ratio(failures, requests, middle) < -math.log(alpha):
            inside = middle
        else:
            outside = middle
    return outside


def _log_mixture_ratio(failures: int, requests: int, probability: float) -> float:
    """Logarithm of the mixed likelihood over the likelihood at `probability`, which lies strictly within 0 and 1."""
    successes = requests - failures
    mixed = math.lgamma(failures + 0.5) + math.lgamma(successes + 0.5) - math.lgamma(requests + 1) - math.log(math.pi)
    return mixed - failures * math.log(probability) - successes * math.log1p(-probability)
