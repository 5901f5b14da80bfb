"""Where else a yanked version is: the tags that follow, the forge's page, the branch; and found from an empty store."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import (
    RELEASES,
    YankOrder,
    adopt_release,
    check_revert,
    order_yank,
    verify_yank,
    yank_subject,
)
from shipline.capabilities.releases.moving_tags import names_to_move, rival_tags
from shipline.capabilities.releases.yank.before import versions_below
from shipline.capabilities.releases.yank.page import MARKER, TITLE_MARK
from shipline.domain.errors import ConflictError, NothingToDo, RefusedError, UsageError
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus, Yank
from shipline.domain.verdict import Answer
from shipline.engine.journal import journal_of, runs_of
from shipline.engine.rules import RunStatus
from shipline.ports.forge import PullRequest, bears
from shipline.store.database import Store
from shipline.testing.world import World
from tests.capabilities.events import bodies, check_positions, kinds
from tests.capabilities.releases.release_world import PERSON, ReleaseWorld, new_remote

BRANCH = "shipline/revert-v0.2.0"


def project_in(folder: Path) -> ReleaseWorld:
    """A package with a remote and a forge, and tags that follow its releases. Its store is `store.db`."""
    world = World(6, folder, url=f"sqlite:///{folder / 'store.db'}")
    remote = new_remote(folder / "remote.git")
    return ReleaseWorld(world, folder, remote=remote, moving_tags=("v{major}", "latest"), shown=True)


@pytest.fixture
def project(tmp_path: Path, sqlite_template: Path) -> Iterator[ReleaseWorld]:
    shutil.copyfile(sqlite_template, tmp_path / "store.db")
    made = project_in(tmp_path)
    yield made
    check_positions(made.world.store)
    made.world.close()
    assert made.breaches == []


def two_releases(project: ReleaseWorld) -> Release:
    """0.1.0, and 0.2.0, which is the bad one."""
    project.released()
    project.commit("feat: say more")
    bad = project.released()
    assert bad.version == "0.2.0"
    return bad


@pytest.fixture(scope="module")
def one_with_two(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[ReleaseWorld, Release]:
    """A project with two releases, and the bad one; its store is closed. Most tests begin with a copy of it."""
    folder = tmp_path_factory.mktemp("two")
    shutil.copyfile(sqlite_template, folder / "store.db")
    made = project_in(folder)
    bad = two_releases(made)
    made.world.close()
    return made, bad


@pytest.fixture
def bad(project: ReleaseWorld, one_with_two: tuple[ReleaseWorld, Release]) -> Release:
    """0.2.0 of `project`, which is the bad one; 0.1.0 is before it."""
    made, bad = one_with_two
    world = project.world
    world.close()
    shutil.rmtree(project.folder)
    shutil.copytree(made.folder, project.folder)
    world.store = Store(f"sqlite:///{project.folder / 'store.db'}").open()
    world.clock.jump_to(made.world.clock.now_us())
    # What is in memory is copied, around the clock, the folders and the breaches, which are the project's own.
    own = {
        id(theirs): ours
        for theirs, ours in (
            (made.world.clock, world.clock),
            (made.forge.model.refs, project.forge.model.refs),
            (made.breaches, project.breaches),
        )
    }
    copied = copy.deepcopy((made.world.ids, made.forge, made.registry, made.mirror), own)
    world.ids, project.forge, project.registry, project.mirror = copied
    world._incarnations = made.world._incarnations
    project.history._second = made.history._second
    return bad


def yanked(project: ReleaseWorld, release: Release, *, revert: bool = False) -> Release:
    """`shipline yank`, to its end."""
    with project.world.store.begin() as tx:
        order_yank(tx, project.engine(), release, YankOrder("it loses quotes", PERSON, revert))
    project.settle()
    return project.now(release)


def yank_of(release: Release, place: str) -> Yank:
    (found,) = [yank for yank in release.yanks if yank.place == place]
    return found


def standing(project: ReleaseWorld) -> dict[str, str]:
    """Where the moving tags are on the remote."""
    return project.history.repository.tags_on(project.remote, ("v0", "latest"))


def forget(project: ReleaseWorld, folder: Path) -> None:
    """Another machine: a store that knows nothing, and no folder of the release; the rest of the world stays."""
    project.world.close()
    project.world = World(7, folder, url=f"sqlite:///{folder / 'empty.db'}")
    project.folder = folder / "elsewhere"


# --- tags ------------------------------------------------------------------------------------------------------


def test_the_tags_that_follow_go_back_to_the_release_before(project: ReleaseWorld, bad: Release) -> None:
    assert set(standing(project).values()) == {bad.commit}
    now = yanked(project, bad)
    before = project.history.git("rev-parse", "v0.1.0^{commit}")
    assert standing(project) == {"v0": before, "latest": before}
    assert yank_of(now, "git tags").done == ("v0 stands on 0.1.0", "latest stands on 0.1.0")
    assert yank_of(now, "git tags").not_done == ("the tag v0.2.0 stays: others may have it",)


def test_a_tag_that_somebody_moved_stays_there(project: ReleaseWorld, bad: Release) -> None:
    fix = project.commit("fix: in a hurry")
    project.history.git("push", "--quiet", "--force", project.remote, f"{fix}:refs/tags/latest")
    now = yanked(project, bad)
    assert standing(project)["latest"] == fix
    assert yank_of(now, "git tags").done == ("v0 stands on 0.1.0",)


def test_without_a_good_release_before_the_tags_stay_and_that_is_said(project: ReleaseWorld) -> None:
    first = project.released()
    now = yanked(project, first)
    assert set(standing(project).values()) == {first.commit}
    assert "v0 still stands on 0.1.0: no good version before it is known" in yank_of(now, "git tags").not_done
    _, found = verify_yank(project.ground(project.world.store), now)
    assert (found["git tags"].answer, found["release page"].answer) == (Answer.FAIL, Answer.PASS)


def test_a_release_before_that_was_taken_back_itself_is_passed_over(project: ReleaseWorld) -> None:
    project.released()
    oldest = project.history.git("rev-parse", "v0.1.0^{commit}")
    project.commit("fix: one")
    worse = project.released()
    project.commit("fix: two")
    bad = project.released()
    yanked(project, worse)
    now = yanked(project, bad)
    assert standing(project) == {"v0": oldest, "latest": oldest}
    assert project.registry.pointers == {("quotes", "stable"): "0.1.0"}
    assert now.version == "0.1.2"


def test_a_yanked_version_does_not_keep_the_tags_from_the_next_one(project: ReleaseWorld, bad: Release) -> None:
    """A fix of the line before it is lower, and is what people are to follow."""

    def taken_by_a_fix() -> tuple[str, ...]:
        rivals = rival_tags(project.ground(project.world.store), "quotes")
        return names_to_move(project.moving_tags, project.packages[0], "0.1.1", rivals)

    assert taken_by_a_fix() == ()
    yanked(project, bad)
    assert taken_by_a_fix() == ("v0", "latest")


# --- the forge's page ------------------------------------------------------------------------------------------


def test_the_page_says_why_it_should_not_be_used_and_keeps_what_it_said(project: ReleaseWorld, bad: Release) -> None:
    before = project.forge.find_release("v0.2.0")
    assert before is not None
    now = yanked(project, bad)
    page = project.forge.find_release("v0.2.0")
    assert page is not None
    assert (page.title, page.prerelease, page.draft) == (f"{TITLE_MARK}{before.title}", True, False)
    assert bears(page.notes_markdown, MARKER)
    assert "it loses quotes" in page.notes_markdown
    assert page.notes_markdown.endswith(before.notes_markdown)
    assert yank_of(now, "release page").done
    other = project.forge.find_release("v0.1.0")
    assert other is not None
    assert not other.title.startswith(TITLE_MARK)


def test_a_release_without_a_page_is_passed_over_and_the_journal_says_so(project: ReleaseWorld) -> None:
    project.shown = False
    bad = two_releases(project)
    project.shown = True
    now = yanked(project, bad)
    assert [yank.place for yank in now.yanks] == ["git mark", "index", "mirror", "git tags"]
    with project.world.store.begin() as tx:
        (run,) = runs_of(tx, yank_subject(now))
        ends = {entry.step: entry.detail for entry in journal_of(tx, run.id) if entry.outcome == "done"}
    assert ends["page"] == "the forge has no page of it"
    assert ends["revert"] == "it was not asked for"
    assert ends["rest"] == "all have answered"


def test_a_forge_that_is_down_keeps_nobody_waiting_and_is_asked_again(project: ReleaseWorld, bad: Release) -> None:
    project.forge.faults.down = True
    now = yanked(project, bad)
    assert [yank.place for yank in now.yanks] == ["git mark", "index", "mirror", "git tags"]
    with project.world.store.begin() as tx:
        (run,) = runs_of(tx, yank_subject(now))
    assert run.state.status is RunStatus.STOPPED
    assert "release page: the fake forge cannot be reached" in run.state.reason
    project.forge.faults.down = False
    now = yanked(project, now)
    assert [yank.place for yank in now.yanks][-1] == "release page"
    with pytest.raises(NothingToDo):
        yanked(project, now)


# --- the revert ------------------------------------------------------------------------------------------------


def opened(project: ReleaseWorld) -> PullRequest:
    (pull,) = project.forge.open_pull_requests()
    return pull


def file_on(project: ReleaseWorld, branch: str, path: str) -> str:
    return project.history.git("--git-dir", project.remote, "show", f"{branch}:{path}")


def test_a_pull_request_takes_the_changes_back_and_keeps_what_came_later(project: ReleaseWorld, bad: Release) -> None:
    """The version files and the changelog stay: the next release gets a number of its own."""
    later = project.history.commit("docs: a file of its own", {"NOTES": "later"})
    project.history.git("push", "--quiet", project.remote, "main")
    now = yanked(project, bad, revert=True)
    pull = opened(project)
    assert (pull.head, pull.base, pull.title) == (BRANCH, "main", "revert: take back quotes 0.2.0")
    brought = project.history.git("rev-parse", "v0.2.0^{commit}~1")
    assert f"This reverts commit {brought}." in pull.body
    assert "it loses quotes" in pull.body
    assert yank_of(now, "revert pull request").done[0].startswith(f"#{pull.number} ")
    assert file_on(project, BRANCH, "quotes.txt") == "one"
    assert file_on(project, BRANCH, "NOTES") == "later"
    assert file_on(project, BRANCH, "VERSION") == "0.2.0"
    assert "0.2.0" in file_on(project, BRANCH, "CHANGELOG.md")
    assert project.history.git("--git-dir", project.remote, "rev-parse", "main", f"{BRANCH}^").split() == [later] * 2


def test_what_the_next_plan_makes_of_the_merged_revert(project: ReleaseWorld, bad: Release) -> None:
    """A version of its own, above the yanked one."""
    yanked(project, bad, revert=True)
    project.history.git("pull", "--quiet", "--ff-only", project.remote, BRANCH)
    assert project.released().version == "0.2.1"


def test_a_revert_can_be_asked_for_later_and_once(project: ReleaseWorld, bad: Release) -> None:
    now = yanked(project, bad)
    assert project.forge.open_pull_requests() == ()
    now = yanked(project, now, revert=True)
    assert [yank.place for yank in now.yanks][-1] == "revert pull request"
    with pytest.raises(NothingToDo):
        yanked(project, now, revert=True)
    opened(project)
    assert kinds(project.world.store, f"release:{now.id}").count("ReleaseYanked") == 1


def test_what_changed_again_since_is_left_to_a_person(project: ReleaseWorld, bad: Release) -> None:
    project.commit("feat: say something else")
    project.history.git("push", "--quiet", project.remote, "main")
    now = yanked(project, bad, revert=True)
    (words,) = yank_of(now, "revert pull request").by_hand
    assert words == "revert its changes: quotes.txt changed again on main since 0.2.0"
    assert project.forge.open_pull_requests() == ()


def test_only_the_own_files_of_a_package_are_reverted(project: ReleaseWorld) -> None:
    """What another package went through in the meantime stays."""
    project.released()
    project.history.commit("feat: say more", {"quotes.txt": "more", "other/code.txt": "other"})
    bad = project.released()
    project.packages = (*project.packages, Package("other", path="other", tag_format="{package}@{version}"))
    yanked(project, bad, revert=True)
    assert file_on(project, BRANCH, "quotes.txt") == "one"
    assert file_on(project, BRANCH, "other/code.txt") == "other"


def test_a_branch_that_somebody_else_made_is_not_touched(project: ReleaseWorld, bad: Release) -> None:
    project.history.git("push", "--quiet", project.remote, f"main:refs/heads/{BRANCH}")
    now = yanked(project, bad, revert=True)
    with project.world.store.begin() as tx:
        (run,) = runs_of(tx, yank_subject(now))
    assert "a branch shipline/revert-v0.2.0 that Shipline did not make" in run.state.reason
    assert project.history.git("--git-dir", project.remote, "rev-parse", BRANCH) == bad.commit


def test_whether_it_was_merged_can_be_looked_at(project: ReleaseWorld, bad: Release) -> None:
    now = yanked(project, bad, revert=True)
    ground, pull = project.ground(project.world.store), opened(project)
    _, found = verify_yank(ground, now)
    assert (found["revert pull request"].answer, found["revert pull request"].todo) == (
        Answer.FAIL,
        f"look at {pull.url}",
    )
    project.forge.model.merge(pull.number, project.history.git("ls-remote", project.remote, BRANCH).split()[0])
    assert verify_yank(ground, now)[1]["revert pull request"].answer is Answer.UNKNOWN
    project.shown = False
    _, found = verify_yank(project.ground(project.world.store), now)
    assert {place for place, finding in found.items() if finding.answer is Answer.UNKNOWN} == {
        "release page",
        "revert pull request",
    }


def test_what_was_reverted_already_is_not_proposed_again(project: ReleaseWorld, bad: Release, tmp_path: Path) -> None:
    """Somebody has merged it; and another machine knows nothing of that."""
    yanked(project, bad, revert=True)
    tip = project.history.git("ls-remote", project.remote, BRANCH).split()[0]
    project.forge.model.merge(opened(project).number, tip)
    forget(project, tmp_path)
    now = yanked(project, adopt_release(project.ground(project.world.store), "0.2.0"), revert=True)
    assert yank_of(now, "revert pull request").done == ("main holds nothing of its changes any more",)
    assert project.forge.open_pull_requests() == ()


def test_a_branch_that_does_not_hold_the_release_is_left_to_a_person(project: ReleaseWorld, bad: Release) -> None:
    project.history.git("push", "--quiet", "--force", project.remote, "v0.1.0^{commit}:refs/heads/main")
    now = yanked(project, bad, revert=True)
    assert yank_of(now, "revert pull request").by_hand == ("revert its changes: no branch is known that holds v0.2.0",)


def test_a_release_of_no_file_has_nothing_to_revert(project: ReleaseWorld) -> None:
    project.released()
    project.world.clock.sleep(3600)
    project.history.commit("feat: say it louder")
    now = yanked(project, project.released(), revert=True)
    assert yank_of(now, "revert pull request").not_done == (
        "nothing is reverted: it changed no file but its own version",
    )


def test_the_first_release_has_nothing_to_go_back_to(project: ReleaseWorld) -> None:
    now = yanked(project, project.released(), revert=True)
    assert yank_of(now, "revert pull request").not_done == ("nothing is reverted: no release before it is known",)


# --- from an empty store ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bad")
def test_a_release_is_taken_back_from_a_machine_that_knows_nothing(project: ReleaseWorld, tmp_path: Path) -> None:
    """By the git tags, and what the registries and the forge say."""
    before = project.history.git("rev-parse", "v0.1.0^{commit}")
    forget(project, tmp_path)
    found = adopt_release(project.ground(project.world.store), "0.2.0")
    assert (found.status, [one.registry for one in found.publications]) == (
        ReleaseStatus.PUBLISHED,
        ["index", "mirror"],
    )
    now = yanked(project, found, revert=True)
    assert [yank.place for yank in now.yanks] == [
        "git mark",
        "index",
        "mirror",
        "git tags",
        "release page",
        "revert pull request",
    ]
    assert all(file.yanked for file in project.registry.find("quotes", "0.2.0"))
    assert project.registry.pointers == {("quotes", "stable"): "0.1.0"}
    assert standing(project) == {"v0": before, "latest": before}
    assert file_on(project, BRANCH, "quotes.txt") == "one"
    assert bodies(project.world.store, "ReleaseAdopted")[0]["registries"] == ["index", "mirror"]
    assert project.order()[1] is None


def test_a_version_that_the_registry_shows_as_taken_back_is_none_to_go_back_to(
    project: ReleaseWorld, tmp_path: Path
) -> None:
    project.released()
    oldest = project.history.git("rev-parse", "v0.1.0^{commit}")
    project.commit("fix: one")
    yanked(project, project.released())
    project.commit("fix: two")
    project.released()
    forget(project, tmp_path)
    yanked(project, adopt_release(project.ground(project.world.store), "0.1.2"))
    assert project.registry.pointers == {("quotes", "stable"): "0.1.0"}
    assert standing(project) == {"v0": oldest, "latest": oldest}


def test_the_mark_in_git_speaks_for_a_registry_that_does_not_show_it(project: ReleaseWorld, tmp_path: Path) -> None:
    """The registries serve the version before as if nothing were the matter."""
    project.released()
    oldest = project.history.git("rev-parse", "v0.1.0^{commit}")
    project.commit("fix: one")
    worse = yanked(project, project.released())
    assert yank_of(worse, "git mark").done
    project.commit("fix: two")
    project.released()
    forget(project, tmp_path)
    for registry in (project.registry, project.mirror):
        files = registry._files["quotes", "0.1.1"]
        registry._files["quotes", "0.1.1"] = {name: replace(file, yanked=False) for name, file in files.items()}
    assert "v0.1.1" not in rival_tags(project.ground(project.world.store), "quotes")
    yanked(project, adopt_release(project.ground(project.world.store), "0.1.2"))
    assert project.registry.pointers == {("quotes", "stable"): "0.1.0"}
    assert standing(project) == {"v0": oldest, "latest": oldest}


def test_a_mark_that_is_gone_is_found_missing_and_one_that_is_there_stays(project: ReleaseWorld, bad: Release) -> None:
    mark = "refs/tags/shipline/yanked/v0.2.0"
    project.history.git("push", "--quiet", project.remote, f"v0.1.0^{{commit}}:{mark}")
    now = yanked(project, bad)
    assert project.history.git("ls-remote", project.remote, mark).split()[0] != bad.commit
    project.history.git("push", "--quiet", "--delete", project.remote, mark)
    _, found = verify_yank(project.ground(project.world.store), now)
    assert found["git mark"].answer is Answer.FAIL
    assert "git tag shipline/yanked/v0.2.0 v0.2.0, then push it" in found["git mark"].todo


@pytest.mark.usefixtures("bad")
def test_a_registry_that_is_down_counts_as_having_it_and_is_asked_again(project: ReleaseWorld, tmp_path: Path) -> None:
    forget(project, tmp_path)
    project.registry.faults.down = True
    found = adopt_release(project.ground(project.world.store), "0.2.0", "quotes")
    project.registry.faults.down = False
    now = yanked(project, found)
    assert yank_of(now, "index").done == ("quotes 0.2.0 is marked as yanked: it loses quotes",)


def test_what_was_built_is_known_by_the_bundle_where_that_is_there(project: ReleaseWorld, bad: Release) -> None:
    with project.world.store.begin() as tx:
        RELEASES.save(tx, replace(bad, version="another"))
    found = adopt_release(project.ground(project.world.store), "0.2.0")
    assert found.artifacts == bad.artifacts
    with project.world.store.begin() as tx:
        RELEASES.save(tx, replace(found, version="yet another"))
    project.history.git("tag", "--force", "v0.2.0", "HEAD~1")
    with pytest.raises(ConflictError, match="was moved"):
        adopt_release(project.ground(project.world.store), "0.2.0")


def test_a_version_without_a_tag_was_never_there(project: ReleaseWorld, bad: Release) -> None:
    ground = project.ground(project.world.store)
    with pytest.raises(UsageError, match="there is no release"):
        adopt_release(ground, "3.0.0")
    assert adopt_release(ground, "0.2.0").id == bad.id
    project.packages = (*project.packages, Package("other"))
    with pytest.raises(UsageError, match="more than one package"):
        adopt_release(project.ground(project.world.store), "0.2.0")


def test_a_revert_without_a_forge_is_refused(project: ReleaseWorld) -> None:
    project.shown = False
    with pytest.raises(RefusedError, match="nowhere"):
        check_revert(project.ground(project.world.store))


@pytest.mark.parametrize(
    ("version", "others", "expected"),
    [
        ("2.0.1", ("1.9.0", "2.0.0", "1.9.1", "2.1.0"), ("2.0.0", "1.9.1", "1.9.0")),
        ("1.0.0", ("1.0.1",), ()),
        ("1.0.0", (), ()),
        ("1.0rc3", ("1.0rc2", "0.9rc1"), ("1.0rc2", "0.9rc1")),
        ("1.0.0", ("no version",), ()),
    ],
)
def test_the_versions_below_are_in_their_order_and_not_in_that_of_time(
    version: str, others: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert versions_below(version, others, ("semver", "pep440")) == expected
