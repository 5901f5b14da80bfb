"""Git repositories for tests, made by the git program in a folder of their own.

Real git is fast enough to be its own fake. What is made here does not depend on the user's configuration or the time.
"""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from shipline.ports.provider import ProviderContext
from shipline.providers.repository.git import GitRepository

START_S = 1_700_000_000
DAY_S = 86_400
# Who commits; and no second process after each command that looks whether there is something to tidy.
OWN_CONFIGURATION = "[user]\n\tname = Ann Author\n\temail = ann@example.com\n[maintenance]\n\tauto = false\n"


class StillClock:
    """A clock that stands still; the git provider takes its times from its callers."""

    def now_us(self) -> int:
        return START_S * 1_000_000

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits, not even {seconds} s")


def repository_at(folder: Path) -> GitRepository:
    """The git provider for `folder`."""
    return GitRepository(GitRepository.Settings(), ProviderContext(folder, folder / ".git" / "shipline", StillClock()))


class History:
    """A repository in `folder` that a test fills; each commit is a day after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._second = START_S
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / ".git" / "config"
        if not configuration.exists():
            self.git("init", "--quiet", "--template=", "--initial-branch=main")
        # A clone has none of it; where it is, it comes first, and what a test has changed stays.
        content = configuration.read_text()
        if OWN_CONFIGURATION not in content:
            configuration.write_text(OWN_CONFIGURATION + content)

    @property
    def repository(self) -> GitRepository:
        """The provider under test, fresh."""
        return repository_at(self.folder)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git here, as a user would, away from the configuration of the machine."""
        environment = os.environ | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_DATE": f"@{self._second} +0000",
            "GIT_COMMITTER_DATE": f"@{self._second} +0000",
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8", "replace").strip()

    def commit(self, message: str | bytes, files: Mapping[str, str] | None = None) -> str:
        """Commit `files` (path to content) with a raw `message`; empty where there are none. Returns its id."""
        self._second += DAY_S
        for name, content in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        self.git("add", "--all")
        raw = message if isinstance(message, bytes) else message.encode()
        self.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F-", stdin=raw)
        return self._head()

    def _head(self) -> str:
        """HEAD's commit. What was committed just now stands in a file of its branch's."""
        try:
            named = (self.folder / ".git" / "HEAD").read_text().strip()
            return (self.folder / ".git" / named.removeprefix("ref: ")).read_text().strip()
        except OSError:  # HEAD is detached, or this is another work tree.
            return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *, annotated: bool = True) -> None:
        """Tag HEAD."""
        self.git("tag", *(("--annotate", "--message", name) if annotated else ()), name)

    def merge(self, branch: str, message: str) -> str:
        """Merge a branch with a merge commit."""
        self._second += DAY_S
        self.git("merge", "--quiet", "--no-ff", "--message", message, branch)
        return self.git("rev-parse", "HEAD")


class ShapeAlone(GitRepository):
    """A history whose files hold nothing that anybody wrote: there are changes to them, and no contents."""

    def read_files(self, paths: tuple[str, ...], commit: str = "HEAD") -> dict[str, bytes]:
        del paths, commit
        return {}


def import_history(stream: Path, folder: Path, *, branch: str) -> None:
    """Make a repository from a compressed `git fast-import` stream, HEAD on `branch`; its work tree stays empty."""
    history = History(folder)
    with gzip.open(stream) as opened:
        history.git("fast-import", "--quiet", stdin=opened.read())
    history.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")


def shape_alone(folder: Path) -> GitRepository:
    """A repository whose files' contents are not read, as streams that were made for tests have replaced them."""
    context = ProviderContext(folder, folder / ".git" / "shipline", StillClock())
    return ShapeAlone(GitRepository.Settings(), context)


def imported_history(stream: Path, folder: Path, *, branch: str) -> GitRepository:
    """A repository from a compressed `git fast-import` stream, by its shape alone."""
    import_history(stream, folder, branch=branch)
    return shape_alone(folder)
