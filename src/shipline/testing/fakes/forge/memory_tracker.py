"""Milestones, issues, labels and comments of the forge in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from shipline.domain.errors import ConflictError, InvalidValue
from shipline.ports.forge import bears, checked_label, marked
from shipline.ports.forge.answers import ItemState, Known, Thread
from shipline.ports.forge.speakers import Reaction, Remark, Role, Speaker
from shipline.ports.forge.tracker import (
    ALL_ISSUES,
    Comment,
    Issue,
    IssueChange,
    IssueDraft,
    IssueQuery,
    Label,
    Milestone,
)
from shipline.testing.fakes.forge.memory_access import MemoryAccess
from shipline.testing.fakes.forge.tracker import Badge, Item, Note, Stone, bearing


class MemoryTracker(MemoryAccess):
    """The tracker's nouns over the model."""

    # --- milestones --------------------------------------------------------------------------------------------

    def milestones(self, *, state: ItemState | None = None) -> tuple[Milestone, ...]:
        """The oldest first."""
        self._reach()
        return tuple(_milestone(one) for one in self.model.stones.values() if state in (None, one.state))

    def find_milestone(self, title: str) -> Milestone | None:
        """By title."""
        return next((one for one in self.milestones() if one.title == title), None)

    def read_milestone(self, key: str) -> Milestone | None:
        """By key."""
        self._reach()
        return _milestone(self.model.stones[int(key)]) if int(key) in self.model.stones else None

    def create_milestone(self, title: str, *, description: str = "", due_on: date | None = None) -> Milestone:
        """One a title."""
        known = self.find_milestone(title)
        if known is not None:
            return known
        self._make()
        made = self.model.create_stone(title, description, due_on, unique=True)
        self._answer()
        return _milestone(made)

    def update_milestone(self, milestone: Milestone) -> Milestone:
        """As given."""
        self._write()
        if any(one.title == milestone.title and one.key != milestone.key for one in self.milestones()):
            raise ConflictError(f"another milestone is called {milestone.title!r}")
        changed = self.model.change_stone(
            int(milestone.key),
            unique=True,
            title=milestone.title,
            description=milestone.description,
            due_on=milestone.due_on,
            state=milestone.state,
        )
        self._answer()
        return _milestone(changed)

    def delete_milestone(self, key: str) -> None:
        """It goes."""
        self._write()
        if int(key) in self.model.stones:
            self.model.delete_stone(int(key))
        self._answer()

    # --- issues ------------------------------------------------------------------------------------------------

    def issues(self, query: IssueQuery = ALL_ISSUES) -> Iterator[Issue]:
        """Those that are asked for."""
        if any("," in label for label in query.labels):
            raise InvalidValue("no forge can be asked for a label with a comma in its name")
        self._reach()
        yield from [one for one in map(_issue, self.model.items.values()) if query.takes(one)]

    def find_issue(self, number: int) -> Issue | None:
        """By number."""
        self._reach()
        return _issue(self.model.items[number]) if number in self.model.items else None

    def open_issues(self, label: str) -> int | None:
        """Of the model."""
        self._reach()
        known = self.model.has_label(checked_label(label))
        found = [one for one in self.model.items.values() if one.state is ItemState.OPEN and bearing(one.labels, label)]
        return len(found) if known else None

    def marked_issue(self, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue | None:
        """The oldest of this account."""
        found = (one for one in self.issues(within) if bears(one.body, marker) and one.author == self.model.account)
        return min(found, key=lambda one: one.number, default=None)

    def create_issue(self, draft: IssueDraft, *, marker: str, within: IssueQuery = ALL_ISSUES) -> Issue:
        """One a marker."""
        known = self.marked_issue(marker, within)
        if known is not None:
            return known
        self._make()
        milestone = int(draft.milestone) if draft.milestone else None
        made = self.model.create_item(draft.title, marked(draft.body, marker), list(draft.labels), milestone)
        self._answer()
        return _issue(made)

    def edit_issue(self, number: int, change: IssueChange) -> Issue:
        """What is set."""
        self._write()
        if change.milestone is not None:
            self.model.place_item(number, int(change.milestone) if change.milestone else None)
        changed = self.model.change_item(number, title=change.title, body=change.body, state=change.state)
        self._answer()
        return _issue(changed)

    # --- labels ------------------------------------------------------------------------------------------------

    def labels(self) -> tuple[Label, ...]:
        """By name."""
        self._reach()
        return tuple(sorted(map(_label, self.model.badges.values()), key=lambda one: one.name))

    def ensure_label(self, label: Label) -> Label:
        """As given."""
        known = next((one for one in self.model.badges.values() if one.name == label.name), None)
        self._make() if known is None else self._write()
        if known is None:
            self.model.create_badge(label.name, label.color, label.description)
        elif _label(known) != label:
            self.model.change_badge(known, color=label.color, description=label.description)
        self._answer()
        return label

    def delete_label(self, name: str) -> None:
        """It goes."""
        self._write()
        known = next((one for one in self.model.badges.values() if one.name == name), None)
        if known is not None:
            self.model.delete_badge(known)
        self._answer()

    # --- what issues and pull requests have alike --------------------------------------------------------------

    def add_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """On."""
        self._write()
        self.model.put_labels(thread, list(names))
        self._answer()

    def remove_labels(self, thread: Thread, names: tuple[str, ...]) -> None:
        """Off."""
        self._write()
        self.model.take_labels(thread, list(names))
        self._answer()

    def assign(self, thread: Thread, names: tuple[str, ...]) -> None:
        """To these."""
        self._write()
        self.model.assign(thread, list(names))
        self._answer()

    def comments(self, thread: Thread) -> Iterator[Comment]:
        """The oldest first."""
        self._reach()
        yield from [_comment(note) for note in self.model.notes_of(thread) if not note.system]

    def put_comment(self, thread: Thread, *, marker: str, body: str) -> Comment:
        """One a marker."""
        wanted = marked(body, marker)
        ours = (one for one in self.comments(thread) if bears(one.body, marker) and one.author == self.model.account)
        known = next(ours, None)
        if known is None or known.body != wanted:
            self._make() if known is None else self._write()
            note = (
                self.model.add_note(thread, wanted) if known is None else self.model.change_note(int(known.key), wanted)
            )
            self._answer()
            return _comment(note)
        return known

    def delete_comment(self, thread: Thread, key: str) -> None:
        """It goes."""
        self._write()
        if int(key) in self.model.notes:
            self.model.delete_note(int(key))
        self._answer()

    # --- who says something ------------------------------------------------------------------------------------

    def remark(self, thread: Thread, key: str) -> Remark | None:
        """Of the model."""
        self._reach()
        note = self.model.notes.get(int(key))
        if note is None or note.thread != thread or note.system:
            return None
        return Remark(_comment(note), edited=note.edited_us != 0)

    def speaker(self, login: str) -> Speaker:
        """Of the model."""
        self._reach()
        robot = Known.YES if login in self.model.robots else Known.NO
        if not self.model.tells_roles:
            return Speaker(Role.UNKNOWN, Known.UNKNOWN)
        return Speaker(Role(self.model.roles.get(login, "read")), robot)

    def react(self, thread: Thread, key: str, reaction: Reaction) -> None:
        """Once."""
        self._write()
        if self.remark(thread, key) is not None:
            self.model.react(int(key), reaction.value)
        self._answer()


def _milestone(stone: Stone) -> Milestone:
    return Milestone(str(stone.key), stone.title, stone.description, stone.state, stone.due_on)


def _issue(item: Item) -> Issue:
    return Issue(
        number=item.number,
        title=item.title,
        body=item.body,
        state=item.state,
        author=item.author,
        labels=tuple(item.labels),
        assignees=tuple(item.assignees),
        milestone=None if item.milestone is None else str(item.milestone),
        created_us=item.created_us,
        updated_us=item.updated_us,
    )


def _label(badge: Badge) -> Label:
    return Label(badge.name, badge.color, badge.description)


def _comment(note: Note) -> Comment:
    return Comment(str(note.key), note.body, note.author, note.created_us)
