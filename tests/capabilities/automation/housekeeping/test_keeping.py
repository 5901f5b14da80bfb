"""Housekeeping of whole repositories: over the three fake forges, and in memory where processes die."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.automation import (
    Housekeeping,
    Labeller,
    LabelRules,
    PullKeeper,
    StaleRules,
    StaleSweep,
    TitleJudge,
    keep_all,
    keep_pull,
)
from shipline.capabilities.automation.housekeeping.stale import DAY_US, STALE_MARKER
from shipline.capabilities.plans import Linter, read_lint_rules
from shipline.domain.errors import UnavailableError
from shipline.ports.forge import Budget, PullState, StatusState, hidden
from shipline.ports.forge.answers import ItemState, Thread
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.refs import MemoryRefs
from shipline.testing.fakes.forge.tracker import START_US
from shipline.testing.kills import Countdown, Killed
from tests.providers.forge.places import KINDS, TOKEN, Place, running

LABELS = LabelRules({"docs": ("*",)}, {}, {"feat": "enhancement", "fix": "bug"}, "", {"S": 10})
STALE = StaleRules(60, 14, "stale", ("pinned",), 200)


def keeping(now_us: int, stale: StaleRules = STALE) -> Housekeeping:
    pulls: dict[str, PullKeeper] = {"labels": Labeller(LABELS), "titles": TitleJudge(Linter(read_lint_rules({})))}
    return Housekeeping(pulls, {"stale": StaleSweep(stale, lambda: now_us)})


@pytest.fixture(params=sorted(KINDS))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with running(request.param, tmp_path) as made:
        yield made


def test_pull_requests_are_labelled_and_their_titles_judged(place: Place) -> None:
    """A dry run tells the same and does nothing; a second run finds nothing to do; a new title changes both."""
    model, forge = place.model, place.forge
    model.create_ref("refs/heads/topic", place.commits[1])
    pull = model.open_pull("topic", "main", "More.", "")
    effects = list(model.effects)
    told = list(keep_all(forge, keeping(START_US), dry_run=True))
    assert model.effects == effects
    assert list(keep_all(forge, keeping(START_US))) == told
    assert (sorted(pull.labels), [said.state for said in model.said]) == (["S", "docs"], [StatusState.FAILURE])
    assert list(keep_all(forge, keeping(START_US))) == []
    model.change_pull(pull.number, title="feat: more", body=None, close=False)
    assert list(keep_pull(forge, keeping(START_US), pull.number))
    assert (sorted(pull.labels), model.said[-1].state) == (["S", "docs", "enhancement"], StatusState.SUCCESS)
    model.change_pull(pull.number, title="fix: more", body=None, close=True)
    assert list(keep_pull(forge, keeping(START_US), pull.number)) == []


def test_what_is_quiet_is_warned_and_closed(place: Place) -> None:
    """An issue, a pull request, and an issue that somebody answers in time, each as the forge shows it."""
    model, forge = place.model, place.forge
    model.create_ref("refs/heads/topic", place.commits[1])
    quiet, answered, pinned = model.open_issue(), model.open_issue(), model.open_issue("pinned")
    pull = model.open_pull("topic", "main", "feat: more", "")
    later = keeping(START_US + 61 * DAY_US).only("stale")
    told = list(keep_all(forge, later, dry_run=True))
    assert list(keep_all(forge, later)) == told
    assert [model.items[number].labels for number in (quiet, answered, pinned)] == [["stale"], ["stale"], ["pinned"]]
    assert [note.thread.number for note in model.notes.values() if hidden(STALE_MARKER) in note.body] == [
        quiet,
        answered,
        pull.number,
    ]
    for note in model.notes.values():
        note.created_us += 61 * DAY_US
    for one in (model.items[quiet], model.items[answered], pull):
        one.updated_us += 61 * DAY_US
    assert list(keep_all(forge, later)) == []
    model._now_us += 62 * DAY_US
    model.add_note(
        next(note.thread for note in model.notes.values() if note.thread.number == answered), "I do", author="ada"
    )
    assert list(keep_all(forge, keeping(START_US + 80 * DAY_US).only("stale")))
    assert [model.items[number].state for number in (quiet, answered)] == [ItemState.CLOSED, ItemState.OPEN]
    assert (model.items[answered].labels, pull.state) == ([], PullState.CLOSED)
    assert [note.body for note in model.notes_of(Thread.issue(answered))] == ["I do"]


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


def quiet_model(count: int) -> ForgeModel:
    refs = MemoryRefs()
    model = ForgeModel(refs)
    for _ in range(count):
        model.open_issue()
    return model


def test_whoever_dies_after_an_effect_costs_nothing_and_doubles_nothing() -> None:
    """Every point once; the end is that of a run that did not die."""
    later = keeping(START_US + 61 * DAY_US).only("stale")
    whole = quiet_model(2)
    countdown = Countdown(None)
    list(keep_all(Mortal(whole, countdown), later))
    for fatal in range(1, len(countdown.passed) + 1):
        model = quiet_model(2)
        with pytest.raises(Killed):
            list(keep_all(Mortal(model, Countdown(fatal)), later))
        list(keep_all(Mortal(model, Countdown(None)), later))
        assert [item.labels for item in model.items.values()] == [["stale"]] * 2
        assert sorted(note.thread.number for note in model.notes.values()) == sorted(model.items)
        assert len(model.badges) == 1


def test_no_more_is_made_in_a_minute_or_an_hour_than_forges_allow() -> None:
    """Short pauses are waited out; at what is left of an hour a run ends, and the next one goes on."""
    forge, clock = FakeForge(), FakeClock(START_US + 61 * DAY_US)
    forge.model = quiet_model(300)
    sweeps = keeping(START_US + 61 * DAY_US, StaleRules(60, 14, "stale", (), 300)).only("stale").sweeps
    paced = Housekeeping({}, sweeps, clock=clock)
    with pytest.raises(UnavailableError, match="in an hour"):
        list(keep_all(forge, paced))
    # Five hundred at eighty a minute.
    assert 4 * 60 < (clock.now_us() - START_US - 61 * DAY_US) / 1_000_000 < 3600


class Limited(FakeForge):
    """A forge that tells how often it may still be asked."""

    left = 0

    def _write(self) -> None:
        super()._write()
        self.left -= 1

    def budget(self) -> Budget:
        return Budget(self.left)


def test_a_long_run_stops_before_the_limit_and_goes_on() -> None:
    """What is left is left to others; no run changes more than it is to."""
    forge = Limited()
    forge.model = quiet_model(40)
    forge.model._now_us += 61 * DAY_US
    later = keeping(START_US + 61 * DAY_US, StaleRules(60, 14, "stale", (), 15)).only("stale")
    rounds = 0
    while any(not item.labels for item in forge.model.items.values()):
        before, forge.left, rounds = len(forge.model.notes), 120, rounds + 1
        try:
            list(keep_all(forge, later))
        except UnavailableError:
            assert forge.left == 100
        assert len(forge.model.notes) - before <= 15
    forge.left = 1000
    list(keep_all(forge, later))  # The limit may have come between a label and its warning.
    assert list(keep_all(forge, later)) == []
    assert len(forge.model.notes) == 40
    assert rounds > 2
