"""Who says something on a forge, whether it is theirs, and a sign that it was heard.

What is asked for in a comment is done with the rights of Shipline, so nothing here guesses: what a forge does not tell
is UNKNOWN, and nobody is let through by that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.ports.forge.answers import Known, Thread
from shipline.ports.forge.tracker import Comment


class Role(StrEnum):
    """What an account may do in the repository. UNKNOWN is below all: the forge did not tell."""

    UNKNOWN = "unknown"
    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def reaches(self, least: Role) -> bool:
        """True for `least`, and for what is more than that."""
        order = list(Role)
        return order.index(self) >= order.index(least)


class Reaction(StrEnum):
    """A sign below a comment. All forges know these; each has its own words for them."""

    SEEN = "eyes"
    YES = "+1"
    NO = "-1"


@dataclass(frozen=True, slots=True)
class Speaker:
    """An account. `role` is the effective one, of teams and groups too; `robot`: no person is behind it."""

    role: Role
    robot: Known


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment as it is now. `edited`: its text is, or may be, not the one that was written at first."""

    comment: Comment
    edited: bool


class ForgeSpeakers(Protocol):
    """Comments that ask for something."""

    def remark(self, thread: Thread, key: str) -> Remark | None:
        """The comment of this key below a thread; None where it is gone, or below another one, or of the forge."""
        ...

    def speaker(self, login: str) -> Speaker:
        """What an account may do. Changes nothing. Where the token may not ask, the role is UNKNOWN."""
        ...

    def react(self, thread: Thread, key: str, reaction: Reaction) -> None:
        """Put a sign below a comment, as this account. There already: nothing. Gone meanwhile: nothing."""
        ...
