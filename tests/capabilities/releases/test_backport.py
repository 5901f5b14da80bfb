"""Bringing changes to another branch, over real git on both sides and a forge that has the remote."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import Backport, BackportGround, BackportWish, bring_back
from shipline.domain.errors import ConfigurationError, ConflictError, NothingToDo, RefusedError, UsageError
from shipline.domain.package import Package
from shipline.testing.fakes.forge.memory import FakeForge
from shipline.testing.fakes.forge.model import GitRefs
from shipline.testing.histories import History

BRANCH = "shipline/backport-v1.0.1-to-main"
OWN = "chore(release): {0}\n\nShipline-Key: release:quotes:{0}"


class Shop:
    """A project whose main has gone on since 1.0.0, and whose hotfix 1.0.1 is released from a branch of its own."""

    def __init__(self, folder: Path) -> None:
        self.history = History(folder / "work")
        self.packages = (Package("quotes"),)
        self.commit("feat: a till", till="closed\n", other="1\n")
        self.commit(OWN.format("1.0.0"), VERSION="1.0.0")
        self.history.tag("v1.0.0")
        self.commit("feat: more", other="2\n")
        self.git("switch", "--quiet", "--create", "hotfix/till", "v1.0.0")
        self.fix = self.commit("fix: the till opens", till="open\n")
        self.commit(OWN.format("1.0.1"), VERSION="1.0.1")
        self.history.tag("v1.0.1")
        self.git("switch", "--quiet", "main")
        self.bare = folder / "forge.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", str(self.history.folder), str(self.bare)], check=True)
        self.git("remote", "add", "origin", str(self.bare))
        self.forge = FakeForge(GitRefs(self.bare))

    def git(self, *arguments: str) -> str:
        return self.history.git(*arguments)

    def commit(self, message: str, **files: str) -> str:
        return self.history.commit(message, files)

    def ground(self) -> BackportGround:
        return BackportGround(self.history.repository, lambda: self.packages, "origin", self.forge)

    def bring(self, what: str = "v1.0.1", target: str = "main", *, push: bool = False) -> Backport:
        return bring_back(self.ground(), BackportWish(what, target, push=push))

    def state(self) -> str:
        """All that a person sees of the repository: branches, HEAD, work tree."""
        return self.git("for-each-ref") + self.git("status", "--porcelain", "--branch")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize("what", ["1.0.1", "v1.0.1", "hotfix/till", "v1.0.0..v1.0.1", "v1.0.1^", "hotfix/till~1"])
def test_a_hotfix_comes_to_the_development_branch_however_it_is_named(shop: Shop, what: str) -> None:
    """Its change alone: what the release made of version files stays where it is, and nobody's work is touched."""
    (shop.history.folder / "till").write_text("mine")
    status = shop.git("status", "--porcelain", "--branch")
    made = shop.bring(what)
    assert [one.id for one in made.found.to_pick] == [shop.fix]
    assert len(made.found.own) == (0 if what.endswith(("^", "~1")) else 1)
    assert shop.git("rev-parse", made.branch) == made.commit
    assert shop.git("rev-parse", f"{made.branch}^") == shop.git("rev-parse", "main")
    assert shop.git("show", f"{made.branch}:till") == "open"
    assert shop.git("show", f"{made.branch}:other") == "2"
    assert shop.git("show", f"{made.branch}:VERSION") == "1.0.0"
    assert f"(cherry picked from commit {shop.fix})" in shop.git("log", "-1", "--format=%B", made.branch)
    assert shop.git("status", "--porcelain", "--branch") == status
    with pytest.raises(NothingToDo, match=f"the branch {made.branch} brings"):
        shop.bring(what)


def test_what_is_there_by_another_commit_is_not_brought_again(shop: Shop) -> None:
    """Picked by hand without a word on it: the patch is the same."""
    picked = shop.commit("fix: the till can be opened", till="open\n")
    before = shop.state()
    with pytest.raises(NothingToDo, match=r"main has all of v1\.0\.1 already") as caught:
        shop.bring()
    assert f"as {picked[:12]}" in caught.value.why
    assert shop.state() == before


def test_what_conflicts_changes_nothing_and_is_settled_by_a_person(shop: Shop) -> None:
    """Who then runs it again has their branch taken as it is, and proposed."""
    shop.commit("feat: a better till", till="ajar\n")
    shop.git("push", "--quiet", "origin", "main")
    before = shop.state()
    with pytest.raises(ConflictError) as caught:
        shop.bring()
    assert "the till opens and main differ on till" in caught.value.why
    assert f"git switch -c {BRANCH} " in caught.value.todo
    assert f"git cherry-pick -x {shop.fix[:12]}," in caught.value.todo
    assert shop.state() == before
    shop.git("switch", "--quiet", "--create", BRANCH)
    settled = shop.commit(f"fix: the till opens\n\n(cherry picked from commit {shop.fix})", till="open wide\n")
    shop.git("switch", "--quiet", "main")
    with pytest.raises(NothingToDo):
        shop.bring()
    made = shop.bring(push=True)
    assert (made.commit, GitRefs(shop.bare).get(f"refs/heads/{BRANCH}")) == (settled, settled)
    shop.history.merge(BRANCH, "Merge it")
    with pytest.raises(NothingToDo, match="main has all of"):
        shop.bring()


