"""Several packages of one plan share one commit; each is tagged, built and published in its turn."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import Begun, begun_versions, release_package
from shipline.capabilities.releases.waiting import is_named
from shipline.domain.errors import RefusedError
from shipline.domain.release import ReleaseStatus
from shipline.testing.histories import History
from shipline.testing.world import World
from tests.capabilities.events import check_positions
from tests.capabilities.releases.monorepo_world import MonorepoWorld, manifest, new_monorepo
from tests.capabilities.releases.release_world import PERSON, catalogue_of

PUBLISHED, STOPPED, REFUSED = ReleaseStatus.PUBLISHED, ReleaseStatus.STOPPED, ReleaseStatus.REFUSED
SUBJECT = "chore(release): core 2.0.0, side 1.0.1, web 1.0.1"
ALL = ["core@2.0.0", "side@1.0.1", "web@1.0.1"]


def made_in(folder: Path, world: World) -> MonorepoWorld:
    """A repository with a remote, of which a world has the clone."""
    new_monorepo(folder / "repository")
    bare = folder / "remote.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(folder / "repository"), str(bare)], check=True)
    made = MonorepoWorld(world, folder, remote="origin")
    made.history.git("remote", "add", "origin", str(bare))
    return made


@pytest.fixture
def project(tmp_path: Path, sqlite_url: str) -> Iterator[MonorepoWorld]:
    world = World(3, tmp_path, url=sqlite_url)
    made = made_in(tmp_path, world)
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


def fresh_clone(project: MonorepoWorld, folder: Path) -> MonorepoWorld:
    """Another machine: what the remote and the registries have is all that it knows."""
    folder.mkdir()
    subprocess.run(
        ["git", "clone", "--quiet", str(project.folder / "remote.git"), str(folder / "repository")], check=True
    )
    world = World(4, folder)
    world.clock.jump_to(project.world.clock.now_us() + 3_600_000_000)
    anew = MonorepoWorld(world, folder, remote="origin")
    for key, value in (("user.name", "Robin"), ("user.email", "robin@example.org")):
        anew.history.git("config", key, value)
    anew.registry, anew.mirror = project.registry, project.mirror
    anew.registry._clock = world.clock
    return anew


def test_one_commit_has_all_files_and_a_tag_for_each_package(project: MonorepoWorld) -> None:
    base = project.history.git("rev-parse", "HEAD")
    released = project.command()
    assert [(one.package, one.version, one.status) for one in released] == [
        ("core", "2.0.0", PUBLISHED),
        ("side", "1.0.1", PUBLISHED),
        ("web", "1.0.1", PUBLISHED),
    ]
    assert project.history.git("rev-parse", "HEAD~1") == base
    assert project.tags_at() == ALL
    assert {one.commit for one in released} == {project.history.git("rev-parse", "HEAD")}
    assert project.history.git("log", "-1", "--format=%s") == SUBJECT
    changed = project.history.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines()
    assert changed == sorted(
        f"packages/{name}/{file}"
        for name in ("core", "web", "side")
        for file in ("CHANGELOG.md", "VERSION", "package.json")
    )
    assert project.stated("web") | {"name": ""} == {"name": "", "version": "1.0.1", "dependencies": {"core": "^2.0.0"}}
    assert "require core 2.0.0" in project.history.git("show", "HEAD:packages/web/CHANGELOG.md")
    assert [name.partition("-")[0] for name in project.registry.uploads] == ["core"] * 2 + ["side"] * 2 + ["web"] * 2
    remote = History.__new__(History)
    remote.folder, remote._second = project.folder / "remote.git", 0
    assert remote.git("tag", "--points-at", "main").splitlines() == ALL
    assert project.command() == []


def test_what_each_one_released_is_its_own(project: MonorepoWorld) -> None:
    """Notes, commits and instant: those of its part, also where its release begins after another one's has ended."""
    core, side, web = project.command()
    assert ["say it otherwise" in one.notes_markdown for one in (core, side, web)] == [True, False, False]
    assert ["a word" in one.notes_markdown for one in (core, side, web)] == [False, True, False]
    assert [one.previous_version for one in (core, side, web)] == ["1.0.0"] * 3
    times = project.history.git("for-each-ref", "--format=%(taggerdate:unix)", *(f"refs/tags/{tag}" for tag in ALL))
    assert set(times.split()) == {project.history.git("log", "-1", "--format=%ct")}


def test_a_package_alone_is_released_alone(project: MonorepoWorld) -> None:
    (side,) = project.command("side")
    assert (side.version, project.tags_at()) == ("1.0.1", ["side@1.0.1"])
    assert project.stated("core")["version"] == "1.0.0"
    core, web = project.command()
    assert (core.commit, [core.package, web.package]) == (web.commit, ["core", "web"])


