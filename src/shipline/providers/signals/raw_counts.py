"""Counts from the samples of counters, exact: what a counter says at one scrape less what it said at another. Pure.

Nothing is extrapolated. PromQL's `increase()` stretches what it has seen to the ends of its range, so it counts
requests that nobody made, in fractions, more for one arm than for the other: an analysis that relies on whole and
independent counts cannot be fed with it.

A counter counts from 0 when its process begins, so one that falls has begun anew, and one that is new began at 0. What
a process counted between its last scrape and its end is lost.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from shipline.clients.prometheus_api import Series
from shipline.ports.metrics import WrongType
from shipline.ports.signals import EDGES_S, Counts
from shipline.providers.signals.readings import Tallied

WHOLE_MAX = 2**53
"""Beyond this, samples leave whole numbers out."""

Target = tuple[str, str]
"""What is scraped as one, by the labels that Prometheus gives it: job and instance."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter: what it said at or before the start of the window (None: nothing was known of it), and what it has
    said from then on, oldest first, by UTC milliseconds."""

    labels: Mapping[str, str]
    base: int | None
    samples: tuple[tuple[int, int], ...]

    @property
    def target(self) -> Target:
        """What it is scraped from."""
        return self.labels.get("job", ""), self.labels.get("instance", "")


@dataclass(frozen=True, slots=True)
class Scraped:
    """The counters of one group. Without `latency` no histogram is counted."""

    requests: tuple[Counter, ...]
    errors: tuple[Counter, ...]
    latency: tuple[Counter, ...] = ()

    @property
    def bounds(self) -> frozenset[str]:
        """The upper bounds of its buckets, as it writes them."""
        return frozenset(counter.labels.get("le", "") for counter in self.latency)


@dataclass(frozen=True, slots=True)
class Grown:
    """How much something has grown: in the window as it was scraped, what surely is of that time, and what may be."""

    exact: int
    least: int
    most: int


def counters(before: Iterable[Series], since: Iterable[Series], *, since_ms: int) -> tuple[Counter, ...]:
    """The counters that are in `since`, with what they said in `before`. WrongType where one counts no whole things."""
    bases = {_key(series): _whole(series.samples[-1][1]) for series in before if series.samples}
    return tuple(
        Counter(
            series.labels,
            bases.get(_key(series)),
            tuple((time_ms, _whole(value)) for time_ms, value in series.samples if time_ms >= since_ms),
        )
        for series in since
    )


def newest_ms(counted: Iterable[Counter], *, after_ms: int, until_ms: int) -> int | None:
    """When any of them was scraped last in that time; None if none was."""
    times = (time_ms for counter in counted for time_ms, _ in counter.samples)
    return max((time_ms for time_ms in times if after_ms < time_ms <= until_ms), default=None)


def tally(scraped: Scraped, *, since_ms: int, until_ms: int) -> Tallied:
    """What a group has counted from `since_ms` to `until_ms`."""
    times = _Times.of((*scraped.requests, *scraped.errors), since_ms, until_ms)
    requests = [times.grown(counter) for counter in scraped.requests]
    errors = [times.grown(counter) for counter in scraped.errors]
    histograms = _histograms(scraped.latency, times)
    return Tallied(*(_counts(requests, errors, histograms, way) for way in ("exact", "least", "most")))


def _counts(requests: list[Grown], errors: list[Grown], histograms: dict[str, list[int]], way: str) -> Counts:
    failed = sum(getattr(one, way) for one in errors)
    # Where errors are a counter of their own, one may be written before the request that it belongs to.
    total = max(failed, sum(getattr(one, way) for one in requests))
    return Counts(total, failed, failed, tuple(histograms[way]))


@dataclass(frozen=True, slots=True)
class _Times:
    """When each target was scraped from the start of the window on; all of its counters are scraped at once."""

    since_ms: int
    until_ms: int
    by_target: Mapping[Target, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, counted: Iterable[Counter], since_ms: int, until_ms: int) -> _Times:
        found: dict[Target, set[int]] = {}
        for counter in counted:
            found.setdefault(counter.target, set()).update(time_ms for time_ms, _ in counter.samples)
        return cls(since_ms, until_ms, {target: tuple(sorted(times)) for target, times in found.items()})

    def grown(self, counter: Counter) -> Grown:
        """How much a counter has grown."""
        times = self.by_target.get(counter.target, ())
        within = [time_ms for time_ms in times if time_ms <= self.until_ms]
        end_ms = next((time_ms for time_ms in times if time_ms >= self.until_ms), self.until_ms)
        growth = partial(_growth, counter.samples)
        exact = growth(counter.base or 0, after_ms=-1, until_ms=self.until_ms)
        most = growth(counter.base or 0, after_ms=-1, until_ms=end_ms)
        if not within:
            return Grown(exact, 0, most)
        # A counter that was not there when its target was scraped first has counted nothing until then.
        first = next((value for time_ms, value in counter.samples if time_ms == within[0]), 0)
        least = growth(first, after_ms=within[0], until_ms=within[-1])
        return Grown(exact, min(least, exact), most)


def _growth(samples: Iterable[tuple[int, int]], last: int, *, after_ms: int, until_ms: int) -> int:
    total = 0
    for time_ms, value in samples:
        if after_ms < time_ms <= until_ms:
            total += value - last if value >= last else value
            last = value
    return total


def _histograms(latency: tuple[Counter, ...], times: _Times) -> dict[str, list[int]]:
    """The requests of each bucket stand in the one of EDGES_S that its upper bound is in: for both arms the same."""
    made = {way: [0] * (len(EDGES_S) + 1) for way in ("exact", "least", "most")}
    families: dict[tuple[tuple[str, str], ...], list[tuple[float, Grown]]] = {}
    for counter in latency:
        key = tuple(sorted((name, value) for name, value in counter.labels.items() if name != "le"))
        families.setdefault(key, []).append((_bound(counter), times.grown(counter)))
    for family in families.values():
        below = dict.fromkeys(made, 0)
        for bound, grown in sorted(family, key=lambda one: one[0]):
            for way, histogram in made.items():
                # Each bucket counts those below it, too; one that was written a moment later never counts back.
                up_to = max(below[way], getattr(grown, way))
                histogram[bisect_left(EDGES_S, bound)] += up_to - below[way]
                below[way] = up_to
    return made


def _bound(counter: Counter) -> float:
    try:
        bound = float(counter.labels.get("le", ""))
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        raise WrongType(
            "the selector of latency has series without a bound `le`",
            todo="name the `_bucket` series of a classic histogram, as they are",
        )
    return bound


def _whole(value: float) -> int:
    if not (0.0 <= value <= WHOLE_MAX and value == int(value)):
        raise WrongType(
            f"a selector of counts has a series that says {value}, and no counter of requests does",
            todo="name a counter: a metric whose value is a whole number and only grows",
        )
    return int(value)


def _key(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in series.labels.items() if name != "__name__"))
