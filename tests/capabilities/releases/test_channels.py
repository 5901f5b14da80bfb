"""Pre-releases, snapshots, and final versions that are made from a release candidate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.evidence import read_envelope
from shipline.capabilities.plans import Channel, make_final_plan, make_plan
from shipline.capabilities.releases import Candidate, ReleaseGround, find_release, release_package, told
from shipline.capabilities.releases.outlets import channel_of
from shipline.capabilities.releases.promotion import holds_version
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.rules import Decision, Known, Start, decide_start
from shipline.domain.artifact import Artifact
from shipline.domain.errors import RefusedError
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.version_file import VersionFile
from shipline.ports.builder import BuildRequest
from shipline.testing.world import World
from tests.capabilities.releases.release_world import PACKAGE, PERSON, ReleaseWorld, catalogue_of

VERSION_FILE = VersionFile("VERSION", "plain")


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[ReleaseWorld]:
    """A package with one feature, never released."""
    world = World(3, tmp_path, url=sqlite_url)
    made = ReleaseWorld(world, tmp_path)
    yield made
    world.close()
    assert made.breaches == []


class ImageBuilder:
    """Builds a file that holds neither the version nor its name, and counts how often."""

    api_version = 1
    ecosystem = "python"
    asks_git = False
    kinds: tuple[str, ...] = ("file",)

    def __init__(self) -> None:
        self.builds = 0

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        self.builds += 1
        content = (source / request.package.path / "quotes.txt").read_bytes() + bytes([self.builds])
        (output / "quotes.bin").write_bytes(content)
        return (Artifact("quotes.bin", "file", f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)),)


def candidate(
    project: ReleaseWorld, channel: str = "stable", files: tuple[VersionFile, ...] = (VERSION_FILE,)
) -> Candidate:
    plan = make_plan(project.history.repository, (PACKAGE,), channel=channel)
    is_beside = channel == "snapshot" or (channel != "stable" and not files)
    return Candidate(PACKAGE, plan.packages[0], files, "CHANGELOG.md", beside=plan.commit if is_beside else None)


def final(project: ReleaseWorld, tag: str, files: tuple[VersionFile, ...] = (VERSION_FILE,)) -> Candidate:
    made = make_final_plan(project.history.repository, (PACKAGE,), candidate=tag)
    is_end = made.plan.commit == project.history.repository.head()
    beside = None if is_end else made.plan.commit
    return Candidate(PACKAGE, made.plan.packages[0], files, "CHANGELOG.md", beside=beside, promotes=made.candidate)


def release(project: ReleaseWorld, wanted: Candidate, ground: ReleaseGround | None = None) -> Release:
    used = ground or project.ground(project.world.store)
    engine = project.world.engine(catalogue_of(used))
    _, begun = release_package(used, engine, wanted, PERSON, branch="main")
    assert begun is not None
    project.world.run_until_quiet(engine)
    return project.now(begun)


def file_at(project: ReleaseWorld, name: str, commit: str = "HEAD") -> str | None:
    content = project.history.repository.read_files((name,), commit).get(name)
    return None if content is None else content.decode()


def test_a_pre_release_is_released_end_to_end_and_its_notes_are_part_of_the_final_section(
    project: ReleaseWorld,
) -> None:
    first = release(project, candidate(project, "rc"))
    assert (first.version, first.status, first.channel) == ("0.1.0-rc.1", ReleaseStatus.PUBLISHED, "rc")
    assert [one.channel for one in first.publications] == ["rc", "rc"]
    assert (file_at(project, "VERSION"), file_at(project, "CHANGELOG.md")) == ("0.1.0-rc.1\n", None)
    assert "say something" in first.notes_markdown
    project.commit("fix: spell it")
    second = release(project, candidate(project, "rc"))
    assert (second.version, second.previous_version) == ("0.1.0-rc.2", "0.1.0-rc.1")
    assert "say something" not in second.notes_markdown
    last = release(project, candidate(project))
    assert (last.version, last.channel, last.is_prerelease) == ("0.1.0", "stable", False)
    changelog = file_at(project, "CHANGELOG.md") or ""
    assert "rc" not in changelog
    assert "say something" in changelog
    assert "spell it" in changelog


def test_a_final_version_is_made_from_its_candidate_beside_the_branch(project: ReleaseWorld) -> None:
    rc = release(project, candidate(project, "rc"))
    head = project.commit("feat!: not in it")
    made = release(project, final(project, "v0.1.0-rc.1"))
    assert (made.version, made.status, made.previous_version) == ("0.1.0", ReleaseStatus.PUBLISHED, None)
    repository = project.history.repository
    assert (repository.head(), repository.dirty_paths()) == (head, ())
    (own, *_) = repository.log((), str(made.commit))
    assert own.parents == (rc.commit,)
    assert file_at(project, "VERSION", str(made.commit)) == "0.1.0\n"
    assert "not in it" not in (file_at(project, "CHANGELOG.md", str(made.commit)) or "")
    (plan,) = make_plan(repository, (PACKAGE,)).packages
    assert (plan.current, [change.description for change in plan.changes]) == ("0.1.0", ["not in it"])
    sentences = list(told(rc, made, tree_states_it=True))
    assert len(sentences) == 2
    assert all("built anew" in sentence for sentence in sentences)


def test_a_candidate_that_git_remembers_as_taken_back_is_not_made_final(project: ReleaseWorld) -> None:
    """Also where the store does not know it."""
    project.history.git("tag", "v0.1.0-rc.1")
    project.history.git("tag", "shipline/yanked/v0.1.0-rc.1")
    with pytest.raises(RefusedError, match=r"quotes 0\.1\.0-rc\.1 was taken back"):
        release(project, final(project, "v0.1.0-rc.1"))


def test_at_the_end_of_the_branch_the_final_version_s_commit_is_on_it(project: ReleaseWorld) -> None:
    release(project, candidate(project, "rc"))
    made = release(project, final(project, "v0.1.0-rc.1"))
    assert made.commit == project.history.repository.head()
    assert file_at(project, "VERSION") == "0.1.0\n"


def test_bytes_that_hold_no_version_are_published_as_they_were_tested(project: ReleaseWorld) -> None:
    """One build, one digest, and a provenance that says from which commit."""
    builder = ImageBuilder()
    ground = replace(project.ground(project.world.store), builders=lambda _package: (builder,))
    rc = release(project, candidate(project, "rc", ()), ground)
    assert (rc.status, rc.commit) == (ReleaseStatus.PUBLISHED, project.history.repository.head())
    project.commit("fix: later")
    made = release(project, final(project, "v0.1.0-rc.1", ()), ground)
    assert made.status is ReleaseStatus.PUBLISHED
    assert (builder.builds, made.artifacts) == (1, rc.artifacts)
    assert "same bytes as in 0.1.0-rc.1" in next(told(rc, made, tree_states_it=False))
    envelope = read_envelope((ground.folder_of(made) / "evidence" / "provenance.dsse.json").read_bytes())
    assert made.commit != rc.commit
    assert (str(rc.commit) in envelope.payload.decode(), str(made.commit) in envelope.payload.decode()) == (True, False)


def test_a_candidate_that_is_not_there_whole_is_built_anew(project: ReleaseWorld) -> None:
    builder = ImageBuilder()
    ground = replace(project.ground(project.world.store), builders=lambda _package: (builder,), outlets=())
    rc = release(project, candidate(project, "rc", ()), ground)
    (ground.folder_of(rc) / "dist" / "quotes.bin").write_bytes(b"changed")
    made = release(project, final(project, "v0.1.0-rc.1", ()), ground)
    assert (made.status, builder.builds) == (ReleaseStatus.PUBLISHED, 2)
    assert "built anew" in next(told(rc, made, tree_states_it=False))
    assert "not known on this machine" in next(told(None, made, tree_states_it=False))


@pytest.mark.parametrize(
    ("name", "kind", "states", "expected"),
    [
        ("quotes.whl", "wheel", False, "inside"),
        ("quotes.tgz", "npm", False, "inside"),
        ("quotes-1.0.0-rc.1.tar", "file", False, "its name"),
        ("quotes.tar", "file", True, "state the version"),
        ("quotes.tar", "file", False, ""),
        ("image", "oci", True, ""),
    ],
)
def test_where_a_version_is_baked_in(name: str, kind: str, expected: str, *, states: bool) -> None:
    artifact = Artifact(name, kind, f"sha256:{'0' * 64}", 1)
    why = holds_version(artifact, "1.0.0-rc.1", tree_states_it=states)
    assert (expected in why) if expected else why == ""


def test_a_snapshot_is_released_beside_the_branch_and_once(project: ReleaseWorld) -> None:
    head = project.commit("docs: nothing")
    made = release(project, candidate(project, "snapshot"))
    assert (made.status, made.channel) == (ReleaseStatus.PUBLISHED, "snapshot")
    assert made.version.startswith("0.0.0-")
    assert made.version.endswith(head[:7])
    assert (project.history.repository.head(), file_at(project, "VERSION")) == (head, "0.0.0\n")
    assert file_at(project, "VERSION", str(made.commit)) == f"{made.version}\n"
    assert not candidate(project, "snapshot").plan.releasable
    assert candidate(project).plan.next == "0.1.0"


def test_a_moved_tag_is_no_candidate(project: ReleaseWorld) -> None:
    release(project, candidate(project, "rc"))
    project.commit("fix: something nobody has tested")
    project.history.git("tag", "--force", "--annotate", "--message", "moved", "v0.1.0-rc.1")
    with pytest.raises(RefusedError) as caught:
        release(project, final(project, "v0.1.0-rc.1"))
    assert "was moved" in caught.value.what


def test_a_candidate_that_was_taken_back_is_not_made_final(project: ReleaseWorld) -> None:
    rc = release(project, candidate(project, "rc"))
    with project.world.store.begin() as tx:
        RELEASES.save(tx, replace(rc.to(ReleaseStatus.YANKED), yank_reason="it forgets quotes"))
    with pytest.raises(RefusedError) as caught:
        release(project, final(project, "v0.1.0-rc.1"))
    assert "it forgets quotes" in caught.value.why
    with project.world.store.begin() as tx:
        assert find_release(tx, "quotes", "0.1.0") is None


def decided(project: ReleaseWorld, unfinished: Release, channel: str, *, begun: bool = False) -> Decision:
    plan = candidate(project, channel).plan
    return decide_start(Known(plan, unfinished, tagged_here=False, on_registry=None, publishing_begun=begun))


def test_another_channel_goes_before_what_nobody_has_seen(project: ReleaseWorld) -> None:
    """A refused candidate does not stand in the way of a final version; one that is public in part is ended first."""
    rc = Release("rel_1", "quotes", "0.1.0-rc.1", "v0.1.0-rc.1", ReleaseStatus.REFUSED, 1, 0, commit="c", channel="rc")
    decision = decided(project, rc, "stable")
    assert (decision.start, decision.version) == (Start.NEW, "0.1.0")
    assert "another channel" in decision.reason
    assert decided(project, rc, "stable", begun=True).start is Start.RESUME
    assert decided(project, rc, "rc").start is Start.RESUME


@pytest.mark.parametrize(
    ("scheme", "version", "planned", "expected"),
    [
        ("semver", "1.4.3", "1.4.x", "1.4.x"),
        ("semver", "1.4.3", "rc", "stable"),
        ("semver", "1.4.3-rc.1", "1.4.x", "rc"),
        ("pep440", "1.0b1", "beta", "beta"),
        ("pep440", "1.0b1", "stable", "b"),
        ("pep440", "0.0.0.dev20261126184530+1a2b3c4", "snapshot", "snapshot"),
        ("calver:YYYY.MICRO", "0.0.0-20261126184530-1a2b3c4", "snapshot", "snapshot"),
        ("calver:YYYY-MICRO", "2026-3", "stable", "stable"),
    ],
)
def test_the_channel_of_a_release_is_its_version_s(scheme: str, version: str, planned: str, expected: str) -> None:
    """Whatever was planned: a plan for `rc` may go on with a final version that was cut off."""
    assert channel_of(Package("quotes", scheme=scheme), version, planned) == expected


def test_a_line_s_release_keeps_its_name(project: ReleaseWorld) -> None:
    release(project, candidate(project))
    project.commit("fix: backport")
    plan = make_plan(project.history.repository, (PACKAGE,), channel=Channel(line="0.1.x"))
    made = release(project, Candidate(PACKAGE, plan.packages[0], (VERSION_FILE,), "CHANGELOG.md"))
    assert (made.version, made.channel, made.is_prerelease) == ("0.1.1", "0.1.x", False)
    assert {one.channel for one in made.publications} == {"0.1.x"}
