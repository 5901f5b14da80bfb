"""Branches and tags of a fake forge, in a bare git repository or, where no git is needed, in a dict."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shipline.testing.fakes.forge.refusals import Refused


@dataclass(frozen=True)
class Changed:
    """A file that differs. `letter` is git's: A, M or D."""

    path: str
    letter: str
    added: int
    removed: int


class Refs(Protocol):
    """Full ref names and the commits that they lead to, tags peeled."""

    def get(self, name: str) -> str | None: ...

    def has_commit(self, commit: str) -> bool: ...

    def put(self, name: str, commit: str) -> None: ...

    def drop(self, name: str) -> None: ...

    def merged(self, base: str, head: str, message: str, *, squash: bool) -> str | None: ...

    def changes(self, base: str, head: str) -> list[Changed]: ...


class MemoryRefs:
    """Refs in a dict; every full id is taken for a commit that is there."""

    def __init__(self, refs: dict[str, str] | None = None) -> None:
        self.refs = refs if refs is not None else {}
        self.changed: list[Changed] = []

    def get(self, name: str) -> str | None:
        """The commit, None where there is no such ref."""
        return self.refs.get(name)

    def has_commit(self, commit: str) -> bool:
        """True for what looks like one."""
        return len(commit) >= len("0" * 40)

    def put(self, name: str, commit: str) -> None:
        """Create or move."""
        self.refs[name] = commit

    def drop(self, name: str) -> None:
        """Delete."""
        self.refs.pop(name, None)

    def merged(self, base: str, head: str, message: str, *, squash: bool) -> str | None:
        """A made-up commit; what changes one file in two ways is not known here."""
        return hashlib.sha1(f"{base} {head} {message} {squash}".encode()).hexdigest()  # noqa: S324 - a commit's id

    def changes(self, base: str, head: str) -> list[Changed]:
        """What the test has said."""
        return list(self.changed) if base != head else []


class GitRefs:
    """Refs of a bare repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str, stdin: str = "") -> str | None:
        """Git's output, None where it says no."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.folder), *arguments], input=stdin, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    def get(self, name: str) -> str | None:
        """The commit, None where there is no such ref."""
        return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")

    def has_commit(self, commit: str) -> bool:
        """True for one that was pushed."""
        return self.git("cat-file", "-e", f"{commit}^{{commit}}") is not None

    def put(self, name: str, commit: str) -> None:
        """Create or move."""
        if self.git("update-ref", name, commit) is None:
            raise Refused("invalid", f"{name} cannot be set")

    def drop(self, name: str) -> None:
        """Delete."""
        self.git("update-ref", "-d", name)

    def merged(self, base: str, head: str, message: str, *, squash: bool) -> str | None:
        """The commit of a merge; None where both sides changed the same lines."""
        tree = self.git("merge-tree", "--write-tree", base, head)
        if tree is None:
            return None
        identity = ("-c", "user.name=forge", "-c", "user.email=forge@example.com")
        parents = ("-p", base) if squash else ("-p", base, "-p", head)
        return self.git(*identity, "commit-tree", tree.splitlines()[0], *parents, "-m", message)

    def changes(self, base: str, head: str) -> list[Changed]:
        """What the head has changed since it left its base."""
        counts = self.git("diff", "--numstat", "-z", "--no-renames", f"{base}...{head}") or ""
        kinds = (self.git("diff", "--name-status", "-z", "--no-renames", f"{base}...{head}") or "").split("\0")
        letters = dict(zip(kinds[1::2], kinds[0::2], strict=False))
        lines = [line.split("\t", 2) for line in counts.split("\0") if line]
        return [Changed(path, letters.get(path, "M"), int(plus), int(minus)) for plus, minus, path in lines]

    def all(self) -> dict[str, str]:
        """Branches and tags, tags peeled."""
        form = "%(refname) %(objectname) %(*objectname)"
        lines = (self.git("for-each-ref", f"--format={form}", "refs/heads", "refs/tags") or "").splitlines()
        return {line.split()[0]: line.split()[-1] for line in lines}
