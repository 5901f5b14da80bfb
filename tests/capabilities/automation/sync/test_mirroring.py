"""Branches and tags of two forges: what goes forward, what stays and is told, and what is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.automation.sync import Mirroring, MirrorRules, Passed, Side, run_pass
from shipline.capabilities.automation.sync.refs import is_carried_name
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from tests.capabilities.automation.sync.places import ROOT, Two

MAIN, TOPIC, TAG = "refs/heads/main", "refs/heads/topic", "refs/tags/v1.0.0"
HERE, THERE = "here", "there"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(1, tmp_path)
    yield made
    made.close()


def run(two: Two, **rules: Any) -> Passed:
    return two.run(mirroring=Mirroring(two.mirror, MirrorRules(**rules)))


def alike(two: Two) -> bool:
    return two.mirror.refs(HERE) == two.mirror.refs(THERE)


def test_what_is_new_or_goes_forward_on_either_side_does_so_on_the_other_and_echoes_never(two: Two) -> None:
    for side, other in ((HERE, THERE), (THERE, HERE)):
        two.mirror.commit(side, f"{TOPIC}/{side}")
        two.mirror.commit(side, f"{TAG}-{side}")
        assert [(each.verb, each.side.value) for each in run(two).effects] == [("make", other)] * 2
        tip = two.mirror.commit(side, f"{TOPIC}/{side}")
        assert [each.verb for each in run(two).effects] == ["change"]
        assert two.mirror.refs(other)[f"{TOPIC}/{side}"] == tip
    assert alike(two)
    before = two.counts()
    assert (run(two).effects, two.counts()) == ([], before)


def test_branches_that_have_both_moved_stay_and_are_told_until_somebody_merges_them(two: Two) -> None:
    tips = [two.mirror.commit(side, MAIN) for side in (HERE, THERE)]
    passed = run(two, rewrite=("*",))
    assert "ref main: both have gone their own way" in passed.troubles[0]
    assert [two.mirror.refs(side)[MAIN] for side in (HERE, THERE)] == tips
    merged = two.mirror.commit(HERE, MAIN)
    two.mirror.parents[merged] += (tips[1],)
    assert run(two).troubles == []
    assert two.mirror.refs(THERE)[MAIN] == merged


def test_what_is_rewritten_moves_where_the_settings_say_so_and_a_tag_stays(two: Two) -> None:
    two.mirror.commit(HERE, TOPIC)
    two.mirror.commit(HERE, TAG)
    run(two)
    model = two.models[0]
    for ref in (TOPIC, TAG):
        model.move_ref(ref, ROOT)
    assert len(run(two, rewrite=("other/*",)).troubles) == 1, "the branch is behind, and goes forward again"
    model.move_ref(TOPIC, two.mirror.commit(THERE, "refs/heads/aside"))
    assert [each.partition(":")[0] for each in run(two).troubles] == ["ref topic", "ref v1.0.0"]
    assert run(two, rewrite=("top*", "v1*")).troubles == []
    assert alike(two)


def test_only_what_the_mirror_has_brought_is_deleted_and_only_where_nobody_has_moved_it(two: Two) -> None:
    for name in ("brought", "moved", "copy"):
        two.mirror.commit(HERE, f"refs/heads/{name}")
    for model in two.models:
        model.create_ref("refs/heads/both", ROOT)
    run(two)
    here, there = two.models
    for name in ("brought", "moved", "both"):
        here.delete_ref(f"refs/heads/{name}")
    tip = two.mirror.commit(THERE, "refs/heads/moved")
    there.delete_ref("refs/heads/copy")
    run(two)
    assert {name for name in two.mirror.refs(THERE) if "/" in name} == {MAIN, "refs/heads/moved", "refs/heads/both"}
    assert two.mirror.refs(HERE)["refs/heads/moved"] == tip
    assert "refs/heads/copy" in two.mirror.refs(HERE), "what was deleted as a copy is not deleted as the original"
    assert run(two).effects == []
    two.mirror.commit(HERE, "refs/heads/copy")
    run(two)
    assert "refs/heads/copy" in two.mirror.refs(THERE), "what moves comes again"


def test_one_way_nothing_comes_back(two: Two) -> None:
    two.mirror.commit(THERE, TOPIC)
    two.mirror.commit(THERE, MAIN)
    two.mirror.commit(HERE, TAG)
    passed = run(two, to=frozenset({Side.THERE}))
    assert [(each.verb, each.key) for each in passed.effects] == [("make", "v1.0.0")]
    assert "ahead there" in passed.troubles[0]
    assert two.mirror.refs(HERE).keys() == {MAIN, TAG}


def test_a_protected_branch_and_odd_names_are_told_and_hold_up_nothing_else(two: Two) -> None:
    two.mirror.commit(HERE, MAIN)
    two.mirror.commit(HERE, TOPIC)
    two.mirror.commit(HERE, "refs/heads/a.lock")
    two.models[1].protected.add("main")
    passed = run(two, branches=("main", "topic", "a*"))
    assert [each.key for each in passed.effects] == ["topic"], "what was refused is not said to be done"
    assert ["protected" in each or "a.lock" in each for each in passed.troubles] == [True, True]
    assert two.mirror.refs(THERE).keys() == {MAIN, TOPIC}
    assert run(two, branches=("topic",)).troubles == []


def test_what_the_house_makes_for_itself_and_what_is_left_out_stays_where_it_is(two: Two) -> None:
    """The branches of Shipline's pull requests are carried: people look at them on either side."""
    for name in ("shipline/queue/main", "shipline/release-main", "tmp/1"):
        two.mirror.commit(HERE, f"refs/heads/{name}")
    for patterns in (("*", "!tmp/*"), ("!tmp/*",)):
        assert run(two, branches=patterns).troubles == []
        assert two.mirror.refs(THERE).keys() == {MAIN, "refs/heads/shipline/release-main"}
    assert [each.key for each in run(two, branches=("t*",)).effects] == ["tmp/1"]


