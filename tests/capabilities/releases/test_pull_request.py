"""Releases by pull request, over real git on both sides and a forge that has the remote."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipline.capabilities.plans import make_plan
from shipline.capabilities.releases import Candidate, Kept, keep_pull_request, release_merged
from shipline.capabilities.releases.pull_request_rules import BEGIN, END
from shipline.capabilities.releases.rules import Start
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, UnavailableError
from shipline.domain.package import Package
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.version_file import VersionFile
from shipline.ports.forge import PullState
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs, Pull
from shipline.testing.world import World
from tests.capabilities.releases.release_world import PERSON, ReleaseWorld

BRANCH = "shipline/release-main"


@dataclass
class Hosted:
    """A project, its remote, and the forge that has it."""

    made: ReleaseWorld
    bare: Path

    def keep(self) -> Kept:
        """What CI does after each push."""
        made = self.made
        return keep_pull_request(made.ground(made.world.store), (made.candidate(),), target="main")

    def release(self) -> tuple[Start, Release | None]:
        """The other half of it, to its end."""
        made = self.made
        ground = made.ground(made.world.store)
        decision, release = release_merged(ground, made.engine(), made.candidate(), PERSON, branch="main")
        made.settle()
        return decision.start, None if release is None else made.now(release)

    def commit(self, message: str) -> str:
        """Somebody's change, pushed."""
        oid = self.made.commit(message)
        self.git("push", "--quiet", "origin", "main")
        return oid

    def git(self, *arguments: str) -> str:
        return self.made.history.git(*arguments)

    def on_remote(self, ref: str) -> str | None:
        return GitRefs(self.bare).get(ref)

    def file(self, name: str, ref: str = f"refs/heads/{BRANCH}") -> str:
        """A file as the remote has it."""
        said = GitRefs(self.bare).git("show", f"{ref}:{name}")
        assert said is not None
        return said

    @property
    def pull(self) -> Pull:
        """The only pull request."""
        (pull,) = self.made.forge.model.pulls.values()
        return pull

    def merge(self, how: str) -> str:
        """A person presses the button; main is pulled afterwards."""
        self.made.world.clock.sleep(3600)
        self.git("fetch", "--quiet", "origin", BRANCH)
        if how == "merge":
            commit = self.made.history.merge("FETCH_HEAD", "Merge pull request #1\n\nwhatever people write")
        elif how == "squash":
            self.git("merge", "--quiet", "--squash", "FETCH_HEAD")
            commit = self.made.history.commit("a title of somebody's own (#1)")
        else:
            self.made.history._second += 3600
            self.git("cherry-pick", "FETCH_HEAD")
            commit = self.git("rev-parse", "HEAD")
        self.git("push", "--quiet", "origin", "main")
        self.made.forge.model.merge(self.pull.number, commit)
        GitRefs(self.bare).drop(f"refs/heads/{BRANCH}")
        return commit


def hosted_in(folder: Path, url: str) -> Hosted:
    made = ReleaseWorld(World(7, folder, url=url), folder, remote="origin", shown=True)
    bare = folder / "forge.git"
    if not bare.exists():
        subprocess.run(["git", "clone", "--quiet", "--bare", str(made.history.folder), str(bare)], check=True)
        made.history.git("remote", "add", "origin", str(bare))
    made.forge = FakeForge(GitRefs(bare))
    return Hosted(made, bare)


@pytest.fixture
def hosted(sqlite_url: str, tmp_path: Path) -> Iterator[Hosted]:
    """A project with one feature, never released."""
    hosted = hosted_in(tmp_path, sqlite_url)
    yield hosted
    hosted.made.world.close()
    assert hosted.made.breaches == []


