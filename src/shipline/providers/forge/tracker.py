"""Milestones, issues, labels and comments, as all forges with a REST API do them: look, make once, read back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from shipline.clients.forge_http import made
from shipline.clients.forge_json import flag, instant, number, text, text_or_none
from shipline.domain.errors import InvalidValue
from shipline.domain.secrecy import redacted
from shipline.ports.forge import bears, checked_label, marked
from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.tracker import (
    ALL_ISSUES,
    ISSUES_MAX,
    LABELS_MAX,
    MILESTONES_MAX,
    Comment,
    Issue,
    IssueChange,
    IssueDraft,
    IssueQuery,
    Label,
    Milestone,
)
from shipline.providers.forge.access import COMMENTS_MAX
from shipline.providers.forge.base import RESTAccess


class RESTTracker(RESTAccess):
    """What the forges have alike. `milestone_need` and `issue_need` name the permissions that it takes.

    `milestone_key` is where a milestone's key stands; `_oldest_first` the query by which comments come in the order in
    which they were written, None where they always do.
    """

    milestone_need: str
    issue_need: str
    milestone_key = "id"
    _oldest_first: ClassVar[dict[str, str] | None] = None

    # --- milestones --------------------------------------------------------------------------------------------

    @abstractmethod
    def _milestone(self, item: Any) -> Milestone:
        """A milestone out of JSON."""

    @abstractmethod
    def _milestones_in(self, state: ItemState | None) -> dict[str, str]:
        """The query for those in a state."""

    @abstractmethod
    def _milestone_body(self, title: str, description: str, due_on: date | None) -> dict[str, Any]:
        """A milestone into JSON."""

    @abstractmethod
    def _milestone_state(self, milestone: Milestone) -> dict[str, Any]:
        """What brings it into its state."""

    def milestones(self, *, state: ItemState | None = None) -> tuple[Milestone, ...]:
        """GET the list."""
        found = map(self._milestone, self._list("milestones", MILESTONES_MAX, self._milestones_in(state)))
        return tuple(sorted(found, key=lambda one: int(one.key)))

    def find_milestone(self, title: str) -> Milestone | None:
        """Out of the list: not every forge finds one by its exact title."""
        return next((one for one in self.milestones() if one.title == title), None)

    def read_milestone(self, key: str) -> Milestone | None:
        """GET it."""
        found = self._http.find(f"{self._at}/milestones/{int(key)}")
        return None if found is None else self._milestone(found)

    def create_milestone(self, title: str, *, description: str = "", due_on: date | None = None) -> Milestone:
        """Made once."""
        body = self._milestone_body(title, description, due_on)
        return made(
            lambda: self.find_milestone(title),
            lambda: self._milestone(self._http.send("POST", f"{self._at}/milestones", body, need=self.milestone_need)),
        )

    def update_milestone(self, milestone: Milestone) -> Milestone:
        """Change it."""
        body = self._milestone_body(milestone.title, milestone.description, milestone.due_on)
        body |= self._milestone_state(milestone)
        return self._milestone(self._change(f"milestones/{int(milestone.key)}", body, self.milestone_need))

    def delete_milestone(self, key: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/milestones/{int(key)}", need=self.milestone_need)

    # --- issues ------------------------------------------------------------------------------------------------

    @abstractmethod
    def _issue(self, item: Any) -> Issue | None:
        """An issue out of JSON; None for what is none."""

    @abstractmethod
    def _issues_asked(self, query: IssueQuery) -> tuple[str, dict[str, str]]:
        """Where those that are asked for are listed, and the forge's own query; others may be among them."""

    @abstractmethod
    def _issue_body(self, draft: IssueDraft) -> dict[str, Any]:
        """A new issue into JSON."""

    @abstractmethod
    def _issue_change(self, number: int, change: IssueChange) -> dict[str, Any]:
        """A change into JSON."""

    def issues(self, query: IssueQuery = ALL_ISSUES) -> Iterator[Issue]:
        """GET the list, and leave out what a forge does not filter."""
        if any("," in label for label in query.labels):
            raise InvalidValue("no forge can be asked for a label with a comma in its name")
        path, asked = self._issues_asked(query)
        for item in self._list(path, ISSUES_MAX, asked):
            found = self._issue(item)
            if found is not None and query.takes(found):
                yield found

    def find_issue(self, number: int) -> Issue | None:
        """GET it."""
        found = self._http.find(f"{self._at}/issues/{int(number)}")
        return None if found is None else self._issue(found)

    @abstractmethod
    def _has_label(self, label: str) -> bool:
        """Whether there is such a label."""

    def open_issues(self, label: str) -> int | None:
        """Count those of the list that bear it: what a forge does not know as a label, some leave out of the query."""
        wanted = checked_label(label).casefold()
        path, asked = self._issues_asked(IssueQuery(state=ItemState.OPEN, labels=(label,)))
        issues = (self._issue(item) for item in self._list(path, ISSUES_MAX, asked))
        found = [one for one in issues if one is not None and wanted in {name.casefold() for name in one.labels}]
        return len(found) if found or self._has_label(label) else None

    def marked_issue(self, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue | None:
        """Out of the list: a forge's search neither finds what is hidden nor what was written just now."""
        found = [one for one in self.issues(within) if bears(one.body, marker) and self._is_ours(one.author)]
        return min(found, key=lambda one: one.number, default=None)

    def create_issue(self, draft: IssueDraft, *, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue:
        """Made once."""
        body = self._issue_body(IssueDraft(draft.title, marked(draft.body, marker), draft.labels, draft.milestone))
        return made(
            lambda: self.marked_issue(marker, within),
            lambda: self._certain(self._http.send("POST", f"{self._at}/issues", body, need=self.issue_need)),
        )

    def edit_issue(self, number: int, change: IssueChange) -> Issue:
        """Change it."""
        body = self._issue_change(number, change)
        path = f"issues/{int(number)}"
        if not body:  # GitLab refuses a change of nothing.
            return self._certain(self._http.get(f"{self._at}/{path}"))
        return self._certain(self._change(path, body, self.issue_need))

    def _certain(self, item: Any) -> Issue:
        found = self._issue(item)
        if found is None:
            raise InvalidValue(f"{number(item, 'number')} is the number of a pull request, not of an issue")
        return found

    # --- labels ------------------------------------------------------------------------------------------------

    @abstractmethod
    def _label_at(self, item: Any) -> str:
        """Where a label of the list is, from the repository."""

    @abstractmethod
    def _label_body(self, label: Label) -> dict[str, Any]:
        """A label into JSON."""

    def _known_labels(self) -> dict[str, Any]:
        """The labels as the forge lists them, by name; of several of one name the first."""
        found: dict[str, Any] = {}
        for item in self._list("labels", LABELS_MAX):
            found.setdefault(text(item, "name"), item)
        return found

    def labels(self) -> tuple[Label, ...]:
        """GET the list."""
        return tuple(_label(item) for _, item in sorted(self._known_labels().items()))

    def ensure_label(self, label: Label) -> Label:
        """Made once, then changed where it differs."""
        body = self._label_body(label)
        item = made(
            lambda: self._known_labels().get(label.name),
            lambda: self._http.send("POST", f"{self._at}/labels", body, need=self.issue_need),
        )
        if _label(item) == label:
            return label
        return _label(self._change(self._label_at(item), body, self.issue_need))

    def delete_label(self, name: str) -> None:
        """DELETE it."""
        item = self._known_labels().get(name)
        if item is not None:
            self._http.remove(f"{self._at}/{self._label_at(item)}", need=self.issue_need)

    # --- comments ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _comments_of(self, thread: Thread) -> str:
        """Where its comments are, from the repository."""

    @abstractmethod
    def _comment_at(self, thread: Thread, key: int) -> str:
        """Where one of them is, from the repository."""

    @abstractmethod
    def _thread_need(self, thread: Thread) -> str:
        """The permission that writing there takes."""

    def _comment(self, item: Any) -> Comment:
        return Comment(
            key=str(number(item, "id")),
            body=text_or_none(item, "body") or "",
            author=self._author(item),
            created_us=instant(item, "created_at"),
        )

    def _author(self, item: Any) -> str:
        """Who wrote it; "" for an account that is gone."""
        return text_or_none(item, "user", "login") or ""

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """GET the list."""
        for item in self._list(self._comments_of(thread), COMMENTS_MAX, self._oldest_first):
            if not flag(item, "system"):
                yield self._comment(item)

    def put_comment(self, thread: Thread, *, marker: str, body: str) -> Comment:
        """Change the first that bears the marker and is ours, or POST one."""
        wanted, path, need = marked(redacted(body), marker), self._comments_of(thread), self._thread_need(thread)

        def look() -> Comment | None:
            found = (one for one in self.comments(thread) if bears(one.body, marker) and self._is_ours(one.author))
            return next(found, None)

        def make() -> Comment:
            return self._comment(self._http.send("POST", f"{self._at}/{path}", {"body": wanted}, need=need))

        found = made(look, make)
        if found.body == wanted:
            return found
        return self._comment(self._change(self._comment_at(thread, int(found.key)), {"body": wanted}, need))

    def delete_comment(self, thread: Thread, key: str) -> None:
        """DELETE it."""
        self._http.remove(f"{self._at}/{self._comment_at(thread, int(key))}", need=self._thread_need(thread))


def _label(item: Any) -> Label:
    return Label(
        name=text(item, "name"),
        color=text(item, "color").removeprefix("#").lower(),
        description=text_or_none(item, "description") or "",
    )


def due(item: Any, name: str) -> date | None:
    """The day that a forge writes as a date or as an instant of it."""
    written = text_or_none(item, name)
    try:
        return None if not written else date.fromisoformat(written[:10])
    except ValueError:
        return None
