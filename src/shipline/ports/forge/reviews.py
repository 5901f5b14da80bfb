"""What becomes of pull requests: who has said what, whether one can be merged, and its merge.

Those from forks are among them here, and are marked as such: housekeeping is for them too. What the suite of a forge
calls its own checks are statuses, which stand beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.ports.forge.answers import Known
from shipline.ports.forge.pulls import PullRequest, PullState

PULLS_LISTED_MAX = 100_000
FILES_MAX = 3000
# From: docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue.
_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d{1,9})\b", re.IGNORECASE)


class Opinion(StrEnum):
    """What a reviewer has said last that counts."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    COMMENTED = "commented"


class MergeMethod(StrEnum):
    """How a pull request becomes a part of its base."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class FileChange(StrEnum):
    """What happened to a file. What a forge knows beyond these is read as MODIFIED."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Review:
    """What `author`, a login, thinks. `commit` is what was looked at, None where the forge does not say."""

    author: str
    opinion: Opinion
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a pull request, whose head stands on `head`, can be merged now; `blocks` says in sentences why not.

    UNKNOWN while the forge has not made up its mind: it is asked again later.
    """

    head: str
    mergeable: Known
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a pull request changes. `before` is its old path where it was renamed; lines added and removed."""

    path: str
    change: FileChange
    before: str | None = None
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Other text for the lines `line` to `last_line` of a file, as `commit` has it: they stand in one piece of what
    changes. `old_line` is the number that `line` had before, None where it is new. `marker` tells it from all others.
    """

    commit: str
    path: str
    line: int
    last_line: int
    old_line: int | None
    text: str
    replacement: str
    marker: str


class ForgeReviews(Protocol):
    """The way of a pull request into its base."""

    def each_pull_request(
        self, *, state: PullState | None = None, updated_since_us: int | None = None
    ) -> Iterator[PullRequest]:
        """Those in a state (None: in any) that changed since then, from forks too, the latest change first."""
        ...

    def reviews(self, number: int) -> tuple[Review, ...]:
        """What each reviewer has said last that counts, by author. Who was asked and is silent is not among them."""
        ...

    def readiness(self, number: int) -> Readiness:
        """Whether it can be merged, as the forge sees it now. Changes nothing."""
        ...

    def merge_pull_request(self, number: int, *, head: str, method: MergeMethod) -> PullRequest:
        """Merge it if its head still stands on `head`. Merged already: it is returned as it is.

        ConflictError, and nothing is done, where the head has moved, or the forge does not merge it as it is.
        """
        ...

    def request_reviewers(self, number: int, names: tuple[str, ...]) -> None:
        """Ask these accounts for a review, too. Idempotent. ConflictError for one that the forge cannot ask."""
        ...

    def requested_reviewers(self, number: int) -> tuple[str, ...]:
        """The accounts that are asked for a review, in order; some forges leave out who has given one since."""
        ...

    def pulls_opened_by(self, author: str, *, most: int) -> tuple[int, ...]:
        """Pull requests that an account has opened, in any state, in order: at most `most` of them."""
        ...

    def takes_suggestions(self) -> bool:
        """Whether suggestions can be made, so that people may take them over by a click. Asks nobody."""
        ...

    def suggest(self, number: int, suggestion: Suggestion) -> None:
        """Say it below its lines, once: there is at most one comment of this account there that bears the marker.

        ConflictError where the forge has no place for it: the head has moved, or it takes no suggestions.
        """
        ...

    def changed_files(self, number: int) -> tuple[ChangedFile, ...]:
        """What it changes, by path; at most 3000."""
        ...

    def closes(self, number: int) -> tuple[int, ...]:
        """The issues of this repository that its merge closes, in order."""
        ...


def closing_numbers(text: str) -> tuple[int, ...]:
    """The issues that a text closes by a keyword, where the forge does not list them."""
    return tuple(sorted({int(found) for found in _CLOSING.findall(text)}))


def counted(said: Iterable[Review]) -> tuple[Review, ...]:
    """One review an author, out of all in their order: a comment takes back neither an approval nor a request."""
    last: dict[str, Review] = {}
    for review in said:
        before = last.get(review.author)
        if before is None or review.opinion is not Opinion.COMMENTED or before.opinion is Opinion.COMMENTED:
            last[review.author] = review
    return tuple(last[author] for author in sorted(last))
