"""What is foreseen is what is done then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases import foresee
from shipline.capabilities.releases.foresight import Foreseen
from shipline.capabilities.releases.rules import Start
from shipline.capabilities.releases.workflow import release_workflow
from shipline.domain.errors import RefusedError
from shipline.testing.world import World
from tests.capabilities.releases.release_world import ReleaseWorld


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    world = World(3, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path, moving_tags=("v{major}", "{channel}"))
    world.close()


def foreseen(project: ReleaseWorld) -> Foreseen:
    ground = project.ground(project.world.store)
    (found,) = foresee(ground, (project.candidate(),), branch="main")
    return found


def test_files_tag_and_moving_tags_are_those_of_the_release_that_follows(project: ReleaseWorld) -> None:
    before = project.history.git("status", "--porcelain"), project.history.git("rev-parse", "HEAD")
    told = foreseen(project)
    assert (project.history.git("status", "--porcelain"), project.history.git("rev-parse", "HEAD")) == before
    release = project.released()
    assert told.decision.version == release.version
    changed = project.history.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines()
    assert sorted(told.files) == sorted(changed)
    assert project.history.repository.read_files(tuple(told.files)) == told.files
    words = {step.name: told.steps[index][1] for index, step in enumerate(release_workflow().steps)}
    assert words["tag"] == (release.tag,)
    assert words["commit"] == (f"{project.history.git('log', '-1', '--format=%s')} (on main)",)
    assert sorted(words["move"]) == sorted(set(project.history.git("tag").split()) - {release.tag})
    assert [line.partition(":")[0] for line in words["publish"]] == [one.registry for one in release.publications]


def test_what_would_be_refused_is_refused(project: ReleaseWorld) -> None:
    (project.history.folder / "quotes.txt").write_text("not committed")
    with pytest.raises(RefusedError, match="not committed"):
        foreseen(project)


def test_nothing_new_is_said(project: ReleaseWorld) -> None:
    project.released()
    told = foreseen(project)
    assert (told.decision.start, told.steps) == (Start.NOTHING, ())
