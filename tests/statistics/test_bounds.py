"""Bounds on failure probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.domain.errors import InvalidValue
from shipline.statistics.bounds import excess_estimate_upper, excess_upper, probability_bounds
from shipline.statistics.two_arms import TwoArms


@given(st.integers(0, 100_000), st.data())
def test_the_bounds_enclose_the_observed_rate(requests: int, data: st.DataObject) -> None:
    """And stay within 0 and 1."""
    failures = data.draw(st.integers(0, requests))
    lower, upper = probability_bounds(failures, requests, alpha=0.01)
    assert 0.0 <= lower <= upper <= 1.0
    if requests:
        assert lower <= failures / requests <= upper


def test_the_bounds_hold_at_all_looks_at_once() -> None:
    """Of 1,000 sequences looked at 20 times, at most alpha + noise ever exclude the truth."""
    random = np.random.default_rng(11)
    missed = 0
    for truth in (0.003, 0.05):
        failures = random.binomial(50, truth, size=(500, 20)).cumsum(1)
        for row in failures:
            looks = [probability_bounds(int(k), 50 * (look + 1), alpha=0.05) for look, k in enumerate(row)]
            missed += any(not lower <= truth <= upper for lower, upper in looks)
    assert missed / 1_000 <= 0.05


def test_more_clean_requests_rule_out_more() -> None:
    """What is ruled out shrinks with evidence; without any, nothing is."""
    uppers = [excess_upper(TwoArms(0, n, 0, n), alpha=0.01) for n in (0, 100, 1_000, 10_000)]
    assert uppers[0] == 1.0
    assert uppers == sorted(uppers, reverse=True)
    assert uppers[-1] < 0.002


def test_the_estimate_that_steers_the_ramp_is_between_its_limits() -> None:
    """1 without requests, never 0, and less when the baseline fails as well."""
    assert excess_estimate_upper(TwoArms(0, 0, 0, 10)) == 1.0
    assert excess_estimate_upper(TwoArms(0, 10, 0, 0)) == pytest.approx(0.5407, abs=1e-3)
    assert excess_estimate_upper(TwoArms(5, 100, 5, 100)) < excess_estimate_upper(TwoArms(5, 100, 0, 100))
    assert excess_estimate_upper(TwoArms(0, 10**7, 10**6, 10**7)) == 1e-5


@pytest.mark.parametrize(("failures", "requests", "alpha"), [(2, 1, 0.01), (-1, 1, 0.01), (0, 1, 0.0), (0, 1, 1.0)])
def test_impossible_questions_are_refused(failures: int, requests: int, alpha: float) -> None:
    """Counts that cannot be, and levels outside 0 to 1."""
    with pytest.raises(InvalidValue):
        probability_bounds(failures, requests, alpha=alpha)
