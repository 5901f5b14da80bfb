"""Webhooks of a repository on Gitea and Forgejo.

From: docs.gitea.com/usage/webhooks. They are not told of milestones, and what was sent is on the page alone.
"""

from __future__ import annotations

from typing import Any

from shipline.domain.errors import ConflictError
from shipline.ports.forge.hooks import Delivery, HookEvent
from shipline.providers.forge.hooks import ReposHooks

WORDS = {
    HookEvent.PUSH: ("push", "create", "delete"),
    HookEvent.PULL_REQUEST: ("pull_request", "pull_request_review_approved", "pull_request_review_rejected"),
    HookEvent.ISSUE: ("issues",),
    HookEvent.COMMENT: ("issue_comment", "pull_request_comment"),
    HookEvent.RELEASE: ("release",),
    HookEvent.CHECK: ("status",),
}


class GiteaHooks(ReposHooks):
    """Gitea's part."""

    hook_need = "write:repository"
    words = WORDS

    def _new_hook(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"type": "gitea"}

    def deliveries(self, key: str) -> tuple[Delivery, ...]:
        """None are listed."""
        del key
        return ()

    def redeliver(self, key: str, delivery: str) -> None:
        """By a person alone."""
        raise ConflictError(
            f"Gitea sends {delivery!r} of the hook {key} again only from its page",
            todo="open the hook in the repository's settings, and press the button of that delivery",
        )