def test_it_is_opened_with_plan_notes_and_one_commit(hosted: Hosted) -> None:
    head = hosted.git("rev-parse", "HEAD")
    kept = hosted.keep()
    assert kept.change == "opened"
    assert (hosted.pull.title, hosted.pull.head, hosted.pull.base) == ("chore(release): quotes 0.1.0", BRANCH, "main")
    assert "**quotes** (nothing) → **0.1.0**" in hosted.pull.body
    assert "say something" in hosted.pull.body
    assert hosted.file("VERSION") == "0.1.0"
    assert "say something" in hosted.file("CHANGELOG.md")
    assert hosted.on_remote(f"refs/heads/{BRANCH}~1") == head
    # Nothing of this happened here.
    assert hosted.git("rev-parse", "HEAD") == head
    assert hosted.git("status", "--porcelain") == ""
    assert (hosted.made.history.folder / "VERSION").read_text() == "0.0.0\n"


def test_nothing_new_changes_nothing(hosted: Hosted) -> None:
    hosted.keep()
    tip, before = hosted.on_remote(f"refs/heads/{BRANCH}"), list(hosted.made.forge.model.effects)
    hosted.made.world.clock.sleep(86_400)
    assert hosted.keep().change == "unchanged"
    assert hosted.on_remote(f"refs/heads/{BRANCH}") == tip
    assert hosted.made.forge.model.effects == before


def test_a_new_commit_updates_it_and_what_people_wrote_stays(hosted: Hosted) -> None:
    hosted.keep()
    hosted.pull.body = f"Please test the import first.\n\n{hosted.pull.body}\ncc @ann"
    head = hosted.commit("feat: say more")
    assert hosted.keep().change == "updated"
    assert hosted.on_remote(f"refs/heads/{BRANCH}~1") == head
    assert "say more" in hosted.pull.body
    assert hosted.pull.body.startswith("Please test the import first.")
    assert hosted.pull.body.endswith("cc @ann")
    assert (hosted.pull.body.count(BEGIN), hosted.pull.body.count(END)) == (1, 1)


def test_nothing_is_released_before_it_is_merged(hosted: Hosted) -> None:
    hosted.keep()
    assert hosted.release() == (Start.NOTHING, None)
    assert hosted.on_remote("refs/tags/v0.1.0") is None


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_what_was_merged_is_released_however_it_was_merged(hosted: Hosted, how: str) -> None:
    """The commit that brought it is tagged, and what came later waits for the next one."""
    hosted.keep()
    brought = hosted.merge(how)
    later = hosted.commit("feat!: say it otherwise")
    start, release = hosted.release()
    assert start is Start.NEW
    assert release is not None
    assert (release.version, release.status, release.commit) == ("0.1.0", ReleaseStatus.PUBLISHED, brought)
    assert hosted.on_remote("refs/tags/v0.1.0") == brought
    assert hosted.on_remote("refs/heads/main") == later
    assert "say something" in release.notes_markdown
    assert "otherwise" not in release.notes_markdown
    (page,) = hosted.made.forge.model.pages.values()
    assert (page.tag, page.draft) == ("v0.1.0", False)
    assert hosted.release() == (Start.NOTHING, None)
    kept = hosted.keep()
    assert kept.change == "opened"
    assert kept.pull is not None
    assert "otherwise" in kept.pull.body
    assert "say something" not in kept.pull.body


def test_while_what_was_merged_is_not_released_there_is_no_new_pull_request(hosted: Hosted) -> None:
    """It would propose the same version again."""
    hosted.keep()
    hosted.merge("squash")
    assert hosted.keep().change == "none"
    assert hosted.pull.state is PullState.MERGED


def test_the_notes_are_those_that_were_merged(hosted: Hosted) -> None:
    """Somebody mended the changelog before the button was pressed."""
    hosted.keep()
    hosted.git("fetch", "--quiet", "origin", BRANCH)
    hosted.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    changelog = hosted.made.history.folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("say something", "say something wise"))
    hosted.commit("release")
    _, release = hosted.release()
    assert release is not None
    assert "say something wise" in release.notes_markdown


def test_a_version_without_a_changelog_is_nothing_that_was_merged(hosted: Hosted) -> None:
    (hosted.made.history.folder / "VERSION").write_text("0.1.0\n")
    hosted.commit("chore: prepare")
    assert hosted.release() == (Start.NOTHING, None)