@pytest.mark.parametrize(
    "name",
    ["..", "a/../b", "-x", "a.lock", ".a", "a//b", "a b", "a@{1}", "@", "\u202e", "\udcff", "ü" * 101, "a" * 250],
)
def test_hostile_names_are_not_carried(name: str) -> None:
    assert not is_carried_name(f"refs/heads/{name}")


def test_a_repository_that_is_empty_all_at_once_has_nothing_deleted_after_it(two: Two) -> None:
    two.mirror.commit(HERE, TOPIC)
    run(two)
    two.models[0].refs.refs.clear()  # type: ignore[attr-defined] # they are in memory
    assert "no branch and no tag any more" in run(two).troubles[0]
    assert two.mirror.refs(THERE).keys() == {MAIN, TOPIC}


def test_more_deletions_than_are_allowed_are_refused(two: Two) -> None:
    for number in range(3):
        two.mirror.commit(HERE, f"refs/heads/{number}")
    run(two)
    for number in range(3):
        two.models[0].delete_ref(f"refs/heads/{number}")
    passed = run_pass(replace(two.sync, removals_max=2))
    assert "3 refs are gone" in passed.troubles[0]
    assert len(two.mirror.refs(THERE)) == 4


def test_a_dry_run_moves_nothing(two: Two) -> None:
    two.mirror.commit(HERE, TOPIC)
    assert [each.sentence() for each in run_pass(two.sync, dry_run=True).effects] == ["make ref topic there: new"]
    assert two.mirror.refs(THERE).keys() == {MAIN}


def test_whoever_dies_at_any_point_leaves_nothing_undone_and_knows_what_it_has_brought(tmp_path: Path) -> None:
    calm = Countdown(None)
    with_deaths(tmp_path / "calm", calm)
    commits = [number for number, name in enumerate(calm.passed, 1) if name == "after commit"]
    effects = [number for number, name in enumerate(calm.passed, 1) if "mirror" in name]
    for number in sorted({*effects, *commits[::2]}):
        with_deaths(tmp_path / str(number), Countdown(number))


def with_deaths(folder: Path, countdown: Countdown) -> None:
    folder.mkdir()
    two = Two(3, folder)
    two.mirror.commit(HERE, "refs/heads/old")
    run(two)
    two.models[0].delete_ref("refs/heads/old")
    for side in (HERE, THERE):
        two.mirror.commit(side, f"{TOPIC}/{side}")
    mirror: Any = Mortal(two.mirror, countdown, name="mirror", effects=("push", "fetch"))
    mortal = replace(
        two.sync,
        store=MortalStore(two.sync.store, countdown),
        mirroring=Mirroring(mirror, MirrorRules(branches=("old", "topic/*"), tags=())),
    )
    with suppress(Killed):
        run_pass(mortal)
    run(two)
    assert alike(two), countdown.passed[-1]
    two.models[0].delete_ref(f"{TOPIC}/here")
    two.models[1].delete_ref(f"{TOPIC}/there")
    run(two)
    assert two.mirror.refs(HERE).keys() == two.mirror.refs(THERE).keys() == {MAIN}, countdown.passed[-1]
    two.close()
