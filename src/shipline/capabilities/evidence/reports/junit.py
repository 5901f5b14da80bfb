"""JUnit XML, in its dialects: pytest, Maven Surefire, Gradle, gotestsum, Jest, Mocha, Playwright, PHPUnit, .NET's and
whatever else keeps to the common core.

No one schema exists. The core is an optional <testsuites> around <testsuite>s (which may be nested) around
<testcase>s; <failure>, <error> and <skipped> inside a case say how it ended. Sources: Ant's XMLJUnitResultFormatter,
Surefire's surefire-test-report-3.0.xsd (rerunFailure, flakyFailure, times with thousands separators), pytest's
`junit_family=xunit2`.

Cases are counted one by one; the counts that suites declare are a check on them. A suite that declares more tests, or
more failures, than it lists is refused: such a report is incomplete, and what it leaves out might have failed.
(It may list more than it declares: pytest writes a test that fails and then breaks in its teardown as two cases and
counts it once, Surefire leaves out the tests that passed in the end.)

Tests that were run again: Surefire, Gradle and others note each failed attempt in the case (`flakyFailure`,
`rerunFailure`). pytest-rerunfailures writes one case for each attempt, those that were tried again as if they had
passed, and counts the test once; so where pytest declares less than it lists, cases of one name are one test, and
the last attempt is how it ended. mocha-junit-reporter declares skipped tests and does not list them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.markup import closing_elements, count_in, local_name
from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.tests import Case, CaseStatus, tests_report
from shipline.domain.errors import InvalidValue

FORMAT = "junit"
CASES_MAX = 500_000
"""A case takes eleven bytes in a report and some four hundred in memory: the limit on bytes alone would not do."""
ROOTS = frozenset({"testsuites", "testsuite"})
_BAD = (CaseStatus.FAILED, CaseStatus.ERROR)
_GROUPED = re.compile(r"^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$")
_DECIMAL_COMMA = re.compile(r"^\d+,\d+$")

_OUTCOMES = (("error", CaseStatus.ERROR), ("failure", CaseStatus.FAILED), ("skipped", CaseStatus.SKIPPED))
"""Worst first: a case that has several is what its worst one says."""

_WORDS = {
    "failed": CaseStatus.FAILED,
    "failure": CaseStatus.FAILED,
    "fail": CaseStatus.FAILED,
    "error": CaseStatus.ERROR,
    "errored": CaseStatus.ERROR,
}
"""What a case's own `status` or `result` says where a tool writes no child for it (CTest writes both)."""

_TOOLS = (
    ("pytest", "pytest"),
    ("surefire", "surefire"),
    ("go.version", "gotestsum"),
    ("jest tests", "jest"),
    ("mocha tests", "mocha"),
)
"""What a tool leaves in the report's attributes, and the tool's name."""


@dataclass(slots=True)
class _Reading:
    cases: list[Case] = field(default_factory=list)
    tool: str = FORMAT
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    """(cases, failures and errors) so far in each element that is still open, by its identity."""
    has_attempts: bool = False
    """Cases of one name are attempts at one test."""
    unlisted_skipped: int = 0

    def add(self, ancestors: tuple[Element, ...], case: Case) -> None:
        if len(self.cases) >= CASES_MAX:
            raise InvalidValue(f"the JUnit report lists more than {CASES_MAX} tests")
        self.cases.append(case)
        for ancestor in ancestors:
            total, bad = self.seen.get(id(ancestor), (0, 0))
            self.seen[id(ancestor)] = (total + 1, bad + (case.status in _BAD))

    def notice_tool(self, element: Element) -> None:
        if self.tool == FORMAT:
            text = " ".join(element.attrib.values()).lower()
            self.tool = next((tool for mark, tool in _TOOLS if mark in text), FORMAT)


def read_junit(data: bytes) -> Report:
    """Read a JUnit XML report. Raises InvalidValue where it is malformed, incomplete or not a JUnit report."""
    reading = _Reading()
    for ancestors, element in closing_elements((data,), what="the JUnit report"):
        name = local_name(element)
        if not ancestors and name not in ROOTS:
            raise InvalidValue(f"a JUnit report starts with <testsuites> or <testsuite>, this one with <{name[:60]}>")
        if name in ROOTS:
            for suite in (*ancestors, element):
                reading.notice_tool(suite)
            _add_trouble_of_suite(reading, ancestors, element)
            _check_declared(reading, element, is_root=not ancestors)
        elif name == "property":
            reading.notice_tool(element)
        elif name == "testcase":
            reading.add(ancestors, _case(ancestors, element))
        elif name in ("failure", "error", "skipped", "flakyFailure", "flakyError"):
            _note_outcome(ancestors, element)
    cases = _last_attempts(reading.cases) if reading.has_attempts else reading.cases
    return tests_report(
        _with_flaky(cases), tool=reading.tool, format_name=FORMAT, unlisted_skipped=reading.unlisted_skipped
    )