def test_one_that_stops_holds_up_nobody_who_does_not_require_it(project: MonorepoWorld) -> None:
    """And the next command does only what is missing."""
    project.registry.down_for = {"side"}
    core, side, web = project.command()
    assert [one.status for one in (core, side, web)] == [PUBLISHED, STOPPED, PUBLISHED]
    made = project.history.git("rev-parse", "HEAD")
    project.registry.down_for = set()
    assert [(one.package, one.status) for one in project.command()] == [("side", PUBLISHED)]
    assert (project.history.git("rev-parse", "HEAD"), project.tags_at()) == (made, ALL)
    assert len(project.registry.uploads) == len(set(project.registry.uploads)) == 6


def test_what_requires_one_that_stopped_waits_and_says_so(project: MonorepoWorld) -> None:
    """Also where it alone is asked for; what stopped is tried again first."""
    project.registry.down_for = {"core"}
    why = "1.0.1 waits for core 2.0.0, which it requires and which is stopped"
    for expected in ([("core", STOPPED), ("side", PUBLISHED)], [("core", STOPPED)]):
        assert [(one.package, one.status) for one in project.command()] == expected
        assert project.waiting == {"web": why}
    assert project.command("web") == []
    assert project.waiting == {"web": why}
    made = project.history.git("rev-parse", "HEAD")
    assert project.tags_at() == ["core@2.0.0", "side@1.0.1"]
    project.registry.down_for = set()
    assert [(one.package, one.status) for one in project.command()] == [("core", PUBLISHED), ("web", PUBLISHED)]
    assert (project.history.git("rev-parse", "HEAD"), project.tags_at()) == (made, ALL)
    assert len(project.registry.uploads) == len(set(project.registry.uploads)) == 6


def test_what_requires_it_by_another_one_waits_as_well(project: MonorepoWorld) -> None:
    project.history.commit("feat(side): use web", {"packages/side/package.json": manifest("side", web="^1.0.0")})
    project.registry.down_for = {"core"}
    assert [one.package for one in project.command()] == ["core"]
    assert project.command("side") == []
    assert project.waiting == {"side": "1.1.0 waits for core 2.0.0, which it requires and which is stopped"}


def test_what_was_stopped_before_its_commit_has_the_work_tree_to_itself(project: MonorepoWorld) -> None:
    """Who goes on from a commit that is there needs none."""
    lock = project.history.folder / ".git" / "index.lock"
    project.registry.down_for = {"side"}
    core, _, _ = project.command()
    project.history.commit("fix(core): again", {"packages/core/index.js": "2"})
    lock.touch()
    ground = project.ground(project.world.store)
    engine = project.world.engine(catalogue_of(ground))
    (again,) = project.candidates("core")
    _, stopped = release_package(ground, engine, again, PERSON, branch="main")
    assert stopped is not None
    project.world.run_until_quiet(engine)
    assert (project.now(stopped).status, project.now(stopped).commit) == (STOPPED, None)
    lock.unlink()
    project.history.git("checkout", "--quiet", "--", ".")
    project.registry.down_for = set()
    (side,) = project.in_turn(project.candidates("side"))
    assert (side.status, side.commit) == (PUBLISHED, core.commit)
    project.history.commit("fix(side): again", {"packages/side/index.js": "2"})
    (side_again,) = project.candidates("side")
    with pytest.raises(RefusedError, match=r"the release of core 2\.0\.1 has not ended"):
        release_package(ground, engine, side_again, PERSON, branch="main")


@pytest.mark.parametrize("is_known", [True, False], ids=["its own store", "a fresh clone"])
def test_what_waits_is_listed_with_what_it_waits_for(project: MonorepoWorld, tmp_path: Path, *, is_known: bool) -> None:
    """What the store knows itself is among the releases."""

    def listed(anew: MonorepoWorld) -> list[Begun]:
        return list(begun_versions(anew.ground(anew.world.store), anew.candidates()))

    assert listed(project) == []
    project.registry.down_for = {"core"}
    core, _ = project.command()
    commit, short = str(core.commit), str(core.commit)[:7]
    anew = project if is_known else fresh_clone(project, tmp_path / "anew")
    tagged = Begun("core", "2.0.0", "tagged", commit, "2.0.0 is tagged and is not on the registry")
    why = "1.0.1 waits for core 2.0.0, which it requires and which is stopped"
    reason = why if is_known else f"1.0.1 is in the release commit {short}, and has no tag yet"
    assert listed(anew) == [*(() if is_known else (tagged,)), Begun("web", "1.0.1", "committed", commit, reason)]
    if not is_known:
        project.registry.faults.down = True
        assert "whether it is published cannot be told" in listed(anew)[0].reason
        project.registry.faults.down = False
    project.registry.down_for = set()
    anew.command()
    assert listed(anew) == []
    if not is_known:
        anew.world.close()


