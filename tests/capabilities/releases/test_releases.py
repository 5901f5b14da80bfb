"""Releases from commits to the registry: stopped by whatever, they go on from there, and nothing is done twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import evidence_of, moved_tag, verdicts_of
from shipline.capabilities.releases.ground import Built, save_built
from shipline.capabilities.releases.rules import Start
from shipline.capabilities.releases.usecases import resume_release
from shipline.domain.artifact import Artifact
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.domain.evidence import EvidenceKind
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.testing.histories import History
from shipline.testing.world import World
from tests.capabilities.events import bodies, check_positions, kinds
from tests.capabilities.releases.release_world import PACKAGE, PERSON, ReleaseWorld, digest, new_remote

FILES = ["quotes-0.1.0-py3-none-any.whl", "quotes-0.1.0.tar.gz"]


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package with one feature, never released; what must never happen is looked for at the end."""
    world = World(3, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def with_an_empty_store(project: ReleaseWorld, folder: Path) -> ReleaseWorld:
    """The same repository and registry on a machine that has never seen them: a CI runner's."""
    folder.mkdir()
    world = World(4, folder)
    world.clock.jump_to(project.world.clock.now_us() + 3_600_000_000)
    anew = ReleaseWorld(world, project.folder)
    anew.registry, anew.mirror = project.registry, project.mirror
    shutil.rmtree(project.folder / "releases", ignore_errors=True)
    return anew


def steps_until(project: ReleaseWorld, release: Release, kind: str) -> None:
    """Work until an event of this kind is there, and no further."""
    engine = project.engine()
    for _ in range(100):
        if kind in kinds(project.world.store, f"release:{release.id}"):
            return
        engine.sweep()
    raise AssertionError(f"{kind} never came")


def test_a_release_is_tagged_built_proven_and_published(project: ReleaseWorld) -> None:
    release = project.released()
    assert (release.version, release.status, release.attempt) == ("0.1.0", ReleaseStatus.PUBLISHED, 1)
    assert project.registry.uploads == FILES
    assert project.digests("0.1.0") == {artifact.digest for artifact in release.artifacts}
    assert (
        project.history.git("rev-parse", "v0.1.0^{commit}")
        == release.commit
        == project.history.git("rev-parse", "HEAD")
    )
    assert project.history.git("show", "HEAD:VERSION") == "0.1.0"
    assert "say something" in project.history.git("show", "HEAD:CHANGELOG.md")
    with project.world.store.begin() as tx:
        assert {piece.kind for piece in evidence_of(tx, release.id)} == {EvidenceKind.TESTS, EvidenceKind.PROVENANCE}
        assert [verdict.answer.value for verdict in verdicts_of(tx, release.id)] == ["PASS", "PASS"]
    bundle = project.folder / "releases" / "quotes-0.1.0" / "bundle.tar"
    assert kinds(project.world.store)[-1] == "EvidenceBundled"
    assert digest(bundle)


def test_without_new_commits_there_is_nothing_to_release(project: ReleaseWorld) -> None:
    project.released()
    decision, release = project.order()
    assert (decision.start, release) == (Start.NOTHING, None)


def test_a_tag_that_was_moved_is_told_where_nothing_seems_to_be_released(project: ReleaseWorld) -> None:
    """What came before the new place of the tag counts as released, and never was."""
    made = project.released()
    ground = project.ground(project.world.store)
    assert moved_tag(ground, project.candidate()) == ""
    project.commit("fix: lost")
    project.history.git("tag", "--force", "--annotate", "--message", "moved", made.tag)
    said = moved_tag(ground, project.candidate())
    assert said.startswith("the tag v0.1.0 was moved")
    assert str(made.commit)[:12] in said


def test_a_registry_that_is_down_stops_the_release_and_the_next_does_only_what_is_missing(
    project: ReleaseWorld,
) -> None:
    """One file was taken before it went down."""
    project.registry.faults.fails_after_files = 1
    stopped = project.released()
    assert stopped.status is ReleaseStatus.STOPPED
    builds = len(project.commands.calls)
    project.registry.faults.fails_after_files = None
    decision, resumed = project.order()
    assert decision.start is Start.RESUME
    assert resumed is not None
    project.settle()
    assert (project.now(resumed).status, project.now(resumed).attempt) == (ReleaseStatus.PUBLISHED, 2)
    assert project.registry.uploads == FILES
    assert len(project.commands.calls) == builds
    assert project.history.git("log", "--format=%s").count("chore(release)") == 1


def test_an_answer_of_the_registry_that_was_lost_is_asked_for_again(project: ReleaseWorld) -> None:
    project.registry.faults.loses_answer = True
    assert project.released().status is ReleaseStatus.PUBLISHED
    assert project.registry.uploads == FILES


def test_a_file_of_that_name_with_other_bytes_stops_the_release(project: ReleaseWorld, tmp_path: Path) -> None:
    (tmp_path / FILES[1]).write_bytes(b"somebody else's")
    _, release = project.order()
    assert release is not None
    project.registry.publish("quotes", "0.1.0", (tmp_path / FILES[1],))
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.registry.uploads == [FILES[1]]


def test_a_gate_that_says_no_refuses_before_anything_is_public(project: ReleaseWorld) -> None:
    project.failing = 1
    release = project.released()
    assert release.status is ReleaseStatus.REFUSED
    assert project.registry.uploads == []
    with project.world.store.begin() as tx:
        assert [verdict.answer.value for verdict in verdicts_of(tx, release.id)] == ["FAIL", "PASS"]


def test_a_fix_after_a_refusal_is_released_as_the_next_version(project: ReleaseWorld) -> None:
    """The refused one stays unpublished; its tests ran on its commit, and would fail again."""
    project.failing = 1
    refused = project.released()
    project.failing = 0
    project.commit("fix: say it right")
    fixed = project.released()
    assert (fixed.version, fixed.status) == ("0.1.1", ReleaseStatus.PUBLISHED)
    assert project.now(refused).status is ReleaseStatus.REFUSED
    assert sorted(project.registry.served()) == ["0.1.1"]


def test_a_refused_release_without_a_fix_is_asked_again(project: ReleaseWorld) -> None:
    project.failing = 1
    project.released()
    decision, _ = project.order()
    assert decision.start is Start.RESUME
    project.settle()
    assert project.order()[0].start is Start.RESUME


def test_tests_that_leave_no_report_stop_the_release(project: ReleaseWorld) -> None:
    """Missing evidence is not good evidence."""
    project.silent = True
    assert project.released().status is ReleaseStatus.STOPPED
    project.silent = False
    project.order()
    project.settle()
    assert project.registry.uploads == FILES


def test_a_tag_of_that_name_elsewhere_is_not_taken_for_ours(project: ReleaseWorld) -> None:
    """Else its commit would be built and published as this version."""
    project.history.git("switch", "--quiet", "--create", "other")
    project.history.commit("feat: something else", {"other.txt": "x"})
    project.history.tag("v0.1.0")
    project.history.git("switch", "--quiet", "main")
    with pytest.raises(RefusedError, match="exists already"):
        project.order()
    assert project.registry.uploads == []


def test_a_tag_that_appears_after_the_order_stops_the_release(project: ReleaseWorld) -> None:
    _, release = project.order()
    assert release is not None
    project.history.git("tag", "v0.1.0", "HEAD~1")
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.registry.uploads == []


@pytest.mark.parametrize("reached", ["ReleaseTagged", "ArtifactsBuilt", "GateDecided"])
def test_from_an_empty_store_a_release_that_was_cut_off_after_its_tag_is_ended(
    project: ReleaseWorld, tmp_path: Path, reached: str
) -> None:
    """An hour later, on another machine."""
    _, release = project.order()
    assert release is not None
    steps_until(project, release, reached)
    anew = with_an_empty_store(project, tmp_path / "anew")
    ended = anew.released()
    assert (ended.version, ended.status) == ("0.1.0", ReleaseStatus.PUBLISHED)
    assert project.registry.uploads == FILES
    assert project.history.git("tag").splitlines() == ["v0.1.0"]
    assert anew.order()[0].start is Start.NOTHING
    anew.world.close()


def test_from_an_empty_store_a_half_published_version_is_made_whole_with_the_same_bytes(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    """What is rebuilt from the tag is dated as it was."""
    project.registry.faults.fails_after_files = 1
    project.released()
    project.registry.faults.fails_after_files = None
    anew = with_an_empty_store(project, tmp_path / "anew")
    assert anew.released().status is ReleaseStatus.PUBLISHED
    assert project.registry.uploads == FILES
    assert len(project.digests("0.1.0")) == 1
    anew.world.close()


def test_from_an_empty_store_a_published_version_is_left_alone(project: ReleaseWorld, tmp_path: Path) -> None:
    project.released()
    anew = with_an_empty_store(project, tmp_path / "anew")
    assert anew.order()[0].start is Start.NOTHING
    anew.registry.faults.down = True
    with pytest.raises(UnavailableError):
        anew.order()
    anew.world.close()


def test_a_tag_from_before_shipline_is_nothing_to_go_on_with(project: ReleaseWorld) -> None:
    project.history.tag("v0.1.0")
    assert project.order()[0].start is Start.NOTHING


def test_a_dirty_tree_and_another_branch_are_refused(project: ReleaseWorld) -> None:
    (project.history.folder / "quotes.txt").write_text("changed")
    with pytest.raises(RefusedError, match="not committed"):
        project.order()
    project.history.git("checkout", "--quiet", "quotes.txt")
    project.history.git("switch", "--quiet", "--create", "other")
    with pytest.raises(RefusedError, match="made from main"):
        project.order()


def test_another_package_waits_until_the_release_under_way_has_ended(project: ReleaseWorld) -> None:
    """It says for which, and what to do."""
    project.failing = 1
    project.released()
    jokes = replace(PACKAGE, name="jokes", tag_format="jokes-v{version}")
    with pytest.raises(RefusedError, match=r"quotes 0\.1\.0 has not ended") as refused:
        project.order(jokes)
    assert "--package quotes" in refused.value.todo


def test_commits_that_came_before_the_tag_could_be_made_make_another_version(project: ReleaseWorld) -> None:
    """What stopped had left nothing that anybody has seen."""
    project.released()
    project.commit("fix: a word")
    lock = project.history.folder / ".git" / "index.lock"
    lock.touch()
    stopped = project.released()
    assert (stopped.version, stopped.status, stopped.commit) == ("0.1.1", ReleaseStatus.STOPPED, None)
    lock.unlink()
    project.history.git("checkout", "--quiet", "--", ".")
    project.commit("feat: another word")
    assert project.released().version == "0.2.0"


def test_only_the_branch_that_was_committed_on_is_pushed(project: ReleaseWorld, tmp_path: Path) -> None:
    """Somebody may work on another one by then."""
    remote = History(tmp_path / "remote")
    remote.git("config", "receive.denyCurrentBranch", "ignore")
    project.history.git("remote", "add", "origin", str(remote.folder))
    project.remote = "origin"
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ReleaseTagged")
    project.history.git("switch", "--quiet", "--create", "unfinished")
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED
    assert remote.git("for-each-ref", "--format=%(refname)").splitlines() == ["refs/heads/main", "refs/tags/v0.1.0"]


def test_commits_that_came_meanwhile_are_not_pushed(project: ReleaseWorld, tmp_path: Path) -> None:
    """The release's own commit goes out; what people make upon it is theirs to push."""
    project.remote = new_remote(tmp_path / "remote.git")
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ReleaseTagged")
    project.commit("feat: not for everybody yet")
    project.settle()
    now = project.now(release)
    assert now.status is ReleaseStatus.PUBLISHED
    assert project.history.repository.fetch_branch(project.remote, "main") == now.commit


def test_a_commit_that_is_on_the_remote_already_needs_its_tag_alone(project: ReleaseWorld, tmp_path: Path) -> None:
    """Somebody has pushed the branch with more upon it; that is not pushed back."""
    project.remote = new_remote(tmp_path / "remote.git")
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ReleaseTagged")
    pushed = project.commit("feat: more")
    project.history.git("push", "--quiet", project.remote, "main")
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED
    assert project.history.repository.fetch_branch(project.remote, "main") == pushed
    assert project.history.repository.tags_on(project.remote, ("v0.1.0",)) == {"v0.1.0": project.now(release).commit}


def test_a_tag_that_was_deleted_before_it_was_pushed_is_told_of(project: ReleaseWorld, tmp_path: Path) -> None:
    """With how to bring it back: from this commit, or from a remote that has it."""
    project.remote = new_remote(tmp_path / "remote.git")
    _, begun = project.order()
    assert begun is not None
    project.registry.faults.down = True
    project.settle()
    project.registry.faults.down = False
    commit = str(project.now(begun).commit)
    project.history.git("tag", "--delete", "v0.1.0")
    project.order()
    project.settle()
    stop = bodies(project.world.store, "ReleaseStopped")[-1]
    assert "the tag 'v0.1.0' is gone from this repository" in stop["reason"]
    tag = ("tag", "--annotate", "--message", "quotes 0.1.0", "v0.1.0", commit[:12])
    assert " ".join(tag).replace("quotes 0.1.0", '"quotes 0.1.0"') in stop["reason"]
    project.history.git(*tag)
    project.history.git("push", "--quiet", project.remote, "v0.1.0")
    project.history.git("tag", "--delete", "v0.1.0")
    project.order()
    project.settle()
    assert f"git fetch {project.remote} tag v0.1.0" in bodies(project.world.store, "ReleaseStopped")[-1]["reason"]
    project.history.git("fetch", "--quiet", project.remote, "tag", "v0.1.0")
    project.order()
    project.settle()
    assert project.now(begun).status is ReleaseStatus.PUBLISHED


def test_a_remote_that_went_another_way_is_merged_by_a_person(project: ReleaseWorld, tmp_path: Path) -> None:
    """And then the release goes on."""
    project.remote = new_remote(tmp_path / "remote.git")
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ReleaseTagged")
    git = project.history.git
    git("switch", "--quiet", "--create", "theirs", "HEAD~1")
    project.commit("fix: theirs")
    git("push", "--quiet", project.remote, "theirs:main")
    git("switch", "--quiet", "main")
    project.settle()
    (stop,) = bodies(project.world.store, "ReleaseStopped")
    assert "main has moved on" in stop["reason"]
    git("merge", "--quiet", "--strategy-option=ours", "--message", "merge", "theirs")
    git("push", "--quiet", project.remote, "main")
    assert project.order()[0].start is Start.RESUME
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED


def test_what_was_built_in_the_folder_s_former_name_is_gone_on_with(project: ReleaseWorld) -> None:
    """An older Shipline has built it; what another package has left under that name is not taken for it."""
    ground = project.ground(project.world.store)
    built = (Artifact("x.whl", "wheel", f"sha256:{'a' * 64}", 1),)
    release = Release("rel_1", "libs/x", "1.0.0", "x", ReleaseStatus.STOPPED, 1, 0, artifacts=built)
    former = ground.folder / "libs_x-1.0.0"
    assert ground.folder_of(release) != former
    save_built(former, Built("c0ffee", ()))
    assert ground.folder_of(release) != former
    save_built(former, Built("c0ffee", built))
    assert ground.folder_of(release) == former
    assert ground.folder_of(replace(release, package="libs_x", artifacts=())) == former


def test_nothing_begins_where_the_remote_has_moved_on(project: ReleaseWorld, tmp_path: Path) -> None:
    """The push at the end would be rejected, with the version's number used up."""
    project.remote = new_remote(tmp_path / "remote.git")
    theirs = project.commit("fix: theirs")
    project.history.git("push", "--quiet", project.remote, "main")
    project.history.git("reset", "--quiet", "--hard", "HEAD~1")
    with pytest.raises(RefusedError, match="has commits on main that are not here"):
        project.order()
    project.history.git("merge", "--quiet", theirs)
    assert project.released().status is ReleaseStatus.PUBLISHED


def test_a_bundle_that_could_not_be_written_is_written_by_the_next_call(project: ReleaseWorld) -> None:
    """The version is public by then and stays so; the next version is not blocked for good."""
    folder = project.folder / "releases" / "quotes-0.1.0"
    (folder / "bundle.tar").mkdir(parents=True)
    release = project.released()
    assert release.status is ReleaseStatus.PUBLISHED
    (folder / "bundle.tar").rmdir()
    project.commit("fix: something")
    assert project.order()[0].start is Start.RESUME
    project.settle()
    assert (folder / "bundle.tar").is_file()
    assert project.now(release).status is ReleaseStatus.PUBLISHED
    assert project.released().version == "0.1.1"


def test_what_was_built_from_another_commit_is_not_published(project: ReleaseWorld, tmp_path: Path) -> None:
    """The tag was deleted and made anew, and the store is gone; the folder with the old build is not."""
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ArtifactsBuilt")
    kept = tmp_path / "kept"
    shutil.copytree(project.folder / "releases", kept)
    project.history.git("tag", "--delete", "v0.1.0")
    project.history.git("reset", "--quiet", "--hard", "HEAD~1")
    project.commit("fix: before anybody has seen it")
    anew = with_an_empty_store(project, tmp_path / "anew")
    shutil.copytree(kept, project.folder / "releases")
    published = anew.released()
    assert published.commit is not None
    assert published.commit != release.commit
    built = {artifact.digest for artifact in published.artifacts}
    assert built != {digest(kept / "quotes-0.1.0" / "dist" / FILES[0])}
    anew.world.close()


def test_a_plain_package_has_nothing_to_publish_and_nothing_to_look_for(project: ReleaseWorld, tmp_path: Path) -> None:
    plain = Package("quotes")
    project.gates = ()
    _, release = project.order(plain)
    assert release is not None
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED
    anew = with_an_empty_store(project, tmp_path / "anew")
    assert anew.order(plain)[0].start is Start.NOTHING
    anew.world.close()


def test_a_package_in_a_folder_of_its_repository_is_built_from_there(project: ReleaseWorld) -> None:
    """Builders are given the repository's top, and find the package in it."""
    project.history.commit("feat: a service", {"services/quotes/VERSION": "0.0.0\n"})
    package = Package("quotes", path="services/quotes", ecosystem="python")
    _, release = project.order(package)
    assert release is not None
    project.settle()
    assert project.now(release).status is ReleaseStatus.PUBLISHED


def test_a_changelog_that_is_a_link_is_not_followed(project: ReleaseWorld, tmp_path: Path) -> None:
    """What it leads to would be committed, tagged and published."""
    (tmp_path / "secret").write_text("the key")
    (project.history.folder / "CHANGELOG.md").symlink_to(tmp_path / "secret")
    project.commit("docs: begin a changelog")
    assert project.released().status is ReleaseStatus.STOPPED
    assert "the key" not in project.history.git("log", "--patch", "--all")
    assert project.registry.uploads == []


def test_bytes_that_changed_after_they_were_built_are_never_uploaded(project: ReleaseWorld) -> None:
    """The project's tests run beside them; to notice it once they are public would be too late."""
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "EvidenceRecorded")
    (project.folder / "releases" / "quotes-0.1.0" / "dist" / FILES[0]).write_bytes(b"something else")
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert project.registry.uploads == []


def test_a_report_that_changed_after_it_was_read_is_not_signed(project: ReleaseWorld) -> None:
    """The statement would say other things than the gates were told."""
    project.failing = 1
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "EvidenceRecorded")
    report = project.folder / "releases" / "quotes-0.1.0" / "reports" / "unit" / "junit.xml"
    report.write_text('<testsuite><testcase name="a"/></testsuite>')
    project.settle()
    assert project.now(release).status is ReleaseStatus.STOPPED
    assert not list((project.folder / "releases" / "quotes-0.1.0" / "evidence").glob("tests*"))


