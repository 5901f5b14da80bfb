"""Quantiles and exceedances of histograms."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.ports.signals import EDGES_S
from shipline.statistics.quantiles import exceedances, nearest_edge, quantile


def histogram(latencies_s: list[float]) -> list[int]:
    counts = [0] * (len(EDGES_S) + 1)
    for latency_s in latencies_s:
        counts[bisect_left(EDGES_S, latency_s)] += 1
    return counts


@given(st.lists(st.floats(0.0005, 100), min_size=1), st.integers(0, len(EDGES_S) - 1))
def test_exceedances_are_the_observations_above_the_edge(latencies_s: list[float], edge: int) -> None:
    """Counted from the histogram as from the values."""
    assert exceedances(histogram(latencies_s), edge) == sum(latency_s > EDGES_S[edge] for latency_s in latencies_s)


def test_the_nearest_edge_splits_off_the_share_asked_for() -> None:
    """Of 1,000 latencies 0.001 to 1 s the p95 is within a bucket of 0.95 s."""
    edge = nearest_edge(histogram([step / 1000 for step in range(1, 1001)]), 0.05)
    assert edge is not None
    assert EDGES_S[edge] == pytest.approx(0.95, rel=0.15)


@pytest.mark.parametrize("counts", [[], [500], [4, 5], [0, 0, 0]])
def test_too_few_observations_or_no_edges_give_no_threshold(counts: list[int]) -> None:
    """A p95 needs 10 observations and an edge."""
    assert nearest_edge(counts, 0.05) is None


@given(st.lists(st.floats(0.001, 50), min_size=1), st.floats(0, 1))
def test_a_quantile_lies_within_its_bucket(latencies_s: list[float], level: float) -> None:
    """Never beyond the largest observation's bucket, and rising with the level."""
    counts = histogram(latencies_s)
    found = quantile(EDGES_S, counts, level)
    assert found is not None
    assert found <= EDGES_S[min(bisect_left(EDGES_S, max(latencies_s)), len(EDGES_S) - 1)]
    assert found <= (quantile(EDGES_S, counts, 1.0) or 0.0)


def test_a_quantile_is_linear_within_a_bucket_and_none_without_data() -> None:
    """Half of four observations in one bucket is its middle."""
    assert quantile((1.0, 2.0), [0, 4, 0], 0.5) == 1.5
    assert quantile((1.0, 2.0), [0, 0, 3], 0.5) == 2.0
    assert quantile((1.0, 2.0), [0, 0, 0], 0.5) is None
