"""Reports that tools wrote, with their figures counted by hand; where they come from stands beside them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.evidence.reports import Report, known_formats, read_report_bytes
from shipline.domain.errors import InvalidValue
from tests.docs.markdown import ROOT

DATA = ROOT / "tests" / "data" / "reports"
NAMED = {
    "custom-benchmarks/bigger.json": "customBiggerIsBetter",
    "custom-benchmarks/smaller.json": "customSmallerIsBetter",
    "license-checker/licenses.json": "license-checker",
    "npm-outdated/none.json": "npm-outdated",
    "npm-outdated/workspace.json": "npm-outdated",
    "pip-outdated/none.json": "pip-outdated",
}
"""Samples that do not tell their format."""
REFUSED = {"google-benchmark/error.json"}
TOOLS = [
    "custom-benchmarks",
    "cyclonedx",
    "dotnet",
    "esbuild",
    "gcovr",
    "google-benchmark",
    "gradle",
    "hyperfine",
    "istanbul",
    "jacoco",
    "jest",
    "license-checker",
    "lighthouse",
    "mocha",
    "npm-outdated",
    "phpunit",
    "pip-licenses",
    "pip-outdated",
    "playwright",
    "pytest-benchmark",
    "pytest-rerunfailures",
    "size-limit",
    "spdx",
    "surefire",
    "unittest-xml-reporting",
    "webpack",
]
FILES = sorted(path.relative_to(DATA).as_posix() for tool in TOOLS for path in (DATA / tool).iterdir())


def sample(name: str) -> Report:
    return read_report_bytes((DATA / name).read_bytes(), format_name=NAMED.get(name, ""))


def figures(report: Report, *names: str) -> tuple[Any, ...]:
    return tuple(report.summary[name] for name in names)


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("pytest-rerunfailures/junit.xml", "pytest", (4, 3, 1, 0, 0, 2)),
        ("unittest-xml-reporting/junit.xml", "junit", (6, 1, 2, 1, 2, 0)),
        ("jest/junit.xml", "jest", (5, 3, 1, 0, 1, 0)),
        ("mocha/junit.xml", "mocha", (5, 2, 2, 0, 1, 0)),
        ("playwright/junit.xml", "junit", (4, 2, 1, 0, 1, 0)),
        ("playwright/report.json", "playwright", (4, 2, 1, 0, 1, 1)),
        ("surefire/flaky.xml", "surefire", (4, 2, 1, 1, 0, 2)),
        ("gradle/junit.xml", "junit", (3, 2, 1, 0, 0, 0)),
        ("phpunit/junit.xml", "junit", (12, 10, 2, 0, 0, 0)),
        ("dotnet/TestResults.xml", "junit", (52, 32, 14, 0, 6, 0)),
    ],
)
def test_tests_are_counted(name: str, tool: str, expected: tuple[int, ...]) -> None:
    """(total, passed, failed, errors, skipped, flaky)."""
    report = sample(name)
    assert report.tool == tool
    assert figures(report, "total", "passed", "failed", "errors", "skipped", "flaky") == expected


def test_both_reports_of_playwright_name_the_same_tests() -> None:
    """So that a base in one format can be compared with a head in the other."""
    xml, js = sample("playwright/junit.xml"), sample("playwright/report.json")
    assert [(case["classname"], case["name"], case["status"]) for case in xml.items] == [
        (case["classname"], case["name"], case["status"]) for case in js.items
    ]
    assert "toBe" in next(case["message"] for case in js.items if case["status"] == "failed")


def test_skipped_tests_that_mocha_does_not_list_are_counted_with_a_note() -> None:
    """A gate on skipped tests sees them."""
    report = sample("mocha/junit.xml")
    assert len(report.items) == 4
    assert report.notes == ("1 of the skipped tests are declared and not listed",)


@pytest.mark.parametrize(
    ("name", "lines", "branches"),
    [
        ("jacoco/jacoco.xml", (4, 8), (2, 4)),
        ("gcovr/jacoco.xml", (6, 7), (1, 2)),
        ("gcovr/cobertura.xml", (6, 7), (1, 2)),
        ("gcovr/clover.xml", (6, 7), (None, None)),
        ("istanbul/clover.xml", (6, 6), (3, 5)),
        ("istanbul/lcov.info", (6, 6), (3, 5)),
    ],
)
def test_coverage_is_counted(name: str, lines: tuple[int, int], branches: tuple[int, int]) -> None:
    """(covered, total)."""
    report = sample(name)
    assert figures(report, "lines_covered", "lines_total") == lines
    assert figures(report, "branches_covered", "branches_total") == branches
    assert sum(group["lines_covered"] for group in report.groups) == lines[0]


def test_coverage_tells_lines_and_packages() -> None:
    """JaCoCo's lines: the constructor, the negative sign and the unused class have not run."""
    (file,), (package,) = sample("jacoco/jacoco.xml").items, sample("jacoco/jacoco.xml").groups
    assert (file["path"], file["package"], file["branch"]) == ("org/quotes/Quote.java", "org/quotes", 50.0)
    assert file["missed_lines"] == [[3, 3], [6, 6], [11, 11], [13, 13]]
    assert file["covered_lines"] == [[5, 5], [8, 8], [18, 19]]
    assert (package["package"], package["files"], package["line"]) == ("org/quotes", 1, 50.0)


