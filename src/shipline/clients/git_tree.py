"""Trees and commits of git without a work tree, and a branch of a remote that only moves forward."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipline.clients.git_command import OWN_COMMIT, PLAIN_LOG, GitCommand, GitFailed
from shipline.clients.git_errors import push_error
from shipline.domain.errors import ConflictError, UnavailableError, UsageError
from shipline.ports.clock import Clock

ROUNDS_MAX = 4
NOTHING = "0" * 40


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit to be made on top of a branch. `tree` names one; `beside` is a commit without parents that it merges."""

    tree: str
    subject: str
    trailers: Mapping[str, str]
    body: str = ""
    beside: Proposal | None = None

    @property
    def message(self) -> str:
        """With the trailers as a paragraph of their own."""
        lines = "\n".join(f"{name}: {value}" for name, value in self.trailers.items())
        return "\n\n".join(part for part in (self.subject, self.body, lines) if part) + "\n"


@dataclass(frozen=True, slots=True)
class BranchOf:
    """A branch of a remote.

    `kept_as` is a ref of this repository that keeps what is fetched for the next fetch to go on from; "" leaves the
    refs here alone, where the repository is somebody's own.
    """

    git: GitCommand
    remote: str
    name: str
    clock: Clock = field(repr=False)
    kept_as: str = ""

    def tip(self) -> str | None:
        """The commit that it stands on, which is here then; None where there is no such branch.

        Errors: UnavailableError for a remote that is out of reach, RefusedError for one that refuses.
        """
        ref = f"refs/heads/{self.name}"
        try:
            listed = _text(self.git.run(f"look at {self.remote}", "ls-remote", "--end-of-options", self.remote, ref))
            found = {name: oid for oid, _, name in (line.partition("\t") for line in listed.splitlines())}.get(ref)
            if found is not None and not _has(self.git, found):
                self._fetch(ref, found)
        except GitFailed as failure:
            raise push_error(self.remote, failure) from None
        return found

    def _fetch(self, ref: str, wanted: str) -> None:
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options")
        try:
            self.git.run(
                f"fetch from {self.remote}", *fetch, self.remote, f"+{ref}:{self.kept_as}" if self.kept_as else ref
            )
        except GitFailed:
            if not _has(self.git, wanted):  # Another process may have moved the ref at the same time.
                raise

    def trailers(self, tip: str | None) -> Iterator[tuple[str, dict[str, str]]]:
        """The commits of the branch, children first, each with its trailers."""
        if tip is None:
            return
        options = ("--topo-order", "--format=%H%n%(trailers:only,unfold)", "--end-of-options", tip, "--")
        for record in self.git.run("read the branch", *PLAIN_LOG, *options).split(b"\0"):
            commit, *lines = record.decode("utf-8", "replace").strip("\n").split("\n")
            if commit:
                yield commit, {name: value for name, _, value in (line.partition(": ") for line in lines)}

    def shares_history(self, tip: str) -> bool:
        """True if the branch has a commit in common with what is checked out here."""
        try:
            return bool(self.git.run("compare histories", "merge-base", "HEAD", tip))
        except GitFailed as failure:
            if failure.complaint:
                raise
            return False

    def move(self, propose: Callable[[str | None], Proposal | None]) -> None:
        """Put a commit on the branch, made for the tip that it has now; again where somebody was first.

        `propose` is given the tip and says None where nothing is left to do.
        """
        for _ in range(ROUNDS_MAX):
            tip = self.tip()
            proposal = propose(tip)
            if proposal is None:
                return
            try:
                self.push(self.commit(proposal, tip), tip)
            except ConflictError:
                if self.tip() == tip:
                    raise
            else:
                return
        raise UnavailableError(f"the branch {self.name} moves again and again", todo="run this again later")

    def push(self, commit: str, expected: str | None) -> None:
        """Let the branch stand on `commit` if it stands on `expected` now (None: if there is none); else ConflictError.

        Other errors are those of `tip`.
        """
        lease = f"--force-with-lease=refs/heads/{self.name}:{expected or ''}"
        options = ("push", "--porcelain", "--no-verify", "--no-follow-tags", lease, "--end-of-options")
        try:
            self.git.run(f"push to {self.remote}", *options, self.remote, f"{commit}:refs/heads/{self.name}")
        except GitFailed as failure:
            raise push_error(self.remote, failure) from None

    def commit(self, proposal: Proposal, tip: str | None) -> str:
        """Make the proposed commit on top of `tip`; its name. UsageError where git does not know who commits."""
        parents = [] if tip is None else [tip]
        if proposal.beside is not None:
            parents.append(self.commit(proposal.beside, None))
        date = f"@{self.clock.now_us() // 1_000_000} +0000"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        tree = _text(self.git.run("find a tree", "rev-parse", "--verify", "--end-of-options", proposal.tree))
        options = ("commit-tree", tree, *(part for parent in parents for part in ("-p", parent)))
        try:
            made = self.git.run("commit", *OWN_COMMIT, *options, stdin=proposal.message.encode(), environ=dates)
        except GitFailed as failure:
            if "tell me who you are" not in failure.complaint and "ident" not in failure.complaint:
                raise
            raise UsageError(
                "git does not know who commits here",
                why="user.name or user.email is not configured",
                todo='run `git config user.name "Your Name"` and `git config user.email you@example.com`',
            ) from None
        return _text(made)


