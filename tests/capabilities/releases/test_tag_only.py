"""Releases by their tag alone: HEAD is tagged as it is, and what would need a commit is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import Candidate, foresee, release_package
from shipline.capabilities.releases.rules import Start
from shipline.capabilities.releases.workflow import release_workflow
from shipline.domain.errors import RefusedError
from shipline.domain.package import Package
from shipline.domain.release import ReleaseStatus
from shipline.domain.release_plan import RequirementEdit
from shipline.domain.version_file import VersionFile
from shipline.testing.world import World
from tests.capabilities.events import check_positions
from tests.capabilities.releases.release_world import PACKAGE, PERSON, ReleaseWorld, new_remote

FILES = ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package with one feature, never released, on a remote."""
    world = World(3, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path, remote=new_remote(tmp_path / "remote.git"), tag_only=True, shown=True)
    made.history.git("push", "--quiet", made.remote, "main")
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def refs(project: ReleaseWorld) -> list[str]:
    """What the remote has."""
    return project.history.git("ls-remote", project.remote).split()[1::2]


def test_the_tag_alone_is_made_and_pushed_and_carries_the_notes(project: ReleaseWorld) -> None:
    head = project.history.git("rev-parse", "HEAD")
    release = project.released()
    assert (release.version, release.status, release.commit) == ("0.1.0", ReleaseStatus.PUBLISHED, head)
    assert (project.history.git("rev-parse", "HEAD"), project.history.git("status", "--porcelain")) == (head, "")
    assert refs(project) == ["HEAD", "refs/heads/main", "refs/tags/v0.1.0", "refs/tags/v0.1.0^{}"]
    message = project.history.git("tag", "--list", "--format=%(contents)", "v0.1.0")
    assert message.startswith("quotes 0.1.0\n\n## [0.1.0]")
    assert "- say something" in message
    assert message.endswith("\n\nShipline-Key: release:quotes:0.1.0")
    (page,) = project.forge.model.pages.values()
    assert "- say something" in page.notes
    assert project.registry.uploads == FILES
    assert project.order()[0].start is Start.NOTHING


def test_what_is_foreseen_is_that_no_file_changes(project: ReleaseWorld) -> None:
    (told,) = foresee(project.ground(project.world.store), (project.candidate(),), branch="main")
    words = {step.name: told.steps[index][1] for index, step in enumerate(release_workflow().steps)}
    assert (told.files, words["edit"], words["commit"], words["tag"]) == ((), (), (), ("v0.1.0",))
    assert words["push"] == (f"to {project.remote}: v0.1.0",)


