"""Words that several nouns of the Forge port share. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shipline.domain.errors import InvalidValue

LABEL_LENGTH_MAX = 100


class Known(StrEnum):
    """An answer that a forge may not give."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ItemState(StrEnum):
    """Whether a milestone or an issue is still to be done."""

    OPEN = "open"
    CLOSED = "closed"


class ThreadKind(StrEnum):
    """What people write below. On GitHub and Gitea both have one row of numbers, on GitLab each its own."""

    ISSUE = "issue"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Thread:
    """An issue or a pull request, as far as it bears labels, assignees and comments."""

    kind: ThreadKind
    number: int

    @staticmethod
    def issue(number: int) -> Thread:
        """The issue of this number."""
        return Thread(ThreadKind.ISSUE, number)

    @staticmethod
    def pull(number: int) -> Thread:
        """The pull request of this number."""
        return Thread(ThreadKind.PULL, number)


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left to be asked, as the forge said last: `remaining` requests until `resets_us` (UTC microseconds).

    None where it has not said so; Gitea never does. A long job stops in time and goes on after the reset.
    """

    remaining: int | None = None
    resets_us: int | None = None


def hidden(marker: str) -> str:
    """A marker as no page shows it: an HTML comment, which the Markdown of all forges hides."""
    return f"<!-- {marker} -->"


def bears(body: str, marker: str) -> bool:
    """True if `body` holds the marker."""
    return hidden(marker) in body


def is_ours(account: str, author: str) -> bool:
    """Whether our account wrote something: whoever may write can write a marker.

    `account` is "" where the forge does not tell whose the token is. On GitHub it is a robot's then; elsewhere nothing
    is known to be ours.
    """
    return author == account if account else author.endswith("[bot]")


def marked(body: str, marker: str) -> str:
    """`body` below its marker."""
    return f"{hidden(marker)}\n{body}"


def checked_label(name: str) -> str:
    """A label's name. InvalidValue for what cannot be one: a comma would make two of it, and `..` leads elsewhere."""
    if not name.strip() or not name.isprintable() or "," in name or name in {".", ".."} or len(name) > LABEL_LENGTH_MAX:
        raise InvalidValue(f"{name[:80]!r} cannot be the name of a label")
    return name
