"""Change: one commit or changeset, read as a conventional commit (Conventional Commits 1.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

OBJECT_ID = re.compile(r"[0-9a-f]{40,64}")
DEPENDENCIES = "dependencies"
"""The `type` of a change that a release makes itself: another package's new version is required from now on."""


class Bump(StrEnum):
    """How far a version moves. Ordered by `rank`."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """0 for none up to 3 for major."""
        return RANKS[self]


RANKS = {bump: rank for rank, bump in enumerate(Bump)}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a release.

    `commit` is the git object id, opaque; where the entry came from no commit, a word that tells it apart from others:
    a changeset's name, or the version that is required from now on. `type` is lower-case and "" for a message that is
    not conventional, which then keeps its whole subject in `description`. `breaking_notes` are the texts of BREAKING
    CHANGE footers.
    `references` are issue or pull request numbers and keys as written (`#12`, `ABC-7`). `time_us` is the commit
    time, UTC microseconds. `upgrade_notes` are what a user has to do, from `Upgrade-Note` footers. `patch` is the
    patch-id of the commit, "" where nobody asked for it. `ruled` is how far the project's own rules move the
    version for it, None where they say nothing. Several changes of one commit have the same `commit`.
    `bump` is how far the entry moves the version where it says so outright; None leaves it to the rules. `undone` are
    the commits of the merges among `reverts`: each merge, and what it had brought in. `co_authors` are those whom the
    commit names beside its author, as it writes them.
    """

    commit: str
    type: str
    description: str
    author: str
    time_us: int
    scope: str | None = None
    breaking: bool = False
    breaking_notes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    body: str = ""
    upgrade_notes: tuple[str, ...] = ()
    author_mail: str = ""
    patch: str = ""
    ruled: Bump | None = None
    bump: Bump | None = None
    undone: tuple[str, ...] = ()
    co_authors: tuple[str, ...] = ()

    @property
    def is_commit(self) -> bool:
        """True if `commit` is the id of a commit."""
        return OBJECT_ID.fullmatch(self.commit) is not None

    @property
    def short(self) -> str:
        """What people tell it apart by: the beginning of the commit's id, or the whole word."""
        return self.commit[:7] if self.is_commit else self.commit
