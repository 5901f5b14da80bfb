"""Two reports of benchmarks or sizes: what is worse, by more than is tolerated and by more than chance."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from shipline.capabilities.evidence.comparison import compare
from shipline.capabilities.evidence.reports import Report, read_report_bytes
from shipline.domain.errors import InvalidValue
from tests.capabilities.evidence.reports.test_samples import sample

chance = random.Random(11)  # noqa: S311 - the same samples each time


def timed(**times: list[float]) -> Report:
    """What hyperfine writes of commands that took so long."""
    results = [{"command": name, "mean": sum(each) / len(each), "times": each} for name, each in times.items()]
    for result, each in zip(results, times.values(), strict=True):
        mean = sum(each) / len(each)
        result["stddev"] = math.sqrt(sum((time - mean) ** 2 for time in each) / (len(each) - 1))
    return read_report_bytes(json.dumps({"results": results}).encode())


def around(mean: float, share: float, count: int) -> list[float]:
    return [mean * chance.lognormvariate(0.0, share) for _ in range(count)]


def custom(value: float, *, spread: object = None, unit: str = "ms", better: str = "Smaller") -> Report:
    entry = {"name": "a", "unit": unit, "value": value, "range": spread}
    return read_report_bytes(json.dumps([entry]).encode(), format_name=f"custom{better}IsBetter")


def judged(base: Report, head: Report, tolerance: float | None = None) -> dict[str, tuple[str, str]]:
    items = compare(base, head, tolerance_percent=tolerance).difference.items
    return {item["name"]: (item["verdict"], item["way"]) for item in items}


def test_noise_is_not_taken_for_a_regression() -> None:
    """Of two hundred benchmarks that are what they were, with a noise of 20%, none is worse, in none of ten reports."""
    for count in (5, 12):
        for _ in range(5):
            base, head = (timed(**{f"b{n}": around(1.0, 0.2, count) for n in range(200)}) for _ in range(2))
            assert compare(base, head).difference.summary["regressions"] == 0


@pytest.mark.parametrize(("count", "way"), [(6, "means"), (20, "ranks")])
def test_what_is_worse_than_its_noise_is_found(count: int, way: str) -> None:
    """Among fifty: one is a third slower, with a noise of 3%, and one a third faster. 4% slower is tolerated."""
    same = {f"b{n}": 1.0 for n in range(50)}
    base = timed(**{name: around(mean, 0.03, count) for name, mean in same.items()})
    after = same | {"b7": 1.33, "b8": 0.67, "b9": 1.04}
    found = judged(base, timed(**{name: around(mean, 0.03, count) for name, mean in after.items()}))
    assert {name: verdict for name, verdict in found.items() if verdict[0] != "same"} == {
        "b7": ("worse", way),
        "b8": ("better", way),
    }


def test_one_outlier_turns_no_verdict() -> None:
    """A run that took a hundred times as long makes the mean ten times the base's, and no ranks."""
    base, head = around(1.0, 0.02, 12), [*around(1.0, 0.02, 11), 100.0]
    assert judged(timed(a=base), timed(a=head)) == {"a": ("same", "ranks")}


@pytest.mark.parametrize(
    ("base", "head", "tolerance", "expected"),
    [
        (custom(100), custom(109), None, ("same", "tolerance")),
        (custom(100), custom(111), None, ("worse", "tolerance")),
        (custom(100), custom(111), 20.0, ("same", "tolerance")),
        (custom(100), custom(89), None, ("better", "tolerance")),
        (custom(100, better="Bigger"), custom(89, better="Bigger"), None, ("worse", "tolerance")),
        (custom(100, better="Bigger"), custom(111, better="Bigger"), None, ("better", "tolerance")),
        (custom(100, spread="± 3"), custom(110, spread=3), None, ("same", "intervals")),
        (custom(100, spread="± 3"), custom(112, spread="3%"), None, ("worse", "intervals")),
        (custom(100, spread="1%"), custom(107), None, ("same", "tolerance")),
        (custom(0), custom(1), None, ("worse", "tolerance")),
        (custom(-100), custom(-111), None, ("better", "tolerance")),
        (custom(1), custom(1, unit="s"), None, ("incomparable", None)),
        (custom(1), custom(1, better="Bigger"), None, ("incomparable", None)),
    ],
)
def test_values_alone_are_held_to_a_tolerance(
    base: Report, head: Report, tolerance: float | None, expected: tuple[str, str]
) -> None:
    """And to their intervals, where the tool gives some; which way is better is the format's to say."""
    assert judged(base, head, tolerance) == {"a": expected}


def test_what_is_gone_is_counted() -> None:
    """A benchmark that cannot be compared any more may hide what became worse."""
    found = compare(timed(a=[1.0, 1.1], b=[1.0, 1.1]), timed(b=[1.0, 1.1], c=[1.0, 1.1])).difference
    assert found.facts == {"benchmark": {"regressions": 0, "vanished": 1}}
    assert [(item["name"], item["verdict"]) for item in found.items] == [
        ("b", "same"),
        ("a", "vanished"),
        ("c", "appeared"),
    ]


@pytest.mark.parametrize("name", ["pytest-benchmark/benchmark.json", "google-benchmark/repetitions.json"])
def test_a_report_is_as_good_as_itself(name: str) -> None:
    """Whatever is known of its noise."""
    assert {item["verdict"] for item in compare(sample(name), sample(name)).difference.items} == {"same"}


def test_a_tolerance_that_is_no_number_is_refused() -> None:
    """Nothing lies beyond NaN, so that nothing would be worse."""
    with pytest.raises(InvalidValue, match="a tolerance is"):
        compare(custom(1), custom(2), tolerance_percent=math.nan)


def test_sizes_are_compared_by_name_and_in_sum() -> None:
    """From 342 bytes to 471; maps are listed and not summed."""
    base = sample("esbuild/meta.json")
    outputs: dict[str, Any] = {item["name"]: {"bytes": item["bytes"]} for item in base.items}
    outputs["out/a.js"] = {"bytes": 421}
    head = read_report_bytes(json.dumps({"inputs": {}, "outputs": outputs}).encode())
    found = compare(base, head).difference
    assert found.items == ({"name": "out/a.js", "bytes_before": 292, "bytes_after": 421},)
    assert found.summary["growth_bytes"] == 129
    assert found.facts["size"]["growth_percent"] == pytest.approx(100 * 129 / 342)
