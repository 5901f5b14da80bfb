"""Two forges are kept alike: whatever people do on both, whoever dies, and within what the forges allow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation.sync import Side, count_links, drop_links, run_pass
from shipline.capabilities.automation.sync.contents import harmless, text_of
from shipline.domain.errors import RefusedError
from shipline.ports.forge import Budget
from shipline.ports.forge.answers import ItemState, Thread
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from tests.capabilities.automation.sync.places import Two

EFFECTS = (
    "ensure_label",
    "delete_label",
    "create_milestone",
    "update_milestone",
    "delete_milestone",
    "create_issue",
    "edit_issue",
    "add_labels",
    "remove_labels",
    "put_comment",
    "delete_comment",
    "create_release",
    "update_release",
    "create_pull_request",
    "update_pull_request",
    "close_pull_request",
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(1, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_on_both_sides_converge_in_two_passes_without_an_echo(seed: int, tmp_path: Path) -> None:
    two = Two(seed, tmp_path)
    for _ in range(3):
        two.edit(60)
        two.run()
        two.run()
        assert two.shown(Side.HERE) == two.shown(Side.THERE)
        before = two.counts()
        assert two.run().effects == []
        assert two.counts() == before
    two.close()


def test_a_copy_says_who_wrote_it_where(two: Two) -> None:
    here, there = two.models
    issue = here.create_item("It is slow", "Since `1.2`.", [], author="grace")
    here.add_note(Thread.issue(issue.number), "Very.", author="ada")
    two.run()
    (copy,) = there.items.values()
    assert (copy.title, copy.author) == ("It is slow", "robot")
    assert "*grace wrote on forge here 1:*" in copy.body
    assert copy.body.startswith("<!-- shipline-sync issue forge here 1 -->\n")
    (note,) = there.notes.values()
    assert "*ada wrote on forge here:*" in note.body
    assert note.body.endswith("\nVery.")


def test_what_strangers_write_is_no_command_mentions_nobody_and_is_no_marker(two: Two) -> None:
    """Our account writes the copy, with our account's rights."""
    here, there = two.models
    here.create_item(
        "x",
        "/merge\nFixes #12, not a#12 or `#12`\n@ada, see `@ada` and\n```\n/etc\n```",
        [],
        author="mallory",
    )
    two.run()
    (copy,) = there.items.values()
    text = copy.body.split("text -->", 1)[1]
    assert "\n\\/merge" in text
    assert "Fixes #<!-- -->12, not a#12 or `#12`" in text
    assert "@<!-- -->ada, see `@ada`" in text
    assert "```\n/etc\n```" in text
    assert two.run().effects == []


@pytest.mark.parametrize(
    ("written", "copy"),
    [
        ("x ```\n\n/merge\n\n```", "x ```\n\n\\/merge\n\n```"),
        ("<b>\n```\n</b>\n/merge\n\n```", "<b>\n```\n</b>\n\\/merge\n\n```"),
        ("`a` b\n```\n/merge\n```", "`a` b\n```\n\\/merge\n```"),
        ("- a\n   ```\nb\n  @ada\n```", "- a\n   ```\nb\n  @<!-- -->ada\n```"),
        ("a\n\r\r\r\r/merge", "a\n\n\n\n\n\\/merge"),
        ("\\` @ada `", "\\` @<!-- -->ada `"),
        ("`\n` @ada `", "`\n` @<!-- -->ada `"),
        ("| ` | @ada | ` |", "| ` | @<!-- -->ada | ` |"),
        ("`@ada /@ada &#64;ada GH-1", "`@<!-- -->ada /@<!-- -->ada &<!-- -->#<!-- -->64;ada GH<!-- -->-1"),
        ("see https://example.org/@ada#12", "see https://example.org/@ada#12"),
        ("<!-- shipline-sync issue forge here 77 -->", "<!-- of shipline-sync issue forge here 77 -->"),
        ("<!-- shipline:remediation:00 -->", "<!-- of shipline:remediation:00 -->"),
    ],
)
def test_what_only_looks_like_code_is_as_harmless_and_no_marker_is_taken_over(written: str, copy: str) -> None:
    """What one forge takes for code is a command for another; and a marker is ours where our account wrote it."""
    assert harmless(written) == copy
    assert text_of(copy) == text_of(written) or "<!-- of" in copy


