"""Checklists: which hold for a release at a stage, and whether all of them are ticked. Pure.

An environment's list holds for whatever comes there. A train's holds for what goes with it: for the stage `release`
that is what was begun while it was there, for an environment what enters while it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipline.capabilities.gates.calendar import periods
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer, Verdict

ITEMS_MAX = 50
CHECKLIST = "checklist"
"""The name under which the verdicts on checklists are kept."""


def check_checklist(what: str, items: Sequence[str], coordinator: str) -> None:
    """ConfigurationError for a list that nobody sees to, or with one item twice."""
    if items and not coordinator.strip():
        raise ConfigurationError(f"{what} has a checklist and no coordinator", todo="name who sees to it")
    if len(items) > ITEMS_MAX:
        raise ConfigurationError(f"the checklist of {what} has {len(items)} items, and {ITEMS_MAX} are the most")
    doubled = next((item for item in items if items.count(item) > 1), None)
    if doubled is not None:
        raise ConfigurationError(f"the checklist of {what} has {doubled[:60]!r} twice")


def checklists_at(
    own: Sequence[Checklist], rules: Sequence[CalendarRule], stage: str, moment_us: int
) -> tuple[Checklist, ...]:
    """Those that hold at a stage: of `own` its lists, and of the `rules` those of the trains that are there then."""
    trains = (
        Checklist(rule.name, stage, rule.checklist, rule.coordinator)
        for rule in rules
        if rule.kind is PeriodKind.TRAIN
        and rule.checklist
        and stage in rule.stages
        and any(True for _ in periods(rule, moment_us, moment_us + 1))
    )
    return (*(one for one in own if one.stage == stage), *trains)


def standing_tick(checklist: Checklist, item: str, ticks: Sequence[Tick]) -> Tick | None:
    """What was said of an item last, None where nothing was. `ticks` are the oldest first."""
    said = [
        tick for tick in ticks if (tick.list_name, tick.stage, tick.item) == (checklist.name, checklist.stage, item)
    ]
    return said[-1] if said else None


def open_items(checklist: Checklist, ticks: Sequence[Tick]) -> tuple[str, ...]:
    """The items that are not ticked, in their order."""
    last = {item: standing_tick(checklist, item, ticks) for item in checklist.items}
    return tuple(item for item, tick in last.items() if tick is None or not tick.is_done)


def judge_checklists(
    lists: Sequence[Checklist], ticks: Sequence[Tick], now_us: int, *, version: str
) -> tuple[Verdict, ...]:
    """The verdict on all lists together; none where there is no list. `version` is the release's."""
    if not lists:
        return ()
    left = {one: open_items(one, ticks) for one in lists}
    total, missing = sum(len(one.items) for one in lists), sum(map(len, left.values()))
    facts: dict[str, str | int | float | bool | None] = {"checklist.items": total, "checklist.open": missing}
    if missing:
        reasons = tuple(_words(one, items, version) for one, items in left.items() if items)
        return (Verdict(CHECKLIST, Answer.FAIL, reasons, now_us, facts),)
    who = ", ".join(dict.fromkeys(one.coordinator for one in lists))
    words = f"all {total} items are ticked; {who} coordinates"
    return (Verdict(CHECKLIST, Answer.PASS, (words,), now_us, facts),)


def checklist_facts(lists: Sequence[Checklist], ticks: Sequence[Tick]) -> dict[str, int]:
    """What gates are told of the checklists that hold at a stage: `items`, and `open_items`."""
    return {
        "items": sum(len(one.items) for one in lists),
        "open_items": sum(len(open_items(one, ticks)) for one in lists),
    }


def _words(checklist: Checklist, items: tuple[str, ...], version: str) -> str:
    named = ", ".join(repr(item) for item in items)
    todo = f"shipline checklist show {version} --stage {checklist.stage}"
    return f"of the checklist of {checklist.name} is open: {named}; {checklist.coordinator} coordinates ({todo})"
