"""What the milestone flow may do, as data. A dry run prints the sentences; `carrying` does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CreateTag:
    """A tag that is on no commit yet; who is slower gets a conflict."""

    name: str
    commit: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"tag {self.commit[:9]} as {self.name}"


@dataclass(frozen=True, slots=True)
class CreateLabel:
    """The label by which tracking issues are found."""

    name: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"create the label {self.name!r}"


@dataclass(frozen=True, slots=True)
class OpenTracking:
    """The issue that shows where a milestone stands; `key` is the milestone's."""

    key: str
    title: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"open the tracking issue {self.title!r}"


@dataclass(frozen=True, slots=True)
class EditTracking:
    """The tracking issue says something else, and is open or closed."""

    number: int
    title: str
    body: str
    is_open: bool

    @property
    def sentence(self) -> str:
        """For people."""
        return f"update the tracking issue {self.number}{'' if self.is_open else ', and close it'}"


@dataclass(frozen=True, slots=True)
class PutComment:
    """The one comment with this marker below an issue."""

    number: int
    marker: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"comment on issue {self.number}: {self.body.splitlines()[0]}"


@dataclass(frozen=True, slots=True)
class CloseIssue:
    """An issue of a released milestone."""

    number: int

    @property
    def sentence(self) -> str:
        """For people."""
        return f"close issue {self.number}"


@dataclass(frozen=True, slots=True)
class ReopenMilestone:
    """It was closed too early."""

    key: str
    title: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"reopen the milestone {self.title}"


@dataclass(frozen=True, slots=True)
class MoveBranch:
    """A branch stands on `commit`, if it still stands on `expected` (None: is not there)."""

    name: str
    commit: str
    expected: str | None
    states: str

    @property
    def sentence(self) -> str:
        """For people."""
        verb = "create" if self.expected is None else "move"
        return f"{verb} the branch {self.name} at {self.commit[:9]}, {self.states}"


@dataclass(frozen=True, slots=True)
class DeleteBranch:
    """A branch of ours that nobody needs any more."""

    name: str
    commit: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"delete the branch {self.name}"


@dataclass(frozen=True, slots=True)
class DraftNotes:
    """The page of a release candidate, not announced, with the notes of the version to be."""

    tag: str
    title: str
    notes: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"draft the release notes at {self.tag}"


@dataclass(frozen=True, slots=True)
class DropDraft:
    """A draft that has had its time; a page that was announced stays."""

    tag: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"delete the draft at {self.tag}"


@dataclass(frozen=True, slots=True)
class OpenPull:
    """The pull request from `head` to `base`."""

    head: str
    base: str
    title: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"open a pull request from {self.head} to {self.base}: {self.title}"


@dataclass(frozen=True, slots=True)
class EditPull:
    """It says something else."""

    number: int
    title: str
    body: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"update pull request {self.number}"


@dataclass(frozen=True, slots=True)
class ClosePull:
    """The milestone is open again, has another name, or is gone."""

    number: int

    @property
    def sentence(self) -> str:
        """For people."""
        return f"close pull request {self.number}"


Effect: TypeAlias = (
    CreateTag
    | CreateLabel
    | OpenTracking
    | EditTracking
    | PutComment
    | CloseIssue
    | ReopenMilestone
    | MoveBranch
    | DeleteBranch
    | DraftNotes
    | DropDraft
    | OpenPull
    | EditPull
    | ClosePull
)
