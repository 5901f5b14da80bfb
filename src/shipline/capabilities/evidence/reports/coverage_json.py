"""coverage.py's JSON (`coverage json`; formats 2 and 3 of its `meta.format`).

Its `percent_covered` mixes lines and branches; here lines are `covered_lines` of `num_statements`, branches
`covered_branches` of `num_branches`. The totals must be the sum of the files, or the report is refused.
"""

from __future__ import annotations

from typing import Any

from shipline.capabilities.evidence.reports.coverage import FileCoverage, coverage_report
from shipline.capabilities.evidence.reports.report import Report
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue

FORMAT = "coverage.py-json"
COUNT_MAX = 10**12  # As many digits as the XML readers take; nothing has so many lines.


def read_coverage_json(document: JSON) -> Report:
    """Read a parsed `coverage json` document. Raises InvalidValue where it is incomplete or of another shape."""
    if not isinstance(document, dict):
        raise InvalidValue("a coverage.py report is a JSON object")
    files = _object(document, "files")
    counted = [_file(path, _named(files, path)) for path in files]
    total = _counts("the totals", _object(document, "totals"))
    if (total.lines_covered, total.lines_total) != (
        sum(file.lines_covered for file in counted),
        sum(file.lines_total for file in counted),
    ):
        raise InvalidValue("the coverage.py report is incomplete: its totals are not the sum of its files")
    return coverage_report(counted, tool="coverage.py", format_name=FORMAT)


def _named(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent[name]
    if not isinstance(found, dict):
        raise InvalidValue(f"{name[:80]!r} in the coverage.py report is no object")
    return found


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    if name not in parent:
        raise InvalidValue(f"the coverage.py report has no {name!r}")
    return _named(parent, name)


def _file(path: str, found: dict[str, Any]) -> FileCoverage:
    hit = _lines(path, found, "missing_lines", hit=False) | _lines(path, found, "executed_lines", hit=True)
    return _counts(path, _object(found, "summary"), hit or None)


def _lines(path: str, found: dict[str, Any], name: str, *, hit: bool) -> dict[int, bool]:
    numbers = found.get(name, [])
    if not isinstance(numbers, list):
        raise InvalidValue(f"{name!r} of {path[:80]!r} in the coverage.py report is no list")
    # Multi-line strings of modules stand at line 0 and below in some versions; no diff can name such a line.
    return {number: hit for number in numbers if type(number) is int and 0 < number <= COUNT_MAX}


def _counts(path: str, summary: dict[str, Any], hit: dict[int, bool] | None = None) -> FileCoverage:
    return FileCoverage(
        path=path,
        lines_covered=_count(path, summary, "covered_lines"),
        lines_total=_count(path, summary, "num_statements"),
        branches_covered=_count(path, summary, "covered_branches") if "num_branches" in summary else 0,
        branches_total=_count(path, summary, "num_branches") if "num_branches" in summary else None,
        hit=hit,
    )


def _count(path: str, summary: dict[str, Any], name: str) -> int:
    value = summary.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= COUNT_MAX:
        raise InvalidValue(f"{name!r} of {path[:80]!r} in the coverage.py report is no count")
    return value
