"""Bad input and bad days: each ends in a message that says what to do, the right exit code, and nothing half done."""

from __future__ import annotations

import contextlib
import resource
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.testing.histories import History
from tests.command import Said, run_shipline
from tests.e2e.places import SETTINGS, package_index, small_project

ENVIRONMENT = """
[[environment]]
name = "production"
target.command = ["{{prefix}}/bin/python", "-m", "http.server", "{{port}}", "--bind", "{{host}}"]
target.health_path = "/"
target.index_url = "{index}"
traffic.port = {port}
"""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return small_project(tmp_path / "quo")


def refused(said: Said, code: int, *told: str) -> None:
    """The command ended with this code and said all of that."""
    assert said.code == code, said
    assert all(part in said.err for part in told), said


def state_of(history: History) -> tuple[str, ...]:
    """Commits, tags and work tree, to see that nothing was changed."""
    return (history.git("rev-parse", "HEAD"), history.git("tag"), history.git("status", "--short"))


@pytest.mark.parametrize("command", ["plan", "changelog", "release", "init"])
def test_not_a_repository(tmp_path: Path, command: str) -> None:
    refused(run_shipline(tmp_path, command), 2, "not a git repository", "git init")


@pytest.mark.parametrize("command", ["plan", "changelog", "release"])
def test_no_commits(tmp_path: Path, command: str) -> None:
    refused(run_shipline(History(tmp_path / "new").folder, command), 1, "no commits yet", "commit something")


def test_a_dirty_tree_can_be_planned_and_not_released(history: History) -> None:
    (history.folder / "src/quo/__init__.py").write_text("changed = 1\n")
    before = state_of(history)
    refused(run_shipline(history.folder, "release"), 3, "not committed", "src/quo/__init__.py", "commit or stash")
    assert state_of(history) == before
    assert run_shipline(history.folder, "plan").code == 0


def test_another_branch_than_the_one_to_release_from(tmp_path: Path) -> None:
    history = small_project(tmp_path / "quo", SETTINGS + '[release]\nbranch = "main"\n')
    history.git("switch", "--quiet", "--create", "feature")
    refused(run_shipline(history.folder, "release"), 3, "from main, and this is feature", "git switch main")
    history.git("switch", "--quiet", "--detach")
    refused(run_shipline(history.folder, "release"), 3, "a detached HEAD")


def test_a_detached_head_is_not_released_from_unless_its_branch_is_known(history: History) -> None:
    """The tag would stand beside the branch, which would then be released once more. CI's checkouts are such."""
    history.git("switch", "--quiet", "--detach")
    before = state_of(history)
    refused(run_shipline(history.folder, "release"), 3, "HEAD is detached", "git switch BRANCH")
    assert state_of(history) == before
    history.git("update-ref", "refs/remotes/origin/main", "HEAD")
    said = run_shipline(history.folder, "release", "--dry-run", extra={"CI_COMMIT_BRANCH": "main"})
    assert said.code == 0, said
    assert "on main" in said.out
    assert state_of(history) == before


def test_a_commit_that_takes_its_own_gate_away_is_still_asked_by_it(tmp_path: Path) -> None:
    """The remote's main has the gate; what is released here has none, and names another branch and no remote."""
    gate = '[[gate]]\nname = "covered"\nrule = "coverage.line >= 80.0"\n'
    history = small_project(tmp_path / "quo", SETTINGS + gate)
    history.git("init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "forge.git"))
    history.git("remote", "add", "origin", str(tmp_path / "forge.git"))
    history.git("push", "--quiet", "origin", "main")
    history.git("remote", "set-head", "origin", "--auto")
    history.git("switch", "--quiet", "--create", "loose")
    history.commit("feat: release at will", {"shipline.toml": SETTINGS + '[release]\nbranch = "loose"\n'})
    said = run_shipline(history.folder, "release")
    refused(said, 3, "policy is shipline.toml of origin", "covered UNKNOWN")
    assert history.git("ls-remote", "--tags", "origin") == ""


@pytest.mark.parametrize("command", ["plan", "release"])
def test_a_shallow_clone(history: History, tmp_path: Path, command: str) -> None:
    history.commit("fix: b")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", history.folder.as_uri(), str(clone)], check=True)
    refused(run_shipline(clone, command), 1, "shallow clone", "--unshallow")


def test_nothing_releasable(history: History) -> None:
    history.tag("v0.1.0")
    history.commit("docs: say it better")
    before = state_of(history)
    assert run_shipline(history.folder, "plan").code == 0
    refused(run_shipline(history.folder, "release"), 4, "nothing to release")
    assert state_of(history)[:2] == before[:2]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("registri = 1", ["'registri'", "did you mean 'registry'?", "known keys: advisories, approver"]),
        (
            '[[registry]]\nprovider = "pipy"',
            ["no registry provider 'pipy'", "known ones: generic, git-branch, npm, oci, pypi"],
        ),
        ('[[gate]]\nname = "g"\nrule = "tests.faild == 0"', ["gate 'g'", "tests.failed"]),
    ],
)
def test_wrong_settings_stop_a_release_before_it_begins(history: History, settings: str, told: list[str]) -> None:
    (history.folder / "shipline.toml").write_text(settings)
    history.commit("build: settings")
    before = state_of(history)
    refused(run_shipline(history.folder, "release"), 2, *told)
    assert state_of(history)[:2] == before[:2]
    assert not (history.folder / ".shipline" / "store.db").exists()


