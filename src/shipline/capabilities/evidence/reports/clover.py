"""Clover XML (OpenClover's clover.xsd), as OpenClover, PHPUnit, Istanbul (c8, nyc, Jest) and gcovr write it.

Lines are counted from the <line>s of each <file> that are statements or conditions; methods (`type="method"`) are no
lines of their own, and tools leave them out of `statements`, too. Branches are the file's own `conditionals`, since
what `truecount` and `falsecount` of a line mean differs from tool to tool. Files of a <testproject> are tests and do
not count. Where a file lists no lines, its <metrics> are taken. (Where it does, they are no check on them: a line may
hold several statements.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.coverage import FileCoverage, coverage_report
from shipline.capabilities.evidence.reports.markup import closing_elements, count_in, local_name
from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue

FORMAT = "clover"
ROOT = "coverage"


@dataclass(slots=True)
class _File:
    """Of the file that is open: its lines, and its metrics where they came already."""

    hit: dict[int, bool] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)

    def add_line(self, line: Element) -> None:
        if line.get("type") == "method":
            return
        number = count_in(line, "num")
        if number is None:
            raise InvalidValue("a <line> of the Clover report lacks its number")
        # OpenClover's conditions have no count of their own; Istanbul's have, and `falsecount` is what was missed.
        counts = ("count",) if line.get("count") is not None else ("truecount", "falsecount")
        ran = any(count_in(line, name) for name in counts)
        self.hit[number] = self.hit.get(number, False) or ran

    def add_metrics(self, metrics: Element) -> None:
        for name in ("statements", "coveredstatements", "conditionals", "coveredconditionals"):
            self.metrics[name] = count_in(metrics, name) or 0

    def coverage(self, path: str) -> FileCoverage:
        lines_covered, lines_total = self.metrics.get("coveredstatements", 0), self.metrics.get("statements", 0)
        if self.hit:
            lines_covered, lines_total = sum(self.hit.values()), len(self.hit)
        return FileCoverage(
            path=path,
            lines_covered=lines_covered,
            lines_total=lines_total,
            branches_covered=self.metrics.get("coveredconditionals", 0),
            branches_total=self.metrics.get("conditionals", 0) or None,
            hit=self.hit or None,
        )


def read_clover(data: bytes) -> Report:
    """Read a Clover report. Raises InvalidValue where it is malformed, counts what cannot be or covers nothing."""
    files: list[FileCoverage] = []
    file = _File()
    for ancestors, element in closing_elements((data,), what="the coverage report"):
        name = local_name(element)
        above = [local_name(ancestor) for ancestor in ancestors]
        if not above and name != ROOT:
            raise InvalidValue(f"a Clover report starts with <{ROOT}>")
        if "testproject" in above:
            continue
        if above[-1:] == ["file"] and name == "line":
            file.add_line(element)
        elif above[-1:] == ["file"] and name == "metrics":
            file.add_metrics(element)
        elif name == "file":
            files.append(file.coverage(element.get("path", "") or element.get("name", "")))
            file = _File()
    return coverage_report(files, tool=FORMAT, format_name=FORMAT)
