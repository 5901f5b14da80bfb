"""Playwright's JSON (`--reporter=json`, versions 1.20 and up), which unlike its JUnit XML tells what was retried.

Source: https://playwright.dev/docs/api/class-testcase#test-case-outcome. A test is `expected`, `unexpected`, `flaky`
or `skipped`; a flaky one has passed when it was run again. One that is expected to fail, and does, has passed.
Errors beside the tests (a file that cannot be loaded) count as errors. `stats` must be what the suites list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.shape import count_of, number_in, object_of, objects_of, text_in
from shipline.capabilities.evidence.reports.tests import Case, CaseStatus, tests_report
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

FORMAT = "playwright-json"
DEPTH_MAX = 50
_STATUSES = {
    "expected": CaseStatus.PASSED,
    "flaky": CaseStatus.PASSED,
    "unexpected": CaseStatus.FAILED,
    "skipped": CaseStatus.SKIPPED,
}
_SEPARATOR = " \u203a "  # As Playwright shows titles, in its JUnit XML too.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def read_playwright(document: JSON) -> Report:
    """Read a report. Raises InvalidValue where it is of another shape, or its counts are not what it lists."""
    report = object_of(document, "the Playwright report")
    cases, outcomes = [], Counter[str]()
    for file, titles, test in _tests(report.get("suites"), (), 0):
        outcome = text_in(test, "status", titles[-1])
        if outcome not in _STATUSES:
            raise InvalidValue(f"{outcome[:40]!r} is no outcome of a test in Playwright")
        outcomes[outcome] += 1
        cases.append(_case(file, titles, test, outcome))
    stats = object_of(report.get("stats"), "'stats' of the Playwright report")
    if any(count_of(stats, name, "'stats'") != outcomes[name] for name in _STATUSES):
        raise InvalidValue("the Playwright report is incomplete: its stats are not what its suites list")
    for error in objects_of(report.get("errors") or [], "'errors' of the Playwright report"):
        words = text_in(error, "message", "an error", default="")
        cases.append(Case("playwright", "", "", CaseStatus.ERROR, message=_COLOURS.sub("", words)))
    return tests_report(cases, tool="playwright", format_name=FORMAT, unlisted_skipped=0)


def _tests(suites: object, above: tuple[str, ...], depth: int) -> Iterator[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """(file, titles from the outermost one inwards, test) of every test; a test runs once a project."""
    if depth > DEPTH_MAX:
        raise InvalidValue("the Playwright report is nested too deeply")
    for suite in objects_of(suites, "the suites"):
        file = text_in(suite, "file", "a suite", default="")
        # The outermost suite is the file itself.
        titles = (*above, text_in(suite, "title", "a suite")) if depth else ()
        for spec in objects_of(suite.get("specs") or [], "'specs' of a suite"):
            title = text_in(spec, "title", "a spec")
            for test in objects_of(spec.get("tests"), "'tests' of a spec"):
                yield file, (*titles, title), test
        yield from _tests(suite.get("suites") or [], titles, depth + 1)


def _case(file: str, titles: tuple[str, ...], test: dict[str, Any], outcome: str) -> Case:
    results = list(objects_of(test.get("results") or [], "'results' of a test"))
    return Case(
        name=_SEPARATOR.join(titles),
        classname=file,
        suite=text_in(test, "projectName", titles[-1], default=""),
        status=_STATUSES[outcome],
        seconds=number_in(results[-1], "duration", titles[-1]) / 1000 if results else None,
        message=_message(results) if outcome == "unexpected" else "",
        flaky=outcome == "flaky",
    )


def _message(results: list[dict[str, Any]]) -> str:
    error = results[-1].get("error") if results else None
    words = error.get("message") if isinstance(error, dict) else None
    return _COLOURS.sub("", words) if isinstance(words, str) else ""
