"""Built sites on a branch of a real repository, next to the source that they are made from."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.clients.site_archive import pack_site, site_name
from shipline.domain.errors import ConfigurationError, ConflictError, ShiplineError, UsageError
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import Registry
from shipline.providers.registry.git_branch import GitBranchRegistry, GitBranchSettings
from shipline.testing.conformance.registry import PACKAGE, RegistryConformance
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.histories import History

Files = Callable[..., tuple[Path, ...]]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """An empty repository that both are pushed to."""
    folder = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    return folder


@pytest.fixture
def source(tmp_path: Path, remote: Path) -> History:
    """The source, pushed."""
    history = History(tmp_path / "source")
    history.commit("feat: begin", {"a.py": "1"})
    history.git("remote", "add", "origin", str(remote))
    history.git("push", "--quiet", "origin", "main")
    return history


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A site of two pages."""

    def make(version: str, content: str = "one", package: str = PACKAGE) -> tuple[Path, ...]:
        folder = tmp_path / f"site-{package}-{version}-{content}"
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(f"{package} {version} {content}")
        (folder / "deep" / "page.html").write_text("ünïcode\r\n")
        (folder.parent / f"out-{content}").mkdir(exist_ok=True)
        path = folder.parent / f"out-{content}" / site_name(package, version)
        pack_site(folder, path, time_s=1_700_000_000)
        return (path,)

    return make


def made(source: History, clock: FakeClock | None = None, *, folder: str = "", branch: str = "gh-pages") -> Registry:
    settings = GitBranchSettings(branch=branch, folder=folder)
    return GitBranchRegistry(settings, ProviderContext(source.folder, source.folder / "state", clock or FakeClock()))


