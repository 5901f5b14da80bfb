"""Webhooks: what tells a server that something has happened, and whether it still does.

A forge sends in its own form, keeps no order, and gives up on a server that does not answer: GitHub does not try again,
GitLab switches a hook off for a while. So hooks are looked after, and what they missed is found by asking.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.ports.forge.answers import Known

HOOKS_MAX = 250
DELIVERIES_MAX = 100


class HookEvent(StrEnum):
    """What a hook is told of. A push is one of branches and of tags; a check is a commit's status or a pipeline."""

    PUSH = "push"
    PULL_REQUEST = "pull request"
    ISSUE = "issue"
    COMMENT = "comment"
    MILESTONE = "milestone"
    RELEASE = "release"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook. `key` is the forge's name for it; `events` are those that this kind of forge has.

    `active` False: nothing is sent. `healthy` is what the forge says of the last answer, `said` that in its own words.
    """

    key: str
    url: str
    events: frozenset[HookEvent]
    active: bool
    healthy: Known = Known.UNKNOWN
    said: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that was sent. `event` is the forge's word; `status` is the HTTP status of the answer, None for none.
    `delivered_us` is UTC microseconds, 0 where the forge does not say. `identity` is the forge's name for the event,
    the same in each attempt and in the headers of what was sent; "" where it is not listed."""

    key: str
    event: str
    status: int | None
    delivered_us: int = 0
    again: bool = False
    identity: str = ""

    @property
    def arrived(self) -> bool:
        """True if it was taken."""
        return self.status is not None and self.status // 100 == 2


class ForgeHooks(Protocol):
    """Webhooks of the repository. It takes a token with more rights than anything else here."""

    def hooks(self) -> tuple[Hook, ...]:
        """All, the oldest first."""
        ...

    def ensure_hook(self, url: str, *, events: frozenset[HookEvent], secret: str) -> Hook:
        """Let the hook to `url` be there, switched on, with these events and this secret. Idempotent.

        No forge tells a secret, so it is set anew. Events that this kind of forge does not have are left out.
        """
        ...

    def delete_hook(self, key: str) -> None:
        """Remove it. Gone already: nothing."""
        ...

    def deliveries(self, key: str) -> tuple[Delivery, ...]:
        """The last that were sent, the newest first; at most 100. Empty where the forge does not list them."""
        ...

    def redeliver(self, key: str, delivery: str) -> None:
        """Let it be sent again. ConflictError where the forge cannot."""
        ...

    def revive_hook(self, key: str) -> Hook:
        """Switch on what was switched off, by a person or by the forge. On already: nothing."""
        ...
