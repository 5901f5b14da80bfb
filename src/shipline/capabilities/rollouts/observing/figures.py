"""Figures of a canary, from Shipline's own counts of its requests. Pure."""

from __future__ import annotations

from shipline.ports.signals import EDGES_S, Counts
from shipline.statistics.quantiles import quantile

SHARES = ("success_rate", "error_rate")
"""Parts of the requests, 0 to 1."""
LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Latencies in seconds, right within the 15% that a bucket of the histogram is wide."""
FIGURES = (*SHARES, *LEVELS, "requests")

NO_COUNTS = Counts(0, 0, 0, (0,) * (len(EDGES_S) + 1))


def figure_of(figure: str, counts: Counts) -> float | None:
    """One of FIGURES. None where no request says anything about it; `requests` is 0 then."""
    if figure == "requests":
        return float(counts.requests)
    if figure in LEVELS:
        return quantile(EDGES_S, counts.histogram, LEVELS[figure])
    if counts.requests == 0:
        return None
    # Not 1 minus the other: 93 of 100 shall be 0.93, and not less.
    counted = counts.errors if figure == "error_rate" else counts.requests - counts.errors
    return counted / counts.requests


def together(one: Counts, other: Counts) -> Counts:
    """The counts of two times, one after the other. A client that failed in both counts twice."""
    return Counts(
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        error_clients=one.error_clients + other.error_clients,
        histogram=tuple(mine + yours for mine, yours in zip(one.histogram, other.histogram, strict=True)),
    )