def test_what_newer_commits_make_anew_waits_too(project: MonorepoWorld) -> None:
    project.registry.down_for = {"core"}
    core, _ = project.command()
    project.registry.down_for = set()
    project.command("core")
    project.history.commit("feat(web): mend it", {"packages/web/index.js": "2"})
    reason = "newer commits came after its own, and make 1.1.0"
    found = begun_versions(project.ground(project.world.store), project.candidates())
    assert found == (Begun("web", "1.0.1", "committed", str(core.commit), reason),)


@pytest.mark.parametrize(
    ("text", "package", "expected"),
    [
        ('{"dependencies": {"core": "^1"}}', "core", True),
        ('{"dependencies": {"@team/core": "^1"}}', "core", False),
        ('{"dependencies": {"@team/core": "^1"}}', "@team/core", True),
        ('{"workspaces": ["packages/core"]}', "core", False),
        ('dependencies = ["Zope_Interface>=5"]', "zope.interface", True),
        ("[dependencies]\ncore.workspace = true", "core", True),
        ("[dependencies]\ncore-extra = 1", "core", False),
    ],
)
def test_a_manifest_names_a_package_by_a_word_of_its_own(text: str, package: str, *, expected: bool) -> None:
    assert is_named(text, package) is expected


def test_a_fix_of_the_one_that_was_refused_leaves_the_others_their_commit(project: MonorepoWorld) -> None:
    """The refused number is skipped; who waited for it comes after what mends it."""
    project.failing = 1
    core, side = project.command()
    assert [(one.version, one.status) for one in (core, side)] == [("2.0.0", REFUSED), ("1.0.1", REFUSED)]
    made = project.history.git("rev-parse", "HEAD")
    project.history.commit("fix(core): mend it", {"packages/core/index.js": "2"})
    project.failing = 0
    released = project.command()
    assert [(one.package, one.version) for one in released] == [("side", "1.0.1"), ("core", "2.0.1"), ("web", "1.0.1")]
    assert [one.commit == made for one in released] == [True, False, True]
    assert project.stated("web", "web@1.0.1")["dependencies"] == {"core": "^2.0.0"}


@pytest.mark.parametrize("is_known", [True, False], ids=["its own store", "a fresh clone"])
def test_a_fix_of_one_that_waited_is_in_it(project: MonorepoWorld, tmp_path: Path, *, is_known: bool) -> None:
    """Its commit is public, and nobody has seen the version: it is made anew, and its section says all of it."""
    project.registry.down_for = {"core"}
    core, side = project.command()
    assert (core.status, side.status) == (STOPPED, PUBLISHED)
    project.registry.down_for = set()
    project.history.commit("fix(web): mend it", {"packages/web/index.js": "2"})
    project.history.git("push", "--quiet", "origin", "main")
    anew = project if is_known else fresh_clone(project, tmp_path / "anew")
    released = anew.command()
    assert [(one.package, one.version) for one in released] == [("core", "2.0.0"), ("web", "1.0.1")]
    assert released[0].commit == core.commit
    assert released[1].commit == anew.history.git("rev-parse", "HEAD")
    text = anew.history.git("show", "HEAD:packages/web/CHANGELOG.md")
    assert (text.count("## [1.0.1]"), "mend it" in text, "require core" in text) == (1, True, True)
    if not is_known:
        anew.world.close()


def test_from_a_fresh_clone_the_others_go_on_from_the_commit_that_was_pushed(
    project: MonorepoWorld, tmp_path: Path
) -> None:
    project.registry.down_for = {"core"}
    core, _ = project.command()
    project.registry.down_for = set()
    project.history.commit("docs: nothing that is released", {"README.md": "x"})
    project.history.git("push", "--quiet", "origin", "main")
    anew = fresh_clone(project, tmp_path / "anew")
    released = anew.command()
    assert [(one.package, one.status, one.commit) for one in released] == [
        ("core", PUBLISHED, core.commit),
        ("web", PUBLISHED, core.commit),
    ]
    assert "require core 2.0.0" in released[1].notes_markdown
    assert len(project.registry.uploads) == len(set(project.registry.uploads)) == 6
    assert anew.command() == []
    anew.world.close()


