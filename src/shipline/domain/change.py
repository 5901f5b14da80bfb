"""Change: one commit or changeset, read as a conventional commit (Conventional Commits 1.0.0)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Bump(StrEnum):
    """How far a version moves. Ordered by `rank`."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """0 for none up to 3 for major."""
        return list(Bump).index(self)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a release.

    `commit` is the git object id, opaque. `type` is lower-case and "" for a message that is not conventional, which
    then keeps its whole subject in `description`. `breaking_notes` are the texts of BREAKING CHANGE footers.
    `references` are issue or pull request numbers and keys as written (`#12`, `ABC-7`). `time_us` is the commit
    time, UTC microseconds. `upgrade_notes` are what a user has to do, from `Upgrade-Note` footers. `patch` is the
    patch-id of the commit, "" where nobody asked for it. `ruled` is how far the project's own rules move the
    version for it, None where they say nothing. Several changes of one commit have the same `commit`.
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
