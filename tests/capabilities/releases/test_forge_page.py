"""A release is shown on the forge: a draft until it is whole, and nothing doubled or overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases.mentions import without_calls
from shipline.domain.release import ReleaseStatus
from shipline.testing.fakes.forge.model import MemoryRefs, Page
from shipline.testing.world import World
from tests.capabilities.events import kinds
from tests.capabilities.releases.release_world import ReleaseWorld, digest

FILES = ["bundle.tar", "quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]
SIGNATURES = [
    *(f"{name}.sigstore.json" for name in FILES[1:]),
    *(f"quotes-0.1.0.{kind}.sigstore.json" for kind in ("slsaprovenance1", "testresult", "vsa")),
]
ALL = sorted((*FILES, *SIGNATURES))


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> Iterator[ReleaseWorld]:
    """A project whose releases are shown on a forge."""
    world = World(7, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path, shown=True)
    world.close()


def page_of(made: ReleaseWorld, tag: str = "v0.1.0") -> Page:
    """The page as the forge has it."""
    found = made.forge.model.page_of(tag)
    assert found is not None
    return found


def test_the_page_has_notes_and_all_files_and_is_announced(made: ReleaseWorld) -> None:
    made.commit("feat: take @types/node")
    release = made.released()
    page = page_of(made)
    assert "@types/node" in release.notes_markdown
    assert "@types/node" not in page.notes
    assert (page.title, page.notes, page.draft, page.prerelease) == (
        "quotes 0.1.0",
        without_calls(release.notes_markdown),
        False,
        False,
    )
    assert sorted(file.name for file in page.files.values()) == ALL
    folder = made.folder / "releases" / "quotes-0.1.0"
    sent = {file.name: f"sha256:{file.sha256}" for file in page.files.values()}
    places = {"bundle.tar": ""} | dict.fromkeys(SIGNATURES, "signatures")
    assert sent == {name: digest(folder / places.get(name, "dist") / name) for name in ALL}
    assert "ReleaseShown" in kinds(made.world.store)


def test_it_stays_a_draft_until_the_forge_has_all(made: ReleaseWorld) -> None:
    """A forge that goes down in between: the version is published, and the release goes on from there."""
    uploads = made.forge.upload_asset

    def fails(*_args: object, **_kwargs: object) -> None:
        made.forge.faults.down = True
        uploads(*_args, **_kwargs)  # type: ignore[arg-type]  # passed on as they came

    made.forge.upload_asset = fails  # type: ignore[method-assign, assignment]  # this forge goes down here
    release = made.released()
    assert release.status is ReleaseStatus.PUBLISHED
    assert page_of(made).draft
    made.forge.upload_asset = uploads  # type: ignore[method-assign]
    made.forge.faults.down = False
    made.order()
    made.settle()
    page = page_of(made)
    assert not page.draft
    assert sorted(file.name for file in page.files.values()) == ALL
    assert made.forge.model.effects.count("create release v0.1.0") == 1


def test_what_people_wrote_on_a_page_that_is_announced_stays(made: ReleaseWorld) -> None:
    written = Page(0, "v0.1.0", "The first", "Our own words.", draft=False, prerelease=False)
    made.forge.model.create_page(written, one_a_tag=True)
    made.released()
    page = page_of(made)
    assert (page.title, page.notes, page.draft) == ("The first", "Our own words.", False)
    assert sorted(file.name for file in page.files.values()) == ALL


def test_a_signature_that_is_there_stays(made: ReleaseWorld) -> None:
    """An attempt that began elsewhere has left it: by the same key it differs, and holds as well."""
    page = made.forge.model.create_page(Page(0, "v0.1.0", "", "", draft=True, prerelease=False), one_a_tag=True)
    made.forge.model.add_file(page, SIGNATURES[0], b"an earlier one", unique=True)
    made.released()
    assert not page.draft
    kept = {file.name: file.content for file in page.files.values()}
    assert (sorted(kept), kept[SIGNATURES[0]]) == (ALL, b"an earlier one")


def test_another_file_of_the_same_name_stops_it(made: ReleaseWorld) -> None:
    page = made.forge.model.create_page(Page(0, "v0.1.0", "", "", draft=True, prerelease=False), one_a_tag=True)
    made.forge.model.add_file(page, FILES[1], b"somebody else's", unique=True)
    made.released()
    assert page.draft
    assert [file.content for file in page.files.values() if file.name == FILES[1]] == [b"somebody else's"]


def test_without_the_tag_on_the_forge_there_is_no_page(made: ReleaseWorld) -> None:
    """A forge would make the tag itself, on whatever its main branch stands on."""
    made.forge.model.refs = MemoryRefs()
    made.released()
    assert made.forge.model.effects == []
    made.forge.model.refs.put("refs/tags/v0.1.0", "f" * 40)
    made.order()
    made.settle()
    assert made.forge.model.effects == []


def test_without_a_forge_the_step_says_so_and_ends(made: ReleaseWorld) -> None:
    made.shown = False
    assert made.released().status is ReleaseStatus.PUBLISHED
    assert made.forge.model.effects == []
    assert made.order()[1] is None


def test_a_release_that_goes_on_from_its_tag_has_the_notes_of_its_changelog(
    made: ReleaseWorld, sqlite_template: Path, tmp_path: Path
) -> None:
    """An empty store, as on a CI runner: the changelog of the tagged commit is what is left."""
    _, first = made.order()
    assert first is not None
    made.registry.faults.down = True
    made.settle()
    other = tmp_path / "other"
    other.mkdir()
    (other / "world.db").write_bytes(sqlite_template.read_bytes())
    world = World(8, other)
    again = ReleaseWorld(world, tmp_path, shown=True)
    again.released()
    assert page_of(again).notes == first.notes_markdown
    world.close()
