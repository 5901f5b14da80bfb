"""Checklists: which hold when, and in which words it is said what is open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.gates import check_checklist, checklists_at, judge_checklists
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer
from tests.capabilities.gates.test_calendar import at

OWN = Checklist("production", "production", ("status page", "on call"), "ben")
TRAIN = CalendarRule(
    "weekly",
    PeriodKind.TRAIN,
    ("release", "production"),
    cron="0 10 * * TUE",
    lasts_s=7200,
    coordinator="ann",
    checklist=("notes read",),
)
TUESDAY = at("2026-12-01 11:00")


def ticked(item: str, *, list_name: str = "production", is_done: bool = True) -> Tick:
    return Tick(list_name, "production", item, is_done, "eve@local", 1)


def test_an_environment_has_its_own_list_always_and_a_trains_while_it_is_there() -> None:
    train = Checklist("weekly", "production", ("notes read",), "ann")
    assert checklists_at((OWN,), (TRAIN,), "production", TUESDAY) == (OWN, train)
    assert checklists_at((OWN,), (TRAIN,), "production", at("2026-12-01 12:00")) == (OWN,)
    assert checklists_at((OWN,), (TRAIN,), "staging", TUESDAY) == ()


def test_it_fails_until_all_is_ticked_with_what_is_open_and_who_coordinates() -> None:
    lists = checklists_at((OWN,), (TRAIN,), "production", TUESDAY)
    (verdict,) = judge_checklists(lists, (ticked("on call"),), 5, version="1.0.0")
    assert verdict.answer is Answer.FAIL
    todo = "(shipline checklist show 1.0.0 --stage production)"
    assert verdict.reasons == (
        f"of the checklist of production is open: 'status page'; ben coordinates {todo}",
        f"of the checklist of weekly is open: 'notes read'; ann coordinates {todo}",
    )
    ticks = (ticked("on call"), ticked("status page"), ticked("notes read", list_name="weekly"))
    (verdict,) = judge_checklists(lists, ticks, 5, version="1.0.0")
    assert (verdict.answer, verdict.reasons) == (Answer.PASS, ("all 3 items are ticked; ben, ann coordinates",))


def test_what_was_said_last_of_an_item_counts() -> None:
    ticks = (ticked("on call"), ticked("status page"), ticked("on call", is_done=False))
    (verdict,) = judge_checklists((OWN,), ticks, 5, version="1.0.0")
    assert verdict.facts == {"checklist.items": 2, "checklist.open": 1}


def test_a_tick_for_another_stage_or_list_is_none_here() -> None:
    ticks = tuple(replace(ticked(item), stage="staging") for item in OWN.items)
    assert judge_checklists((OWN,), ticks, 5, version="1.0.0")[0].answer is Answer.FAIL


def test_without_a_list_there_is_no_verdict() -> None:
    assert judge_checklists((), (), 5, version="1.0.0") == ()


@pytest.mark.parametrize(
    ("items", "coordinator", "words"),
    [
        (("a",), "", "no coordinator"),
        (("a", "a"), "ann", "twice"),
        (tuple(str(number) for number in range(51)), "ann", "50 are the most"),
    ],
)
def test_a_list_that_cannot_be_is_refused(items: tuple[str, ...], coordinator: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_checklist("production", items, coordinator)
