"""Milestones, issues, labels, and what people write below issues and pull requests.

What a marker finds is ours only if this token's account wrote it: a stranger can copy any marker. Where the forge does
not tell whose token it is (a workflow's own, on GitHub), what any robot wrote counts. Lists are read page by page, so
what changes meanwhile may be missing or come twice: whoever changes what is listed collects it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from shipline.ports.forge.answers import ItemState, Thread

MILESTONES_MAX = 1000
ISSUES_MAX = 100_000
LABELS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone. `key` is the forge's own name for it; titles are unique but on Gitea."""

    key: str
    title: str
    description: str = ""
    state: ItemState = ItemState.OPEN
    due_on: date | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. `milestone` is that one's key, None for none. Times are UTC microseconds."""

    number: int
    title: str
    body: str
    state: ItemState
    author: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: str | None = None
    created_us: int = 0
    updated_us: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """Which issues: all that is set holds. `labels`: those that bear all of them; None: whatever it is."""

    state: ItemState | None = None
    labels: tuple[str, ...] = ()
    milestone: str | None = None
    updated_since_us: int | None = None

    def takes(self, issue: Issue) -> bool:
        """True for an issue that is asked for."""
        return (
            self.state in (None, issue.state)
            and set(self.labels) <= set(issue.labels)
            and self.milestone in (None, issue.milestone)
            and issue.updated_us >= (self.updated_since_us or 0)
        )


ALL_ISSUES = IssueQuery()


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """An issue to be. Labels must be known to the forge (`ensure_label`); `milestone` is a key."""

    title: str
    body: str
    labels: tuple[str, ...] = ()
    milestone: str | None = None


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What becomes of an issue; None: left as it is. A `milestone` of "" takes it out of its milestone."""

    title: str | None = None
    body: str | None = None
    state: ItemState | None = None
    milestone: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A label of the repository. `color` is six hexadecimal digits, lower case."""

    name: str
    color: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `created_us` is UTC microseconds, `author` a login; 0 and "" where the forge leaves them out."""

    key: str
    body: str
    author: str = ""
    created_us: int = 0


class ForgeMilestones(Protocol):
    """Milestones of the repository."""

    def milestones(self, *, state: ItemState | None = None) -> tuple[Milestone, ...]:
        """All in a state (None: in any), the oldest first."""
        ...

    def find_milestone(self, title: str) -> Milestone | None:
        """The one of exactly this title, in any state; of several the oldest."""
        ...

    def read_milestone(self, key: str) -> Milestone | None:
        """The one of this key."""
        ...

    def create_milestone(self, title: str, *, description: str = "", due_on: date | None = None) -> Milestone:
        """Create it. If there is one of this title, that is returned as it is."""
        ...

    def update_milestone(self, milestone: Milestone) -> Milestone:
        """Make the milestone of this `key` as `milestone` says, its state too. Idempotent.

        A `due_on` of None is left as it is, since not every forge can take it away.
        """
        ...

    def delete_milestone(self, key: str) -> None:
        """Remove it; its issues stay. Gone already: nothing."""
        ...


class ForgeIssues(Protocol):
    """Issues of the repository; pull requests are never among them."""

    def issues(self, query: IssueQuery = ALL_ISSUES) -> Iterator[Issue]:
        """Those that are asked for, as they are consumed; without a promise about order."""
        ...

    def find_issue(self, number: int) -> Issue | None:
        """One by its number, in any state."""
        ...

    def open_issues(self, label: str) -> int | None:
        """How many open issues bear the label; case does not count. None where the forge has no such label.

        InvalidValue for what cannot be the name of one label.
        """
        ...

    def marked_issue(self, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue | None:
        """The oldest that this account wrote and that bears the marker. `within` bounds what is looked through."""
        ...

    def create_issue(self, draft: IssueDraft, *, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue:
        """Open it, its body below the marker. If `marked_issue` finds one within, that is returned as it is."""
        ...

    def edit_issue(self, number: int, change: IssueChange) -> Issue:
        """Change what is set. Idempotent. `body` is set as it is: it holds its marker again (see `marked`)."""
        ...


class ForgeLabels(Protocol):
    """Labels of the repository."""

    def labels(self) -> tuple[Label, ...]:
        """All, by name."""
        ...

    def ensure_label(self, label: Label) -> Label:
        """Make the label of this name as `label` says, whether it is there or not. Idempotent."""
        ...

    def delete_label(self, name: str) -> None:
        """Remove it, from all that bears it. Gone already: nothing."""
        ...


class ForgeThreads(Protocol):
    """What issues and pull requests have alike."""

    def add_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """Put labels on that the forge knows; those that are on stay. Idempotent."""
        ...

    def remove_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """Take labels off; those that are not on: nothing."""
        ...

    def assign(self, thread: Thread, names: tuple[str, ...]) -> None:
        """Let these accounts, and no others, be its assignees. Idempotent. Who may not be one is left out."""
        ...

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """What people wrote, the oldest first; what the forge itself noted is not among it."""
        ...

    def put_comment(self, thread: Thread, *, marker: str, body: str) -> Comment:
        """Make the comment of this account that bears `marker` say `body`; there is at most one. Idempotent."""
        ...

    def delete_comment(self, thread: Thread, key: str) -> None:
        """Remove one. Gone already: nothing."""
        ...
