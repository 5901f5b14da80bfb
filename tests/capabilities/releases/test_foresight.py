"""What is foreseen is what is done then."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases import Difference, foresee, foresee_pull_request, keep_pull_request
from shipline.capabilities.releases.foresight import Foreseen
from shipline.capabilities.releases.rules import Start
from shipline.capabilities.releases.workflow import release_workflow
from shipline.domain.errors import RefusedError
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from shipline.testing.histories import History
from shipline.testing.world import World
from tests.capabilities.releases.monorepo_world import MonorepoWorld, new_monorepo
from tests.capabilities.releases.release_world import ReleaseWorld


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    world = World(3, tmp_path, url=sqlite_url)
    yield ReleaseWorld(world, tmp_path, moving_tags=("v{major}", "{channel}"))
    world.close()


def tree(history: History, commit: str) -> str:
    """The id of a commit's whole content."""
    return history.git("rev-parse", f"{commit}^{{tree}}")


def applied(files: tuple[Difference, ...], history: History, commit: str, folder: Path) -> str:
    """The tree of a commit with diffs applied by git."""
    assert not any(file.cut for file in files)
    target = folder / "applied"
    subprocess.run(["git", "clone", "--quiet", str(history.folder), str(target)], check=True)
    subprocess.run(["git", "checkout", "--quiet", history.git("rev-parse", commit)], cwd=target, check=True)
    patch = "".join(file.diff for file in files).encode()
    subprocess.run(["git", "apply", "--index", "-"], cwd=target, check=True, input=patch)
    return subprocess.run(["git", "write-tree"], cwd=target, check=True, capture_output=True, text=True).stdout.strip()


def foreseen(project: ReleaseWorld) -> Foreseen:
    ground = project.ground(project.world.store)
    (found,) = foresee(ground, (project.candidate(),), branch="main")
    return found


def test_files_tag_and_moving_tags_are_those_of_the_release_that_follows(project: ReleaseWorld, tmp_path: Path) -> None:
    before = project.history.git("status", "--porcelain"), project.history.git("rev-parse", "HEAD")
    told = foreseen(project)
    assert (project.history.git("status", "--porcelain"), project.history.git("rev-parse", "HEAD")) == before
    release = project.released()
    assert told.decision.version == release.version
    changed = project.history.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines()
    assert [file.path for file in told.files] == sorted(changed)
    assert applied(told.files, project.history, "HEAD~1", tmp_path) == tree(project.history, "HEAD")
    words = {step.name: told.steps[index][1] for index, step in enumerate(release_workflow().steps)}
    assert words["tag"] == (release.tag,)
    assert words["commit"] == (f"{project.history.git('log', '-1', '--format=%s')} (on main)",)
    assert sorted(words["move"]) == sorted(set(project.history.git("tag").split()) - {release.tag})
    assert [line.partition(":")[0] for line in words["publish"]] == [one.registry for one in release.publications]


@pytest.fixture
def monorepo(tmp_path: Path, sqlite_url: str) -> Iterator[MonorepoWorld]:
    new_monorepo(tmp_path / "repository")
    world = World(3, tmp_path, url=sqlite_url)
    yield MonorepoWorld(world, tmp_path)
    world.close()


def test_the_commit_of_several_packages_is_foreseen_with_the_first_of_them(
    monorepo: MonorepoWorld, tmp_path: Path
) -> None:
    told = foresee(monorepo.ground(monorepo.world.store), monorepo.candidates(), branch="main")
    released = monorepo.command()
    assert [(one.package, one.decision.version) for one in told] == [(one.package, one.version) for one in released]
    assert [bool(one.files) for one in told] == [True, False, False]
    assert applied(told[0].files, monorepo.history, "HEAD~1", tmp_path) == tree(monorepo.history, "HEAD")
    words = [dict(one.steps) for one in told]
    assert words[1]["Commit them"] == ("in that of core 2.0.0",)
    assert [one["Create the annotated tag"] for one in words] == [(one.tag,) for one in released]
    assert words[0]["Commit them"] == (f"{monorepo.history.git('log', '-1', '--format=%s')} (on main)",)


def test_of_a_commit_that_is_there_only_the_rest_is_foreseen(monorepo: MonorepoWorld) -> None:
    """The one that stopped goes on; the other one edits nothing any more."""
    monorepo.registry.down_for = {"core"}
    monorepo.command()
    ground = monorepo.ground(monorepo.world.store)
    (alone,) = foresee(ground, monorepo.candidates("web"), branch="main")
    assert (alone.decision.start, alone.steps) == (Start.WAIT, ())
    told = foresee(ground, monorepo.candidates(), branch="main")
    core, side, web = sorted(told, key=lambda one: one.package)
    assert [one.decision.start for one in (core, side, web)] == [Start.RESUME, Start.NOTHING, Start.NEW]
    words = dict(web.steps)
    assert (web.files, words["Commit them"], words["Create the annotated tag"]) == ((), (), ("web@1.0.1",))


def test_a_pull_request_is_foreseen_without_asking_the_forge(monorepo: MonorepoWorld, tmp_path: Path) -> None:
    bare = tmp_path / "remote.git"
    monorepo.history.commit("feat: x", {".changeset/a.md": '---\n"side": minor\n---\n\nA word.\n'})
    subprocess.run(["git", "clone", "--quiet", "--bare", str(monorepo.history.folder), str(bare)], check=True)
    monorepo.history.git("remote", "add", "origin", str(bare))
    monorepo.remote, monorepo.shown, monorepo.forge = "origin", True, FakeForge(GitRefs(bare))
    monorepo.forge.faults.down = True
    ground = monorepo.ground(monorepo.world.store)
    told = foresee_pull_request(ground, monorepo.candidates(), target="main")
    assert told is not None
    monorepo.forge.faults.down = False
    assert keep_pull_request(ground, monorepo.candidates(), target="main").change == "opened"
    (pull,) = monorepo.forge.model.pulls.values()
    assert (pull.title, pull.head) == (told.title, told.branch)
    assert told.text.strip() in pull.body
    monorepo.history.git("fetch", "--quiet", "origin", told.branch)
    assert applied(told.files, monorepo.history, "HEAD", tmp_path) == tree(monorepo.history, "FETCH_HEAD")
    assert {file.path: file.change for file in told.files} == {
        ".changeset/a.md": "deleted",
        "packages/side/CHANGELOG.md": "added",
        "packages/side/VERSION": "changed",
        "packages/side/package.json": "changed",
    }


def test_what_waits_for_its_pull_request_is_said(project: ReleaseWorld) -> None:
    ground = project.ground(project.world.store)
    (told,) = foresee(ground, (project.candidate(),), branch="main", merged_alone=True)
    assert (told.decision.start, told.steps) == (Start.NOTHING, ())
    assert "waits for its pull request" in told.decision.reason


def test_what_would_be_refused_is_refused(project: ReleaseWorld) -> None:
    (project.history.folder / "quotes.txt").write_text("not committed")
    with pytest.raises(RefusedError, match="not committed"):
        foreseen(project)


def test_nothing_new_is_said(project: ReleaseWorld) -> None:
    project.released()
    told = foreseen(project)
    assert (told.decision.start, told.steps) == (Start.NOTHING, ())
