"""Benchmarks, whatever format they came in.

An item is `{"name", "unit", "value", "better", "deviation", "count", "samples"}`. `value` is the mean where the format
has one, `better` is `smaller` or `bigger`. `deviation` is the standard deviation of the single measurements or, where
`count` is None, the half-width of an interval that the tool gives around the value; None where it says nothing.
`count` is how many measurements there were, None where the report does not say. `samples` are the measurements
themselves, None where the report leaves them out; of many, every n-th is kept, so that there are 1,000 at most.

The summary is `{"total", "skipped"}`: benchmarks with a value, and those that the tool says it skipped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind

SAMPLES_MAX = 1000
"""More of them would say no more about a difference that anybody minds."""


class Better(StrEnum):
    """Which way is an improvement."""

    SMALLER = "smaller"
    BIGGER = "bigger"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark. Fields as in an item."""

    name: str
    unit: str
    value: float
    better: Better = Better.SMALLER
    deviation: float | None = None
    count: int | None = None
    samples: tuple[float, ...] | None = None

    def item(self) -> dict[str, Any]:
        """The benchmark as an item of a report."""
        return {
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "better": self.better.value,
            "deviation": self.deviation,
            "count": self.count,
            "samples": None if self.samples is None else list(thinned(self.samples)),
        }


def of_samples(name: str, unit: str, samples: Sequence[float]) -> Benchmark:
    """A benchmark of single measurements (one at least), the smaller the better."""
    mean = math.fsum(samples) / len(samples)
    deviation = None
    if len(samples) > 1:
        deviation = math.sqrt(math.fsum((sample - mean) ** 2 for sample in samples) / (len(samples) - 1))
    return Benchmark(name, unit, mean, deviation=deviation, count=len(samples), samples=tuple(samples))


def thinned(samples: Sequence[float]) -> Sequence[float]:
    """Every n-th of many samples: whatever drifts while a benchmark runs is in what is kept."""
    return samples[:: -(-len(samples) // SAMPLES_MAX)] if samples else samples


def benchmark_report(benchmarks: Sequence[Benchmark], *, tool: str, format_name: str, skipped: int = 0) -> Report:
    """A report on `benchmarks`. Refuses one without any, and two of one name: a comparison would not know which."""
    if not benchmarks:
        raise InvalidValue("the report holds no benchmark", todo="see whether any was run")
    names: set[str] = set()
    for benchmark in benchmarks:
        if benchmark.name in names:
            raise InvalidValue(f"two benchmarks of the report are named {benchmark.name[:80]!r}")
        names.add(benchmark.name)
    summary = {"total": len(benchmarks), "skipped": skipped}
    items = tuple(benchmark.item() for benchmark in benchmarks)
    return Report(EvidenceKind.BENCHMARK, tool, format_name, summary, items)
