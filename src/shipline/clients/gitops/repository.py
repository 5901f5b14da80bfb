"""A clone of its own of the repository that holds the manifests: one branch, one file, and what its history says.

Nothing is ever checked out. What git is told in the project's own configuration (who commits, how to authenticate)
holds here as well. It is handed over with each call, like the address, in which a token may stand: nothing of it is
written down or told. A look that is younger than
LOOK_S is taken for the present where nothing is changed, since environments are looked at all the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from shipline.clients.durable_state import DurableState
from shipline.clients.git_command import GitCommand, GitFailed, config_variables
from shipline.clients.git_tree import BranchOf, Proposal, file_at, with_file
from shipline.clients.gitops.file import texts_in
from shipline.clients.gitops.history import History, read_history
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.clients.yaml_text import BYTES_MAX
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.clock import Clock

LOOK_S = 15.0
OWN_REMOTE = "origin"
# What the remote is called in the clone, and in words.
REMOTE = "manifests"
SCP_LIKE = re.compile(r"[^/]+:.*")
# Of the project's configuration: who commits, and how a remote is reached.
LENT = r"^((user|credential|http|url|ssh)\.|core\.sshcommand$)"
LENT_MAX = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """The last look at the branch: its tip ("": it has none), and when, UTC microseconds."""

    tip: str = ""
    at_us: int = 0


class LentGit(GitCommand):
    """Git in a folder, with settings of another repository that are handed over by its environment."""

    def __init__(self, folder: Path, lent: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._lent = lent

    def run(self, action: str, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """As always."""
        return super().run(action, *arguments, stdin=stdin, environ={**self._lent, **(environ or {})})


class GitOpsRepository:
    """The branch. The constructor does no I/O; the clone is made with the first look.

    Errors of all methods: UnavailableError where the remote is out of reach, RefusedError where it refuses.
    """

    def __init__(self, settings: GitOpsSettings, root: Path, folder: Path, clock: Clock) -> None:
        self._settings = settings
        self._root = root
        self._folder = folder
        self._clock = clock
        self._looked = DurableState(folder / "looked.json", Looked(), clock)
        self._history = lru_cache(maxsize=4)(self._read_history)
        self._texts = lru_cache(maxsize=16)(self._read_texts)
        self._data = lru_cache(maxsize=4)(self._read_data)

    @cached_property
    def git(self) -> GitCommand:
        """Git in the clone, which is made where there is none."""
        place = self._folder / "repository.git"
        if not (place / "HEAD").is_file() or not (place / "config").is_file():
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            GitCommand(place.parent).run("make a clone", "init", "--quiet", "--bare", "--end-of-options", str(place))
        # `explicit` bare repositories are named, not found: see OWN_REPOSITORIES.
        lent = config_variables([*_lent(self._root), (f"remote.{REMOTE}.url", self.address)])
        return LentGit(place, {**lent, "GIT_DIR": str(place)})

    @cached_property
    def address(self) -> str:
        """The address that is cloned from; it may hold a token."""
        found = self._settings.repository or self._own_address()
        is_path = "://" not in found and SCP_LIKE.fullmatch(found) is None
        return str(self._root / found) if is_path else found

    def _own_address(self) -> str:
        try:
            output = GitCommand(self._root).run("find the remote", "remote", "get-url", OWN_REMOTE)
        except GitFailed:
            raise ShiplineError(
                f"this repository has no remote {OWN_REMOTE}", todo="name the `repository` of the manifests"
            ) from None
        return output.decode("utf-8", "replace").strip()

    def branch(self, name: str = "") -> BranchOf:
        """A branch of the remote; "" is that of the settings."""
        kept_as = "" if name else f"refs/shipline/{self._settings.branch}"
        return BranchOf(self.git, REMOTE, name or self._settings.branch, self._clock, kept_as)

    def look(self) -> str:
        """The tip of the branch now, which is here then. ShiplineError where there is no such branch."""
        tip = self.branch().tip()
        with self._looked.locked():
            self._looked.write(Looked(tip or "", self._clock.now_us()))
        return self._must(tip or "")

    def seen(self) -> str:
        """The tip as of the last look, if that is young enough."""
        looked = self._looked.read()
        age_us = self._clock.now_us() - looked.at_us
        return self._must(looked.tip) if looked.tip and 0 <= age_us < LOOK_S * 1_000_000 else self.look()

    def texts(self, commit: str) -> dict[str, str]:
        """What the file says runs, in a commit, by key path. ShiplineError where it does not."""
        return dict(self._texts(commit))

    def history(self, tip: str, place: str) -> History:
        """What the branch says of a place."""
        return self._history(tip, place)

    def data(self, commit: str) -> bytes:
        """The file in a commit. ShiplineError where it is not there, or too large."""
        return self._data(commit)

    def _read_data(self, commit: str) -> bytes:
        data = file_at(self.git, commit, self._settings.file, limit_bytes=BYTES_MAX)
        if data is None:
            raise ShiplineError(
                f"there is no file {self._settings.file} on {self._settings.branch}",
                todo="commit it there, or set `file` and `branch` to where it is",
            )
        return data

    def with_data(self, commit: str, data: bytes) -> str:
        """The tree of a commit in which the file holds `data`."""
        return with_file(self.git, commit, self._settings.file, data)

    def move(self, propose: Callable[[str], Proposal | None]) -> None:
        """Put a commit on the branch, made for the tip that it has then; see `BranchOf.move`."""
        try:
            self.branch().move(lambda tip: propose(self._must(tip or "")))
        except ConflictError as error:
            if "remote rejected" not in error.why:
                raise
            raise ShiplineError(
                f"{self._settings.branch} does not take commits from here",
                why=error.why,
                todo='set mode = "pull-request", or let this account push there',
            ) from None
        finally:
            self.forget_look()

    def forget_look(self) -> None:
        """Look anew the next time."""
        with self._looked.locked():
            self._looked.write(Looked())

    def author(self, commit: str) -> str:
        """Who made a commit, for people."""
        output = self.git.run("read a commit", "log", "-1", "--format=%an", "--end-of-options", commit, "--")
        return " ".join(output.decode("utf-8", "replace").split())[:80]

    def last_change(self, tip: str) -> str:
        """The commit that changed the file last."""
        options = ("log", "-1", "--format=%H", "--end-of-options", tip, "--", self._settings.file)
        return self.git.run("read the branch", *options).decode("ascii").strip()

    def _must(self, tip: str) -> str:
        if not tip:
            raise ShiplineError(
                f"the repository of the manifests has no branch {self._settings.branch}",
                todo="set `branch` to the one that the cluster follows",
            )
        return tip

    def _read_history(self, tip: str, place: str) -> History:
        return read_history(self.git, tip, place)

    def _read_texts(self, commit: str) -> tuple[tuple[str, str], ...]:
        return tuple(texts_in(self._settings, self.data(commit)).items())


def _lent(root: Path) -> list[tuple[str, str]]:
    """The project's own settings for git."""
    try:
        output = GitCommand(root).run("read settings", "config", "--local", "-z", "--get-regexp", LENT)
    except GitFailed:
        return []  # There are none.
    entries = output.decode("utf-8", "surrogateescape").split("\0")
    return [(name, value) for name, _, value in (entry.partition("\n") for entry in entries if entry)][:LENT_MAX]