def test_what_requires_it_for_development_is_in_its_commit_and_is_not_released(
    project: MonorepoWorld, tmp_path: Path
) -> None:
    """Another machine knows the commit for the release's own, although it changes another package's manifest."""
    table = json.loads(manifest("web")) | {"devDependencies": {"core": "^1.0.0"}}
    project.history.commit("test(web): try core", {"packages/web/package.json": json.dumps(table)})
    project.registry.down_for = {"core"}
    (core,) = project.command("core")
    assert project.stated("web") == table | {"devDependencies": {"core": "^2.0.0"}}
    project.registry.down_for = set()
    anew = fresh_clone(project, tmp_path / "anew")
    released = anew.command()
    assert [(one.package, one.version) for one in released] == [("core", "2.0.0"), ("side", "1.0.1")]
    assert released[0].commit == core.commit
    anew.world.close()


def test_a_commit_with_the_keys_of_others_and_more_than_their_files_is_not_gone_on_from(project: MonorepoWorld) -> None:
    """Anybody can write a trailer. What it has done to a version is not written over unseen either."""
    before = {"packages/web/package.json": project.history.git("show", "HEAD:packages/web/package.json")}
    files = {name: text.replace('"1.0.0"', '"1.7.0"', 1) for name, text in before.items()}
    keys = "\n\nShipline-Key: release:side:1.7.0\nShipline-Key: release:web:1.7.0"
    hostile = project.history.commit("chore(release): side 1.7.0, web 1.7.0" + keys, files)
    with pytest.raises(RefusedError, match=r"says 1.7.0, and the release of web 1.0.1 would lower it"):
        project.command()
    project.history.commit("chore: as it was", before)
    released = project.command()
    assert {one.version for one in released} == {"2.0.0", "1.0.1"}
    assert hostile not in {one.commit for one in released}


def test_snapshots_share_a_commit_beside_the_branch_and_require_each_other(project: MonorepoWorld) -> None:
    """Whoever installs one gets the other's snapshot, and not what was released before."""
    before = project.history.git("rev-parse", "HEAD"), project.history.git("status", "--porcelain")
    core, side, web = project.command(channel="snapshot")
    assert {core.status, side.status, web.status} == {PUBLISHED}
    assert len({core.commit, side.commit, web.commit}) == 1
    commit = str(core.commit)
    assert (project.history.git("rev-parse", "HEAD"), project.history.git("status", "--porcelain")) == before
    assert project.history.git("rev-parse", f"{commit}~1") == before[0]
    assert sorted(project.tags_at(commit)) == sorted(one.tag for one in (core, side, web))
    assert project.stated("core", commit)["version"] == core.version
    assert project.stated("web", commit)["dependencies"] == {"core": f"^{core.version}"}
    assert project.history.git("diff", "--name-only", "HEAD", commit, "--", "*.md") == ""
    assert project.history.git("ls-remote", "origin", "refs/heads/main").split()[0] != commit


def test_snapshots_that_were_cut_off_go_on_from_the_commit_that_the_first_tag_is_on(project: MonorepoWorld) -> None:
    project.registry.down_for = {"core"}
    core, side = project.command(channel="snapshot")
    assert (core.status, side.status, side.commit) == (STOPPED, PUBLISHED, core.commit)
    project.registry.down_for = set()
    released = project.command(channel="snapshot")
    assert [(one.package, one.status, one.commit) for one in released] == [
        ("core", PUBLISHED, core.commit),
        ("web", PUBLISHED, core.commit),
    ]


def test_a_candidate_that_breaks_is_required_by_the_candidates_that_are_released_with_it(
    project: MonorepoWorld,
) -> None:
    """Without version files nothing moves the branch; what is required is written in the commit beside it."""
    candidates = tuple(
        replace(
            one,
            package=replace(one.package, ecosystem="plain"),
            version_files=(),
            beside=project.history.git("rev-parse", "HEAD"),
        )
        for one in project.candidates(channel="rc")
    )
    listed = tuple(replace(one, peers=lambda: candidates) for one in candidates)
    project.gates = ()  # Nothing is built, so that nothing could be proven.
    core, side, web = project.in_turn(listed)
    assert [(one.version, one.status) for one in (core, side, web)] == [
        ("2.0.0-rc.1", PUBLISHED),
        ("1.0.1-rc.1", PUBLISHED),
        ("1.0.1-rc.1", PUBLISHED),
    ]
    assert len({one.commit for one in (core, side, web)}) == 1
    assert project.stated("web", str(web.commit))["dependencies"] == {"core": "^2.0.0-rc.1"}
    assert project.stated("web")["dependencies"] == {"core": "^1.0.0"}
