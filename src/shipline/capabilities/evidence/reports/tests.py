"""Test results, whatever format they came in.

An item is `{"name", "classname", "suite", "status", "seconds", "message", "flaky"}`; `status` is `passed`, `failed`,
`error` or `skipped`, `seconds` is None where the report does not say, `message` is the failure's first words, and
`flaky` is true for a test that passed and also did not: only when it was run again, or beside a case of the same name
in the same report that failed. Such a failure still counts, where a report lists it: it might be another test's.

The summary is `{"total", "passed", "failed", "errors", "skipped", "flaky", "seconds"}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.capabilities.evidence.reports.secrecy import masked
from shipline.domain.evidence import EvidenceKind

MESSAGE_LENGTH_MAX = 1000


class CaseStatus(StrEnum):
    """How a test ended. An error is trouble outside of what the test asserts: a fixture, a crash."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test, once. Fields as in an item."""

    name: str
    classname: str
    suite: str
    status: CaseStatus
    seconds: float | None = None
    message: str = ""
    flaky: bool = False

    def item(self) -> dict[str, Any]:
        """The case as an item of a report; a long message ends in an ellipsis, and assertions that quote tokens do
        not pass them on."""
        message = masked(self.message[: 2 * MESSAGE_LENGTH_MAX])
        shortened = len(message) > MESSAGE_LENGTH_MAX
        return {
            "name": self.name,
            "classname": self.classname,
            "suite": self.suite,
            "status": self.status.value,
            "seconds": self.seconds,
            "message": message[: MESSAGE_LENGTH_MAX - 1] + "…" if shortened else message,
            "flaky": self.flaky,
        }


def tests_report(cases: Sequence[Case], *, tool: str, format_name: str, unlisted_skipped: int) -> Report:
    """Count `cases`: every one is in exactly one of passed, failed, errors and skipped, and `total` is their sum.

    `unlisted_skipped` are skipped tests that the report declares and its tool does not list.
    """
    by_status = Counter(case.status for case in cases)
    by_status[CaseStatus.SKIPPED] += unlisted_skipped
    summary = {
        "total": by_status.total(),
        "passed": by_status[CaseStatus.PASSED],
        "failed": by_status[CaseStatus.FAILED],
        "errors": by_status[CaseStatus.ERROR],
        "skipped": by_status[CaseStatus.SKIPPED],
        "flaky": sum(case.flaky for case in cases),
        "seconds": round(sum(case.seconds or 0.0 for case in cases), 6),
    }
    notes = (f"{unlisted_skipped} of the skipped tests are declared and not listed",) if unlisted_skipped else ()
    return Report(EvidenceKind.TESTS, tool, format_name, summary, tuple(case.item() for case in cases), notes)
