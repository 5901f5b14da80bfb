"""What Shipline's own counts of a canary say about it."""

from __future__ import annotations

from bisect import bisect_left

import pytest

from shipline.capabilities.rollouts.observing.figures import FIGURES, NO_COUNTS, figure_of, together
from shipline.ports.signals import EDGES_S, Counts


def counted(requests: int, errors: int, latencies_s: tuple[float, ...] = ()) -> Counts:
    histogram = [0] * (len(EDGES_S) + 1)
    for latency_s in latencies_s:
        histogram[bisect_left(EDGES_S, latency_s)] += 1
    return Counts(requests, errors, min(errors, 1), tuple(histogram))


@pytest.mark.parametrize(
    ("figure", "value"),
    [("success_rate", 0.93), ("error_rate", 0.07), ("requests", 100.0), ("p50", 0.02), ("p95", 0.4), ("p99", 0.4)],
)
def test_figures_are_those_of_the_counts(figure: str, value: float) -> None:
    """Shares exactly, latencies within the width of a bucket."""
    counts = counted(100, 7, (0.02,) * 90 + (0.4,) * 10)
    assert figure_of(figure, counts) == pytest.approx(value, rel=0.15 if figure.startswith("p") else 1e-12)


def test_a_share_that_is_just_allowed_is_what_people_write() -> None:
    """93 of 100 is 0.93, not a little less."""
    assert all(figure_of("success_rate", counted(1000, 1000 - good)) == good / 1000 for good in range(1001))


@pytest.mark.parametrize("figure", [each for each in FIGURES if each != "requests"])
def test_no_requests_are_no_number(figure: str) -> None:
    """Neither good nor bad; only their number is known, which is 0."""
    assert figure_of(figure, NO_COUNTS) is None
    assert figure_of("requests", NO_COUNTS) == 0.0


def test_requests_that_never_ended_have_no_latency() -> None:
    assert figure_of("p99", counted(5, 5)) is None
    assert figure_of("error_rate", counted(5, 5)) == 1.0


def test_counts_of_two_times_are_counted_together() -> None:
    one, other = counted(10, 2, (0.01,) * 8), counted(5, 1, (0.5,) * 4)
    both = together(one, other)
    assert (both.requests, both.errors, both.error_clients, sum(both.histogram)) == (15, 3, 2, 12)
    assert together(one, NO_COUNTS) == one
