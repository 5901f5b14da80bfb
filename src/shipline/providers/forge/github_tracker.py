"""Milestones, issues and labels on GitHub.

From: docs.github.com/rest/issues, version 2022-11-28. Its lists of issues hold pull requests too, and its milestones
count them.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from shipline.clients.forge_json import text
from shipline.ports.forge.answers import Thread, ThreadKind
from shipline.ports.forge.tracker import IssueDraft, IssueQuery, Label
from shipline.providers.forge.access import label_in_path
from shipline.providers.forge.repos_tracker import ReposTracker, written

ISSUES, PULLS = "issues: write", "pull requests: write"


class GitHubTracker(ReposTracker):
    """GitHub's part. Whoever's token it does not tell of is an app or a workflow: a robot."""

    milestone_need = issue_need = ISSUES
    milestone_key = "number"

    def _is_ours(self, author: str) -> bool:
        return super()._is_ours(author) if self._account else author.endswith("[bot]")

    def _thread_need(self, thread: Thread) -> str:
        return ISSUES if thread.kind is ThreadKind.ISSUE else PULLS

    def _issues_asked(self, query: IssueQuery) -> tuple[str, dict[str, str]]:
        asked = {"state": "all" if query.state is None else query.state.value, "sort": "created", "direction": "asc"}
        asked |= {"labels": ",".join(query.labels)} if query.labels else {}
        asked |= {"milestone": query.milestone} if query.milestone else {}
        asked |= {"since": written(query.updated_since_us)} if query.updated_since_us is not None else {}
        return "issues", asked

    def _issue_body(self, draft: IssueDraft) -> dict[str, Any]:
        body: dict[str, Any] = {"title": draft.title, "body": draft.body, "labels": list(draft.labels)}
        return body | ({"milestone": int(draft.milestone)} if draft.milestone else {})

    def _has_label(self, label: str) -> bool:
        return self._http.find(f"{self._at}/labels/{label_in_path(label)}") is not None

    # --- labels ------------------------------------------------------------------------------------------------

    def _label_at(self, item: Any) -> str:
        return f"labels/{quote(text(item, 'name'), safe='')}"

    def _label_body(self, label: Label) -> dict[str, Any]:
        return {"name": label.name, "color": label.color, "description": label.description}

    def _change(self, path: str, body: dict[str, Any], need: str) -> Any:
        """A label's name stands in its address alone."""
        given = {name: value for name, value in body.items() if name != "name" or not path.startswith("labels/")}
        return super()._change(path, given, need)

    def add_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """POST them: those that are on stay."""
        if names:
            path = f"{self._at}/issues/{int(thread.number)}/labels"
            self._http.send("POST", path, {"labels": list(names)}, need=self._thread_need(thread))

    def remove_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """DELETE each."""
        for name in names:
            path = f"{self._at}/issues/{int(thread.number)}/labels/{quote(name, safe='')}"
            self._http.remove(path, need=self._thread_need(thread))

    def assign(self, thread: Thread, names: tuple[str, ...]) -> None:
        """PATCH it; GitHub leaves out who may not be assigned."""
        self._change(f"issues/{int(thread.number)}", {"assignees": list(names)}, self._thread_need(thread))
