"""Tests on samples answer what SciPy answers, and keep their level."""

from __future__ import annotations

import math
import random

import pytest
from scipy import stats  # type: ignore[import-untyped]

from shipline.domain.errors import InvalidValue
from shipline.statistics.samples import Moments, holm, mean_p, rank_sum_p, student_upper


def moments(values: list[float]) -> Moments:
    return Moments(float(stats.tmean(values)), float(stats.tstd(values)), len(values))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 4), (10, 8), (25, 25), (30, 40)])
def test_p_values_are_scipys(n: int, m: int) -> None:
    """Exact for small samples, approximate for larger ones, with and without a margin."""
    chance = random.Random(n)  # noqa: S311 - the same samples each time
    first, second = ([chance.gauss(mean, 1) for _ in range(size)] for mean, size in ((0.5, n), (0.0, m)))
    method = "exact" if max(n, m) <= 25 else "asymptotic"
    for margin in (0.0, 0.3):
        shifted = [value + margin for value in second]
        ranks = stats.mannwhitneyu(first, shifted, alternative="greater", method=method).pvalue
        assert rank_sum_p(first, second, margin=margin) == pytest.approx(ranks, rel=1e-9)
        if min(n, m) > 1:
            welch = stats.ttest_ind(first, shifted, equal_var=False, alternative="greater").pvalue
            assert mean_p(moments(first), moments(second), margin=margin) == pytest.approx(welch, rel=1e-9)


def test_ties_are_corrected_for() -> None:
    """Times that were rounded are equal often."""
    first, second = [3, 4, 4, 5, 2, 2, 3, 3, 4], [1, 2, 2, 3, 3, 2, 1]
    expected = stats.mannwhitneyu(first, second, alternative="greater", method="asymptotic").pvalue
    assert rank_sum_p(first, second) == pytest.approx(expected)
    assert rank_sum_p([1.0] * 9, [1.0] * 9) == 1.0


@pytest.mark.parametrize("freedom", [1.0, 1.7, 5.0, 33.0, 1e7])
def test_students_law_is_scipys(freedom: float) -> None:
    """On both sides, and far out."""
    for t in (-40.0, -1.0, 0.0, 0.3, 2.0, 9.0):
        assert student_upper(t, freedom) == pytest.approx(float(stats.t.sf(t, freedom)), rel=1e-7, abs=1e-300)
    assert student_upper(1.0, math.inf) == pytest.approx(float(stats.norm.sf(1.0)))


def test_means_without_deviation_are_compared_as_they_are() -> None:
    """Counters of instructions do not vary."""
    two, one = Moments(2.0, 0.0, 3), Moments(1.0, 0.0, 3)
    assert mean_p(two, one) == 0.0
    assert mean_p(two, one, margin=1.0) == 1.0
    assert mean_p(one, two) == 1.0


def test_holm_lets_the_smallest_fall_first() -> None:
    """0.011 falls among three at 5% only after 0.001 did; at one's own 5% alone, 0.04 would fall, too."""
    assert holm([0.04, 0.001, 0.011], alpha=0.05) == (True, True, True)
    assert holm([0.04, 0.001, 0.03], alpha=0.05) == (False, True, False)
    assert holm([], alpha=0.05) == ()


def test_what_is_no_sample_is_refused() -> None:
    """Rather than compared."""
    with pytest.raises(InvalidValue, match="without values"):
        rank_sum_p([], [1.0])
    for mean, deviation, count in ((1.0, 1.0, 1), (1.0, -1.0, 2), (math.nan, 1.0, 2), (1.0, math.inf, 2)):
        with pytest.raises(InvalidValue, match="no sample"):
            Moments(mean, deviation, count)
