"""Cobertura XML (its coverage-04.dtd), as coverage.py, gcovr, JaCoCo converters and coverlet write it.

Lines are counted from <class><lines><line>: the same lines stand under <methods> a second time, and several classes
may share one file, so a line counts once a file, covered if any of its entries is. Where a report lists no lines,
its own totals are taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from shipline.capabilities.evidence.reports.coverage import FileCoverage, coverage_report
from shipline.capabilities.evidence.reports.markup import closing_elements, count_in, local_name
from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.errors import InvalidValue

FORMAT = "cobertura"
ROOT = "coverage"
_CONDITIONS = re.compile(r"\((\d{1,9})/(\d{1,9})\)\s*$")


@dataclass(slots=True)
class _Lines:
    """Of one file: whether each line was hit, and (covered, total) of each line's branches."""

    hit: dict[int, bool] = field(default_factory=dict)
    branches: dict[int, tuple[int, int]] = field(default_factory=dict)

    def coverage(self, path: str) -> FileCoverage:
        return FileCoverage(
            path=path,
            lines_covered=sum(self.hit.values()),
            lines_total=len(self.hit),
            branches_covered=sum(covered for covered, _ in self.branches.values()),
            branches_total=sum(total for _, total in self.branches.values()) if self.branches else None,
            hit=self.hit,
        )


def read_coverage_xml(data: bytes) -> Report:
    """Read a Cobertura report. Raises InvalidValue where it is malformed, covers nothing or is something else."""
    files: dict[str, _Lines] = {}
    root: Element | None = None
    for ancestors, element in closing_elements((data,), what="the coverage report"):
        root = element if not ancestors else root
        if local_name(element) == "line" and [local_name(parent) for parent in ancestors[-2:]] == ["class", "lines"]:
            _add_line(files.setdefault(ancestors[-2].get("filename", ""), _Lines()), element)
    if root is None or local_name(root) != ROOT:
        raise InvalidValue("a Cobertura report starts with <coverage>")
    counted = [lines.coverage(path) for path, lines in files.items()] or [_declared(root)]
    return coverage_report(counted, tool=_tool(root), format_name=FORMAT)


def _add_line(lines: _Lines, element: Element) -> None:
    number, hits = count_in(element, "number"), count_in(element, "hits")
    if number is None or hits is None:
        raise InvalidValue("a <line> of the coverage report lacks its number or its hits")
    lines.hit[number] = lines.hit.get(number, False) or hits > 0
    if element.get("branch", "").lower() == "true":
        found = _CONDITIONS.search(element.get("condition-coverage", ""))
        if found is None:
            raise InvalidValue(f"line {number} of the coverage report has branches and does not say how many")
        covered, total = int(found[1]), int(found[2])
        lines.branches[number] = max(lines.branches.get(number, (0, total)), (covered, total))


def _declared(root: Element) -> FileCoverage:
    """The report's own totals, for reports without lines."""
    return FileCoverage(
        path="",
        lines_covered=count_in(root, "lines-covered") or 0,
        lines_total=count_in(root, "lines-valid") or 0,
        branches_covered=count_in(root, "branches-covered") or 0,
        branches_total=count_in(root, "branches-valid") or None,
    )


def _tool(root: Element) -> str:
    """Tools write their version: coverage.py `7.6.1`, gcovr `gcovr 7.2`; Cobertura and coverlet `1.9`."""
    version = root.get("version", "")
    if version.startswith("gcovr"):
        return "gcovr"
    return "coverage.py" if re.match(r"^\d+\.\d+\.\d+", version) and root.get("complexity") == "0" else FORMAT
