"""What gates ask beside evidence: the calendar, checklists and the forge's issues, as they are when it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipline.capabilities.releases.circumstances import StageQuestion, circumstances_of
from shipline.domain.calendar import CalendarRule, PeriodKind
from shipline.domain.checklist import Checklist, Tick
from shipline.domain.gate import Gate
from shipline.domain.release import Release, ReleaseStatus
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.releases.release_world import ReleaseWorld

RELEASE = Release("rel_1", "quotes", "1.2.0", "v1.2.0", ReleaseStatus.PREPARING, 1, 0)
P1 = Gate("no P1", 'issues.open["P1"] == 0')


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[ReleaseWorld]:
    """A project with a forge."""
    world = World(7, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path, shown=True)
    world.close()


def period(made: ReleaseWorld, kind: PeriodKind, stage: str) -> CalendarRule:
    """From now on for an hour."""
    now_s = made.world.clock.now_us() // 1_000_000
    begins, ends = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (now_s - 60, now_s + 3600))
    return CalendarRule("audit", kind, (stage,), begins=begins, ends=ends)


def asked(made: ReleaseWorld, rule: str, stage: str = "release") -> StageQuestion:
    return StageQuestion(stage, (Gate("gate", rule),), (), (), made.world.clock.now_us())


def test_nothing_is_looked_up_that_no_gate_names(made: ReleaseWorld) -> None:
    made.forge.faults.down = True
    found = circumstances_of(made.ground(made.world.store), RELEASE, asked(made, "tests.failed == 0"))
    assert (found.facts, found.lacking) == ({}, {})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PeriodKind.FREEZE, {"frozen": True, "open": False, "train_open": False}),
        (PeriodKind.WINDOW, {"frozen": False, "open": True, "train_open": False}),
        (PeriodKind.TRAIN, {"frozen": False, "open": True, "train_open": True}),
    ],
)
def test_the_calendar_is_told_as_it_is_now(made: ReleaseWorld, kind: PeriodKind, expected: dict[str, bool]) -> None:
    """Of the stage that is asked; where the calendar says nothing of it, it is open."""
    made.calendar = (period(made, kind, "production"),)
    ground = made.ground(made.world.store)
    there = circumstances_of(ground, RELEASE, asked(made, "calendar.open", "production"))
    assert there.facts == {"calendar": expected}
    elsewhere = circumstances_of(ground, RELEASE, asked(made, "!calendar.frozen")).facts["calendar"]
    assert elsewhere == {"frozen": False, "open": True, "train_open": False}


def test_pre_releases_wait_for_no_calendar(made: ReleaseWorld) -> None:
    made.calendar = (period(made, PeriodKind.FREEZE, "release"),)
    ground, early = made.ground(made.world.store), replace(RELEASE, channel="rc")
    question = asked(made, "calendar.open")
    assert not circumstances_of(ground, RELEASE, question).facts["calendar"]["open"]
    assert circumstances_of(ground, early, question).facts["calendar"]["open"]


def test_open_items_of_checklists_are_counted(made: ReleaseWorld) -> None:
    """No checklist is none open."""
    ground, question = made.ground(made.world.store), asked(made, "checklist.open_items == 0", "production")
    assert circumstances_of(ground, RELEASE, question).facts == {"checklist": {"items": 0, "open_items": 0}}
    lists = (Checklist("production", "production", ("tell support", "look at the graphs"), "ann"),)
    ticks = (Tick("production", "production", "tell support", True, "ann@tests", 5),)
    ticked = replace(question, lists=lists, ticks=ticks)
    assert circumstances_of(ground, RELEASE, ticked).facts == {"checklist": {"items": 2, "open_items": 1}}


def test_open_issues_hold_up_a_release_until_they_are_closed(made: ReleaseWorld) -> None:
    """The forge is asked each time the gate is."""
    made.gates = (P1,)
    number = made.forge.model.open_issue("P1")
    assert made.released().status is ReleaseStatus.REFUSED
    (refused,) = bodies(made.world.store, "ReleaseRefused")
    assert 'issues.open["P1"] == 0 does not hold: issues.open.P1 is 1; it passes at 0 (1 less)' in refused["reason"]
    made.forge.model.close_issue(number)
    assert made.released().status is ReleaseStatus.PUBLISHED


def test_what_the_forge_does_not_say_is_missing_with_the_reason(made: ReleaseWorld) -> None:
    """No such label, no answer, no forge: each is UNKNOWN, which blocks. Who is away is asked once."""
    made.forge.model.open_issue("P2")
    question = asked(made, 'issues.open["P1"] == 0 && issues.open["P2"] == 0')
    found = circumstances_of(made.ground(made.world.store), RELEASE, question)
    assert (found.facts, found.lacking) == (
        {"issues": {"open": {"P2": 1}}},
        {"issues.open.P1": "the forge has no label 'P1'"},
    )
    made.forge.faults.down = True
    found = circumstances_of(made.ground(made.world.store), RELEASE, question)
    assert found.facts == {}
    assert set(found.lacking.values()) == {"the fake forge cannot be reached"}
    made.shown = False
    found = circumstances_of(made.ground(made.world.store), RELEASE, question)
    assert all("no forge is configured" in words for words in found.lacking.values())


def test_a_release_is_refused_while_the_forge_is_away(made: ReleaseWorld) -> None:
    made.gates = (P1,)
    made.forge.model.open_issue("P1", "bug")
    made.forge.faults.down = True
    assert made.released().status is ReleaseStatus.REFUSED
    (decided,) = bodies(made.world.store, "GateDecided")
    assert decided["answer"] == "UNKNOWN"
    assert "issues.open.P1 is missing, the fake forge cannot be reached" in decided["reasons"][0]