def test_a_release_that_two_resume_goes_on_once(project: ReleaseWorld) -> None:
    """Goal: who comes second overwrites nothing. Method: a command that has read the stopped release, and then waits
    while another resumes and ends it."""
    project.silent = True
    stopped = project.released()
    assert stopped.status is ReleaseStatus.STOPPED
    project.silent = False
    engine = project.engine()
    with project.world.store.begin() as tx:
        first = resume_release(tx, engine, stopped, PERSON)
    with project.world.store.begin() as tx:
        assert resume_release(tx, engine, stopped, PERSON) == first
    project.settle()
    ended = project.now(stopped)
    assert (ended.status, ended.attempt) == (ReleaseStatus.PUBLISHED, 2)
    with project.world.store.begin() as tx:
        assert resume_release(tx, engine, stopped, PERSON) == ended
    assert project.now(stopped) == ended


def test_a_release_that_is_public_and_has_steps_left_is_gone_on_with(project: ReleaseWorld) -> None:
    """Cut off between the registries and the bundle: it is under way, and nothing else may begin."""
    _, release = project.order()
    assert release is not None
    steps_until(project, release, "ReleasePublished")
    project.commit("fix: a word")
    decision, same = project.order()
    assert (decision.start, decision.version) == (Start.RESUME, "0.1.0")
    assert same is not None
    assert (same.id, same.attempt, same.status) == (release.id, 1, ReleaseStatus.PUBLISHED)
    project.settle()
    assert (project.folder / "releases" / "quotes-0.1.0" / "bundle.tar").is_file()
    assert project.order()[0].version == "0.1.1"