def test_benchmarks_are_read() -> None:
    """Names, values, noise and direction of each format."""
    found = {
        name: sample(name).items for name in FILES if "bench" in name or "hyperfine" in name if name not in REFUSED
    }
    first = found["pytest-benchmark/benchmark.json"][0]
    assert (first["name"], first["unit"], first["count"]) == ("test_bench.py::test_sum", "s", 12)
    assert len(first["samples"]) == 12
    first = found["hyperfine/hyperfine.json"][1]
    assert (first["name"], first["value"], first["count"]) == ("sleep 0.01", 0.0114778094, 5)
    runs, aggregates = (found[f"google-benchmark/{name}.json"] for name in ("repetitions", "aggregates_only"))
    assert [(item["name"], item["unit"], item["count"]) for item in runs] == [("copy/8", "ns", 3), ("copy/64", "ns", 3)]
    assert runs[0]["value"] == pytest.approx(1.7249806796616858)  # The mean that the tool itself gives.
    assert (aggregates[0]["count"], aggregates[0]["samples"]) == (3, None)
    assert [item["deviation"] for item in found["custom-benchmarks/bigger.json"]] == [None, 3.0]
    assert {item["better"] for item in found["custom-benchmarks/bigger.json"]} == {"bigger"}
    assert found["custom-benchmarks/smaller.json"][1]["deviation"] == 8.21371


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("esbuild/meta.json", (342, 4, 0, 529)),
        ("webpack/stats.json", (73, 2, 1, 209)),
        ("size-limit/report.json", (316, 3, 1, 0)),
    ],
)
def test_sizes_are_summed(name: str, expected: tuple[int, ...]) -> None:
    """(bytes, files, over their limit, bytes of source maps)."""
    assert figures(sample(name), "bytes", "files", "over_limit", "map_bytes") == expected


def test_lighthouse_scores_are_percentages() -> None:
    """And what was measured stands beside them."""
    report = sample("lighthouse/page.json")
    assert report.summary == {
        "performance": 100.0,
        "accessibility": 84.0,
        "best_practices": 93.0,
        "seo": 82.0,
        "over_budget": None,
    }
    paint = next(item for item in report.items if item["name"] == "largest-contentful-paint")
    assert (paint["value"], paint["unit"], paint["score"]) == (753.7627, "millisecond", 100.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("pip-licenses/licenses.json", (16, 16, 0, 0)), ("license-checker/licenses.json", (8, 7, 1, 0))],
)
def test_licences_are_counted(name: str, expected: tuple[int, ...]) -> None:
    """(packages, known, unclear, unknown)."""
    assert figures(sample(name), "total", "known", "unclear", "unknown") == expected


def test_licences_are_spdx_expressions_with_package_urls() -> None:
    """Names are normalized, and only those that mean one licence: `BSD` alone may be any."""
    python = {item["package"]: item for item in sample("pip-licenses/licenses.json").items}
    assert (python["pip"]["licence"], python["packaging"]["licence"]) == ("MIT", "Apache-2.0 OR BSD-2-Clause")
    assert python["Pygments"]["purl"] == "pkg:pypi/pygments@2.21.0"
    npm = {item["package"]: item for item in sample("license-checker/licenses.json").items}
    assert npm["@babel/code-frame"]["purl"] == "pkg:npm/%40babel/code-frame@7.29.7"
    assert (npm["parse-cache-control"]["licence"], npm["parse-cache-control"]["status"]) == (None, "unclear")
    assert npm["spdx-ranges"]["licence"] == "MIT AND CC-BY-3.0"


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("cyclonedx/npm.json", "npm cli", (3, 3, 2, 0, 1)),
        ("cyclonedx/cyclonedx-py.xml", "cyclonedx-py", (4, 4, 4, 0, 0)),
        ("spdx/npm.json", "npm/cli-11.19.1", (4, 4, 3, 1, 0)),
        ("spdx/example6-lib.spdx", "spdx", (5, 0, 1, 0, 4)),
        ("spdx/example6-lib.spdx3.json", "spdx", (5, 0, 1, 0, 4)),
    ],
)
def test_bills_of_materials_are_counted(name: str, tool: str, expected: tuple[int, ...]) -> None:
    """(components, with a package URL, licence known, unclear, unknown)."""
    report = sample(name)
    assert report.tool == tool
    assert figures(report, "components", "with_purl", "known", "unclear", "unknown") == expected