def _last_attempts(cases: Sequence[Case]) -> list[Case]:
    """Of cases of one name, the one that follows what passes for a pass stands for it."""
    kept: list[Case] = []
    places: dict[tuple[str, str, str], int] = {}
    for case in cases:
        place = places.get(_identity(case))
        if place is not None and kept[place].status is CaseStatus.PASSED:
            kept[place] = replace(case, flaky=case.status is CaseStatus.PASSED)
        else:
            places[_identity(case)] = len(kept)
            kept.append(case)
    return kept


def _with_flaky(cases: Sequence[Case]) -> Sequence[Case]:
    """A case that passed beside one of the same name that did not is marked."""
    bad = {_identity(case) for case in cases if case.status in _BAD}
    return [
        replace(case, flaky=True) if case.status is CaseStatus.PASSED and _identity(case) in bad else case
        for case in cases
    ]


def _identity(case: Case) -> tuple[str, str, str]:
    return case.suite, case.classname, case.name


def _note_outcome(ancestors: tuple[Element, ...], outcome: Element) -> None:
    """Leave the outcome's words on its parent, since children are gone when the parent closes."""
    if not ancestors:
        return
    words = outcome.get("message", "") or (outcome.text or "").strip() or outcome.get("type", "")
    mark = f"shipline:{local_name(outcome)}"
    ancestors[-1].set(mark, ancestors[-1].get(mark, "") or words)


def _outcome(element: Element) -> tuple[CaseStatus, str]:
    for name, status in _OUTCOMES:
        words = element.get(f"shipline:{name}")
        if words is not None:
            return status, words
    if element.get("status", "") in ("notrun", "disabled") or element.get("result", "") == "suppressed":
        return CaseStatus.SKIPPED, ""  # GoogleTest's way to say it.
    return CaseStatus.PASSED, ""


def _own_words(case: Element) -> tuple[str, ...]:
    return tuple(case.get(name, "").strip().lower() for name in ("status", "result"))


def _case(ancestors: tuple[Element, ...], element: Element) -> Case:
    status, message = _outcome(element)
    if status is CaseStatus.PASSED:
        status = next((_WORDS[word] for word in _own_words(element) if word in _WORDS), status)
    flaky = any(element.get(f"shipline:{name}") is not None for name in ("flakyFailure", "flakyError"))
    suites = [ancestor.get("name", "") for ancestor in ancestors if local_name(ancestor) == "testsuite"]
    return Case(
        name=element.get("name", ""),
        classname=element.get("classname", ""),
        suite=suites[-1] if suites else "",
        status=status,
        seconds=_seconds(element.get("time", "")),
        message=message,
        flaky=flaky,
    )


def _add_trouble_of_suite(reading: _Reading, ancestors: tuple[Element, ...], suite: Element) -> None:
    """A failure or error that stands in a suite itself (its set-up broke) counts as a case of the suite's name."""
    status, message = _outcome(suite)
    if status in _BAD:
        name = suite.get("name", "")
        reading.add((*ancestors, suite), Case(name, "", name, status, message=message))


def _check_declared(reading: _Reading, suite: Element, *, is_root: bool) -> None:
    total, bad = reading.seen.pop(id(suite), (0, 0))
    declared = count_in(suite, "tests") or 0
    declared_bad = (count_in(suite, "failures") or 0) + (count_in(suite, "errors") or 0)
    if reading.tool == "pytest" and 0 < declared < total:
        reading.has_attempts = True
    if reading.tool == "mocha":
        unlisted = max(0, declared - total)
        if not is_root:
            total += unlisted  # Only the root says how many were skipped.
        elif unlisted <= (count_in(suite, "skipped") or 0):
            reading.unlisted_skipped, total = unlisted, declared
    if declared > total or declared_bad > bad:
        raise InvalidValue(
            f"the JUnit report is incomplete: {suite.get('name', 'a suite')[:60]!r} declares {declared} tests and "
            f"{declared_bad} failures and errors, and lists {total} and {bad}",
            todo="see whether the tool that wrote it was stopped before its end, and run it again",
        )


def _seconds(text: str) -> float | None:
    """Seconds as tools write them: `1,234.5` is grouped (Surefire), `0,25` has a decimal comma (its older ones)."""
    plain = text.strip()
    if not plain:
        return None
    if _GROUPED.match(plain):
        plain = plain.replace(",", "")
    elif _DECIMAL_COMMA.match(plain):
        plain = plain.replace(",", ".")
    try:
        seconds = float(plain)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise InvalidValue(f"{text[:40]!r} is no time in seconds")
    return seconds
