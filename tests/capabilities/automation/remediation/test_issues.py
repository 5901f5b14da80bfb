"""Issues about findings: over the three fake forges, and in memory where processes die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.automation.remediation import HOUR_US, Note, Told, Trouble
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.refs import MemoryRefs
from shipline.testing.kills import Countdown, Killed
from tests.capabilities.automation.remediation.flaws import NOW, flaw, look
from tests.providers.forge.places import KINDS, TOKEN, Place, running

TWO = (flaw(), flaw("CVE-2026-2", severity="critical", title="Closes #1 for @all <b>"))
OTHER = flaw("CVE-2026-3", purl="pkg:pypi/urllib3", severity="high", title="Other")
LATER = NOW + 25 * HOUR_US


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running(request.param, tmp_path) as made:
        made.model.people += ["ada", "bob"]
        yield made


def test_an_issue_follows_what_is_found(place: Place) -> None:
    """Told first, opened once, kept up to date, escalated, closed when it is gone, and opened again."""
    model, forge = place.model, place.forge
    effects = len(model.effects)
    foretold = look(forge, TWO, dry_run=True)
    assert len(model.effects) == effects
    assert look(forge, TWO) == foretold
    assert look(forge, TWO) == []
    (issue,) = model.items.values()
    assert (issue.title, issue.assignees) == ("critical: requests has 2 findings", ["ada"])
    assert sorted(issue.labels) == ["remediation", "security"]
    assert "@all" not in issue.body
    assert "mended in 2.32.4" in issue.body
    look(forge, TWO[:1])
    assert issue.title == "high: requests has 1 finding"
    told: list[Told] = []
    assert len(look(forge, TWO[:1], now_us=LATER, told=told)) == 2
    assert look(forge, TWO[:1], now_us=LATER, told=told) == []
    assert ("urgent" in issue.labels, issue.assignees, [each.step for each in told]) == (True, ["bob"], [1])
    (note,) = (each.body for each in model.notes_of(Thread.issue(issue.number)))
    assert "Please see to it." in note
    look(forge, (), now_us=LATER)
    assert issue.state is ItemState.CLOSED
    assert look(forge, (), now_us=LATER) == []
    look(forge, TWO, now_us=LATER)
    assert (issue.state, len(model.items), issue.title) == (ItemState.OPEN, 1, "critical: requests has 2 findings")
    assert look(forge, TWO, now_us=LATER) == []


def test_what_is_not_known_to_be_gone_and_what_people_do_stay(place: Place) -> None:
    """A tool that has not looked again closes nothing; whoever a person assigned stays; what people close stays so."""
    model, forge = place.model, place.forge
    look(forge, TWO)
    (issue,) = model.items.values()
    assert look(forge, (), looked=()) == []
    unsure = [flaw(certain=False)]
    look(forge, unsure)
    assert (issue.state, "cannot be told" in issue.body) == (ItemState.OPEN, True)
    issue.assignees[:] = ["bob"]
    other = flaw("CVE-2026-9", tool="trivy", identity="trivy")
    look(forge, [other], looked=())
    assert "have not looked again" in issue.body
    assert look(forge, (), looked=[other]) == []
    assert (issue.assignees, issue.state) == (["bob"], ItemState.OPEN)
    model.change_item(issue.number, title=None, body=None, state=ItemState.CLOSED)
    (left,) = look(forge, TWO)
    assert isinstance(left, Note)
    assert (issue.state, len(model.items)) == (ItemState.CLOSED, 1)
    assert look(forge, [flaw("X", purl="pkg:pypi/new", certain=False)]) == []
    stranger = model.create_item("mine", issue.body, ["remediation"], None)
    stranger.author = "mallory"
    look(forge, ())
    assert stranger.state is ItemState.OPEN


def test_a_look_is_bounded_and_the_worst_comes_first(place: Place) -> None:
    """What waits is told; what the token may not do is told too, and the rest is done."""
    model, forge = place.model, place.forge
    said = look(forge, (OTHER, *TWO), most=1)
    assert isinstance(said[-1], Note)
    assert said[-1].words.startswith("1 more issues wait")
    assert [item.title for item in model.items.values()] == ["critical: requests has 2 findings"]
    look(forge, (OTHER, *TWO), most=1)
    assert len(model.items) == 2
    model.lacking.add(Capability.ISSUES)
    troubles = look(forge, ())
    assert [isinstance(each, Trouble) for each in troubles] == [True, True]
    model.lacking.clear()
    look(forge, ())
    assert {item.state for item in model.items.values()} == {ItemState.CLOSED}


# --- in memory -----------------------------------------------------------------------------------------------------


class Mortal(FakeForge):
    """A forge whose caller dies after each change that it has made."""

    def __init__(self, model: ForgeModel, countdown: Countdown) -> None:
        super().__init__()
        self.model = model
        self._countdown = countdown

    def _answer(self) -> None:
        super()._answer()
        self._countdown.pass_point("changed")


def empty_model() -> ForgeModel:
    model = ForgeModel(MemoryRefs())
    model.people += ["ada", "bob"]
    return model


def play(model: ForgeModel, countdown: Countdown, told: list[Told]) -> None:
    """A whole life: opened, escalated, closed. A process that dies is followed by one that looks again."""
    for flaws, now_us in (((OTHER, *TWO), NOW), ((OTHER, *TWO), LATER), ((OTHER,), LATER)):
        try:
            look(Mortal(model, countdown), flaws, now_us=now_us, told=told)
        except Killed:
            look(Mortal(model, Countdown(None)), flaws, now_us=now_us, told=told)


def shown(model: ForgeModel) -> tuple[object, ...]:
    items = [(one.title, one.body, one.state, sorted(one.labels), one.assignees) for one in model.items.values()]
    notes = sorted((note.thread.number, note.body) for note in model.notes.values() if not note.system)
    return (*items, *notes)


def test_whoever_dies_after_an_effect_costs_nothing_and_doubles_nothing() -> None:
    """Every point once; the end is that of a life without a death."""
    whole, countdown, told = empty_model(), Countdown(None), list[Told]()
    play(whole, countdown, told)
    assert len(countdown.passed) > 15
    for fatal in range(1, len(countdown.passed) + 1):
        model, heard = empty_model(), list[Told]()
        play(model, Countdown(fatal), heard)
        assert (shown(model), heard) == (shown(whole), told), countdown.passed[fatal - 1]


def test_two_who_look_at_once_leave_one_issue() -> None:
    """Both have seen that there is none; the next look closes the younger one."""
    model = empty_model()
    forge = Mortal(model, Countdown(None))
    look(forge, TWO)
    (first,) = model.items.values()
    second = model.create_item(first.title, first.body, list(first.labels), None)
    look(forge, TWO)
    assert (first.state, second.state) == (ItemState.OPEN, ItemState.CLOSED)
    assert look(forge, TWO) == []


class Untold(FakeForge):
    """A forge that does not say whose the token is."""

    def __init__(self, model: ForgeModel) -> None:
        super().__init__()
        self.model = model

    def account(self) -> str:
        """Not told."""
        return ""


def test_what_a_stranger_wrote_is_not_ours_where_the_forge_does_not_tell_who_we_are() -> None:
    """As with a workflow's token: an issue with our marker that somebody has closed would silence what is found."""
    model = empty_model()
    model.account = "shipline[bot]"
    look(Untold(model), TWO)
    (ours,) = model.items.values()
    body = ours.body
    model.items.clear()
    forged = model.create_item("critical", body, [], author="mallory")
    model.change_item(forged.number, state=ItemState.CLOSED)
    look(Untold(model), TWO)
    assert [each.state for each in model.items.values()] == [ItemState.CLOSED, ItemState.OPEN]
    assert look(Untold(model), TWO) == []
