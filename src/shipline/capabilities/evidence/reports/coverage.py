"""Coverage figures, whatever format they came in.

The summary is `{"line", "branch", "lines_covered", "lines_total", "branches_covered", "branches_total"}`: percentages
from 0 to 100, unrounded, so that 89.996 does not pass for 90; the three about branches are None where branches were
not measured. An item is a file: the same figures and `{"path", "package", "missed_lines", "covered_lines"}`, the last
two as pairs of a first and a last line, `[[5, 7], [12, 12]]`, or None where the report lists no lines. A group is a
package, which is a folder: the same figures and `{"package", "files"}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue
from shipline.domain.evidence import EvidenceKind


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """Counts of one source file. `branches_total` None: branches were not measured. `hit` says of each line that could
    run whether it did; None where the report lists no lines."""

    path: str
    lines_covered: int
    lines_total: int
    branches_covered: int = 0
    branches_total: int | None = None
    hit: Mapping[int, bool] | None = None

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if not 0 <= self.lines_covered <= self.lines_total or not 0 <= self.branches_covered <= (
            self.branches_total or 0
        ):
            raise InvalidValue(f"the coverage of {self.path[:80]!r} counts more covered than there is")

    @property
    def package(self) -> str:
        """The folder, which packages are in most languages. What reports call one (`a.b`, `.`, `root`) differs from
        tool to tool, and the same project's reports in two formats would have none in common."""
        return self.path.replace("\\", "/").rpartition("/")[0]

    def item(self) -> dict[str, Any]:
        """The file as an item of a report."""
        return {
            "path": self.path,
            "package": self.package,
            **_figures([self]),
            "missed_lines": None if self.hit is None else line_ranges(n for n, hit in self.hit.items() if not hit),
            "covered_lines": None if self.hit is None else line_ranges(n for n, hit in self.hit.items() if hit),
        }


def line_ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers of lines as pairs of a first and a last one, in order."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def percent(covered: int, total: int) -> float | None:
    """Unrounded, from 0 to 100; None of nothing."""
    return 100.0 * covered / total if total else None


def coverage_summary(files: Sequence[FileCoverage]) -> dict[str, Any]:
    """Sum up `files`. A report on no line at all is refused, since it shows nothing: 0 of 0 is not 100%."""
    if not any(file.lines_total for file in files):
        raise InvalidValue(
            "the coverage report covers no line at all",
            todo="see whether the tests ran against the sources that coverage was told to measure",
        )
    return _figures(files)


def _figures(files: Sequence[FileCoverage]) -> dict[str, Any]:
    lines_covered = sum(file.lines_covered for file in files)
    lines_total = sum(file.lines_total for file in files)
    branches_covered = sum(file.branches_covered for file in files)
    branches_total = sum(file.branches_total or 0 for file in files)
    measured = branches_total > 0
    return {
        "line": percent(lines_covered, lines_total),
        "branch": percent(branches_covered, branches_total),
        "lines_covered": lines_covered,
        "lines_total": lines_total,
        "branches_covered": branches_covered if measured else None,
        "branches_total": branches_total if measured else None,
    }


def _by_package(files: Sequence[FileCoverage]) -> tuple[dict[str, Any], ...]:
    packages: dict[str, list[FileCoverage]] = {}
    for file in files:
        packages.setdefault(file.package, []).append(file)
    return tuple({"package": name, "files": len(found), **_figures(found)} for name, found in packages.items())


def coverage_report(files: Sequence[FileCoverage], *, tool: str, format_name: str) -> Report:
    """A report on `files`, in their order."""
    items = tuple(file.item() for file in files)
    summary, packages = coverage_summary(files), _by_package(files)
    return Report(EvidenceKind.COVERAGE, tool, format_name, summary, items, groups=packages)
