"""Two test reports: what vanished, broke, was mended, skipped, or slowed down."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.evidence.comparison import compare
from shipline.capabilities.evidence.reports import Report, read_report_bytes
from tests.capabilities.evidence.reports.test_samples import sample


def report(*cases: str) -> Report:
    return read_report_bytes(f'<testsuite name="s">{"".join(cases)}</testsuite>'.encode())


def case(name: str, inner: str = "", seconds: float = 0.1) -> str:
    return f'<testcase classname="c" name="{name}" time="{seconds}">{inner}</testcase>'


def changes(base: Report, head: Report) -> list[tuple[str, str]]:
    return [(item["change"], item["name"]) for item in compare(base, head).difference.items]


def test_what_became_of_each_test_is_told() -> None:
    """One of each; a test that still fails is none of them."""
    base = report(
        case("gone"),
        case("breaks"),
        case("mended", "<failure/>"),
        case("left out"),
        case("slow"),
        case("bad", "<error/>"),
    )
    head = report(
        case("breaks", '<failure message="no"/>'),
        case("mended"),
        case("left out", "<skipped/>"),
        case("slow", seconds=1.0),
        case("bad", "<failure/>"),
        case("new"),
        case("new and bad", "<failure/>"),
    )
    assert changes(base, head) == [
        ("vanished", "gone"),
        ("failed", "breaks"),
        ("fixed", "mended"),
        ("skipped", "left out"),
        ("slower", "slow"),
        ("appeared", "new"),
        ("appeared", "new and bad"),
        ("failed", "new and bad"),
    ]
    found = compare(base, head)
    assert found.difference.facts == {"tests": {"vanished": 1, "new_failures": 2}}
    assert found.document()["summary"] == {
        "vanished": 1,
        "appeared": 2,
        "new_failures": 2,
        "fixed": 1,
        "newly_skipped": 1,
        "slower": 1,
        "total_before": 6,
        "total_after": 7,
    }


def test_one_of_several_tests_of_a_name_vanishes() -> None:
    """Parametrized tests may share theirs."""
    assert changes(report(case("a"), case("a"), case("a")), report(case("a"), case("a"))) == [("vanished", "a")]


def test_a_little_slower_is_noise() -> None:
    """Ten times a millisecond is no news, nor is a tenth more of a minute."""
    base, head = (report(case("a", seconds=a), case("b", seconds=b)) for a, b in ((0.001, 60.0), (0.01, 66.0)))
    assert changes(base, head) == []


def test_suites_that_are_named_for_their_time_are_no_difference() -> None:
    """As unittest-xml-reporting names them."""
    base, head = (
        read_report_bytes(f'<testsuite name="s-{time}"><testcase classname="c" name="a"/></testsuite>'.encode())
        for time in (20261128101520, 20261128101521)
    )
    assert changes(base, head) == []


def test_a_report_of_another_format_can_be_the_base() -> None:
    """The same tests by other reporters: nothing vanished."""
    found: dict[str, Any] = compare(sample("playwright/junit.xml"), sample("playwright/report.json")).difference.summary
    assert (found["vanished"], found["appeared"], found["new_failures"]) == (0, 0, 0)
