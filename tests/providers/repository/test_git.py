"""The git provider on real git: the port's suite, and what only git has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.clients.git_command import bounded
from shipline.domain.errors import (
    ConflictError,
    InvalidValue,
    MissingProgram,
    RefusedError,
    ShiplineError,
    UnavailableError,
    UsageError,
)
from shipline.ports.repository import Repository, Stretch
from shipline.providers.repository.file_output import FILE_BYTES_MAX
from shipline.providers.repository.log_output import commits_with_paths, plain_commits
from shipline.providers.repository.own_commit import with_origin
from shipline.testing.conformance.repository import NOW_US, RepositoryConformance
from shipline.testing.histories import History, repository_at


@pytest.fixture(autouse=True)
def _away_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "project")


class TestGitRepository(RepositoryConformance):
    @pytest.fixture
    def repository(self, history: History) -> Repository:
        return history.repository


def test_outside_of_a_repository_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository") as caught:
        repository_at(tmp_path).head()
    assert "git init" in caught.value.todo


def test_a_missing_git_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="'git'"):
        repository_at(tmp_path).root()
    with pytest.raises(MissingProgram):
        list(repository_at(tmp_path)._git.spooled("read", "log"))


def test_the_root_is_found_from_a_folder_inside(history: History) -> None:
    history.commit("feat: a", {"deep/er/a.txt": "1"})
    inside = repository_at(history.folder / "deep" / "er")
    assert inside.root() == history.folder
    assert [path for each in inside.log((), changed_paths=True) for path in each.paths] == ["deep/er/a.txt"]


def test_a_hook_that_runs_us_does_not_send_us_to_its_repository(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = History(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    assert history.repository.root() == history.folder


def test_a_folder_that_poses_as_a_repository_runs_nothing(history: History, tmp_path: Path) -> None:
    """A pull request can bring the files of a bare repository, and its configuration names commands."""
    inside = history.folder / "packages" / "a"
    inside.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(inside)], check=True)
    mark = tmp_path / "ran"
    settings = (
        f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = "touch {mark}; false"\n'
    )
    (inside / "config").write_text(settings)
    posing = repository_at(inside)
    with pytest.raises(UsageError, match="not a git repository"):
        posing.dirty_paths()
    assert not mark.exists()


def test_what_is_exported_is_what_others_fetch(history: History, tmp_path: Path) -> None:
    """A replaced object is known to this clone alone."""
    true = history.commit("feat: a", {"a.txt": "true"})
    other = history.commit("feat: b", {"a.txt": "other"})
    history.git("replace", true, other)
    out = tmp_path / "out"
    out.mkdir()
    history.repository.export(true, out)
    assert (out / "a.txt").read_text() == "true"


def test_no_tag_poses_as_two(history: History) -> None:
    history.commit("feat: a")
    name = "v1.0.0\N{LINE SEPARATOR}v9.0.0"
    history.git("tag", name)
    assert history.repository.tag_names() == (name,)


def test_the_branch_is_known_wherever_git_keeps_its_head(history: History, tmp_path: Path) -> None:
    """In a second work tree, before the first commit, and where HEAD is a link (core.preferSymlinkRefs)."""
    history.commit("chore: begin")
    history.git("worktree", "add", "--quiet", "-b", "feat/ä", str(tmp_path / "beside"))
    history.git("switch", "--quiet", "--orphan", "empty")
    assert repository_at(tmp_path / "beside").branch() == "feat/ä"
    assert history.repository.branch() == "empty"
    head = history.folder / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    assert history.repository.branch() == "main"


def test_a_detached_head_has_no_branch(history: History) -> None:
    head = history.commit("feat: a")
    assert history.repository.branch() == "main"
    history.git("checkout", "--quiet", "--detach")
    assert (history.repository.branch(), history.repository.head()) == (None, head)


def test_a_shallow_clone_is_known_as_one(history: History, tmp_path: Path) -> None:
    history.commit("feat: a")
    history.commit("feat: b")
    history.git("clone", "--quiet", "--depth=1", f"file://{history.folder}", str(tmp_path / "clone"))
    assert repository_at(tmp_path / "clone").is_shallow()


def test_tags_of_all_kinds_are_peeled_to_commits(history: History) -> None:
    """Light, annotated and nested tags count; a tag of a file does not; a tag elsewhere is not merged."""
    head = history.commit("feat: a", {"a.txt": "1"})
    history.tag("light", annotated=False)
    history.tag("annotated")
    history.git("tag", "-a", "-m", "nested", "nested", "annotated")
    history.git("tag", "blob", "HEAD:a.txt")
    history.git("tag", "-a", "-m", "x", "annotated-blob", "HEAD:a.txt")
    history.git("checkout", "--quiet", "-b", "side")
    history.commit("feat: b")
    history.tag("side-1")
    history.git("checkout", "--quiet", "main")
    repository = history.repository
    assert {tag.name for tag in repository.tags()} == {"light", "annotated", "nested", "side-1"}
    assert {(tag.name, tag.commit) for tag in repository.merged_tags()} == {
        ("light", head),
        ("annotated", head),
        ("nested", head),
    }
    assert repository.find_tag("side-1") is not None
    assert repository.find_tag("annotated-blob") is None


def test_messages_in_any_encoding_are_read(history: History) -> None:
    history.commit("feat: Größe".encode("latin-1"))
    history.git(
        "-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--allow-empty", "-F-", stdin="fix: é".encode("latin-1")
    )
    history.commit(b"")
    empty, declared, undeclared = history.repository.log(())
    assert (empty.message, declared.message) == ("", "fix: é\n")
    assert undeclared.message.startswith("feat: Gr")


def test_merges_name_no_paths(history: History) -> None:
    history.commit("feat: a", {"a.txt": "1"})
    history.git("checkout", "--quiet", "-b", "side")
    history.commit("", {"b.txt": "1"})
    history.git("checkout", "--quiet", "main")
    history.commit("fix: c", {"c.txt": "1", "d.txt": "1"})
    history.merge("side", "Merge branch 'side'")
    paths = {each.message.strip(): each.paths for each in history.repository.log((), changed_paths=True)}
    assert paths == {
        "Merge branch 'side'": (),
        "fix: c": ("c.txt", "d.txt"),
        "": ("b.txt",),
        "feat: a": ("a.txt",),
    }


def test_hooks_neither_stop_nor_change_a_release_commit(history: History) -> None:
    history.commit("feat: a", {"a.txt": "1"})
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg"):
        hook = history.folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\n[ -n "$1" ] && echo rewritten > "$1"\nexit 1\n')
        hook.chmod(0o755)
    (history.folder / "a.txt").write_text("2")
    history.repository.commit_paths(("a.txt",), "chore(release): 1.0.0\n\n# kept", key="rel_1", time_us=NOW_US)
    assert history.git("log", "-1", "--format=%B") == "chore(release): 1.0.0\n\n# kept\n\nShipline-Key: rel_1"


def test_a_new_and_an_ignored_file_can_be_committed_beside_staged_ones(history: History) -> None:
    history.commit("feat: a", {"a.txt": "1", ".gitignore": "CHANGELOG.md\n"})
    (history.folder / "a.txt").write_text("2")
    history.git("add", "a.txt")
    (history.folder / "CHANGELOG.md").write_text("# Changelog\n")
    history.repository.commit_paths(("CHANGELOG.md",), "chore: release", key="k", time_us=NOW_US)
    assert history.git("show", "--name-only", "--format=", "HEAD") == "CHANGELOG.md"
    assert history.git("diff", "--cached", "--name-only") == "a.txt"


def test_without_an_identity_nothing_is_committed_or_tagged(history: History) -> None:
    head = history.commit("feat: a", {"a.txt": "1"})
    history.git("config", "--unset", "user.name")
    history.git("config", "--unset", "user.email")
    (history.folder / "a.txt").write_text("2")
    for act in (
        lambda: history.repository.commit_paths(("a.txt",), "x", key="k", time_us=NOW_US),
        lambda: history.repository.create_tag("v1", head, "x", time_us=NOW_US),
    ):
        with pytest.raises(UsageError, match="does not know who") as caught:
            act()
        assert "git config user.name" in caught.value.todo
    assert (history.repository.head(), history.repository.merged_tags()) == (head, ())


@pytest.fixture
def remote(history: History, tmp_path: Path) -> History:
    """The project's remote; one commit is there already."""
    history.commit("feat: a", {"a.txt": "1"})
    history.git("clone", "--quiet", "--bare", str(history.folder), str(tmp_path / "remote.git"))
    history.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    other = tmp_path / "other"
    history.git("clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    return History(other)


@pytest.mark.usefixtures("remote")
def test_pushing_is_idempotent(history: History) -> None:
    head = history.commit("fix: b")
    history.tag("v1.0.0")
    for _ in range(2):
        history.repository.push("origin", ("main", "refs/tags/v1.0.0"))
    assert head in history.git("ls-remote", "origin", "refs/heads/main")


def test_a_rejected_push_changes_nothing_at_the_remote(history: History, remote: History) -> None:
    remote.commit("fix: theirs")
    remote.git("push", "--quiet", "origin", "main")
    history.commit("fix: ours")
    history.tag("v1.0.0")
    with pytest.raises(ConflictError):
        history.repository.push("origin", ("main", "refs/tags/v1.0.0"))
    assert history.git("ls-remote", "--tags", "origin") == ""


REFUSALS = [
    ("error: GH006: Protected branch update failed for refs/heads/main.", "pull-request"),
    ("GitLab: You are not allowed to push code to protected branches on this project.", "pull-request"),
    ("\x1b[31mthe message has no ticket\x07", "do what it asks for"),
]


@pytest.mark.usefixtures("remote")
@pytest.mark.parametrize(("words", "todo"), REFUSALS)
def test_what_a_remote_s_hook_says_is_told(history: History, tmp_path: Path, words: str, todo: str) -> None:
    """With what to do: nothing is there that a fetch would bring."""
    hook = tmp_path / "remote.git" / "hooks" / "pre-receive"
    (tmp_path / "said").write_text(f"{words}\n" + "more of it\n" * 500)
    hook.write_text(f"#!/bin/sh\ncat '{tmp_path / 'said'}' >&2\nexit 1\n")
    hook.chmod(0o755)
    history.commit("fix: ours")
    with pytest.raises(ConflictError, match="origin refused the push") as caught:
        history.repository.push("origin", ("main",))
    assert words.strip("\x1b[31m\x07") in caught.value.why
    assert caught.value.why.isprintable()
    assert len(caught.value.why) < 1_000
    assert todo in caught.value.todo
    assert "fetch" not in caught.value.todo


def test_a_remote_that_is_not_there_is_unavailable(history: History) -> None:
    history.commit("feat: a")
    with pytest.raises(UnavailableError):
        history.repository.push("origin", ("main",))


@pytest.mark.parametrize(("remote_name", "ref"), [("--exec=x", "main"), ("o", "+main"), ("o", ":main"), ("o", "--all")])
def test_a_push_takes_no_options_no_force_and_no_deletion(history: History, remote_name: str, ref: str) -> None:
    with pytest.raises(InvalidValue):
        history.repository.push(remote_name, (ref,))


def test_what_git_says_is_bounded_and_without_credentials() -> None:
    said = bounded(b"fatal: https://ann:s3cret@example.com/x.git refused\n" + b"x" * 100)
    assert "s3cret" not in said
    assert "https://***@example.com" in said
    assert "3cret" not in bounded(b"fatal: https://ann:s@3cret@example.com/x.git refused")
    assert len(bounded(b"x" * 10_000)) < 1_000


RECORDS = "".join(
    f"\0{'a' * 40}\0{'b' * 40} {'c' * 40}\0Änn\0a@example.com\0{number}\0{message}\0{paths}"
    for number, message, paths in [(1, "feat: é\n", "\nx\0y z\0"), (2, "", ""), (3, "", "\nq\0")]
).encode()


FIELD = st.sampled_from(["", "a" * 40, "Änn", "b.txt"])  # Empty ones, and what looks like an id.
COMMITS = st.tuples(
    st.sampled_from(["a" * 40, "b" * 64]),
    st.sampled_from(["", "c" * 40, f"{'c' * 40} {'d' * 40}"]),
    FIELD,
    FIELD,
    st.sampled_from(["1", "2"]),
    FIELD,
    st.lists(st.sampled_from(["x", "a" * 40, "y z"]), max_size=2),
)


@given(st.lists(COMMITS, max_size=4), st.data())
def test_fields_that_look_like_the_beginning_of_a_commit_begin_none(commits: list[Any], data: st.DataObject) -> None:
    text = "".join(
        "\0"
        + "\0".join(fields)
        + "\0"
        + "".join(("\n" if not place else "") + path + "\0" for place, path in enumerate(paths))
        for *fields, paths in commits
    ).encode()
    cut = data.draw(st.integers(min_value=0, max_value=len(text)))
    found = list(commits_with_paths(iter([text[:cut], text[cut:]])))
    assert [(each.id, " ".join(each.parents), each.author, each.author_mail, each.message) for each in found] == [
        (oid, parents, author, mail, message) for oid, parents, author, mail, _, message, _ in commits
    ]
    assert [each.paths for each in found] == [tuple(paths) for *_, paths in commits]


@given(st.lists(st.integers(min_value=1, max_value=len(RECORDS) - 1), unique=True).map(sorted))
def test_however_the_output_is_cut_the_commits_are_the_same(cuts: list[int]) -> None:
    pieces = [RECORDS[start:end] for start, end in zip([0, *cuts], [*cuts, len(RECORDS)], strict=True)]
    found = list(commits_with_paths(iter(pieces)))
    assert [(each.time_us, each.author, each.message, each.paths) for each in found] == [
        (1_000_000, "Änn", "feat: é\n", ("x", "y z")),
        (2_000_000, "Änn", "", ()),
        (3_000_000, "Änn", "", ("q",)),
    ]
    plain = RECORDS.replace(b"\nx\0y z\0", b"").replace(b"\nq\0", b"").replace(b"\0" + b"a" * 40, b"a" * 40)
    whole = [plain[start:end] for start, end in zip([0, *cuts], [*cuts, len(plain)], strict=True) if start < len(plain)]
    assert [each.time_us for each in plain_commits(iter(whole))] == [1_000_000, 2_000_000, 3_000_000]


@pytest.mark.parametrize(("date", "time_us"), [("@253402300900 +0000", 2**53 - 1), ("@4000000000 +0000", 4 * 10**15)])
def test_a_commit_of_the_far_future_has_a_time_that_can_be_recorded(history: History, date: str, time_us: int) -> None:
    """One that has not would make every release that holds it impossible."""
    history.commit("feat: a")
    environment = os.environ | {"GIT_COMMITTER_DATE": date, "GIT_AUTHOR_DATE": date}
    amend = ["git", "commit", "--quiet", "--amend", "--allow-empty", "--no-edit"]
    subprocess.run(amend, cwd=history.folder, env=environment, check=True)
    history.tag("v1")
    assert [commit.time_us for commit in history.repository.log(())] == [time_us]


class TestSignedTags:
    """git signs by its own configuration, with a real key."""

    @pytest.fixture
    def head(self, history: History) -> str:
        return history.commit("feat: begin")

    @pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
    def test_a_tag_is_signed_with_an_ssh_key(self, history: History, head: str, tmp_path: Path) -> None:
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        (tmp_path / "signers").write_text(f"ann@example.com {key.with_suffix('.pub').read_text()}")
        history.git("config", "gpg.format", "ssh")
        history.git("config", "user.signingKey", str(key))
        history.git("config", "gpg.ssh.allowedSignersFile", str(tmp_path / "signers"))
        made = history.repository.create_tag("v1", head, "One", time_us=NOW_US, sign=True)
        assert history.repository.create_tag("v1", head, "One", time_us=NOW_US, sign=True) == made
        history.git("verify-tag", "v1")

    @pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
    def test_a_tag_is_signed_with_gpg(self, history: History, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a folder with a short name: its agent's socket is there."""
        with tempfile.TemporaryDirectory(prefix="gpg-") as home:
            monkeypatch.setenv("GNUPGHOME", home)
            making = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "ann@example.com"]
            try:
                subprocess.run([*making, "ed25519", "sign", "never"], check=True, stderr=subprocess.PIPE)
                history.git("config", "user.signingKey", "ann@example.com")
                history.repository.create_tag("v1", head, "One", time_us=NOW_US, sign=True)
                assert "BEGIN PGP SIGNATURE" in history.git("cat-file", "tag", "v1")
                history.git("verify-tag", "v1")
            finally:
                subprocess.run(["gpgconf", "--kill", "all"], check=True)

    def test_a_tag_that_cannot_be_signed_is_not_made(self, history: History, head: str, tmp_path: Path) -> None:
        history.git("config", "gpg.format", "ssh")
        history.git("config", "user.signingKey", str(tmp_path / "no-key"))
        with pytest.raises(RefusedError, match="could not be signed") as caught:
            history.repository.create_tag("v1", head, "One", time_us=NOW_US, sign=True)
        assert "user.signingKey" in caught.value.todo
        assert history.git("tag") == ""


class TestMovingTags:
    def test_a_tag_moves_on_the_remote_wherever_it_stood(self, history: History, remote: History) -> None:
        first, second = history.commit("feat: b"), history.commit("feat: c")
        history.git("push", "--quiet", "origin", "main")
        remote.git("fetch", "--quiet")
        remote.git("push", "--quiet", "origin", f"{first}:refs/tags/latest")
        for _ in range(2):
            history.repository.move_tag("latest", second, remote="origin")
            assert history.git("ls-remote", "origin", "refs/tags/latest").split() == [second, "refs/tags/latest"]

    def test_an_annotated_tag_on_the_remote_is_left_alone(self, history: History, remote: History) -> None:
        remote.git("tag", "--annotate", "--message", "one", "latest")
        remote.git("push", "--quiet", "origin", "latest")
        before = history.git("ls-remote", "origin")
        with pytest.raises(ConflictError, match="on origin is an annotated one"):
            history.repository.move_tag("latest", history.git("rev-parse", "HEAD"), remote="origin")
        assert history.git("ls-remote", "origin") == before

    def test_a_remote_that_is_not_there_is_said(self, history: History) -> None:
        head = history.commit("feat: b")
        with pytest.raises(UnavailableError):
            history.repository.move_tag("latest", head, remote="/no/such/remote")


def test_a_git_that_cannot_merge_without_a_work_tree_is_said(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git before 2.38 knows `merge-tree` in another form alone."""
    before = history.commit("feat: one", {"a.txt": "one\n"})
    until = history.commit("feat: two", {"a.txt": "two\n"})
    real = shutil.which("git")
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    usage = "usage: git merge-tree <base-tree> <branch1> <branch2>"
    old.write_text(f"""#!/bin/sh
case " $* " in *" merge-tree "*) echo "{usage}" >&2; exit 129;; esac
exec {real} "$@"
""")
    old.chmod(0o755)
    repository = history.repository
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ShiplineError, match="this git cannot merge without a work tree") as caught:
        repository.revert_beside(until, Stretch(before, until, ("a.txt",)), "revert: it", key="r", time_us=1_000_000)
    assert caught.value.todo == "update git"


def test_a_merge_is_not_carried_over_since_it_has_no_change_of_its_own(history: History) -> None:
    base = history.commit("feat: one", {"a.txt": "one\n"})
    history.git("switch", "--quiet", "--create", "topic")
    history.commit("feat: two", {"b.txt": "two\n"})
    history.git("switch", "--quiet", "main")
    merge = history.merge("topic", "Merge topic")
    with pytest.raises(InvalidValue, match="is a merge"):
        history.repository.pick_beside(base, (merge,))


@pytest.mark.parametrize(
    ("message", "end"),
    [
        ("fix: a", "fix: a\n\n"),
        ("fix: a\n\nWhy.\n", "Why.\n\n"),
        ("fix: a\n\nWhy: so\nand so\n", "and so\n\n"),
        ("fix: a\n\nSigned-off-by: Ann <a@x>\nRefs: #1\n", "Refs: #1\n"),
        ("fix: a\n\n(cherry picked from commit 12)\n", "from commit 12)\n"),
        ("Refs: #1", "Refs: #1\n\n"),
        ("", ""),
    ],
)
def test_whose_change_it_is_stands_among_the_trailers(message: str, end: str) -> None:
    """Where the message ends with such; otherwise in a paragraph of its own, as git does it."""
    assert with_origin(message, "34").decode().endswith(f"{end}(cherry picked from commit 34)\n")


def test_who_wrote_it_and_when_stays_with_it(history: History) -> None:
    history.commit("feat: one", {"a.txt": "one\n"})
    base = history.commit("feat: two", {"a.txt": "two\n"})
    (history.folder / "b.txt").write_text("b")
    history.git("add", "b.txt")
    history.git("commit", "--quiet", "--author=Zoë <zoe@example.org>", "--date=@1600000000 +0530", "-m", "fix: b")
    made = history.repository.pick_beside(base, (history.git("rev-parse", "HEAD"),))
    shown = history.git("show", "--no-patch", "--date=raw", "--format=%an|%ae|%ad|%cn", str(made.commit))
    assert shown == "Zoë|zoe@example.org|1600000000 +0530|Ann Author"


def test_files_are_read_around_folders_and_what_is_not_there(tmp_path: Path) -> None:
    history = History(tmp_path / "a")
    history.commit("feat: files", {"one": "1\n", "folder/two": "", "a blob 3": "x"})
    paths = ("absent blob 7", "one", "folder", "folder/two", "a blob 3", "absent")
    assert history.repository.read_files(paths) == {"one": b"1\n", "folder/two": b"", "a blob 3": b"x"}


def test_a_file_that_is_too_large_is_refused_and_not_read(tmp_path: Path) -> None:
    history = History(tmp_path / "a")
    history.commit("feat: files", {"small": "1", "large": "x" * (FILE_BYTES_MAX + 1)})
    with pytest.raises(ShiplineError, match="'large' is larger than 8 MiB"):
        history.repository.read_files(("small", "large"))
    assert history.repository.read_files(("small",)) == {"small": b"1"}
