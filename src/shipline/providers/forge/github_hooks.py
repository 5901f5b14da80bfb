"""Webhooks of a repository on GitHub.

From: docs.github.com/rest/repos/webhooks, version 2022-11-28, and docs.github.com/webhooks/webhook-events-and-payloads.
"""

from __future__ import annotations

from typing import Any

from shipline.clients.forge_json import flag, instant, number, number_or_none, text, text_or_none
from shipline.ports.forge import Known
from shipline.ports.forge.hooks import DELIVERIES_MAX, Delivery, HookEvent
from shipline.providers.forge.hooks import ReposHooks

HOOKS = "repository webhooks: write"
WORDS = {
    HookEvent.PUSH: ("push", "create", "delete"),
    HookEvent.PULL_REQUEST: ("pull_request", "pull_request_review"),
    HookEvent.ISSUE: ("issues",),
    HookEvent.COMMENT: ("issue_comment",),
    HookEvent.MILESTONE: ("milestone",),
    HookEvent.RELEASE: ("release",),
    HookEvent.CHECK: ("status", "check_run"),
}


class GitHubHooks(ReposHooks):
    """GitHub's part."""

    hook_need = HOOKS
    words = WORDS

    def _health(self, item: Any) -> tuple[Known, str]:
        code = number_or_none(item, "last_response", "code")
        said = text_or_none(item, "last_response", "message") or ""
        if code is None:
            return Known.UNKNOWN, said
        return (Known.YES if code // 100 == 2 else Known.NO), f"HTTP {code} {said}".strip()

    def _new_hook(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"name": "web"}

    def deliveries(self, key: str) -> tuple[Delivery, ...]:
        """GET the first page: what follows is pointed to by cursors."""
        query = {"per_page": DELIVERIES_MAX}
        items = self._http.get(f"{self._at}/hooks/{int(key)}/deliveries", query, need=HOOKS)
        return tuple(_delivery(item) for item in items)

    def redeliver(self, key: str, delivery: str) -> None:
        """POST another attempt."""
        place = f"{self._at}/hooks/{int(key)}/deliveries/{int(delivery)}/attempts"
        self._http.send("POST", place, need=HOOKS)


def _delivery(item: Any) -> Delivery:
    return Delivery(
        key=str(number(item, "id")),
        event=text(item, "event"),
        status=number_or_none(item, "status_code") or None,
        delivered_us=instant(item, "delivered_at"),
        again=flag(item, "redelivery"),
        identity=text_or_none(item, "guid") or "",
    )
