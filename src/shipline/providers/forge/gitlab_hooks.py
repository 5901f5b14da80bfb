"""Webhooks of a project on GitLab.

From: docs.gitlab.com/api/project_webhooks. Milestone events came with 18.2; older ones leave that field alone. A hook
that failed is switched off for a while, or for good, and a test that succeeds switches it on.
"""

from __future__ import annotations

from typing import Any

from shipline.clients.forge_json import flag, instant, number, text, text_or_none
from shipline.ports.forge import Known
from shipline.ports.forge.hooks import DELIVERIES_MAX, Delivery, Hook, HookEvent
from shipline.providers.forge.hooks import RESTHooks

NEED = "scope api, role Maintainer"
FIELDS = {
    HookEvent.PUSH: ("push_events", "tag_push_events"),
    HookEvent.PULL_REQUEST: ("merge_requests_events",),
    HookEvent.ISSUE: ("issues_events",),
    HookEvent.COMMENT: ("note_events",),
    HookEvent.MILESTONE: ("milestone_events",),
    HookEvent.RELEASE: ("releases_events",),
    HookEvent.CHECK: ("pipeline_events",),
}
# The headers that name an event, the one first that is the same in each attempt.
NAMED = ("Idempotency-Key", "webhook-id", "X-Gitlab-Event-UUID")


class GitLabHooks(RESTHooks):
    """GitLab's part."""

    hook_need = NEED

    def _hook(self, item: Any) -> Hook:
        status = text_or_none(item, "alert_status") or "executable"
        return Hook(
            key=str(number(item, "id")),
            url=text(item, "url"),
            events=frozenset(event for event, fields in FIELDS.items() if flag(item, fields[0])),
            active=status == "executable",
            healthy=Known.YES if status == "executable" else Known.NO,
            said="" if status == "executable" else status,
        )

    def _hook_body(self, url: str, events: frozenset[HookEvent], secret: str) -> dict[str, Any]:
        wanted = {field: event in events for event, fields in FIELDS.items() for field in fields}
        return {"url": url, "token": secret, "enable_ssl_verification": True} | wanted

    def ensure_hook(self, url: str, *, events: frozenset[HookEvent], secret: str) -> Hook:
        """And switch it on."""
        return self.revive_hook(super().ensure_hook(url, events=events, secret=secret).key)

    def deliveries(self, key: str) -> tuple[Delivery, ...]:
        """GET the newest, since 17.3."""
        query = {"per_page": DELIVERIES_MAX}
        items = self._http.get(f"{self._at}/hooks/{int(key)}/events", query, need=NEED)
        return tuple(_delivery(item) for item in items)

    def redeliver(self, key: str, delivery: str) -> None:
        """POST it again, since 17.4."""
        self._http.send("POST", f"{self._at}/hooks/{int(key)}/events/{int(delivery)}/resend", need=NEED)

    def revive_hook(self, key: str) -> Hook:
        """Send a test where it is off: one that succeeds switches it on."""
        found = self._read_hook(key)
        if found.active:
            return found
        self._http.send("POST", f"{self._at}/hooks/{int(key)}/test/push_events", need=NEED)
        return self._read_hook(key)


def _delivery(item: Any) -> Delivery:
    status = text_or_none(item, "response_status") or ""
    return Delivery(
        key=str(number(item, "id")),
        event=text(item, "trigger"),
        status=int(status) if status.isascii() and status.isdigit() and len(status) == 3 else None,
        delivered_us=instant(item, "created_at"),
        identity=next((name for header in NAMED if (name := text_or_none(item, "request_headers", header))), ""),
    )
