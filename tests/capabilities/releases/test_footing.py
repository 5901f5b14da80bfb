"""A release goes on only where its commit holds and sits on what was planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.releases.rules import Start
from shipline.domain.errors import RefusedError
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.journal import runs_of
from shipline.testing.world import World
from tests.capabilities.events import check_positions
from tests.capabilities.releases.release_world import ReleaseWorld

OURS = "chore(release): quotes 0.1.1\n\nShipline-Key: release:quotes:0.1.1"


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package that is at 0.1.0 and has a fix to release."""
    world = World(6, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    made.released()
    made.commit("fix: a word")
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def stopped_before_its_commit(project: ReleaseWorld) -> Release:
    """0.1.1, whose files are written and could not be committed."""
    lock = project.history.folder / ".git" / "index.lock"
    lock.touch()
    stopped = project.released()
    lock.unlink()
    assert (stopped.version, stopped.status, stopped.commit) == ("0.1.1", ReleaseStatus.STOPPED, None)
    assert set(project.history.repository.dirty_paths()) == {"VERSION", "CHANGELOG.md"}
    return stopped


def reason_of(project: ReleaseWorld, release: Release) -> str:
    with project.world.store.begin() as tx:
        return runs_of(tx, f"release:{release.id}")[-1].state.reason


def test_its_own_half_written_files_are_no_reason_to_refuse(project: ReleaseWorld) -> None:
    stopped = stopped_before_its_commit(project)
    decision, _ = project.order()
    assert decision.start is Start.RESUME
    project.settle()
    assert project.now(stopped).status is ReleaseStatus.PUBLISHED
    assert project.history.repository.dirty_paths() == ()


def test_it_does_not_go_on_on_another_branch(project: ReleaseWorld) -> None:
    stopped = stopped_before_its_commit(project)
    project.history.git("switch", "--quiet", "--create", "other")
    with pytest.raises(RefusedError, match="made from main"):
        project.order()
    project.history.git("switch", "--quiet", "main")
    project.order()
    project.settle()
    assert project.now(stopped).status is ReleaseStatus.PUBLISHED


def test_it_does_not_go_on_over_changes_that_are_not_its_own(project: ReleaseWorld) -> None:
    stopped_before_its_commit(project)
    (project.history.folder / "quotes.txt").write_text("half an idea")
    with pytest.raises(RefusedError, match="not committed") as refused:
        project.order()
    assert refused.value.why == "quotes.txt: not this release's own"


def test_it_does_not_go_on_upon_a_commit_that_was_not_planned(project: ReleaseWorld) -> None:
    """Nothing there is worth a release, so that it cannot begin anew either."""
    stopped = stopped_before_its_commit(project)
    planned_on = project.history.git("rev-parse", "HEAD")
    project.history.git("reset", "--quiet", "--hard", "v0.1.0")
    with pytest.raises(RefusedError, match="planned on commit") as refused:
        project.order()
    assert "go back to" in refused.value.todo
    project.history.git("reset", "--quiet", "--hard", planned_on)
    project.order()
    project.settle()
    assert project.now(stopped).status is ReleaseStatus.PUBLISHED


@pytest.fixture
def anew(project: ReleaseWorld) -> Release:
    """0.1.1 had stopped; another fix came, which makes 0.1.1 as well."""
    stopped = stopped_before_its_commit(project)
    project.history.git("stash", "--quiet")
    project.commit("fix: another word")
    project.history.git("stash", "pop", "--quiet")
    return stopped


def test_with_newer_commits_the_same_version_begins_anew(project: ReleaseWorld, anew: Release) -> None:
    """It is the same release at its next attempt, and its notes and commit are of what is there now."""
    with pytest.raises(RefusedError, match="not committed") as refused:
        project.order()
    assert "git checkout -- CHANGELOG.md VERSION" in refused.value.todo
    project.history.git("checkout", "--quiet", "--", "CHANGELOG.md", "VERSION")
    planned_on = project.history.git("rev-parse", "HEAD")
    decision, release = project.order()
    assert (decision.start, decision.version) == (Start.NEW, "0.1.1")
    assert "begun anew" in decision.reason
    assert release is not None
    project.settle()
    made = project.now(anew)
    assert (made.id, made.attempt, made.status) == (release.id, 2, ReleaseStatus.PUBLISHED)
    assert "a word" in made.notes_markdown
    assert "another word" in made.notes_markdown
    assert project.history.git("rev-parse", f"{made.commit}^") == planned_on


def test_a_commit_that_comes_while_it_is_under_way_stops_it_in_words(project: ReleaseWorld) -> None:
    _, release = project.order()
    assert release is not None
    project.commit("fix: in between")
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert "HEAD is another" in reason_of(project, release)
    assert project.history.git("tag").splitlines() == ["v0.1.0"]
    decision, again = project.order()
    assert (decision.start, again is not None) == (Start.NEW, True)
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED


def test_a_branch_that_is_left_while_it_is_under_way_stops_it_in_words(project: ReleaseWorld) -> None:
    _, release = project.order()
    assert release is not None
    project.history.git("switch", "--quiet", "--create", "other")
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert "was begun on main, and this is other" in reason_of(project, release)


def test_a_commit_that_was_planned_with_our_trailer_in_it_is_not_taken_for_ours(project: ReleaseWorld) -> None:
    """It came with somebody's change; without a commit of its own the tag would say the old version."""
    project.history.commit(OURS.replace("chore(release)", "fix"), {"quotes.txt": "theirs"})
    hostile = project.history.git("rev-parse", "HEAD")
    made = project.released()
    assert (made.version, made.status) == ("0.1.1", ReleaseStatus.PUBLISHED)
    assert project.history.git("rev-parse", f"{made.commit}^") == hostile
    assert project.history.git("show", f"{made.commit}:VERSION") == "0.1.1"


@pytest.mark.parametrize(
    "files",
    [
        {"VERSION": "0.1.1\n", "CHANGELOG.md": "x", "quotes.txt": "theirs"},
        {"VERSION": "0.2.0\n", "CHANGELOG.md": "x"},
        {"VERSION": "no version at all\nat all\n", "CHANGELOG.md": "x"},
    ],
)
def test_a_commit_with_our_trailer_that_comes_while_it_is_under_way_is_not_released(
    project: ReleaseWorld, files: dict[str, str]
) -> None:
    """It sits right where ours was to be, and holds something else."""
    _, release = project.order()
    assert release is not None
    project.history.commit(OURS, files)
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.history.git("tag").splitlines() == ["v0.1.0"]
    assert sorted(project.registry.served()) == ["0.1.0"]


def test_a_cherry_pick_of_a_release_commit_is_not_the_release_commit(project: ReleaseWorld) -> None:
    """It has the trailer, the files and the version, and another parent."""
    _, release = project.order()
    assert release is not None
    project.history.git("switch", "--quiet", "--create", "other", "v0.1.0")
    project.history.commit(OURS, {"VERSION": "0.1.1\n", "CHANGELOG.md": "x"})
    project.history.git("switch", "--quiet", "main")
    project.history.commit("feat: more", {"quotes.txt": "more"})
    project.history.git("cherry-pick", "other")
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.history.git("tag").splitlines() == ["v0.1.0"]


@pytest.mark.parametrize(
    ("files", "start"),
    [
        ({"VERSION": "0.1.1\n", "CHANGELOG.md": "x"}, Start.NEW),
        ({"VERSION": "0.1.1\n", "quotes.txt": "theirs"}, Start.NOTHING),
        ({"VERSION": "0.1.0\n", "CHANGELOG.md": "x"}, Start.NOTHING),
    ],
)
def test_from_an_empty_store_a_tag_is_ours_only_on_a_commit_that_is_nothing_but_a_release(
    project: ReleaseWorld, tmp_path: Path, files: dict[str, str], start: Start
) -> None:
    """What a commit like ours holds is what ours would; to anything else Shipline adds no artifacts."""
    project.history.commit(OURS, files)
    project.history.tag("v0.1.1")
    (tmp_path / "anew").mkdir()
    world = World(7, tmp_path / "anew")
    anew = ReleaseWorld(world, project.folder)
    anew.registry = project.registry
    assert anew.order()[0].start is start
    world.close()


@pytest.mark.parametrize("stated", ["0.2.0", "0.2.0.dev0"])
def test_a_final_version_that_is_not_tagged_is_not_written_over_by_a_lower_one(
    project: ReleaseWorld, stated: str
) -> None:
    """It is released from elsewhere, or the plan is not what was meant. What only says what is worked on may be."""
    project.history.commit("chore: by hand", {"VERSION": f"{stated}\n"})
    if stated != "0.2.0":
        assert project.released().version == "0.1.1"
        return
    with pytest.raises(RefusedError, match=r"VERSION says 0.2.0, and the release of quotes 0.1.1 would lower it") as no:
        project.order()
    assert "tag --annotate v0.2.0" in no.value.todo
    assert "say 0.1.0" in no.value.todo
    project.history.tag("v0.2.0")
    project.commit("fix: another word")
    assert project.released().version == "0.2.1"