def tree_of_folder(git: GitCommand, folder: Path, names: tuple[str, ...]) -> str:
    """The tree of these files of a folder, by their names in it; the objects are in the repository then."""
    paths = "".join(f"{folder / name}\n" for name in names)
    options = ("hash-object", "-w", "--no-filters", "--stdin-paths")
    blobs = git.run("keep files", *options, stdin=os.fsencode(paths)).decode("ascii").split()
    entries = "".join(f"100644 {blob}\t{name}\0" for blob, name in zip(blobs, names, strict=True))
    return _edited(git, None, entries)


def subtree_of(git: GitCommand, commit: str, place: str) -> str | None:
    """The tree at `place` in a commit, "" for the top; None where there is none, or no such commit."""
    try:
        named = f"{commit}^{{tree}}" if place == "" else f"{commit}:{place}"
        return _text(git.run("find a tree", "rev-parse", "--verify", "--quiet", "--end-of-options", named))
    except GitFailed:
        return None


def placed(git: GitCommand, commit: str | None, place: str, subtree: str | None) -> str:
    """The tree of `commit` (None: nothing) in which `subtree`, or nothing, stands at `place`."""
    if place == "":
        return subtree if subtree is not None else _edited(git, None, "")
    gone = "" if commit is None else _listed(git, commit, place)
    entries = "".join(f"0 {NOTHING}\t{name}\0" for name in gone.split("\0") if name)
    return _edited(git, commit, entries, place, subtree)


def file_at(git: GitCommand, commit: str, path: str, *, limit_bytes: int) -> bytes | None:
    """The content of a plain file in a commit, None where there is none. ConflictError for one that is larger."""
    entry = _entry(git, commit, path)
    if entry is None or not entry[0].startswith("100"):
        return None
    size = int(_text(git.run("read a file", "cat-file", "-s", entry[1])))
    if size > limit_bytes:
        raise ConflictError(f"{path} is larger than {limit_bytes} bytes")
    return git.run("read a file", "cat-file", "blob", entry[1])


def with_file(git: GitCommand, commit: str, path: str, data: bytes) -> str:
    """The tree of `commit` in which the plain file at `path`, which is there, holds `data`."""
    entry = _entry(git, commit, path)
    if entry is None:
        raise ConflictError(f"there is no {path} in {commit[:12]}")
    blob = _text(git.run("keep a file", "hash-object", "-w", "--no-filters", "--stdin", stdin=data))
    return _edited(git, commit, f"{entry[0]} {blob}\t{path}\0")


def _entry(git: GitCommand, commit: str, path: str) -> tuple[str, str] | None:
    """The mode and the object at a path."""
    listed = git.run("find a file", "ls-tree", "-z", "--full-tree", commit, "--", path)
    mode, _, rest = os.fsdecode(listed).partition(" ")
    kind, _, rest = rest.partition(" ")
    return (mode, rest.partition("\t")[0]) if kind == "blob" else None


def _listed(git: GitCommand, commit: str, place: str) -> str:
    options = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", place)
    return os.fsdecode(git.run("list files", *options))


def _edited(git: GitCommand, base: str | None, entries: str, place: str = "", subtree: str | None = None) -> str:
    """A tree through an index of its own: `base` with these entries, then with a subtree at a place."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git.run("read a tree", "read-tree", *(("--empty",) if base is None else (base,)), environ=index)
        lines = os.fsencode(entries)
        git.run("set files", "update-index", "-z", "--add", "--index-info", stdin=lines, environ=index)
        if subtree is not None:
            git.run("read a tree", "read-tree", f"--prefix={place}/", subtree, environ=index)
        return _text(git.run("write the tree", "write-tree", environ=index))


def _has(git: GitCommand, commit: str) -> bool:
    try:
        git.run("look for a commit", "cat-file", "-e", f"{commit}^{{commit}}")
    except GitFailed:
        return False
    return True


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").strip()
