"""Release pull requests use up changesets: their notes go into the changelogs, and the merge is what releases."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.plans import changeset_status
from shipline.capabilities.releases import Kept, keep_pull_request, release_merged
from shipline.domain.release import Release
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from shipline.testing.world import World
from tests.capabilities.releases.monorepo_world import NAMES, MonorepoWorld, new_monorepo
from tests.capabilities.releases.release_world import PERSON
from tests.changesets_cli import program_in

BRANCH = "shipline/release-main"
BOTH = '---\n"core": major\n"side": patch\n---\n\nQuotes are said otherwise.\n'
WEB = '---\n"web": minor\n---\n\nThe web has colours.\n'
EMPTY = "---\n---\n"


class Hosted(MonorepoWorld):
    """The packages with a remote and a forge that has it."""

    def pushed(self, message: str, files: dict[str, str]) -> None:
        self.history.commit(message, files)
        self.history.git("push", "--quiet", "origin", "main")

    def keep(self) -> Kept:
        return keep_pull_request(self.ground(self.world.store), self.candidates(), target="main")

    def merge(self, how: str) -> None:
        """A person presses the button."""
        self.world.clock.sleep(3600)
        self.history.git("fetch", "--quiet", "origin", BRANCH)
        if how == "merge":
            self.history.merge("FETCH_HEAD", "whatever people write")
        elif how == "squash":
            self.history.git("merge", "--quiet", "--squash", "FETCH_HEAD")
            self.history.commit("a title of somebody's own (#1)")
        else:
            self.history.git("cherry-pick", "FETCH_HEAD")
        self.history.git("push", "--quiet", "origin", "main")
        (pull,) = (one for one in self.forge.model.pulls.values())
        self.forge.model.merge(pull.number, self.history.git("rev-parse", "HEAD"))
        GitRefs(self.folder / "remote.git").drop(f"refs/heads/{BRANCH}")

    def release(self) -> list[Release]:
        """What CI does then."""
        released = []
        for one in self.candidates():
            ground = self.ground(self.world.store)
            _, release = release_merged(ground, self.engine(), one, PERSON, branch="main")
            if release is not None:
                self.settle()
                released.append(self.now(release))
        return released

    def proposed(self, name: str) -> str | None:
        """A file in the pull request."""
        return GitRefs(self.folder / "remote.git").git("show", f"refs/heads/{BRANCH}:{name}")

    def left(self, ref: str = f"refs/heads/{BRANCH}") -> list[str]:
        """The changesets that are there."""
        said = GitRefs(self.folder / "remote.git").git("ls-tree", "--name-only", "-r", ref, ".changeset/")
        return [] if said is None else said.split()


@pytest.fixture
def hosted(sqlite_url: str, tmp_path: Path) -> Iterator[Hosted]:
    new_monorepo(tmp_path / "repository")
    made = Hosted(World(7, tmp_path, url=sqlite_url), tmp_path, remote="origin", shown=True)
    bare = tmp_path / "remote.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(tmp_path / "repository"), str(bare)], check=True)
    made.history.git("remote", "add", "origin", str(bare))
    made.forge = FakeForge(GitRefs(bare))
    made.pushed("feat: otherwise", {".changeset/both.md": BOTH})
    yield made
    made.world.close()
    assert made.breaches == []


def test_it_deletes_the_changesets_and_has_their_notes(hosted: Hosted) -> None:
    assert hosted.keep().change == "opened"
    assert hosted.left() == []
    assert "Quotes are said otherwise." in str(hosted.proposed("packages/core/CHANGELOG.md"))
    assert "Quotes are said otherwise." in str(hosted.proposed("packages/side/CHANGELOG.md"))
    assert json.loads(str(hosted.proposed("packages/web/package.json")))["dependencies"] == {"core": "^2.0.0"}
    (pull,) = hosted.forge.model.pulls.values()
    assert "Quotes are said otherwise." in pull.body
    # Nothing of this happened here.
    assert (hosted.history.folder / ".changeset" / "both.md").read_text() == BOTH
    assert hosted.history.git("status", "--porcelain") == ""


def test_a_new_changeset_brings_it_up_to_date(hosted: Hosted) -> None:
    hosted.keep()
    hosted.pushed("feat: colours", {".changeset/web.md": WEB, ".changeset/empty.md": EMPTY})
    assert hosted.keep().change == "updated"
    assert hosted.left() == [".changeset/empty.md"]
    assert json.loads(str(hosted.proposed("packages/web/package.json")))["version"] == "1.1.0"
    assert "The web has colours." in str(hosted.proposed("packages/web/CHANGELOG.md"))
    (pull,) = hosted.forge.model.pulls.values()
    assert pull.title == "chore(release): core 2.0.0, side 1.0.1, web 1.1.0"
    assert hosted.keep().change == "unchanged"


def test_on_its_own_branch_no_changeset_is_missing(hosted: Hosted) -> None:
    """Also as CI checks it out, merged into its base; but not once people have committed to it."""
    hosted.keep()
    hosted.history.git("fetch", "--quiet", "origin", BRANCH)
    tip = hosted.history.git("rev-parse", "FETCH_HEAD")
    hosted.history.git("switch", "--quiet", "--detach", tip)
    for since in ("", "main"):
        found = changeset_status(hosted.history.repository, since=since)
        assert (found.missing, found.proposal) == ((), tip)
        assert {"core", "side"} <= {*found.changed}
    hosted.history.git("switch", "--quiet", "--detach", "main")
    hosted.history.merge(tip, "Merge the pull request into main")
    assert changeset_status(hosted.history.repository).proposal == tip
    hosted.history.git("switch", "--quiet", "--detach", tip)
    hosted.history.commit("feat: mine", {"packages/side/mine.js": "1"})
    found = changeset_status(hosted.history.repository, since="main")
    assert ("side" in found.missing, found.proposal) == (True, None)


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_what_was_merged_is_released_once(hosted: Hosted, how: str) -> None:
    hosted.keep()
    hosted.merge(how)
    assert hosted.left("main") == []
    assert hosted.keep().change == "none"
    released = hosted.release()
    assert [(one.package, one.version) for one in released] == [("core", "2.0.0"), ("side", "1.0.1"), ("web", "1.0.1")]
    assert len({one.commit for one in released}) == 1
    assert "Quotes are said otherwise." in released[1].notes_markdown
    assert hosted.release() == []
    hosted.pushed("feat: colours", {".changeset/web.md": WEB})
    assert hosted.keep().change == "opened"


def test_a_changeset_that_comes_between_merge_and_release_is_for_the_next_one(hosted: Hosted) -> None:
    hosted.keep()
    hosted.merge("squash")
    hosted.pushed("feat: colours", {".changeset/web.md": WEB})
    assert hosted.keep().change == "none"  # What was merged is released first.
    assert {one.package: one.version for one in hosted.release()}["web"] == "1.0.1"
    assert hosted.keep().change == "opened"
    assert hosted.left() == []
    assert json.loads(str(hosted.proposed("packages/web/package.json")))["version"] == "1.1.0"


def test_what_was_never_tagged_is_released_by_the_merge_that_used_a_changeset(hosted: Hosted) -> None:
    """Such packages count from what their files state, which may have been there all the time."""
    for name in NAMES:
        hosted.history.git("tag", "--delete", f"{name}@1.0.0")
        hosted.history.git("push", "--quiet", "--delete", "origin", f"{name}@1.0.0")
    hosted.pushed(
        "docs: a changelog", {"packages/web/CHANGELOG.md": "# Changelog\n\n## [1.0.0] - 2020-01-01\n\n- web\n"}
    )
    assert hosted.release() == []
    hosted.keep()
    assert hosted.left() == []
    hosted.merge("squash")
    assert {(one.package, one.version) for one in hosted.release()} >= {("core", "2.0.0"), ("side", "1.0.1")}
    assert hosted.release() == []


def test_changesets_cli_would_leave_the_same(hosted: Hosted, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The versions, the ranges, and which changesets are left, by `changeset version` on a copy of the branch."""
    if getattr(pytestconfig, "cache", None) is None:
        pytest.skip("changesets are installed into pytest's cache, which is turned off")
    program = program_in(pytestconfig.cache.mkdir("npm"))
    hosted.pushed(
        "feat: colours",
        {
            ".changeset/web.md": WEB,
            ".changeset/config.json": json.dumps({"baseBranch": "main", "changelog": False}),
            "package-lock.json": "{}",
        },
    )
    hosted.keep()
    theirs = tmp_path / "theirs"
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "remote.git"), str(theirs)], check=True)
    subprocess.run([program, "version"], cwd=theirs, check=True, capture_output=True, timeout=60)
    for name in NAMES:
        path = f"packages/{name}/package.json"
        assert json.loads(str(hosted.proposed(path))) == json.loads((theirs / path).read_text())
    assert hosted.left() == sorted(f".changeset/{path.name}" for path in (theirs / ".changeset").iterdir())
