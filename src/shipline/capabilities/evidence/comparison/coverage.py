"""Coverage compared: of the whole, by file and by package, and of the lines that a change wrote.

An item is `{"scope", "path", "line_before", "line_after", "branch_before", "branch_after"}` for each `file` and
`package` that is not what it was, and `{"scope": "patch", "path", "lines_covered", "lines_total", "missed_lines"}` for
each changed file that was measured. Percentages, unrounded; None where nothing was measured.

Paths in diffs start at the top of the repository, those in coverage reports where their tool thinks best
(`/src/app/a.py`, `a.py`, `org/quotes/Quote.java`). Two are taken for one file if the shorter is the end of the longer,
at whole names; of several, the one with the most names in common. Where that leaves several, nothing is guessed:
the file counts as not measured, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shipline.capabilities.evidence.comparison.changes import ChangedLines
from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.reports import Item, Report
from shipline.capabilities.evidence.reports.coverage import line_ranges, percent


def compare_coverage(base: Report, head: Report, changed: ChangedLines | None = None) -> Difference:
    """The difference, with `coverage.change` in percentage points, and of changed lines `coverage.patch` in percent
    and `coverage.patch_lines`. No changed line that could run leaves `coverage.patch` out: 0 of 0 is not 100%."""
    files = list(_changes("file", "path", base.items, head.items))
    packages = list(_changes("package", "package", base.groups, head.groups))
    summary: dict[str, Any] = {
        "line_change": _minus(head.summary["line"], base.summary["line"]),
        "branch_change": _minus(head.summary["branch"], base.summary["branch"]),
        "files_worse": sum((_minus(item["line_after"], item["line_before"]) or 0.0) < 0.0 for item in files),
    }
    facts = {"coverage": {"change": summary["line_change"]}}
    if changed is None:
        return Difference(summary, (*packages, *files), facts)
    patch, notes = _patch(head, changed)
    covered, total = (sum(item[name] for item in patch) for name in ("lines_covered", "lines_total"))
    summary |= {"patch": percent(covered, total), "patch_lines_covered": covered, "patch_lines": total}
    facts["coverage"] |= {"patch_lines": total} | ({"patch": percent(covered, total)} if total else {})
    return Difference(summary, (*packages, *files, *patch), facts, notes)


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def _changes(scope: str, key: str, before: Iterable[Item], after: Iterable[Item]) -> Iterator[Item]:
    """Those that are not what they were, in the order of their names."""
    old, new = ({item[key]: item for item in items} for items in (before, after))
    for name in sorted({*old, *new}):
        item: Item = {"scope": scope, "path": name}
        for figure in ("line", "branch"):
            item[f"{figure}_before"] = old[name][figure] if name in old else None
            item[f"{figure}_after"] = new[name][figure] if name in new else None
        gone_or_new = (name in old) != (name in new)
        if gone_or_new or any(item[f"{figure}_before"] != item[f"{figure}_after"] for figure in ("line", "branch")):
            yield item


def _patch(head: Report, changed: ChangedLines) -> tuple[list[Item], tuple[str, ...]]:
    """A row for each changed file that the report lists with its lines, and notes on those that it does not."""
    by_name: dict[str, list[Item]] = {}
    for item in head.items:
        by_name.setdefault(_names(item["path"])[-1], []).append(item)
    rows: list[Item] = []
    unclear: list[str] = []
    unlisted: list[str] = []
    absent: list[str] = []
    measured = {_ending(name) for name in by_name}
    for path, lines in sorted(changed.items()):
        found = _nearest(path, by_name)
        if len(found) == 1 and found[0]["missed_lines"] is not None:
            rows.append(_row(path, lines, found[0]))
        elif found:
            (unclear if len(found) > 1 else unlisted).append(path)
        elif _ending(path) in measured:  # Tests, or a new module that no test imports: only people can tell.
            absent.append(path)
    notes = (
        *(f"several files of the report may be {path}" for path in unclear),
        *(f"the report does not list the lines of {path}" for path in unlisted),
        *(f"{path} is not in the report: its changed lines count for nothing" for path in absent),
    )
    return rows, notes


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2]


def _names(path: str) -> list[str]:
    return path.replace("\\", "/").removeprefix("./").split("/")


def _nearest(path: str, by_name: Mapping[str, list[Item]]) -> list[Item]:
    """The files of the report that `path` may be, with the most names in common."""
    names = _names(path)
    best = 0
    found: list[Item] = []
    for item in by_name.get(names[-1], []):
        others = _names(item["path"])
        common = min(len(names), len(others))
        if names[-common:] != others[-common:] or common < best:
            continue
        if common > best:
            best, found = common, []
        found.append(item)
    return found


def _row(path: str, lines: frozenset[int], item: Item) -> Item:
    missed, covered = (lines & _numbers(item[name]) for name in ("missed_lines", "covered_lines"))
    return {
        "scope": "patch",
        "path": path,
        "lines_covered": len(covered),
        "lines_total": len(covered) + len(missed),
        "missed_lines": line_ranges(missed),
    }


def _numbers(ranges: list[list[int]]) -> frozenset[int]:
    return frozenset(number for first, last in ranges for number in range(first, last + 1))
