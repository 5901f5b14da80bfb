"""Milestones, issues and labels on GitLab.

From: docs.gitlab.com/api/{milestones,issues,labels,notes}. A milestone of the project is meant, not one of its group.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from shipline.clients.forge_json import entries, instant, number, number_or_none, text, text_or_none
from shipline.domain.errors import InvalidValue
from shipline.ports.forge.answers import ItemState, Thread, ThreadKind
from shipline.ports.forge.tracker import Issue, IssueChange, IssueDraft, IssueQuery, Label, Milestone
from shipline.providers.forge.access import label_in_path
from shipline.providers.forge.repos_tracker import written
from shipline.providers.forge.tracker import RESTTracker, due

API = "scope api, role Developer"
STATES = {ItemState.OPEN: "opened", ItemState.CLOSED: "closed"}
THREADS = {ThreadKind.ISSUE: "issues", ThreadKind.PULL: "merge_requests"}


class GitLabTracker(RESTTracker):
    """GitLab's part."""

    milestone_need = issue_need = API
    change_method = "PUT"
    account_key = "username"
    _oldest_first: ClassVar[dict[str, str]] = {"sort": "asc", "order_by": "created_at"}

    def _thread_need(self, thread: Thread) -> str:
        del thread
        return API

    def _author(self, item: Any) -> str:
        return text_or_none(item, "author", "username") or ""

    # --- milestones --------------------------------------------------------------------------------------------

    def _milestone(self, item: Any) -> Milestone:
        return Milestone(
            key=str(number(item, "id")),
            title=text(item, "title"),
            description=text_or_none(item, "description") or "",
            state=ItemState.CLOSED if text(item, "state") == "closed" else ItemState.OPEN,
            due_on=due(item, "due_date"),
            url=text_or_none(item, "web_url") or "",
        )

    def _milestones_in(self, state: ItemState | None) -> dict[str, str]:
        return {} if state is None else {"state": "active" if state is ItemState.OPEN else "closed"}

    def _milestone_body(self, title: str, description: str, due_on: date | None) -> dict[str, Any]:
        given = {} if due_on is None else {"due_date": due_on.isoformat()}
        return {"title": title, "description": description} | given

    def _milestone_state(self, milestone: Milestone) -> dict[str, Any]:
        """An event, which may only come where the state is another."""
        before = self.read_milestone(milestone.key)
        if before is None or before.state is milestone.state:
            return {}
        return {"state_event": "close" if milestone.state is ItemState.CLOSED else "activate"}

    # --- issues ------------------------------------------------------------------------------------------------

    def _issue(self, item: Any) -> Issue | None:
        milestone = number_or_none(item, "milestone", "id")
        return Issue(
            number=number(item, "iid"),
            title=text(item, "title"),
            body=text_or_none(item, "description") or "",
            state=ItemState.CLOSED if text(item, "state") == "closed" else ItemState.OPEN,
            author=self._author(item),
            labels=tuple(one for one in entries(item, "labels") if isinstance(one, str)),
            assignees=tuple(text(one, "username") for one in entries(item, "assignees")),
            milestone=None if milestone is None else str(milestone),
            created_us=instant(item, "created_at"),
            updated_us=instant(item, "updated_at"),
            url=text_or_none(item, "web_url") or "",
        )

    def _issues_asked(self, query: IssueQuery) -> tuple[str, dict[str, str]]:
        """A list by milestone takes titles, which groups may have too: so a milestone's own list is asked.

        Two words stand for no label and for any. From: docs.gitlab.com/api/issues.
        """
        for label in query.labels:
            if label.casefold() in {"none", "any"}:
                raise InvalidValue(
                    f"issues of the label {label!r} cannot be asked for: GitLab takes it for another word"
                )
        if query.milestone:
            return f"milestones/{int(query.milestone)}/issues", {}
        asked = {"scope": "all", "order_by": "created_at", "sort": "asc"}
        asked |= {"state": STATES[query.state]} if query.state is not None else {}
        asked |= {"labels": ",".join(query.labels)} if query.labels else {}
        asked |= {"updated_after": written(query.updated_since_us)} if query.updated_since_us is not None else {}
        return "issues", asked

    def _has_label(self, label: str) -> bool:
        """Also one of the project's groups."""
        return self._http.find(f"{self._at}/labels/{label_in_path(label)}") is not None

    def _issue_body(self, draft: IssueDraft) -> dict[str, Any]:
        body: dict[str, Any] = {"title": draft.title, "description": draft.body, "labels": ",".join(draft.labels)}
        return body | ({"milestone_id": int(draft.milestone)} if draft.milestone else {})

    def _issue_change(self, number: int, change: IssueChange) -> dict[str, Any]:
        given = {"title": change.title, "description": change.body}
        body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if change.milestone is not None:
            body["milestone_id"] = int(change.milestone or 0)
        before = self.find_issue(number) if change.state is not None else None
        if before is not None and before.state is not change.state:
            body["state_event"] = "close" if change.state is ItemState.CLOSED else "reopen"
        return body

    # --- labels ------------------------------------------------------------------------------------------------

    def _label_at(self, item: Any) -> str:
        return f"labels/{number(item, 'id')}"

    def _label_body(self, label: Label) -> dict[str, Any]:
        return {"name": label.name, "color": f"#{label.color}", "description": label.description}

    def _change(self, path: str, body: dict[str, Any], need: str) -> Any:
        """A label's name is changed by another word."""
        given = {"new_name" if name == "name" else name: value for name, value in body.items()}
        return super()._change(path, given if path.startswith("labels/") else body, need)

    def _thread_at(self, thread: Thread) -> str:
        return f"{THREADS[thread.kind]}/{int(thread.number)}"

    def add_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """PUT them on: those that are on stay."""
        if names:
            self._change(self._thread_at(thread), {"add_labels": ",".join(names)}, API)

    def remove_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """PUT what goes."""
        if names:
            self._change(self._thread_at(thread), {"remove_labels": ",".join(names)}, API)

    def assign(self, thread: Thread, names: tuple[str, ...]) -> None:
        """PUT their numbers; GitLab leaves out who may not be assigned, and all but one where it is free."""
        self._change(self._thread_at(thread), {"assignee_ids": self._users(names) or [0]}, API)

    def _users(self, names: tuple[str, ...]) -> list[int]:
        """The numbers of those that GitLab knows."""
        found = [self._http.get("/users", {"username": name}) for name in names]
        return [number(one, "id") for listed in found for one in listed]

    # --- notes -------------------------------------------------------------------------------------------------

    def _comments_of(self, thread: Thread) -> str:
        return f"{self._thread_at(thread)}/notes"

    def _comment_at(self, thread: Thread, key: int) -> str:
        return f"{self._comments_of(thread)}/{key}"
