"""JaCoCo's XML (its report.dtd, "JACOCO DTD Report 1.1"), which gcovr and Kover write as well.

Lines and branches are counted from the <line>s of each <sourcefile>: instructions (`mi`, `ci`) and branches (`mb`,
`cb`), missed and covered. A line with a covered instruction counts as covered. Where a source file lists no such
lines (gcovr leaves the instructions out), its own <counter>s are taken; where it does, they are a check on them.
Classes and methods count the same lines a second time and are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.coverage import FileCoverage, coverage_report
from shipline.capabilities.evidence.reports.markup import closing_elements, count_in, local_name
from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue

FORMAT = "jacoco"
ROOT = "report"


@dataclass(slots=True)
class _Source:
    """Of the source file that is open: (covered, total) of each kind of counter, and its lines."""

    hit: dict[int, bool] = field(default_factory=dict)
    branches_covered: int = 0
    branches_total: int = 0
    declared: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_line(self, line: Element) -> None:
        number = count_in(line, "nr")
        if number is None:
            raise InvalidValue("a <line> of the JaCoCo report lacks its number")
        covered = count_in(line, "cb") or 0
        self.branches_covered += covered
        self.branches_total += covered + (count_in(line, "mb") or 0)
        instructions = count_in(line, "ci")
        if instructions is not None:
            self.hit[number] = instructions > 0

    def add_counter(self, counter: Element) -> None:
        missed, covered = count_in(counter, "missed"), count_in(counter, "covered")
        if missed is None or covered is None:
            raise InvalidValue("a <counter> of the JaCoCo report lacks what it counts")
        self.declared[counter.get("type", "")] = (covered, covered + missed)

    def coverage(self, package: str, name: str) -> FileCoverage:
        lines_covered, lines_total = self.declared.get("LINE", (0, 0))
        branches_covered, branches_total = self.declared.get("BRANCH", (0, 0))
        if self.hit:
            if lines_total > len(self.hit) or branches_total > self.branches_total:
                raise InvalidValue(f"the JaCoCo report is incomplete: {name[:80]!r} counts more than it lists")
            lines_covered, lines_total = sum(self.hit.values()), len(self.hit)
            branches_covered, branches_total = self.branches_covered, self.branches_total
        return FileCoverage(
            path=f"{package}/{name}" if package else name,
            lines_covered=lines_covered,
            lines_total=lines_total,
            branches_covered=branches_covered,
            branches_total=branches_total or None,
            hit=self.hit or None,
        )


def read_jacoco(data: bytes) -> Report:
    """Read a JaCoCo report. Raises InvalidValue where it is malformed, incomplete or covers nothing."""
    files: list[FileCoverage] = []
    source = _Source()
    for ancestors, element in closing_elements((data,), what="the coverage report"):
        name = local_name(element)
        if not ancestors and name != ROOT:
            raise InvalidValue(f"a JaCoCo report starts with <{ROOT}>")
        if ancestors and local_name(ancestors[-1]) == "sourcefile":
            if name == "line":
                source.add_line(element)
            elif name == "counter":
                source.add_counter(element)
        elif name == "sourcefile":
            package = ancestors[-1].get("name", "") if ancestors else ""
            files.append(source.coverage(package, element.get("name", "")))
            source = _Source()
    return coverage_report(files, tool=FORMAT, format_name=FORMAT)
