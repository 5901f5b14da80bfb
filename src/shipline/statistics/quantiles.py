"""Quantiles and exceedance counts of histograms.

A histogram over n ascending edges has n + 1 counts: bucket 0 lies below the first edge, bucket n above the last.
"""

from __future__ import annotations

from collections.abc import Sequence


def exceedances(histogram: Sequence[int], edge: int) -> int:
    """How many observations lie above edge number `edge` (from 0)."""
    return sum(histogram[edge + 1 :])


def nearest_edge(histogram: Sequence[int], share: float) -> int | None:
    """The number of the edge above which the part nearest to `share` of the observations lies; the lowest of equals.

    None where fewer than 1 / (2 share) observations, or no edges, make the question idle.
    """
    total = sum(histogram)
    if total * share < 0.5 or len(histogram) < 2:
        return None
    best, best_distance, above = 0, 2.0, total
    for edge in range(len(histogram) - 1):
        above -= histogram[edge]
        distance = abs(above / total - share)
        if distance < best_distance:
            best, best_distance = edge, distance
    return best


def quantile(edges: Sequence[float], histogram: Sequence[int], level: float) -> float | None:
    """The `level` quantile (0 to 1), linear within a bucket; the last edge for what lies above it.

    None for an empty histogram. The first bucket is taken to begin at 0.
    """
    total = sum(histogram)
    if total == 0:
        return None
    target, below = level * total, 0
    for bucket, count in enumerate(histogram[:-1]):
        if count and below + count >= target:
            low = edges[bucket - 1] if bucket else 0.0
            return low + (edges[bucket] - low) * max(0.0, target - below) / count
        below += count
    return edges[-1]
