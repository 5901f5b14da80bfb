"""Milestones, issues and labels of GitHub's API and of Gitea's, which took it over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from shipline.clients.forge_json import entries, instant, number, number_or_none, text, text_or_none
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import Issue, IssueChange, Milestone
from shipline.providers.forge.tracker import RESTTracker, due


class ReposTracker(RESTTracker):
    """What both have. Pull requests are issues there, with the same numbers, labels and comments."""

    def _milestone(self, item: Any) -> Milestone:
        return Milestone(
            key=str(number(item, self.milestone_key)),
            title=text(item, "title"),
            description=text_or_none(item, "description") or "",
            state=ItemState.CLOSED if text(item, "state") == "closed" else ItemState.OPEN,
            due_on=due(item, "due_on"),
            url=text_or_none(item, "html_url") or "",
        )

    def _milestones_in(self, state: ItemState | None) -> dict[str, str]:
        return {"state": "all" if state is None else state.value}

    def _milestone_body(self, title: str, description: str, due_on: date | None) -> dict[str, Any]:
        """At noon: GitHub keeps the day of a place west of there."""
        given = {} if due_on is None else {"due_on": f"{due_on.isoformat()}T12:00:00Z"}
        return {"title": title, "description": description} | given

    def _milestone_state(self, milestone: Milestone) -> dict[str, Any]:
        return {"state": milestone.state.value}

    def _issue(self, item: Any) -> Issue | None:
        if item.get("pull_request") is not None:
            return None
        milestone = number_or_none(item, "milestone", self.milestone_key)
        return Issue(
            number=number(item, "number"),
            title=text(item, "title"),
            body=text_or_none(item, "body") or "",
            state=ItemState.CLOSED if text(item, "state") == "closed" else ItemState.OPEN,
            author=self._author(item),
            labels=tuple(one if isinstance(one, str) else text(one, "name") for one in entries(item, "labels")),
            assignees=tuple(text(one, "login") for one in entries(item, "assignees")),
            milestone=None if milestone is None else str(milestone),
            created_us=instant(item, "created_at"),
            updated_us=instant(item, "updated_at"),
            url=text_or_none(item, "html_url") or "",
        )

    def _issue_change(self, number: int, change: IssueChange) -> dict[str, Any]:
        del number
        given = {"title": change.title, "body": change.body, "state": change.state and change.state.value}
        body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if change.milestone is not None:
            body["milestone"] = int(change.milestone) if change.milestone else self.no_milestone
        return body

    no_milestone: int | None = None
    """What takes an issue out of its milestone."""

    # --- comments ----------------------------------------------------------------------------------------------

    def _comments_of(self, thread: Thread) -> str:
        return f"issues/{int(thread.number)}/comments"

    def _comment_at(self, thread: Thread, key: int) -> str:
        del thread  # Comments have numbers of their own.
        return f"issues/comments/{key}"


def written(time_us: int) -> str:
    """An instant in whole seconds, as both take it."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