def test_from_an_empty_store_the_tag_tells_that_the_release_was_begun_and_its_notes(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    """On another machine, with the same bytes; one that people have made tells nothing."""
    project.registry.faults.fails_after_files = 1
    assert project.released().status is ReleaseStatus.STOPPED
    project.registry.faults.fails_after_files = None
    (tmp_path / "anew").mkdir()
    world = World(4, tmp_path / "anew")
    anew = ReleaseWorld(world, project.folder, remote=project.remote, tag_only=True, shown=True)
    anew.registry, anew.mirror = project.registry, project.mirror
    shutil.rmtree(project.folder / "releases")
    ended = anew.released()
    assert (ended.version, ended.status) == ("0.1.0", ReleaseStatus.PUBLISHED)
    assert ended.notes_markdown.startswith("## [0.1.0]")
    assert "Shipline-Key" not in ended.notes_markdown
    assert (len(project.digests("0.1.0")), project.registry.uploads) == (1, FILES)
    assert anew.order()[0].start is Start.NOTHING
    world.close()


def test_a_tag_without_the_key_is_nobody_s_to_go_on_with(project: ReleaseWorld) -> None:
    project.history.tag("v0.1.0")
    assert project.order()[0].start is Start.NOTHING


def test_one_that_stopped_goes_on_from_the_commit_that_it_was_planned_on(project: ReleaseWorld) -> None:
    planned = project.history.git("rev-parse", "HEAD")
    _, begun = project.order()
    assert begun is not None
    project.registry.faults.down = True
    project.settle()
    assert project.now(begun).status is ReleaseStatus.STOPPED
    project.registry.faults.down = False
    project.commit("docs: nothing to release")
    decision, resumed = project.order()
    assert (decision.start, resumed and resumed.id) == (Start.RESUME, begun.id)
    project.settle()
    assert (project.now(begun).status, project.now(begun).commit) == (ReleaseStatus.PUBLISHED, planned)


def test_head_has_to_be_on_the_branch_of_the_remote(project: ReleaseWorld) -> None:
    """An older commit of it will do: the branch may have moved on meanwhile."""
    project.commit("feat: not pushed yet")
    with pytest.raises(RefusedError, match=r"main of .* does not have") as refused:
        project.order()
    assert "git push" in refused.value.todo
    project.history.git("push", "--quiet", project.remote, "main")
    project.history.git("reset", "--quiet", "--hard", "HEAD~1")
    assert project.released().status is ReleaseStatus.PUBLISHED
    project.history.git("switch", "--quiet", "--detach")
    project.commit("feat: beside every branch")
    with pytest.raises(RefusedError, match="HEAD is detached"):
        release_package(project.ground(project.world.store), project.engine(), project.candidate(), PERSON, branch="")


def test_whatever_would_have_to_be_edited_is_named_and_nothing_is_done(project: ReleaseWorld) -> None:
    changeset = '---\n"quotes": minor\n---\n\nMore.\n'
    files = {".changeset/one.md": changeset, "package.json": '{"dependencies": {"core": "1.0.0"}}'}
    project.history.commit("feat: more", files)
    project.history.git("push", "--quiet", project.remote, "main")
    usual = project.candidate()
    edit = RequirementEdit("package.json", "core", "core", "2.0.0", "1.0.0", "2.0.0")
    stating = (VersionFile("VERSION", "plain"),)
    wanted = replace(usual, version_files=stating, plan=replace(usual.plan, requirements=(edit,)))
    ground = project.ground(project.world.store)
    with pytest.raises(RefusedError, match="cannot be released by its tag alone") as refused:
        release_package(ground, project.engine(), wanted, PERSON, branch="main")
    assert refused.value.why == (
        ".changeset/one.md would be used up; VERSION states its version;"
        " package.json repeats the version of what it requires"
    )
    assert project.history.git("tag") == ""


def test_a_file_that_says_the_version_already_needs_no_edit(project: ReleaseWorld) -> None:
    project.history.commit("chore: a version", {"VERSION": "0.1.0\n"})
    project.history.git("push", "--quiet", project.remote, "main")
    wanted = replace(project.candidate(), version_files=(VersionFile("VERSION", "plain"),))
    engine = project.engine()
    _, begun = release_package(project.ground(project.world.store), engine, wanted, PERSON, branch="main")
    assert begun is not None
    project.world.run_until_quiet(engine)
    assert project.now(begun).status is ReleaseStatus.PUBLISHED


def test_packages_that_do_not_require_each_other_do_not_wait_for_each_other(project: ReleaseWorld) -> None:
    """Each is tagged in its turn, and one that stopped holds up nobody else."""
    project.failing = 1
    project.released()
    project.failing = 0
    jokes = Package("jokes", ecosystem="python", tag_format="jokes-v{version}")
    project.packages = (PACKAGE, jokes)
    other: Candidate = project.candidate(jokes)
    engine = project.engine()
    _, begun = release_package(project.ground(project.world.store), engine, other, PERSON, branch="main")
    assert begun is not None
    project.world.run_until_quiet(engine)
    assert project.now(begun).status is ReleaseStatus.PUBLISHED
    assert "refs/tags/jokes-v0.1.0" in refs(project)
