"""What remediation may do, as data: a dry run tells the sentences. Each may be done again, and is then done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shipline.ports.forge import Forge
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import IssueChange, IssueDraft, IssueQuery, Label

LABEL = "remediation"
COLOR = "b60205"
WITHIN = IssueQuery(labels=(LABEL,))


@dataclass(frozen=True, slots=True)
class Told:
    """An escalation, as the log tells it, once for each `key`, `since` and `step`."""

    key: str
    since: int
    step: int
    words: str


@dataclass(frozen=True, slots=True)
class Hands:
    """With what effects are done. `tell` keeps an event of an escalation that it was not told of before. `push` makes a
    branch of the remote stand on a commit, if it still stands on another (None: if it is not there); ConflictError
    where it does not. `base` is the branch that pull requests are for."""

    forge: Forge
    tell: Callable[[Told], None]
    push: Callable[[str, str, str | None], None]
    base: str


class Effect(Protocol):
    """One thing to be done."""

    @property
    def sentence(self) -> str:
        """For people."""
        ...

    def perform(self, hands: Hands) -> None:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class MakeLabel:
    """The repository knows a label; one that it knows already is not changed."""

    name: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"make the label {self.name}"

    def perform(self, hands: Hands) -> None:
        """Make it."""
        hands.forge.ensure_label(Label(self.name, COLOR if self.name == LABEL else "ededed"))


@dataclass(frozen=True, slots=True)
class Dress:
    """An issue is assigned, once: its text remembers that, so that nobody is assigned against a person's will.
    `body` is its whole text after that."""

    number: int
    title: str
    assign: tuple[str, ...]
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"issue {self.number}: assign {', '.join(self.assign)}"

    def perform(self, hands: Hands) -> None:
        """Assign, and remember it. To nobody: whoever is assigned stays."""
        if self.assign:
            hands.forge.assign(Thread.issue(self.number), self.assign)
        hands.forge.edit_issue(self.number, IssueChange(title=self.title, body=self.body))


@dataclass(frozen=True, slots=True)
class OpenIssue:
    """The issue with this marker. `body` is its text below the marker, `dressed` the whole text once it is assigned."""

    marker: str
    title: str
    body: str
    labels: tuple[str, ...]
    assign: tuple[str, ...]
    dressed: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"open the issue {self.title!r}"

    def perform(self, hands: Hands) -> None:
        """Open it, unless it is there."""
        draft = IssueDraft(self.title, self.body, self.labels)
        issue = hands.forge.create_issue(draft, marker=self.marker, within=WITHIN)
        if self.assign:
            Dress(issue.number, self.title, self.assign, self.dressed).perform(hands)


@dataclass(frozen=True, slots=True)
class EditIssue:
    """An issue says something else; `reopens` where it was closed because it was gone."""

    number: int
    title: str
    body: str
    reopens: bool = False

    @property
    def sentence(self) -> str:
        """For people."""
        return f"issue {self.number}: {'open it again' if self.reopens else 'say what is so now'}"

    def perform(self, hands: Hands) -> None:
        """Change it."""
        state = ItemState.OPEN if self.reopens else None
        hands.forge.edit_issue(self.number, IssueChange(title=self.title, body=self.body, state=state))


@dataclass(frozen=True, slots=True)
class Escalate:
    """An issue is open for too long. Its text, `body`, remembers the step, and is written last: whoever dies before
    that does all of it again, which changes nothing."""

    number: int
    title: str
    comment: str
    labels: tuple[str, ...]
    assign: tuple[str, ...]
    body: str
    told: Told

    @property
    def sentence(self) -> str:
        """For people."""
        to = f", assign {', '.join(self.assign)}" if self.assign else ""
        return f"issue {self.number}: escalate it, step {self.told.step}{to}"

    def perform(self, hands: Hands) -> None:
        """Label, assign, comment, tell, remember."""
        thread = Thread.issue(self.number)
        if self.labels:
            hands.forge.add_labels(thread, self.labels)
        if self.assign:
            hands.forge.assign(thread, self.assign)
        marker = f"shipline:remediation:escalated:{self.told.since}:{self.told.step}"
        hands.forge.put_comment(thread, marker=marker, body=self.comment)
        hands.tell(self.told)
        hands.forge.edit_issue(self.number, IssueChange(title=self.title, body=self.body))


@dataclass(frozen=True, slots=True)
class CloseIssue:
    """An issue that nothing asks for any more. `body` is its text, which says that we have closed it."""

    number: int
    words: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"issue {self.number}: close it, {self.words.partition(':')[0].partition(';')[0].lower()}"

    def perform(self, hands: Hands) -> None:
        """Say why, and close it."""
        marker = "shipline:remediation:gone"
        hands.forge.put_comment(Thread.issue(self.number), marker=marker, body=self.words)
        hands.forge.edit_issue(self.number, IssueChange(body=self.body, state=ItemState.CLOSED))


@dataclass(frozen=True, slots=True)
class PushBranch:
    """A branch of ours stands on `commit`, if it still stands on `expected` (None: if it is not there)."""

    branch: str
    commit: str
    expected: str | None

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{'make' if self.expected is None else 'move'} the branch {self.branch}"

    def perform(self, hands: Hands) -> None:
        """Push it."""
        hands.push(self.branch, self.commit, self.expected)


@dataclass(frozen=True, slots=True)
class DressPull:
    """A pull request bears its labels and is assigned, once: `body`, its text after that, remembers it."""

    number: int
    title: str
    body: str
    labels: tuple[str, ...]
    assign: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: label and assign it"

    def perform(self, hands: Hands) -> None:
        """Label, assign, remember."""
        thread = Thread.pull(self.number)
        if self.labels:
            hands.forge.add_labels(thread, self.labels)
        if self.assign:
            hands.forge.assign(thread, self.assign)
        hands.forge.update_pull_request(self.number, title=self.title, body=self.body)


@dataclass(frozen=True, slots=True)
class OpenPull:
    """The pull request from `head`. `body` is its text until it is dressed, `dressed` after that."""

    head: str
    title: str
    body: str
    labels: tuple[str, ...]
    assign: tuple[str, ...]
    dressed: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"open the pull request {self.title!r}"

    def perform(self, hands: Hands) -> None:
        """Open it, unless one is open."""
        pull = hands.forge.create_pull_request(head=self.head, base=hands.base, title=self.title, body=self.body)
        if self.body != self.dressed:
            DressPull(pull.number, self.title, self.dressed, self.labels, self.assign).perform(hands)


@dataclass(frozen=True, slots=True)
class EditPull:
    """A pull request says something else."""

    number: int
    title: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: say what is so now"

    def perform(self, hands: Hands) -> None:
        """Change it."""
        hands.forge.update_pull_request(self.number, title=self.title, body=self.body)


@dataclass(frozen=True, slots=True)
class ClosePull:
    """A pull request that is not needed any more goes, with its branch. `body` says that we have closed it."""

    number: int
    title: str
    body: str
    head: str
    head_commit: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number}: close it, it is not needed any more"

    def perform(self, hands: Hands) -> None:
        """Say so, delete the branch, close it: in this order, so that who dies meanwhile leaves no branch."""
        words = "This is not needed any more, so Shipline has closed it."
        hands.forge.put_comment(Thread.pull(self.number), marker="shipline:remediation:gone", body=words)
        hands.forge.update_pull_request(self.number, title=self.title, body=self.body)
        hands.forge.delete_branch(self.head, self.head_commit)
        hands.forge.close_pull_request(self.number)