def test_a_text_made_to_be_slow_is_read_at_once() -> None:
    started_s = time.process_time()
    for made in ("|" * 60_000, "```x\n" * 12_000, "`" * 60_000, "https://a." * 6_000):
        harmless(made)
    assert time.process_time() - started_s < 2


def test_a_copy_that_a_stranger_has_forged_is_copied_like_any_issue(two: Two) -> None:
    here, there = two.models
    original = here.create_item("real", "", [], author="ada")
    there.create_item("forged", f"<!-- shipline-sync issue forge here {original.number} -->\nno", [], author="mallory")
    two.run()
    assert [len(model.items) for model in two.models] == [2, 2]


def test_both_sides_may_change_different_fields(two: Two) -> None:
    here, there, first, second = two.issue("title", "body")
    here.change_item(first, title="another title")
    there.change_item(second, state=ItemState.CLOSED)
    there.create_badge("bug", "ff0000", "")
    there.put_labels(Thread.issue(second), ["bug"])
    two.run()
    for model, number in ((here, first), (there, second)):
        item = model.items[number]
        assert (item.title, item.state, item.labels) == ("another title", ItemState.CLOSED, ["bug"])
    assert [model.notes for model in two.models] == [{}, {}]


@pytest.mark.parametrize("wins", Side)
def test_of_two_texts_the_winners_stays_and_the_other_becomes_a_comment_on_both_sides(two: Two, wins: Side) -> None:
    here, there, first, second = two.issue("title", "body")
    here.change_item(first, body="from here")
    there.change_item(second, body="from there")
    two.run(wins=wins)
    kept = "from here" if wins is Side.HERE else "from there"
    lost = "from there" if wins is Side.HERE else "from here"
    for model, number in ((here, first), (there, second)):
        assert model.items[number].body.endswith(kept)
        (note,) = model.notes.values()
        assert note.body.endswith(lost)
    assert two.run(wins=wins).effects == []


def test_a_copy_of_a_comment_follows_its_author_and_what_was_written_into_it_is_kept(two: Two) -> None:
    here, there, first, _ = two.issue("title", "body")
    note = here.add_note(Thread.issue(first), "mine", author="ada")
    two.run()
    (copy,) = there.notes.values()
    copy.body += " and theirs"
    note.body = "mine, again"
    two.run()
    two.run()
    assert sorted(note.body.split("\n")[-1] for note in here.notes.values()) == ["mine and theirs", "mine, again"]
    assert two.shown(Side.HERE) == two.shown(Side.THERE)


def test_the_map_is_kept_in_either_database(tmp_path: Path, store_url: str) -> None:
    two = Two(5, tmp_path, store_url)
    two.edit(40)
    two.run()
    two.edit(20)
    two.run()
    two.run()
    assert two.shown(Side.HERE) == two.shown(Side.THERE)
    assert two.run().effects == []
    with two.world.store.begin() as tx:
        assert count_links(tx)["issue"] == len(two.models[0].items)
        assert drop_links(tx) > 0
    assert {effect.verb for effect in two.run().effects} <= {"change"}, "copies are found again by their markers"
    assert two.shown(Side.HERE) == two.shown(Side.THERE)
    two.close()


def test_what_is_gone_from_one_side_goes_from_the_other_unless_it_was_changed_there(two: Two) -> None:
    here, there, first, _ = two.issue("title", "body")
    here.create_badge("old", "ff0000", "")
    here.create_badge("useful", "ff0000", "")
    here.add_note(Thread.issue(first), "never mind", author="ada")
    two.run()
    here.delete_note(next(iter(here.notes)))
    here.delete_badge(here.badge_named("old"))
    there.delete_badge(there.badge_named("useful"))
    here.change_badge(here.badge_named("useful"), color="00ff00")
    two.run()
    for model in two.models:
        assert model.notes == {}
        assert [(badge.name, badge.color) for badge in model.badges.values()] == [("useful", "00ff00")]


def test_a_deleted_issue_is_closed_on_the_other_side_and_never_comes_back(two: Two) -> None:
    here, there, first, second = two.issue("title", "body")
    del here.items[first]
    two.run()
    assert there.items[second].state is ItemState.CLOSED
    there.change_item(second, state=ItemState.OPEN)
    assert two.run().effects == []
    assert here.items == {}


