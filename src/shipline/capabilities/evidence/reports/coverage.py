"""Coverage figures, whatever format they came in.

The summary is `{"line", "branch", "lines_covered", "lines_total", "branches_covered", "branches_total"}`: percentages
from 0 to 100, unrounded, so that 89.996 does not pass for 90; the three about branches are None where branches were
not measured. An item is `{"path", "line", "lines_covered", "lines_total", "branches_covered", "branches_total"}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """Counts of one source file. `branches_total` None: branches were not measured."""

    path: str
    lines_covered: int
    lines_total: int
    branches_covered: int = 0
    branches_total: int | None = None

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if not 0 <= self.lines_covered <= self.lines_total or not 0 <= self.branches_covered <= (
            self.branches_total or 0
        ):
            raise InvalidValue(f"the coverage of {self.path[:80]!r} counts more covered than there is")

    def item(self) -> dict[str, Any]:
        """The file as an item of a report."""
        return {
            "path": self.path,
            "line": _percent(self.lines_covered, self.lines_total) if self.lines_total else None,
            "lines_covered": self.lines_covered,
            "lines_total": self.lines_total,
            "branches_covered": None if self.branches_total is None else self.branches_covered,
            "branches_total": self.branches_total,
        }


def _percent(covered: int, total: int) -> float:
    return 100.0 * covered / total


def coverage_summary(files: Sequence[FileCoverage]) -> dict[str, Any]:
    """Sum up `files`. A report on no line at all is refused, since it shows nothing: 0 of 0 is not 100%."""
    lines_covered = sum(file.lines_covered for file in files)
    lines_total = sum(file.lines_total for file in files)
    if lines_total == 0:
        raise InvalidValue(
            "the coverage report covers no line at all",
            todo="see whether the tests ran against the sources that coverage was told to measure",
        )
    branches_covered = sum(file.branches_covered for file in files)
    branches_total = sum(file.branches_total or 0 for file in files)
    measured = branches_total > 0
    return {
        "line": _percent(lines_covered, lines_total),
        "branch": _percent(branches_covered, branches_total) if measured else None,
        "lines_covered": lines_covered,
        "lines_total": lines_total,
        "branches_covered": branches_covered if measured else None,
        "branches_total": branches_total if measured else None,
    }


def coverage_report(files: Sequence[FileCoverage], *, tool: str, format_name: str) -> Report:
    """A report on `files`, in their order."""
    items = tuple(file.item() for file in files)
    return Report(EvidenceKind.COVERAGE, tool, format_name, coverage_summary(files), items)
