"""Releases of two forges: what is copied, which files are linked to, and what is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.automation.sync import Side, run_pass
from shipline.testing.fakes.forge.model import ForgeModel, Page
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from tests.capabilities.automation.sync.places import ROOT, Two

EFFECTS = ("create_release", "update_release", "delete_release")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(1, tmp_path)
    yield made
    made.close()


def released(model: ForgeModel, tag: str, *, notes: str = "- one", draft: bool = False) -> Page:
    """A release with a file."""
    model.create_ref(f"refs/tags/{tag}", ROOT)
    page = model.create_page(Page(0, tag, f"quotes {tag}", notes, draft, prerelease=True), one_a_tag=True)
    model.add_file(page, "a (1).whl", b"x", unique=True)
    return page


def test_a_release_is_copied_with_links_to_its_files_and_follows_both_sides(two: Two) -> None:
    here, there = two.models
    page = released(here, "v1.0.0", notes="- one, by @ada\n/close")
    two.run()
    (copy,) = there.pages.values()
    assert (copy.tag, copy.title, copy.prerelease, copy.files) == ("v1.0.0", "quotes v1.0.0", True, {})
    assert copy.notes.startswith(
        "- one, by @<!-- -->ada\n\\/close\n\n<!-- shipline-sync-files -->\nFiles on forge here:"
    )
    assert "- [a__1_.whl](<https://127.0.0.1/files/" in copy.notes
    here.add_file(page, "b.whl", b"x", unique=True)
    there.change_page(copy, title="Quotes 1", prerelease=False)
    two.run()
    assert (page.title, page.prerelease) == ("Quotes 1", False)
    assert "\n- [b.whl](<https://127.0.0.1/files/" in copy.notes
    assert "FILES" not in page.notes.upper()
    copy.notes = copy.notes.replace("- one", "- two").replace("b.whl", "evil.whl")
    two.run()
    assert page.notes == "- two, by @<!-- -->ada\n\\/close"
    assert "evil" not in copy.notes
    there.add_file(copy, "b.whl", b"x", unique=True)
    two.run()
    assert "b.whl" not in copy.notes, "a file that is there itself is not linked to"
    before = two.counts()
    assert (two.run().effects, two.counts()) == ([], before)


def test_a_draft_is_not_copied_and_one_that_became_a_draft_again_is_left_alone(two: Two) -> None:
    here, there = two.models
    page = released(here, "v1.0.0", draft=True)
    two.run()
    assert there.pages == {}
    here.change_page(page, draft=False)
    two.run()
    here.change_page(page, draft=True, notes="hidden")
    assert two.run().effects == []
    assert [one.notes.partition("\n")[0] for one in there.pages.values()] == ["- one"]


def test_only_a_copy_is_taken_away_and_what_is_released_anew_comes_again(two: Two) -> None:
    here, there = two.models
    ours, theirs = released(here, "v1.0.0"), released(there, "v2.0.0")
    for model in two.models:
        released(model, "v3.0.0")
    two.run()
    assert [len(model.pages) for model in two.models] == [3, 3]
    here.delete_page(ours.key)
    (copy,) = (page for page in here.pages.values() if page.tag == theirs.tag)
    here.delete_page(copy.key)
    here.delete_page(next(page.key for page in here.pages.values() if page.tag == "v3.0.0"))
    two.run()
    assert sorted(page.tag for page in there.pages.values()) == ["v2.0.0", "v3.0.0"]
    assert (two.run().effects, here.pages) == ([], {})
    here.create_page(Page(0, "v2.0.0", "again", "", draft=False, prerelease=False), one_a_tag=True)
    two.run()
    assert {page.title for model in two.models for page in model.pages.values() if page.tag == "v2.0.0"} == {"again"}


def test_without_its_tag_or_its_direction_a_release_is_not_made(two: Two) -> None:
    here, there = two.models
    released(here, "v1.0.0")
    there.protected.add("refs/tags/v1.0.0")
    assert "tag 'v1.0.0' is not on the other forge" in " ".join(two.run().troubles)
    assert there.pages == {}
    assert run_pass(replace(two.sync, mirroring=None)).effects == []


@pytest.mark.parametrize("effect", EFFECTS)
def test_whoever_dies_after_an_effect_has_done_it_once(two: Two, effect: str) -> None:
    here, there = two.models
    page = released(here, "v1.0.0")
    two.run()
    released(here, "v2.0.0")
    here.change_page(page, title="another")
    if effect == "delete_release":
        here.delete_page(page.key)
        two.models[1].change_page(next(iter(there.pages.values())))
    calm = Countdown(None)
    for fatal in (f"after there.{effect}", f"before there.{effect}"):
        calm = Mortally(fatal)
        ends = {
            side: replace(end, forge=Mortal(end.forge, calm, name=side.value, effects=EFFECTS))
            for side, end in two.sync.ends.items()
        }
        with suppress(Killed):
            run_pass(replace(two.sync, store=MortalStore(two.sync.store, calm), ends=ends))
    two.run()
    assert two.shown(Side.HERE) == two.shown(Side.THERE)
    assert there.effects.count("create release v2.0.0") == 1
    assert two.run().effects == []


class Mortally(Countdown):
    """Dies at the first point of a name."""

    def __init__(self, name: str) -> None:
        super().__init__(None)
        self.name = name

    def pass_point(self, name: str) -> None:
        """Where it is that one."""
        self.passed.append(name)
        if name == self.name:
            self.die(name)