def shown(remote: Path, path: str = "index.html", branch: str = "gh-pages") -> str:
    """What the branch shows, "" for nothing."""
    asked = ["git", "--git-dir", str(remote), "show", f"{branch}:{path}"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def commits(remote: Path) -> list[str]:
    """The subjects on the branch itself."""
    asked = ["git", "--git-dir", str(remote), "log", "--first-parent", "--format=%s", "gh-pages"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()


class TestGitBranch(RegistryConformance):
    @pytest.fixture
    def files(self, files: Files) -> Files:
        return files

    @pytest.fixture
    def registry(self, source: History) -> Registry:
        return made(source)

    @pytest.fixture
    def break_registry(self, remote: Path) -> Callable[[], None]:
        return lambda: shutil.rmtree(remote)


class TestFolders(TestGitBranch):
    """Each version in a folder of its own."""

    @pytest.fixture
    def registry(self, source: History) -> Registry:
        return made(source, folder="{package}/{version}")


def test_the_branch_shows_the_site_and_nothing_else_and_the_source_stays(
    source: History, remote: Path, files: Files
) -> None:
    head = source.git("rev-parse", "HEAD")
    made(source).publish(PACKAGE, "1.0.0", files("1.0.0"))
    assert shown(remote) == f"{PACKAGE} 1.0.0 one"
    assert shown(remote, "deep/page.html") == "ünïcode\n"
    assert shown(remote, "a.py") == ""
    assert commits(remote) == [f"docs: {PACKAGE} 1.0.0"]
    assert (source.git("rev-parse", "HEAD"), source.git("status", "--porcelain")) == (head, "")
    assert source.git("branch", "--format=%(refname:short)") == "main"


def test_a_lower_version_and_a_pre_release_are_kept_and_not_shown(source: History, remote: Path, files: Files) -> None:
    registry = made(source)
    for version in ("2.0.0", "1.9.1", "2.1.0-rc.1"):
        assert registry.publish(PACKAGE, version, files(version)) == registry.find(PACKAGE, version) != ()
        assert shown(remote) == f"{PACKAGE} 2.0.0 one"
    assert commits(remote)[0] == f"docs: keep {PACKAGE} 2.1.0-rc.1, and go on showing 2.0.0"
    registry.publish(PACKAGE, "2.1.0", files("2.1.0"))
    assert shown(remote) == f"{PACKAGE} 2.1.0 one"


@pytest.mark.parametrize(("back_to", "expected"), [(None, "1.0.1"), ("1.0.0", "1.0.0"), ("0.9.0", "1.0.1")])
def test_a_yank_shows_what_was_good_before(
    source: History, remote: Path, files: Files, back_to: str | None, expected: str
) -> None:
    registry = made(source)
    for version in ("1.0.0", "1.0.1", "1.1.0", "1.2.0"):
        registry.publish(PACKAGE, version, files(version))
    registry.yank(PACKAGE, "1.1.0", reason="not the one that is shown")
    assert shown(remote) == f"{PACKAGE} 1.2.0 one"
    answer = registry.yank(PACKAGE, "1.2.0", reason="broken\nlinks", back_to=back_to)
    assert shown(remote) == f"{PACKAGE} {expected} one"
    assert answer.done == (f"the branch gh-pages shows {expected}",)
    assert [file.yanked for file in registry.find(PACKAGE, "1.2.0")] == [True]
    before = commits(remote)
    registry.yank(PACKAGE, "1.2.0", reason="again")
    assert commits(remote) == before
    registry.publish(PACKAGE, "1.2.1", files("1.2.1"))
    assert shown(remote) == f"{PACKAGE} 1.2.1 one"


def test_the_yank_of_the_first_site_brings_back_what_was_there_before(
    source: History, remote: Path, files: Files
) -> None:
    """A branch that another tool had filled."""
    old = History(source.folder.parent / "old")
    old.commit("deploy", {"index.html": "by hand"})
    old.git("push", "--quiet", str(remote), "HEAD:refs/heads/gh-pages")
    registry = made(source)
    registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
    assert shown(remote) == f"{PACKAGE} 1.0.0 one"
    assert registry.yank(PACKAGE, "1.0.0", reason="broken").done == ("the branch gh-pages shows no site there",)
    assert shown(remote) == "by hand"


def test_versions_in_folders_stand_beside_each_other(source: History, remote: Path, files: Files) -> None:
    registry = made(source, folder="{package}/{version}")
    for version in ("2.0.0", "1.9.1"):
        registry.publish(PACKAGE, version, files(version))
    assert shown(remote, f"{PACKAGE}/1.9.1/index.html") == f"{PACKAGE} 1.9.1 one"
    registry.yank(PACKAGE, "1.9.1", reason="broken")
    assert shown(remote, f"{PACKAGE}/1.9.1/index.html") == ""
    assert shown(remote, f"{PACKAGE}/2.0.0/index.html") == f"{PACKAGE} 2.0.0 one"


def test_two_packages_need_a_place_each(source: History, remote: Path, files: Files) -> None:
    registry = made(source)
    registry.publish("one", "1.0.0", files("1.0.0", package="one"))
    (finding,) = registry.check("two", "1.0.0", ())
    assert (finding.answer, finding.todo) == (Answer.FAIL, "give each package a place: folder = '{package}'")
    with pytest.raises(ConflictError, match="shows the site of one"):
        registry.publish("two", "1.0.0", files("1.0.0", package="two"))
    apart = made(source, folder="{package}", branch="docs")
    for name in ("one", "two"):
        for version in ("1.0.0", "1.1.0"):
            apart.publish(name, version, files(version, package=name))
    assert shown(remote, "one/index.html", "docs") == "one 1.1.0 one"
    apart.yank("two", "1.1.0", reason="broken")
    assert shown(remote, "two/index.html", "docs") == "two 1.0.0 one"
    assert shown(remote, "one/index.html", "docs") == "one 1.1.0 one"


def test_a_branch_of_the_source_is_refused(source: History, remote: Path, files: Files) -> None:
    """A slip of the pen must not replace the source by its documentation."""
    registry = made(source, branch="main")
    assert [one.answer for one in registry.check(PACKAGE, "1.0.0", ())] == [Answer.FAIL]
    with pytest.raises(ConflictError, match="is a branch of the source"):
        registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
    assert shown(remote, "a.py", "main") == "1"


def test_somebody_else_s_commit_meanwhile_is_built_upon(
    source: History, remote: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare and swap: the second round finds what the first has not seen."""
    first, second = made(source), made(source)
    second.publish(PACKAGE, "1.0.0", files("1.0.0"))
    place = GitBranchRegistry._publication
    rounds = []

    def slow(self: GitBranchRegistry, tip: str | None, *arguments: object) -> object:
        rounds.append(tip)
        found = place(self, tip, *arguments)  # type: ignore[arg-type]  # handed on as they came
        if len(rounds) == 1:
            second.yank(PACKAGE, "1.0.0", reason="meanwhile")
        return found

    monkeypatch.setattr(GitBranchRegistry, "_publication", slow)
    first.publish(PACKAGE, "1.1.0", files("1.1.0"))
    assert len(rounds) == 2
    assert shown(remote) == f"{PACKAGE} 1.1.0 one"
    assert [file.yanked for file in first.find(PACKAGE, "1.0.0")] == [True]


def test_a_commit_that_does_not_hold_what_it_says_is_no_publication(
    source: History, remote: Path, files: Files
) -> None:
    registry = made(source)
    registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
    message = subprocess.run(
        ["git", "--git-dir", str(remote), "log", "-1", "--format=%B", "gh-pages"], capture_output=True, check=True
    ).stdout
    other = History(source.folder.parent / "other")
    other.commit(message, {"index.html": "something else"})
    other.git("push", "--quiet", "--force", str(remote), "HEAD:refs/heads/gh-pages")
    with pytest.raises(ConflictError, match="does not hold the site"):
        registry.publish(PACKAGE, "1.0.0", files("1.0.0"))


def test_what_is_no_site_is_found_out_before_anything_is_published(source: History, tmp_path: Path) -> None:
    path = tmp_path / "quotes-1.0.0-site.tar"
    path.write_bytes(b"no tar at all")
    registry = made(source)
    assert [one.answer for one in registry.check(PACKAGE, "1.0.0", (path,))] == [Answer.PASS, Answer.FAIL]
    with pytest.raises(ShiplineError, match="cannot be unpacked"):
        registry.publish(PACKAGE, "1.0.0", (path,))


def test_who_commits_must_be_known(source: History, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    source.git("config", "--unset", "user.email")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="does not know who commits"):
        made(source).publish(PACKAGE, "1.0.0", files("1.0.0"))


@pytest.mark.parametrize(
    "settings",
    [
        {"branch": "a..b"},
        {"branch": "-f"},
        {"branch": ""},
        {"folder": "../up"},
        {"folder": "/"},
        {"folder": "a b"},
        {"remote": "-x"},
    ],
)
def test_settings_that_can_only_be_a_mistake_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        GitBranchSettings(**settings)
