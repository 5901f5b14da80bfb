"""Webhooks as GitLab says them: their routes, their payloads, and the token in plain text.

From: docs.gitlab.com/user/project/integrations/{webhooks,webhook_events}; docs.gitlab.com/api/project_webhooks.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shipline.ports.forge.answers import ThreadKind
from shipline.testing.fakes.forge.gitlab_tracker import PROJECT_ID, STATES
from shipline.testing.fakes.forge.happenings import Happening, RefMoved
from shipline.testing.fakes.forge.hooks import Courier, HookRow, Sent
from shipline.testing.fakes.forge.model import ForgeModel, Page, Pull
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Item, Note, Stone

NOWHERE = "0" * 40
TOLD_MAX = 3
# The field that switches an event on, and what its header says.
WORDS = {
    "push_events": "Push Hook",
    "tag_push_events": "Tag Push Hook",
    "merge_requests_events": "Merge Request Hook",
    "issues_events": "Issue Hook",
    "note_events": "Note Hook",
    "milestone_events": "Milestone Hook",
    "releases_events": "Release Hook",
    "pipeline_events": "Pipeline Hook",
}
ACTIONS = {
    "opened": "open",
    "closed": "close",
    "reopened": "reopen",
    "edited": "update",
    "created": "create",
    "synchronize": "update",
}


def few(moves: list[RefMoved]) -> list[RefMoved]:
    """None of more than three branches, or of more than three tags, in one push.

    From: docs.gitlab.com/administration/settings/push_event_activities_limit.
    """
    branches = [move for move in moves if move.ref.startswith("refs/heads/")]
    tags = [move for move in moves if move not in branches]
    return [move for kind in (branches, tags) if len(kind) <= TOLD_MAX for move in kind]


class GitLabHooks:
    """GitLab's part."""

    model: ForgeModel
    courier: Courier
    switches_off = True

    def hook_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """Below the project."""
        one = rf"{at}/hooks/(\d+)"
        return [
            ("GET", f"{at}/hooks", lambda _: Reply([_hook(row) for row in self.model.hooks.rows.values()])),
            ("POST", f"{at}/hooks", self.create_hook),
            ("GET", one, lambda asked: Reply(_hook(self.model.hooks.get(asked.number(0))))),
            ("PUT", one, self.change_hook),
            ("DELETE", one, self.delete_hook),
            ("GET", f"{one}/events", self.list_sent),
            ("POST", rf"{one}/events/(\d+)/resend", self.send_again),
            ("POST", f"{one}/test/push_events", self.test_hook),
        ]

    def create_hook(self, asked: Request) -> Reply:
        body = asked.body
        words = [word for word in WORDS if body.get(word)]
        return Reply(_hook(self.model.hooks.create(body["url"], words, body.get("token") or "")), 201)

    def change_hook(self, asked: Request) -> Reply:
        row, body = self.model.hooks.get(asked.number(0)), asked.body
        row.url, row.secret = body.get("url", row.url), body.get("token", row.secret)
        row.words = [word for word in WORDS if body.get(word, word in row.words)]
        return Reply(_hook(row))

    def delete_hook(self, asked: Request) -> Reply:
        self.model.hooks.delete(asked.number(0))
        return Reply(None, 204)

    def list_sent(self, asked: Request) -> Reply:
        return Reply([_sent(one) for one in reversed(self.model.hooks.get(asked.number(0)).sent)])

    def send_again(self, asked: Request) -> Reply:
        row = self.model.hooks.get(asked.number(0))
        self.courier.again(row, self.model.hooks.sent(row.key, asked.number(1)))
        return Reply({"response_status": 200}, 201)

    def test_hook(self, asked: Request) -> Reply:
        row = self.model.hooks.get(asked.number(0))
        status = self.courier.ping(row, "push_events", {"object_kind": "push", "project": self._project()})
        if status is None or status >= 300:
            return Reply({"message": "the test failed"}, 422)
        return Reply({"message": "201 Created"}, 201)

    # --- payloads ----------------------------------------------------------------------------------------------

    def _user(self, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def _project(self) -> dict[str, Any]:
        return {
            "id": PROJECT_ID,
            "path_with_namespace": self.model.repository,
            "default_branch": self.model.default_branch,
        }

    def payloads(self, happening: Happening) -> list[tuple[str, dict[str, Any]]]:
        """What is sent, by the field that switches it on."""
        whole = {"project": self._project(), "user": self._user(self.model.account)}
        return [(word, whole | body) for word, body in self._told(happening)]

    def _told(self, happening: Happening) -> list[tuple[str, dict[str, Any]]]:
        action, subject = ACTIONS.get(happening.action, happening.action), happening.subject
        found: list[tuple[str, dict[str, Any]]] = []
        match subject:
            case Stone() if action != "update":  # Edits are not told.
                told = {"object_kind": "milestone", "event_type": "milestone", "object_attributes": _stone(subject)}
                found = [("milestone_events", told | {"action": action})]
            case Item():
                said = {"id": subject.number, "iid": subject.number, "title": subject.title, "action": action}
                said |= {"state": STATES[subject.state], "description": subject.body}
                found = [("issues_events", {"object_kind": "issue", "object_attributes": said})]
            case Pull():
                found = [("merge_requests_events", {"object_kind": "merge_request"} | self._merge(subject, action))]
            case Note():
                found = [("note_events", self._note_told(subject))]
            case Page():
                told = {"object_kind": "release", "action": action, "tag": subject.tag, "name": subject.title}
                found = [("releases_events", told)]
            case RefMoved():
                found = [self._push(subject)]
        return found

    def _merge(self, pull: Pull, action: str) -> dict[str, Any]:
        merged = pull.state.value == "merged"
        said = {"iid": pull.number, "title": pull.title, "description": pull.body, "source_branch": pull.head}
        said |= {"target_branch": pull.base, "state": "opened" if pull.state.value == "open" else pull.state.value}
        said |= {"action": "merge" if merged else action, "merge_commit_sha": pull.merge_commit}
        return {"object_attributes": said | {"last_commit": {"id": self.model.head_of(pull)}}}

    def _note_told(self, note: Note) -> dict[str, Any]:
        is_issue = note.thread.kind is ThreadKind.ISSUE
        said = {"id": note.key, "note": note.body, "noteable_type": "Issue" if is_issue else "MergeRequest"}
        said |= {"action": "update" if note.edited_us else "create"}
        thread = "issue" if is_issue else "merge_request"
        told = {"object_kind": "note", "object_attributes": said, thread: {"iid": note.thread.number}}
        return told | {"user": self._user(note.author)}

    def _push(self, moved: RefMoved) -> tuple[str, dict[str, Any]]:
        is_tag = moved.ref.startswith("refs/tags/")
        kind = "tag_push" if is_tag else "push"
        said = {
            "object_kind": kind,
            "event_name": kind,
            "ref": moved.ref,
            "before": moved.before or NOWHERE,
            "after": moved.after or NOWHERE,
            "checkout_sha": moved.after,
            "user_username": self.model.account,
            "project_id": PROJECT_ID,
            "project": self._project(),
            "commits": [] if moved.after is None else [{"id": moved.after}],
            "total_commits_count": 0 if moved.after is None else 1,
        }
        return ("tag_push_events" if is_tag else "push_events"), said

    def signed(self, row: HookRow, sent: Sent) -> dict[str, str]:
        """The token in plain text; the key is the same for each attempt."""
        return {
            "User-Agent": "GitLab/fake",
            "X-Gitlab-Event": WORDS[sent.word],
            "X-Gitlab-Token": row.secret,
            "X-Gitlab-Event-UUID": str(UUID(int=sent.key)),
            "X-Gitlab-Webhook-UUID": str(UUID(int=row.key)),
            "Idempotency-Key": sent.guid,
        }


def _stone(stone: Stone) -> dict[str, Any]:
    state = "active" if stone.state.value == "open" else "closed"
    return {"id": stone.key, "iid": stone.key, "title": stone.title, "state": state, "description": stone.description}


def _hook(row: HookRow) -> dict[str, Any]:
    status = "executable" if row.active else "temporarily_disabled"
    return {"id": row.key, "url": row.url, "alert_status": status} | {word: word in row.words for word in WORDS}


def _sent(sent: Sent) -> dict[str, Any]:
    status = "internal error" if sent.status is None else str(sent.status)
    headers = {"X-Gitlab-Event": WORDS[sent.word], "Idempotency-Key": sent.guid}
    said = {"id": sent.key, "trigger": sent.word.replace("_events", "_hooks"), "response_status": status}
    return said | {"request_headers": headers}