def test_a_release_that_was_cut_off_goes_on_also_after_newer_commits(hosted: Hosted) -> None:
    hosted.keep()
    brought = hosted.merge("merge")
    hosted.made.registry.faults.down = True
    _, release = hosted.release()
    assert release is not None
    assert release.status is ReleaseStatus.STOPPED
    hosted.commit("feat: more")
    hosted.made.registry.faults.down = False
    start, release = hosted.release()
    assert start is Start.RESUME
    assert release is not None
    assert (release.version, release.status, release.commit) == ("0.1.0", ReleaseStatus.PUBLISHED, brought)


@pytest.mark.parametrize("how", ["merge", "rebase"])
def test_from_an_empty_store_it_goes_on_too(hosted: Hosted, how: str, tmp_path: Path, sqlite_template: Path) -> None:
    """A CI runner that was ended after the push: tag and registry say what is missing."""
    hosted.keep()
    brought = hosted.merge(how)
    hosted.made.registry.faults.fails_after_files = 0
    hosted.release()
    assert hosted.on_remote("refs/tags/v0.1.0") == brought
    shutil.copyfile(sqlite_template, tmp_path / "another.db")
    anew = hosted_in(tmp_path, f"sqlite:///{tmp_path / 'another.db'}")
    _, release = anew.release()
    assert release is not None
    assert (release.version, release.status, release.commit) == ("0.1.0", ReleaseStatus.PUBLISHED, brought)
    anew.made.world.close()


def test_where_nothing_is_left_it_is_closed_with_a_word(hosted: Hosted) -> None:
    hosted.keep()
    hosted.git("tag", "v9.0.0")
    kept = hosted.keep()
    assert (kept.change, hosted.pull.state) == ("closed", PullState.CLOSED)
    assert [note.body.splitlines()[-1] for note in hosted.made.forge.model.notes.values()] == [
        "Nothing is left to release here, so Shipline has closed this."
    ]
    assert hosted.on_remote(f"refs/heads/{BRANCH}") is None
    assert hosted.keep().change == "none"


def test_what_people_have_committed_to_the_branch_is_not_overwritten(hosted: Hosted) -> None:
    hosted.keep()
    hosted.git("fetch", "--quiet", "origin", BRANCH)
    hosted.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    theirs = hosted.made.history.commit("docs: better words", {"CHANGELOG.md": "# Changelog\n"})
    hosted.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    hosted.git("switch", "--quiet", "main")
    hosted.commit("feat: say more")
    with pytest.raises(RefusedError, match="people have committed"):
        hosted.keep()
    assert hosted.on_remote(f"refs/heads/{BRANCH}") == theirs


def test_a_stranger_s_pull_request_of_the_same_branch_is_not_taken_for_ours(hosted: Hosted) -> None:
    hosted.made.forge.model.open_pull(BRANCH, "main", "evil", f"{BEGIN}{END}", fork=True)
    kept = hosted.keep()
    assert kept.change == "opened"
    assert kept.pull is not None
    assert kept.pull.title == "chore(release): quotes 0.1.0"


def test_commits_that_nobody_has_pushed_are_not_proposed(hosted: Hosted) -> None:
    hosted.made.commit("feat: mine alone")
    with pytest.raises(RefusedError, match="HEAD is not on main"):
        hosted.keep()
    assert hosted.made.forge.model.pulls == {}


def test_a_run_for_an_older_commit_leaves_it_to_the_newer_one(hosted: Hosted) -> None:
    """CI jobs overtake each other."""
    hosted.commit("feat: say more")
    hosted.keep()
    tip = hosted.on_remote(f"refs/heads/{BRANCH}")
    hosted.git("switch", "--quiet", "--detach", "HEAD~1")
    assert hosted.keep().change == "waiting"
    assert hosted.on_remote(f"refs/heads/{BRANCH}") == tip


def test_an_answer_that_was_lost_is_made_up_for(hosted: Hosted) -> None:
    hosted.made.forge.faults.loses_answer = True
    with pytest.raises(UnavailableError):
        hosted.keep()
    assert hosted.keep().change == "unchanged"
    assert hosted.made.forge.model.effects == [f"open pull request {BRANCH}"]