def test_it_is_pushed_and_proposed_once(shop: Shop) -> None:
    """Also where it was cut off between both; nothing of it is made here."""
    shop.forge.model.may_write = False
    with pytest.raises(RefusedError):
        shop.bring(push=True)
    tip = GitRefs(shop.bare).get(f"refs/heads/{BRANCH}")
    shop.forge.model.may_write = True
    made = shop.bring(push=True)
    assert (made.commit, shop.git("branch", "--list", "shipline/*")) == (tip, "")
    (pull,) = shop.forge.model.pulls.values()
    assert (pull.title, pull.head, pull.base) == ("fix: the till opens", BRANCH, "main")
    assert f"- {shop.fix[:12]} fix: the till opens" in pull.body
    with pytest.raises(NothingToDo, match=f"#{pull.number} brings"):
        shop.bring(push=True)
    assert len(shop.forge.model.pulls) == 1


def test_without_a_forge_the_branch_is_pushed_and_without_a_remote_nothing(shop: Shop) -> None:
    wish = BackportWish("v1.0.1", "main", push=True)
    made = bring_back(replace(shop.ground(), forge=None), wish)
    assert (made.pull, GitRefs(shop.bare).get(f"refs/heads/{BRANCH}")) == (None, made.commit)
    with pytest.raises(NothingToDo, match="the branch"):
        bring_back(replace(shop.ground(), forge=None), wish)
    with pytest.raises(ConfigurationError, match="no remote"):
        bring_back(replace(shop.ground(), remote=""), wish)


def test_a_branch_of_that_name_that_holds_something_else_stays(shop: Shop) -> None:
    shop.git("branch", BRANCH, "v1.0.0")
    before = shop.state()
    with pytest.raises(ConflictError, match="does not hold all of"):
        shop.bring()
    with pytest.raises(ConflictError):
        shop.bring(push=True)
    assert shop.state() == before


def test_a_fix_of_the_development_branch_comes_to_a_maintenance_line(shop: Shop) -> None:
    """With all that a merge has brought, where that is named, the oldest first."""
    shop.git("branch", "1.x", "v1.0.0")
    shop.git("switch", "--quiet", "--create", "topic")
    first, second = shop.commit("fix: a", a="1\n"), shop.commit("fix: b", a="2\n")
    shop.git("switch", "--quiet", "main")
    merge = shop.history.merge("topic", "Merge topic (#3)")
    made = shop.bring(merge, "1.x")
    assert [one.id for one in made.found.to_pick] == [first, second]
    assert shop.git("show", f"{made.branch}:a") == "2"
    assert shop.git("show", f"{made.branch}:other") == "1"


def test_of_several_packages_the_release_s_own_changes_come(tmp_path: Path) -> None:
    history = History(tmp_path / "work")
    packages = tuple(Package(name, name, tag_format="{package}@{version}") for name in ("a", "b"))
    history.commit("feat: begin", {"a/x": "1\n", "b/x": "1\n"})
    for name in ("a@1.0.0", "b@1.0.0"):
        history.tag(name)
    history.git("branch", "1.x")
    fix = history.commit("fix: a", {"a/x": "2\n"})
    history.commit("fix: b", {"b/x": "2\n"})
    for name in ("a@1.0.1", "b@1.0.1"):
        history.tag(name)
    ground = BackportGround(history.repository, lambda: packages)
    assert [one.id for one in bring_back(ground, BackportWish("a@1.0.1", "1.x")).found.to_pick] == [fix]
    with pytest.raises(UsageError, match="more than one package"):
        bring_back(ground, BackportWish("1.0.1", "1.x"))
    with pytest.raises(NothingToDo, match=r"main has all of b@1\.0\.1 already"):
        bring_back(ground, BackportWish("1.0.1", "main", "b"))


@pytest.mark.parametrize(
    ("what", "target", "words"),
    [
        ("v9.9.9", "main", "no release, branch or commit"),
        ("v1.0.0...v1.0.1", "main", "no range"),
        ("v1.0.0..nowhere", "main", "no range"),
        ("--all", "main", "no release, branch or commit"),
        ("v1.0.1", "nowhere", "no branch 'nowhere'"),
        ("v1.0.1", "a..b", "no branch"),
        ("v1.0.1", "main~1", "no branch 'main~1'"),
    ],
)
def test_what_there_is_not_is_told(shop: Shop, what: str, target: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        shop.bring(what, target)


def test_so_many_commits_are_a_merge(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipline.capabilities.releases.backport.proposing.COMMITS_MAX", 1)
    with pytest.raises(RefusedError, match="holds 2 commits, and 1 are the most"):
        shop.bring()
