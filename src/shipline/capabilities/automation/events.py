"""What a forge tells, as values of ours: the same few for GitHub, GitLab and Gitea. Pure.

An event is a hint that something may be otherwise now, and never the state itself: hooks come late, twice, out of
order, or not at all. Names and texts are somebody else's: cut to a length here, and checked where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class ThingState(StrEnum):
    """Where an issue, a milestone or a pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class ChecksState(StrEnum):
    """How the checks of a commit ended."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class PushReceived:
    """A branch stands elsewhere. `before` is "" for a new one, `after` for one that is gone; both are commit ids.

    `commits` is how many came; `truncated`: the forge did not list all of them.
    """

    branch: str
    before: str
    after: str
    commits: int = 0
    truncated: bool = False

    @property
    def sentence(self) -> str:
        """For people."""
        if not self.after:
            return f"the branch {self.branch} is gone"
        came = "" if self.commits == 0 else f", with {self.commits} new commit{'s' if self.commits > 1 else ''}"
        return f"{self.branch} is at {self.after[:9]}{came}"


@dataclass(frozen=True, slots=True)
class TagPushed:
    """A tag was made (`before` ""), moved, or deleted (`after` "")."""

    tag: str
    before: str
    after: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"the tag {self.tag} is {f'at {self.after[:9]}' if self.after else 'gone'}"


@dataclass(frozen=True, slots=True)
class PullRequestChanged:
    """Something was done to a pull request (GitLab: merge request): `action`, in the forge's own word.

    `commit` is the newest of its branch `head`, `merge_commit` what it became on `base`, "" unless merged or where the
    forge does not say. `from_fork`: `head` is a branch of another repository.
    """

    number: int
    action: str
    state: ThingState
    title: str
    head: str
    base: str
    commit: str = ""
    merge_commit: str = ""
    draft: bool = False
    from_fork: bool = False
    labels: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return f"pull request {self.number} to {self.base} is {self.state.value} ({self.action})"


@dataclass(frozen=True, slots=True)
class IssueChanged:
    """Something was done to an issue. `milestone` is the title of its milestone, "" for none."""

    number: int
    action: str
    state: ThingState
    title: str
    milestone: str = ""
    labels: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return f"issue {self.number} is {self.state.value} ({self.action})"


@dataclass(frozen=True, slots=True)
class MilestoneChanged:
    """Something was done to a milestone. GitLab tells of no edits, Gitea of nothing."""

    number: int
    action: str
    state: ThingState
    title: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"the milestone {self.title} is {self.state.value} ({self.action})"


@dataclass(frozen=True, slots=True)
class CommentWritten:
    """Somebody wrote, edited or deleted a comment on an issue or a pull request. `key` is the forge's name for it."""

    key: str
    number: int
    action: str
    on_pull_request: bool
    author: str
    text: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.author} commented on {'pull request' if self.on_pull_request else 'issue'} {self.number}"


@dataclass(frozen=True, slots=True)
class ChecksEnded:
    """Checks of a commit have ended. `branches` are those that it is the newest commit of, as far as the forge says."""

    commit: str
    state: ChecksState
    name: str
    branches: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{self.name or 'checks'} of {self.commit[:9]} ended with {self.state.value}"


@dataclass(frozen=True, slots=True)
class ReleaseChanged:
    """Something was done to the page of a release."""

    tag: str
    action: str
    draft: bool = False
    prerelease: bool = False

    @property
    def sentence(self) -> str:
        """For people."""
        return f"the page of the release {self.tag}: {self.action}"


ForgeEvent: TypeAlias = (
    PushReceived
    | TagPushed
    | PullRequestChanged
    | IssueChanged
    | MilestoneChanged
    | CommentWritten
    | ChecksEnded
    | ReleaseChanged
)
