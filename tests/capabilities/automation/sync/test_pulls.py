"""Pull requests of two forges: a copy asks for the same branch, follows, ends with it, and is never merged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation.sync import Mirroring, MirrorRules, Side, run_pass
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.pulls import PullState
from shipline.testing.fakes.forge.model import ForgeModel, Pull
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from tests.capabilities.automation.sync.places import Two

EFFECTS = ("create_pull_request", "update_pull_request", "close_pull_request", "reopen_pull_request", "put_comment")
UPLOAD = f"/uploads/{'0' * 32}/it.png"
TOPIC = "refs/heads/topic"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(1, tmp_path)
    yield made
    made.close()


def proposed(two: Two, side: str = "here", *, title: str = "feat: more") -> tuple[Pull, Pull]:
    """One on a side, by ada, and its copy on the other."""
    two.mirror.commit(side, TOPIC)
    first, second = two.models if side == "here" else tuple(reversed(two.models))
    pull = first.open_pull("topic", "main", title, f"![it]({UPLOAD})\nIt does.\n/merge")
    pull.author = "ada"
    two.run()
    (copy,) = second.pulls.values()
    return pull, copy


def notes(model: ForgeModel, pull: Pull) -> list[str]:
    return [note.body.split("\n")[-1] for note in model.notes_of(Thread.pull(pull.number))]


def test_a_copy_asks_for_the_same_branch_and_follows_both_sides(two: Two) -> None:
    here, there = two.models
    pull, copy = proposed(two)
    assert (copy.head, copy.base, copy.title, copy.author) == ("topic", "main", "feat: more", "robot")
    assert "*ada wrote on forge here" in copy.body
    assert copy.body.endswith(f"![it](http://127.0.0.1{UPLOAD})\nIt does.\n\\/merge"), "what is attached is linked to"
    two.mirror.commit("here", TOPIC)
    here.add_note(Thread.pull(pull.number), "Please look.", author="ada")
    there.add_note(Thread.pull(copy.number), "Looks good.", author="grace")
    there.change_pull(copy.number, title="feat: much more")
    two.run()
    assert (pull.title, there.head_of(copy)) == ("feat: much more", here.head_of(pull))
    assert sorted(notes(here, pull)) == sorted(notes(there, copy)) == ["Looks good.", "Please look."]
    before = two.counts()
    assert (two.run().effects, two.counts()) == ([], before)


@pytest.mark.parametrize("side", Side)
def test_what_is_merged_on_one_side_is_closed_on_the_other_with_a_link_and_merged_by_nobody(
    two: Two, side: Side
) -> None:
    """Whether the original is merged or its copy; its branch goes where it was merged."""
    pulls = dict(zip(Side, proposed(two), strict=True))
    merged, other = two.forges[side].model, two.forges[side.other].model
    merged.merge(pulls[side].number, two.mirror.commit(side.value, "refs/heads/main"))
    merged.delete_ref(TOPIC)
    two.run()
    assert pulls[side.other].state is PullState.CLOSED
    assert notes(other, pulls[side.other]) == [
        f"*Merged on forge {side.value} {(number := pulls[side].number)}: <http://127.0.0.1/pulls/{number}>*"
    ]
    assert notes(merged, pulls[side]) == [], "what is said to one side is not copied"
    assert not [effect for effect in other.effects if effect.startswith("merge")]
    assert other.refs.get("refs/heads/main") == merged.refs.get("refs/heads/main")
    assert (other.refs.get(TOPIC) is None) == (side is Side.HERE), "only what the mirror has brought goes"
    assert two.run().effects == []


def test_a_closed_one_is_closed_and_goes_on_where_somebody_opens_it_again(two: Two) -> None:
    here, there = two.models
    pull, copy = proposed(two)
    there.change_pull(copy.number, close=True)
    two.run()
    assert (pull.state, notes(here, pull)) == (
        PullState.CLOSED,
        [f"*Closed on forge there {copy.number}: <http://127.0.0.1/pulls/{copy.number}>*"],
    )
    here.change_pull(pull.number, reopen=True)
    two.run()
    assert copy.state is PullState.OPEN
    assert two.run().effects == []
    assert len(there.pulls) == 1


def test_forks_and_what_is_not_carried_are_not_copied_and_a_branch_that_is_missing_is_told(two: Two) -> None:
    here, there = two.models
    here.open_pull("theirs", "main", "of a fork", "", fork=True)
    for name in ("private/x", "topic"):
        two.mirror.commit("here", f"refs/heads/{name}")
        here.open_pull(name, "main", name, "")
    there.protected.add("topic")
    passed = two.run(mirroring=Mirroring(two.mirror, MirrorRules(branches=("main", "topic"))))
    assert "the branch 'topic' is not on the other forge there" in passed.troubles[-1]
    assert there.pulls == {}
    assert run_pass(replace(two.sync, mirroring=None)).effects == []


def test_a_new_one_waits_until_its_forerunner_has_ended_there_too(two: Two) -> None:
    here, there = two.models
    pull, copy = proposed(two)
    here.change_pull(pull.number, close=True)
    again = here.open_pull("topic", "main", "feat: again", "")
    two.run()
    two.run()
    assert copy.state is PullState.CLOSED
    assert [one.title for one in there.pulls.values() if one.state is PullState.OPEN] == [again.title]


def test_whoever_dies_after_an_effect_has_done_it_once(tmp_path: Path) -> None:
    for effect in EFFECTS:
        (tmp_path / effect).mkdir()
        with_death(tmp_path / effect, effect)


def with_death(folder: Path, effect: str) -> None:
    two = Two(1, folder)
    here, there = two.models
    pull, copy = proposed(two)
    two.mirror.commit("here", "refs/heads/other")
    if effect == "create_pull_request":
        here.open_pull("other", "main", "feat: other", "")
    elif effect == "update_pull_request":
        here.change_pull(pull.number, title="fix: it")
    else:
        there.change_pull(copy.number, close=True)
    if effect == "reopen_pull_request":
        two.run()
        there.change_pull(copy.number, reopen=True)
    for name in (f"before {effect}", f"after {effect}"):
        fatal = DyingAt(name)
        ends = {
            side: replace(end, forge=Mortal(end.forge, fatal, name=side.value, effects=EFFECTS))
            for side, end in two.sync.ends.items()
        }
        with suppress(Killed):
            run_pass(replace(two.sync, store=MortalStore(two.sync.store, fatal), ends=ends))
        assert fatal.died, effect
    two.run()
    assert two.shown(Side.HERE) == two.shown(Side.THERE)
    assert len(here.pulls) == len(there.pulls) == (2 if effect == "create_pull_request" else 1)
    assert len(notes(here, pull)) == (effect not in {"create_pull_request", "update_pull_request"})
    assert two.run().effects == []
    two.close()


class DyingAt(Countdown):
    """Dies at the first point of a name, on whichever side."""

    def __init__(self, name: str) -> None:
        super().__init__(None)
        self.name = name
        self.died = False

    def pass_point(self, name: str) -> None:
        """Where it is that one."""
        when, _, what = name.partition(" ")
        if f"{when} {what.partition('.')[2]}" == self.name and not self.died:
            self.died = True
            self.die(name)
