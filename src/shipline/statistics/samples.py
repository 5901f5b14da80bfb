"""Whether one measurement lies above another by more than a margin, and by more than their noise.

All tests are one-sided. The hypothesis that a small answer speaks against is "the first is at most `margin` above the
second"; who wants "below" hands over negated values. Each answer is a P-value: the chance of what was seen, or of
something stranger, under that hypothesis. What they take for granted is that the measurements are independent of
each other. Two runs on differently busy machines are not measured by any of it; that is what the margin is for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from shipline.domain.errors import InvalidValue

EXACT_MAX = 25
"""Up to so many values in each sample, and without ties, the rank sum's law is counted out."""
_FRACTION_STEPS_MAX = 500
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Moments:
    """Of a sample: its mean, its standard deviation (n - 1 below the line) and n, 2 or more."""

    mean: float
    deviation: float
    count: int

    def __post_init__(self) -> None:
        """Refuse what is no sample's."""
        if self.count < 2 or not 0.0 <= self.deviation < math.inf or not math.isfinite(self.mean):
            raise InvalidValue(f"no sample has the mean {self.mean} and the deviation {self.deviation} of {self.count}")


def rank_sum_p(first: Sequence[float], second: Sequence[float], *, margin: float = 0.0) -> float:
    """By ranks alone, so that no outlier counts for more than one value: P-value of Mann and Whitney's test.

    H. B. Mann, D. R. Whitney, Ann. Math. Statist. 18 (1947) 50-60: the law of U is counted out by their recurrence
    for small samples without ties; else its normal approximation, with the correction for ties and for continuity
    (E. L. Lehmann, Nonparametrics, 1975, section 1.4).
    """
    if not first or not second:
        raise InvalidValue("a sample without values cannot be compared")
    shifted = [value + margin for value in second]
    n, m = len(first), len(shifted)
    ranks = _ranks([*first, *shifted])
    u = sum(ranks[:n]) - n * (n + 1) / 2
    ties = Counter(chain(first, shifted))
    if max(n, m) <= EXACT_MAX and len(ties) == n + m:
        # The law is symmetric: as many orders have U at least u as have it at most n m - u.
        counts = _u_counts(n, m)
        return sum(counts[: n * m - round(u) + 1]) / math.comb(n + m, n)
    both = n + m
    tied = sum(count**3 - count for count in ties.values())
    variance = n * m / 12 * (both + 1 - tied / (both * (both - 1)))
    if variance <= 0.0:
        return 1.0  # All values are equal.
    z = (u - n * m / 2 - 0.5) / math.sqrt(variance)
    return 0.5 * math.erfc(z / math.sqrt(2))


def mean_p(first: Moments, second: Moments, *, margin: float = 0.0) -> float:
    """By means and deviations: P-value of Welch's test (B. L. Welch, Biometrika 34, 1947, 28-35), whose degrees of
    freedom are estimated; it needs no equal deviations, and means that are about normal."""
    parts = [sample.deviation**2 / sample.count for sample in (first, second)]
    excess = first.mean - second.mean - margin
    if sum(parts) == 0.0:
        return 0.0 if excess > 0.0 else 1.0
    below = sum(part * part / (sample.count - 1) for part, sample in zip(parts, (first, second), strict=True))
    freedom = sum(parts) ** 2 / below if below > 0.0 else math.inf  # Underflow: as good as normal.
    return student_upper(excess / math.sqrt(sum(parts)), freedom)


def student_upper(t: float, freedom: float) -> float:
    """The chance that Student's t with `freedom` degrees of freedom (above 0) lies at `t` or above."""
    if math.isinf(freedom):
        return 0.5 * math.erfc(t / math.sqrt(2))
    tail = 0.5 * _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))
    return tail if t >= 0.0 else 1.0 - tail


def holm(p_values: Sequence[float], *, alpha: float) -> tuple[bool, ...]:
    """Which hypotheses fall, if the chance that any true one falls is to be at most `alpha`, however they depend on
    each other (S. Holm, Scand. J. Statist. 6, 1979, 65-70)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    fallen = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        fallen[index] = True
    return tuple(fallen)


def _ranks(values: Sequence[float]) -> list[float]:
    """Each value's rank from 1; equal ones share the middle of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    return ranks


def _u_counts(n: int, m: int) -> list[int]:
    """How many of the orders of n and m values have U = 0, 1, ... n m: the coefficients of Gauss's binomial, built
    by multiplying with (1 - q^(m + i)) and dividing by (1 - q^i)."""
    counts = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    return counts


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), by its continued fraction (NIST DLMF 8.17.22), evaluated
    by Lentz's method (W. J. Lentz, Appl. Opt. 15, 1976, 668)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):  # The fraction converges quickly on the other side.
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    value, c, d = 1.0, math.inf, 1.0
    for step in range(1, _FRACTION_STEPS_MAX):
        half = step // 2
        if step % 2 == 0:
            term = half * (b - half) * x / ((a + step - 1) * (a + step))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + step - 1) * (a + step))
        d = 1.0 / _not_zero(1.0 + term * d)
        c = _not_zero(1.0 + term / c)
        value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return math.exp(log_front) * value / a


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
