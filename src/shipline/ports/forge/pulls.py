"""Pull requests between branches: one is found, opened, changed and closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class PullState(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request: `head` is its branch, `head_commit` what that stands on, `base` the branch that it is for.

    `number` is what people write after `#` or `!`. `merge_commit` is what it became on its base, None unless merged,
    and also then where the forge does not say. `fork`: its head is in another repository. `updated_us` is UTC
    microseconds, and no part of what makes two the same.
    """

    number: int
    title: str
    body: str
    head: str
    base: str
    state: PullState
    url: str
    merge_commit: str | None = None
    labels: tuple[str, ...] = ()
    author: str = ""
    draft: bool = False
    fork: bool = False
    head_commit: str = ""
    updated_us: int = field(default=0, compare=False)


class ForgePullRequests(Protocol):
    """Pull requests between branches of this repository; those from forks are never listed."""

    def open_pull_requests(self, *, head: str = "", base: str = "") -> tuple[PullRequest, ...]:
        """The open ones from and to these branches ("": any), the newest first; more than 1000: ShiplineError."""
        ...

    def find_pull_request(self, number: int) -> PullRequest | None:
        """One by its number, in any state."""
        ...

    def create_pull_request(self, *, head: str, base: str, title: str, body: str) -> PullRequest:
        """Open one. If one is open from `head` to `base`, that is returned as it is."""
        ...

    def update_pull_request(self, number: int, *, title: str, body: str) -> PullRequest:
        """Set title and body. Idempotent."""
        ...

    def close_pull_request(self, number: int) -> PullRequest:
        """Close it unmerged. One that is not open any more stays as it is."""
        ...

    def reopen_pull_request(self, number: int) -> PullRequest:
        """Open a closed one again; one that is open or merged stays as it is. ConflictError where the forge does not,
        as for one whose branch is gone."""
        ...

    def pull_requests_of(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that brought a commit, as far as the forge knows; at most 100, without a promise about order."""
        ...