def test_missing_programs_are_named_with_their_package(history: History, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = run_shipline(history.folder, "plan", extra={"PATH": str(tmp_path / "empty")})
    refused(said, 1, "'git' is not installed", "apt-get install git")
    (history.folder / "shipline.toml").write_text(SETTINGS + '[[test]]\nname = "u"\ncommand = ["no-such-program"]\n')
    history.commit("build: test")
    refused(
        run_shipline(history.folder, "release"), 1, "'no-such-program' is not installed", "`shipline release` again"
    )
    (history.folder / "shipline.toml").write_text(SETTINGS)
    history.commit("fix: no such test")
    assert run_shipline(history.folder, "release").code == 0


@pytest.mark.parametrize(
    ("limit", "tagged"), [(0, False), (100_000, False), (1_000_000, True)], ids=["at once", "early", "in the middle"]
)
def test_a_full_disk(history: History, *, limit: int, tagged: bool) -> None:
    """The limit on a file's size stands for it. With room again, the same command goes on."""
    before = state_of(history)
    said = run_shipline(history.folder, "release", before=lambda: limit_files(limit))
    refused(said, 1, "run")
    assert "cannot be written" in said.err or "no room to write" in said.err
    assert tagged or state_of(history)[:2] == before[:2]
    assert run_shipline(history.folder, "release").code == 0
    assert history.git("tag") == "v0.1.0"
    assert history.git("log", "--format=%s").splitlines() == ["chore(release): quo 0.1.0", "feat: tell quotes"]
    assert run_shipline(history.folder, "log", "verify").code == 0


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def test_a_damaged_store(history: History) -> None:
    assert run_shipline(history.folder, "release").code == 0
    database = history.folder / ".shipline" / "store.db"
    whole = database.read_bytes()
    for content in (b"my notes\n" * 100, whole[:100] + b"\xff" * (len(whole) - 100)):
        database.write_bytes(content)
        for leftover in ("store.db-wal", "store.db-shm"):
            (database.parent / leftover).unlink(missing_ok=True)
        for command in ("release", "releases", "log"):
            arguments = ("log", "show") if command == "log" else (command,)
            refused(run_shipline(history.folder, *arguments), 1, "damaged or is not one of Shipline's", "move it away")
        assert database.read_bytes()[: len(content)] == content
    database.unlink()
    refused(run_shipline(history.folder, "release"), 4, "nothing to release")  # The tag says so.


def test_a_store_of_a_newer_shipline(history: History) -> None:
    application = Application(history.folder)
    application.store.close()
    with contextlib.closing(sqlite3.connect(history.folder / ".shipline" / "store.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    refused(run_shipline(history.folder, "release"), 1, "a newer Shipline", "upgrade Shipline")


def test_a_port_in_use(tmp_path: Path) -> None:
    """The rollout says whose port it is; once that is free, the same command deploys."""
    index = package_index(tmp_path / "index")
    with index.running():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            environment = ENVIRONMENT.format(index=f"http://127.0.0.1:{index.port}/simple/", port=port)
            history = small_project(tmp_path / "quo", index.settings + environment)
            assert run_shipline(history.folder, "release").code == 0
            said = run_shipline(history.folder, "deploy")
            refused(said, 1, f"port {port} on 127.0.0.1 is in use by another program", "set another `port`")
        again = run_shipline(history.folder, "deploy")
        assert again.code == 0, again
        assert run_shipline(history.folder, "down").code == 0


def test_a_tag_of_that_name_on_another_line(history: History) -> None:
    """It is somebody else's version: it must not be released as if it were this one."""
    history.git("switch", "--quiet", "--create", "other")
    history.commit("feat: other")
    history.tag("v0.1.0")
    history.git("switch", "--quiet", "main")
    before = state_of(history)
    for _ in range(2):
        refused(
            run_shipline(history.folder, "release"),
            3,
            "the tag 'v0.1.0' exists already, on commit",
            "what that tag releases",
        )
    assert state_of(history)[:2] == before[:2]
    assert run_shipline(history.folder, "plan").code == 0


def test_a_version_whose_tag_was_deleted_is_not_made_twice(history: History) -> None:
    assert run_shipline(history.folder, "release").code == 0
    history.git("tag", "--delete", "v0.1.0")
    refused(run_shipline(history.folder, "release"), 3, "0.1.0 was made before", "bring the tag back")


def test_hostile_names_and_messages(history: History) -> None:
    """No escape sequence reaches the terminal, no name becomes an option, and length is no trouble."""
    history.git("switch", "--quiet", "--create", "a;touch${IFS}pwned")
    for name in ("v1.0.0;touch pwned".replace(" ", "_"), "$(touch_pwned)", "release/\u202e0.1.v"):
        history.tag(name)
    history.git("update-ref", "refs/tags/--output=pwned", "HEAD")
    history.commit("feat: \x1b[31mred\x1b]0;title\x07\r\n\nBREAKING CHANGE: \x1b[2Jgone")
    history.commit("fix(\x1b[5m): " + "x" * 1_000_000)
    history.commit("--option: z\n\nShipline-Key: release:quo:0.1.0")
    for arguments in (("plan",), ("changelog", "--all"), ("doctor",), ("release",), ("releases",), ("log", "show")):
        said = run_shipline(history.folder, *arguments)
        assert said.code == 0, said
        assert "\x1b" not in said.out + said.err
        assert "\x07" not in said.out + said.err
    assert "\x1b" not in (history.folder / "CHANGELOG.md").read_text()
    assert not list(history.folder.glob("*pwned*"))
