"""JUnit XML, in its dialects: pytest, Maven Surefire, gotestsum, Jest and whatever else keeps to the common core.

No one schema exists. The core is an optional <testsuites> around <testsuite>s (which may be nested) around
<testcase>s; <failure>, <error> and <skipped> inside a case say how it ended. Sources: Ant's XMLJUnitResultFormatter,
Surefire's surefire-test-report-3.0.xsd (rerunFailure, flakyFailure, times with thousands separators), pytest's
`junit_family=xunit2`.

Cases are counted one by one; the counts that suites declare are a check on them. A suite that declares more tests, or
more failures, than it lists is refused: such a report is incomplete, and what it leaves out might have failed.
(It may list more than it declares: pytest writes a test that fails and then breaks in its teardown as two cases and
counts it once.)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
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
            reading.notice_tool(element)
            _add_trouble_of_suite(reading, ancestors, element)
            _check_declared(element, reading.seen.pop(id(element), (0, 0)))
        elif name == "property":
            reading.notice_tool(element)
        elif name == "testcase":
            reading.add(ancestors, _case(ancestors, element))
        elif name in ("failure", "error", "skipped", "flakyFailure", "flakyError"):
            _note_outcome(ancestors, element)
    return tests_report(reading.cases, tool=reading.tool, format_name=FORMAT)


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


def _check_declared(suite: Element, seen: tuple[int, int]) -> None:
    total, bad = seen
    declared = count_in(suite, "tests") or 0
    declared_bad = (count_in(suite, "failures") or 0) + (count_in(suite, "errors") or 0)
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