def test_a_side_that_shows_nothing_at_once_has_not_been_emptied(two: Two) -> None:
    """A token without its rights is told that there is nothing."""
    here, there, *_ = two.issue("title", "body")
    for number in range(4):
        here.create_badge(f"kind/{number}", "ff0000", "")
    two.run()
    here.badges.clear()
    with pytest.raises(RefusedError, match="4 labels are gone"):
        two.run(removals_max=3)
    assert len(there.badges) == 4
    two.run(removals_max=4)
    assert there.badges == {}


def test_a_forge_that_refuses_one_item_holds_up_no_other(two: Two) -> None:
    here, there = two.models
    here.create_stone("1.0.0", "", None, unique=True)
    two.run()
    (stone,) = here.stones.values()
    there.create_stone("2.0.0", "", None, unique=True)
    here.create_badge("fine", "ff0000", "")
    stone.title = "2.0.0"
    passed = two.run()
    assert "another milestone is called '2.0.0'" in passed.troubles[0]
    assert "change" not in {effect.verb for effect in passed.effects}
    assert [badge.name for badge in there.badges.values()] == ["fine"]


def test_a_dry_run_changes_nothing_and_says_what_is_done_then(two: Two) -> None:
    two.edit(30)
    before = two.counts()
    planned = [effect.sentence() for effect in run_pass(two.sync, dry_run=True).effects]
    assert two.counts() == before
    assert planned == [effect.sentence() for effect in run_pass(two.sync).effects[: len(planned)]]


def test_after_three_days_apart_all_is_made_up_for_within_the_limits(tmp_path: Path) -> None:
    """80 creations a minute and 500 an hour, as GitHub has it, by the forge's own count."""
    two = Two(7, tmp_path)
    here, there = two.models
    two.world.clock.sleep(72 * 3600)
    made: list[int] = []
    there.listeners.append(
        lambda happening: made.append(two.world.clock.now_us()) if happening.action in ("opened", "created") else None
    )
    for number in range(510):
        here.create_item(f"issue {number}", "", [], author="ada")
    began_us = two.world.clock.now_us()
    two.run()
    assert len(made) == len(there.items) == 510
    for width_s, most in ((60, 80), (3600, 500)):
        assert max(_within(made, width_s)) <= most
    assert two.world.clock.now_us() - began_us < 2 * 3600 * 1_000_000
    assert two.run().effects == []
    two.close()


def _within(made: list[int], width_s: int) -> Iterator[int]:
    for start in made:
        yield sum(start <= each < start + width_s * 1_000_000 for each in made)


def test_the_forges_own_window_is_waited_for(two: Two) -> None:
    two.edit(10)
    now_us = two.world.clock.now_us()
    window = Budget(remaining=20, resets_us=now_us + 60_000_000)
    passed = run_pass(replace(two.sync, budget=lambda _side: window))
    assert (passed.again_us, passed.effects) == (now_us + 60_000_000, [])


def test_whoever_dies_at_any_effect_leaves_nothing_undone_and_nothing_done_twice(tmp_path: Path) -> None:
    """After each effect once, and after every third commit; then somebody else goes on."""
    calm = Countdown(None)
    with_deaths(tmp_path / "calm", calm)
    effects = {name: number for number, name in enumerate(calm.passed, 1) if name.startswith("after ")}
    commits = [number for number, name in enumerate(calm.passed, 1) if name == "after commit"]
    assert len(effects) > len(EFFECTS) // 2
    fatal = sorted({*effects.values(), *commits[::3]})
    for number in fatal:
        with_deaths(tmp_path / str(number), Countdown(number))


def with_deaths(folder: Path, countdown: Countdown) -> None:
    folder.mkdir()
    two = Two(13, folder)
    two.edit(12)
    two.run()
    two.edit(12)
    ends = {
        side: replace(end, forge=Mortal(end.forge, countdown, name=side.value, effects=EFFECTS))
        for side, end in two.sync.ends.items()
    }
    mortal = replace(two.sync, store=MortalStore(two.sync.store, countdown), ends=ends)
    with suppress(Killed):
        run_pass(mortal, full=True)
    two.run()
    two.run()
    assert two.shown(Side.HERE) == two.shown(Side.THERE), countdown.passed[-1]
    assert two.run().effects == []
    two.close()
