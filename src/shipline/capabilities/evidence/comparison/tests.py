"""Test results compared: which tests vanished, which fail now, which are skipped now, which are slower.

A test is known by its class and name, or its suite and name where it has no class: suites' names often hold a time.
Several of one name are counted, so that one of three that is gone has vanished. A single timing has noise that nobody
knows: a test counts as slower from half again as long and half a second more on, and no gate asks for it.

An item is `{"change", "name", "classname", "suite", "seconds_before", "seconds_after", "message"}`; `change` is
`vanished`, `appeared`, `failed`, `fixed`, `skipped` or `slower`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.reports import Item, Report

SLOWER_RATIO = 1.5
SLOWER_SECONDS = 0.5
_BAD = ("failed", "error")
_COUNTED = {
    "vanished": "vanished",
    "appeared": "appeared",
    "failed": "new_failures",
    "fixed": "fixed",
    "skipped": "newly_skipped",
    "slower": "slower",
}


def compare_tests(base: Report, head: Report) -> Difference:
    """The difference, with `tests.vanished` and `tests.new_failures` for gates."""
    before, after = _by_name(base), _by_name(head)
    items = [item for name in {**before, **after} for item in _changes(before.get(name, []), after.get(name, []))]
    changes = [item["change"] for item in items]
    summary: dict[str, Any] = {figure: changes.count(change) for change, figure in _COUNTED.items()}
    summary["total_before"], summary["total_after"] = base.summary["total"], head.summary["total"]
    facts = {"tests": {name: summary[name] for name in ("vanished", "new_failures")}}
    return Difference(summary, tuple(items), facts)


def _by_name(report: Report) -> dict[tuple[str, str], list[Item]]:
    cases: dict[tuple[str, str], list[Item]] = {}
    for item in report.items:
        cases.setdefault((item["classname"] or item["suite"], item["name"]), []).append(item)
    return cases


def _changes(before: Sequence[Item], after: Sequence[Item]) -> Iterator[Item]:
    """What became of the tests of one name."""
    for case in before[len(after) :]:
        yield _item("vanished", case, before=case)
    for case in after[len(before) :]:
        yield _item("appeared", case, after=case)
    bad_before, bad_after = _of(before, *_BAD), _of(after, *_BAD)
    for case in bad_after[len(bad_before) :]:
        yield _item("failed", case, after=case)
    if before and after:
        passed = _of(after, "passed")
        if bad_before and not bad_after and passed:
            yield _item("fixed", passed[0], before=bad_before[0], after=passed[0])
        for case in _of(after, "skipped")[len(_of(before, "skipped")) :]:
            yield _item("skipped", case, after=case)
        yield from _slower(_of(before, "passed"), passed)


def _of(cases: Sequence[Item], *statuses: str) -> list[Item]:
    return [case for case in cases if case["status"] in statuses]


def _slower(before: Sequence[Item], after: Sequence[Item]) -> Iterator[Item]:
    for earlier, later in zip(before, after, strict=False):
        old, new = earlier["seconds"], later["seconds"]
        if old is not None and new is not None and new > old * SLOWER_RATIO and new > old + SLOWER_SECONDS:
            yield _item("slower", later, before=earlier, after=later)


def _item(change: str, case: Item, *, before: Item | None = None, after: Item | None = None) -> Item:
    return {
        "change": change,
        "name": case["name"],
        "classname": case["classname"],
        "suite": case["suite"],
        "seconds_before": before["seconds"] if before else None,
        "seconds_after": after["seconds"] if after else None,
        "message": case["message"] if change in ("failed", "skipped") else "",
    }