def test_the_branch_is_moved_by_compare_and_swap(hosted: Hosted) -> None:
    repository, head = hosted.made.history.repository, hosted.git("rev-parse", "HEAD")
    parent = hosted.git("rev-parse", "HEAD~1")
    repository.move_branch("origin", "topic", head, expected=None)
    for expected in (None, parent):
        with pytest.raises(ConflictError):
            repository.move_branch("origin", "topic", parent, expected=expected)
    repository.move_branch("origin", "topic", parent, expected=head)
    assert repository.fetch_branch("origin", "topic") == parent
    assert repository.fetch_branch("origin", "other") is None


def test_without_forge_or_remote_it_is_a_mistake_in_the_settings(hosted: Hosted) -> None:
    hosted.made.shown = False
    with pytest.raises(ConfigurationError, match="need a forge"):
        hosted.keep()


def test_several_packages_share_one(hosted: Hosted) -> None:
    """Each with its own files and version; what is merged is released one by one."""
    made = hosted.made
    files = {"quotes/VERSION": "0.0.0\n", "client/VERSION": "2.0.0\n", "client/a": "a"}
    made.history.commit("chore: two packages", files)
    hosted.git("tag", "client-v2.0.0")
    made.history.commit("fix(client): mend it", {"client/a": "b"})
    made.history.commit("feat(quotes): speak", {"quotes/a": "a"})
    hosted.git("push", "--quiet", "origin", "main", "--tags")
    packages = tuple(Package(name, name, "python", tag_format=f"{name}-v{{version}}") for name in ("quotes", "client"))

    def candidates() -> tuple[Candidate, ...]:
        plans = make_plan(made.history.repository, packages).packages
        return tuple(
            Candidate(package, plan, (VersionFile(f"{package.path}/VERSION", "plain"),), "CHANGELOG.md")
            for package, plan in zip(packages, plans, strict=True)
        )

    kept = keep_pull_request(made.ground(made.world.store), candidates(), target="main")
    assert kept.change == "opened"
    assert hosted.pull.title == "chore(release): quotes 0.1.0, client 2.0.1"
    assert (hosted.file("quotes/VERSION"), hosted.file("client/VERSION")) == ("0.1.0", "2.0.1")
    assert "mend it" in hosted.file("client/CHANGELOG.md")
    assert "mend it" not in hosted.file("quotes/CHANGELOG.md")
    brought = hosted.merge("squash")
    for one in candidates():
        release_merged(made.ground(made.world.store), made.engine(), one, PERSON, branch="main")
        made.settle()
    for tag in ("quotes-v0.1.0", "client-v2.0.1"):
        assert hosted.on_remote(f"refs/tags/{tag}") == brought
    assert keep_pull_request(made.ground(made.world.store), candidates(), target="main").change == "none"


def test_what_was_begun_anew_before_is_left_behind_for_what_was_merged(hosted: Hosted) -> None:
    """Its first attempt has ended long ago, and there is nothing left of that to abandon."""
    made = hosted.made
    lock = made.history.folder / ".git" / "index.lock"
    lock.touch()
    assert made.released().status is ReleaseStatus.STOPPED
    lock.unlink()
    hosted.git("checkout", "--quiet", "--", ".")
    (made.history.folder / "CHANGELOG.md").unlink()
    made.commit("fix: a word")
    made.failing = 1
    refused = made.released()
    assert (refused.version, refused.status, refused.attempt) == ("0.1.0", ReleaseStatus.REFUSED, 2)
    made.failing = 0
    made.history.commit(
        "chore(release): quotes 0.1.1", {"VERSION": "0.1.1\n", "CHANGELOG.md": "# Changelog\n\n## [0.1.1]\n\n- a\n"}
    )
    hosted.commit("fix: another word")
    start, release = hosted.release()
    assert release is not None
    assert (start, release.version, release.status) == (Start.NEW, "0.1.1", ReleaseStatus.PUBLISHED)
