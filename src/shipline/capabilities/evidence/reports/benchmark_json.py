"""Benchmarks as tools write them in JSON: pytest-benchmark, hyperfine, Google Benchmark, and the custom lists.

Sources: pytest-benchmark 5 (`--benchmark-json`), hyperfine 1.15 to 1.20 (`--export-json`), Google Benchmark 1.7 to 1.9
(`--benchmark_format=json`), and the `customSmallerIsBetter` and `customBiggerIsBetter` lists of
https://github.com/benchmark-action/github-action-benchmark, which other tools write and read as well. The two are the
same but for what they mean, so that whoever reads one has to say which it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from shipline.capabilities.evidence.reports.benchmarks import Benchmark, Better, benchmark_report, of_samples
from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.shape import (
    NUMBER_MAX,
    count_of,
    number_in,
    object_of,
    objects_of,
    optional_number_in,
    text_in,
)
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

PYTEST = "pytest-benchmark"
HYPERFINE = "hyperfine"
GOOGLE = "google-benchmark"
SMALLER = "customSmallerIsBetter"
BIGGER = "customBiggerIsBetter"
UNSAID = "custom"
ReadJSON: TypeAlias = "Callable[[JSON], Report]"
_RANGE = re.compile(r"^\s*(?:±|\+/-|\+-)?\s*(\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?)\s*(%?)\s*$")


def read_pytest_benchmark(document: JSON) -> Report:
    """Seconds, smaller is better. With `stats.data` (as `--benchmark-json` writes) the samples come along."""
    what = "the pytest-benchmark report"
    found = [_pytest_benchmark(each) for each in objects_of(object_of(document, what).get("benchmarks"), what)]
    return benchmark_report(found, tool=PYTEST, format_name=PYTEST)


def _pytest_benchmark(benchmark: dict[str, Any]) -> Benchmark:
    name = text_in(benchmark, "fullname", "a benchmark")
    stats = object_of(benchmark.get("stats"), f"'stats' of {name[:80]}")
    rounds = count_of(stats, "rounds", name)
    return Benchmark(
        name=name,
        unit="s",
        value=number_in(stats, "mean", name),
        deviation=_deviation(stats, "stddev", name) if rounds > 1 else None,  # Of one round it is written as 0.
        count=rounds,
        samples=_samples(stats.get("data"), name),
    )


def read_hyperfine(document: JSON) -> Report:
    """Seconds, smaller is better. A command that failed in one of its runs was not measured: it is refused."""
    what = "the hyperfine report"
    found = [_hyperfine(each) for each in objects_of(object_of(document, what).get("results"), what)]
    return benchmark_report(found, tool=HYPERFINE, format_name=HYPERFINE)


def _hyperfine(result: dict[str, Any]) -> Benchmark:
    # A command that was given a name has it in `command`; parameters stand in the command's own text.
    name = text_in(result, "command", "a result of hyperfine")
    codes = result.get("exit_codes")
    if isinstance(codes, list) and any(codes):
        raise InvalidValue(f"{name[:80]!r} failed while hyperfine measured it", why=f"exit codes {codes[:20]}")
    samples = _samples(result.get("times"), name)
    mean = number_in(result, "mean", name)
    return Benchmark(name, "s", mean, Better.SMALLER, _deviation(result, "stddev", name), _length(samples), samples)


def _length(samples: tuple[float, ...] | None) -> int | None:
    return None if samples is None else len(samples)


def read_google_benchmark(document: JSON) -> Report:
    """Real time, smaller is better. Repetitions of one benchmark are its samples; where only aggregates are reported,
    its mean and deviation are taken. One that ended with an error was not measured: the report is refused."""
    what = "the Google Benchmark report"
    runs: dict[str, list[dict[str, Any]]] = {}
    skipped = 0
    for run in objects_of(object_of(document, what).get("benchmarks"), what):
        name = text_in(run, "run_name", "a benchmark", default="") or text_in(run, "name", "a benchmark")
        if run.get("error_occurred"):
            raise InvalidValue(
                f"the benchmark {name[:80]!r} ended with an error",
                why=text_in(run, "error_message", name, default="")[:200],
            )
        if run.get("skipped"):
            skipped += 1
        elif run.get("run_type", "iteration") == "iteration" or "aggregate_name" in run:
            runs.setdefault(name, []).append(run)
    found = [_google_benchmark(name, each) for name, each in runs.items()]
    return benchmark_report(found, tool=GOOGLE, format_name=GOOGLE, skipped=skipped)


def _google_benchmark(name: str, runs: list[dict[str, Any]]) -> Benchmark:
    unit = text_in(runs[0], "time_unit", name, default="ns")
    iterations = [run for run in runs if "aggregate_name" not in run]
    if iterations:
        return of_samples(name, unit, [number_in(run, "real_time", name) for run in iterations])
    aggregates = {text_in(run, "aggregate_name", name): run for run in runs}
    if "mean" not in aggregates:
        raise InvalidValue(f"the benchmark {name[:80]!r} has neither runs nor a mean")
    deviation = _deviation(aggregates["stddev"], "real_time", name) if "stddev" in aggregates else None
    mean = aggregates["mean"]
    return Benchmark(
        name, unit, number_in(mean, "real_time", name), deviation=deviation, count=count_of(mean, "repetitions", name)
    )


def read_custom(document: JSON, better: Better) -> Report:
    """A list of `{"name", "unit", "value", "range"?, "extra"?}`; `range` is text or a number: `± 3`, `3`, `2%`."""
    format_name = SMALLER if better is Better.SMALLER else BIGGER
    found = [_custom(each, better) for each in objects_of(document, f"the {format_name} report")]
    return benchmark_report(found, tool="custom", format_name=format_name)


def refuse_unsaid(document: JSON) -> NoReturn:
    """Refuse a list of which nobody said which way is better."""
    del document
    raise InvalidValue(
        "a list of benchmarks does not say which way is better",
        todo=f"name its format: --format {SMALLER} or --format {BIGGER}",
    )


def _custom(entry: dict[str, Any], better: Better) -> Benchmark:
    name = text_in(entry, "name", "a benchmark")
    value = number_in(entry, "value", name)
    return Benchmark(name, text_in(entry, "unit", name), value, better, _range(entry.get("range"), value))


def _range(written: object, value: float) -> float | None:
    """The half-width that `range` says, None for what says none: the field is free text."""
    found = _RANGE.match(written if isinstance(written, str) else str(written))
    if found is None or isinstance(written, bool):
        return None
    width = float(found[1])
    width = abs(value) * width / 100 if found[2] else width
    return width if width <= NUMBER_MAX else None


def _deviation(parent: dict[str, Any], field: str, name: str) -> float | None:
    deviation = optional_number_in(parent, field, name)
    if deviation is not None and deviation < 0:
        raise InvalidValue(f"the deviation of {name[:80]!r} is below 0")
    return deviation


def _samples(values: object, name: str) -> tuple[float, ...] | None:
    if values is None:
        return None
    if not isinstance(values, list) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= NUMBER_MAX for value in values
    ):
        raise InvalidValue(f"the measurements of {name[:80]!r} are no list of numbers")
    return tuple(map(float, values)) or None