def test_one_document_in_two_versions_of_spdx_gives_the_same_components() -> None:
    """Whichever way licences are tied to packages."""
    tags, graph = (
        {(item["name"], item["version"], item["licence"]) for item in sample(f"spdx/example6-lib.{ending}").items}
        for ending in ("spdx", "spdx3.json")
    )
    assert tags == graph


def test_licences_of_an_sbom_can_be_read_by_themselves() -> None:
    """By naming the format."""
    report = read_report_bytes((DATA / "cyclonedx/npm.json").read_bytes(), format_name="cyclonedx-licences")
    assert figures(report, "total", "known", "unclear", "unknown") == (3, 2, 0, 1)
    assert {group["licence"]: group["packages"] for group in report.groups} == {
        "0BSD": 1,
        "MIT OR CC0-1.0": 1,
        "unknown": 1,
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pip-outdated/outdated.json", (5, 5, 4)),
        ("pip-outdated/none.json", (0, 0, 0)),
        ("npm-outdated/workspace.json", (4, 3, 1)),
        ("npm-outdated/none.json", (0, 0, 0)),
    ],
)
def test_packages_that_are_out_of_date_are_counted(name: str, expected: tuple[int, ...]) -> None:
    """(listed, out of date, by a major version)."""
    assert figures(sample(name), "total", "outdated", "outdated_major") == expected


@pytest.mark.parametrize(
    ("version", "latest", "step"),
    [
        ("1.4.0", "2.0.0", "major"),
        ("1.4", "1!1.4", "major"),
        ("1.4.0", "1.5.0rc1", "minor"),
        ("1.4", "1.4.1", "patch"),
        ("2.0.0-rc.1", "2.0.0", "patch"),
        ("2.0.0-rc.1", "1.9.0", "none"),
        ("2.0", "2.0.0", "none"),
        ("git", "2.0.0", "unknown"),
        ("2.0.0", "", "unknown"),
    ],
)
def test_the_step_to_the_latest_version_is_told(version: str, latest: str, step: str) -> None:
    """By PEP 440 and SemVer. Where it cannot be told, nobody says that no major version is missing."""
    data = json.dumps([{"name": "quotes", "version": version, "latest_version": latest}]).encode()
    report = read_report_bytes(data, format_name="pip-outdated")
    assert report.items[0]["step"] == step
    assert report.summary["outdated_major"] == {"major": 1, "unknown": None}.get(step, 0)
    assert bool(report.notes) is (step == "unknown")


def test_every_format_has_a_sample_that_only_it_is_told_by() -> None:
    """Of those that this folder is for."""
    found = {sample(name).format for name in FILES if name not in REFUSED}
    others = {"coverage.py-json", "cyclonedx-licences", "custom"}
    kinds = {"tests", "coverage", "licences", "benchmark", "size", "lighthouse", "dependencies", "sbom"}
    assert {form.name for form in known_formats() if form.kind.value in kinds} == found | others


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=12)
@given(data=st.data())
def test_changed_samples_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Bytes changed, cut out or doubled: a report or InvalidValue, never another error."""
    content = (DATA / name).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 40)))
    form = NAMED.get(name, "")
    try:
        report = read_report_bytes(
            content[:start] + data.draw(st.binary(max_size=20)) + content[end:], format_name=form
        )
    except InvalidValue:
        return
    assert isinstance(report, Report)


SWAPS: list[Any] = [None, True, -1, 1e300, 10**400, "x\ud800", [], {}, [None], {"a": None}, [[]]]


def test_values_of_other_types_are_read_or_refused() -> None:
    """Each value of a JSON sample in turn is one of another type, everywhere that it stands."""
    for number, name in enumerate(name for name in FILES if name.endswith(".json")):
        document = json.loads((DATA / name).read_text())
        form = sample(name).format if name not in REFUSED else "google-benchmark"
        for place, path in enumerate(places(document)):
            changed = replaced(document, path, SWAPS[(number + place) % len(SWAPS)])
            try:
                read_report_bytes(json.dumps(changed).encode(), format_name=form)
            except InvalidValue:
                continue


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = value.copy()
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied
