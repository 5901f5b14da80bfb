"""Milestones, issues and labels on Gitea and Forgejo.

From: docs.gitea.com/api. Labels are named by their numbers, and two milestones may bear one title.
"""

from __future__ import annotations

from typing import Any

from shipline.clients.forge_json import number, text
from shipline.domain.errors import ConflictError, RefusedError
from shipline.ports.forge.answers import Thread
from shipline.ports.forge.tracker import LABELS_MAX, IssueDraft, IssueQuery, Label
from shipline.providers.forge.repos_tracker import ReposTracker, written

ISSUES = "write:issue"


class GiteaTracker(ReposTracker):
    """Gitea's part."""

    milestone_need = issue_need = ISSUES
    no_milestone = 0

    def _thread_need(self, thread: Thread) -> str:
        del thread
        return ISSUES

    def _issues_asked(self, query: IssueQuery) -> tuple[str, dict[str, str]]:
        asked = {"state": "all" if query.state is None else query.state.value, "type": "issues"}
        asked |= {"labels": ",".join(query.labels)} if query.labels else {}
        asked |= {"milestones": query.milestone} if query.milestone else {}
        asked |= {"since": written(query.updated_since_us)} if query.updated_since_us is not None else {}
        return "issues", asked

    def _has_label(self, label: str) -> bool:
        """One of the repository, or of the organization whose it is; an owner may also be a person."""
        wanted, owner = label.casefold(), self._settings.repository.partition("/")[0]
        if any(name.casefold() == wanted for name in self._known_labels()):
            return True
        try:
            shared = list(self._http.pages(f"/orgs/{owner}/labels", items_max=LABELS_MAX))
        except RefusedError:
            return False
        return any(text(item, "name").casefold() == wanted for item in shared)

    def _issue_body(self, draft: IssueDraft) -> dict[str, Any]:
        body: dict[str, Any] = {"title": draft.title, "body": draft.body, "labels": self._numbers_of(draft.labels)}
        return body | ({"milestone": int(draft.milestone)} if draft.milestone else {})

    # --- labels ------------------------------------------------------------------------------------------------

    def _label_at(self, item: Any) -> str:
        return f"labels/{number(item, 'id')}"

    def _label_body(self, label: Label) -> dict[str, Any]:
        return {"name": label.name, "color": f"#{label.color}", "description": label.description}

    def _numbers_of(self, names: tuple[str, ...]) -> list[int]:
        """The labels' numbers; ConflictError for a label that is not there."""
        if not names:
            return []
        known = self._known_labels()
        missing = sorted(set(names) - set(known))
        if missing:
            raise ConflictError(f"the forge has no label {missing[0]!r}", todo="make it before it is used")
        return [number(known[name], "id") for name in names]

    def add_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """POST their numbers: those that are on stay."""
        if names:
            path = f"{self._at}/issues/{int(thread.number)}/labels"
            self._http.send("POST", path, {"labels": self._numbers_of(names)}, need=ISSUES)

    def remove_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """DELETE each that is on."""
        path = f"{self._at}/issues/{int(thread.number)}/labels"
        for item in self._http.get(path):
            if text(item, "name") in names:
                self._http.remove(f"{path}/{number(item, 'id')}", need=ISSUES)

    def assign(self, thread: Thread, names: tuple[str, ...]) -> None:
        """PATCH it, without those who may not be assigned: Gitea would refuse them all."""
        may = {text(one, "login") for one in self._http.get(f"{self._at}/assignees")}
        self._change(f"issues/{int(thread.number)}", {"assignees": [one for one in names if one in may]}, ISSUES)
