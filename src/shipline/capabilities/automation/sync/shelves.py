"""The kinds of items, as the forges keep them: how they are read, made, changed and taken away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from shipline.capabilities.automation.sync.contents import (
    MARKER,
    Content,
    Item,
    Kind,
    Side,
    Value,
    copied,
    harmless,
    marker_of,
    original_of,
    text_of,
)
from shipline.capabilities.automation.sync.pairing import Paired
from shipline.capabilities.automation.sync.rules import Decision, decide, decide_comment
from shipline.domain.errors import InvalidValue
from shipline.ports.forge import ForgePullRequests, ForgeRefs, ForgeReleases, checked_label, marked
from shipline.ports.forge.answers import ItemState, Thread, is_ours
from shipline.ports.forge.reviews import ForgeReviews
from shipline.ports.forge.tracker import (
    Comment,
    ForgeIssues,
    ForgeLabels,
    ForgeMilestones,
    ForgeThreads,
    Issue,
    IssueChange,
    IssueDraft,
    IssueQuery,
    Label,
    Milestone,
)

NOTICE = f"<!-- {MARKER}-ended "
# How far back a copy is looked for that an answer was lost of: longer than any request takes.
LOOK_BACK_US = 600_000_000


class Tracker(
    ForgeLabels,
    ForgeMilestones,
    ForgeIssues,
    ForgeThreads,
    ForgeReleases,
    ForgeRefs,
    ForgePullRequests,
    ForgeReviews,
    Protocol,
):
    """What of a forge is kept alike."""

    def account(self) -> str:
        """The login of the token's account, "" where the forge does not tell it."""
        ...


@dataclass(frozen=True, slots=True)
class End:
    """A forge, and what it is called in markers and to people: the kind of forge and the repository."""

    place: str
    forge: Tracker
    account: str

    def is_ours(self, author: str) -> bool:
        """True for what our account wrote."""
        return is_ours(self.account, author)


class Shelf(Protocol):
    """All items of one kind. `kind` says which; `checks` is True where one is cheaply looked at once more before it is
    changed, so that what was written meanwhile is not written over."""

    kind: Kind
    checks: bool

    def items(self, side: Side) -> dict[str, Item]:
        """All, by key."""
        ...

    def decide(self, each: Paired, wins: Side) -> Decision:
        """What is done about one of them."""
        ...

    def look(self, side: Side, key: str) -> Item | None:
        """One, as it is at this moment."""
        ...

    def make(self, side: Side, original: Item) -> Item:
        """A copy of what is on the other side. Idempotent by its marker, or its name."""
        ...

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:
        """Change fields of an item; what it says then. `original` is what it is a copy of, None for no copy."""
        ...

    def remove(self, side: Side, item: Item) -> str | None:
        """Take it away; its key where all that can be done is to close it."""
        ...


@dataclass(frozen=True, slots=True)
class LabelShelf:
    """Labels, by name."""

    ends: dict[Side, End]
    kind = Kind.LABEL
    checks = False

    def decide(self, each: Paired, wins: Side) -> Decision:
        """As the rules have it."""
        return decide(each.pair, wins)

    def items(self, side: Side) -> dict[str, Item]:
        """Those whose names can be written everywhere."""
        return {
            one.name: Item(one.name, {"color": one.color, "description": one.description})
            for one in self.ends[side].forge.labels()
            if is_label(one.name)
        }

    def look(self, side: Side, key: str) -> Item | None:
        """Out of the list."""
        return self.items(side).get(key)

    def make(self, side: Side, original: Item) -> Item:
        """Of the same name."""
        return Item(original.key, self._put(side, original.key, original.content))

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:  # noqa: ARG002 - a label is alike on both sides
        """As the content says."""
        return self._put(side, item.key, {**item.content, **fields})

    def _put(self, side: Side, name: str, content: Content) -> Content:
        wanted = Label(name, str(content["color"]), str(content["description"]))
        made = self.ends[side].forge.ensure_label(wanted)
        return {"color": made.color, "description": made.description}

    def remove(self, side: Side, item: Item) -> None:
        """From all that bears it."""
        self.ends[side].forge.delete_label(item.key)


@dataclass(frozen=True, slots=True)
class MilestoneShelf:
    """Milestones."""

    ends: dict[Side, End]
    kind = Kind.MILESTONE
    checks = True

    def decide(self, each: Paired, wins: Side) -> Decision:
        """As the rules have it."""
        return decide(each.pair, wins)

    def items(self, side: Side) -> dict[str, Item]:
        """All."""
        return {one.key: _milestone_item(one) for one in self.ends[side].forge.milestones()}

    def look(self, side: Side, key: str) -> Item | None:
        """By its key."""
        found = self.ends[side].forge.read_milestone(key)
        return None if found is None else _milestone_item(found)

    def make(self, side: Side, original: Item) -> Item:
        """Of the same title."""
        content, forge = original.content, self.ends[side].forge
        made = forge.create_milestone(
            str(content["title"]), description=str(content["description"]), due_on=_day(content["due_on"])
        )
        if made.state.value != content["state"]:
            made = forge.update_milestone(_milestone(made.key, content))
        return _milestone_item(made)

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:  # noqa: ARG002 - a milestone is alike on both sides
        """As a whole: that is how forges take it. A day that was taken away stays where a forge cannot do so."""
        wanted = _milestone(item.key, {**item.content, **fields})
        return _milestone_item(self.ends[side].forge.update_milestone(wanted)).content

    def remove(self, side: Side, item: Item) -> None:
        """Its issues stay."""
        self.ends[side].forge.delete_milestone(item.key)


@dataclass
class IssueShelf:
    """Issues. Milestones are named by their titles, which both sides share once those were seen to."""

    ends: dict[Side, End]
    now_us: int
    kind = Kind.ISSUE
    checks = True
    _titles: dict[Side, dict[str, str]] = field(default_factory=dict)

    def decide(self, each: Paired, wins: Side) -> Decision:
        """What stood below one that is gone would not come back with it: so it is closed, which loses nothing."""
        decision = decide(each.pair, wins)
        if decision.make is not None and each.link.number:
            return Decision(remove=decision.make.other)
        return decision

    def items(self, side: Side) -> dict[str, Item]:
        """All."""
        self._titles.pop(side, None)
        return {str(one.number): self._item(side, one) for one in self.ends[side].forge.issues()}

    def look(self, side: Side, key: str) -> Item | None:
        """By its number."""
        found = self.ends[side].forge.find_issue(int(key))
        return None if found is None else self._item(side, found)

    def titles(self, side: Side) -> dict[str, str]:
        """The titles of milestones by their keys."""
        if side not in self._titles:
            self._titles[side] = {one.key: one.title for one in self.ends[side].forge.milestones()}
        return self._titles[side]

    def _item(self, side: Side, issue: Issue) -> Item:
        web = issue.url.split("/-/", 1)[0].rsplit("/issues/", 1)[0]
        content: Content = {
            "title": issue.title,
            "body": text_of(issue.body, web),
            "state": issue.state.value,
            "milestone": self.titles(side).get(issue.milestone or "", ""),
            "labels": tuple(sorted(name for name in issue.labels if is_label(name))),
        }
        ours = self.ends[side].is_ours(issue.author)
        copy_of = original_of(issue.body, self.kind, self.ends[side.other].place) if ours else ""
        return Item(str(issue.number), content, issue.author, copy_of, issue.updated_us, web)

    def _milestone_key(self, side: Side, title: Value) -> str:
        return next((key for key, known in self.titles(side).items() if known == title), "")

    def make(self, side: Side, original: Item) -> Item:
        """Below its marker. What was closed is closed after that."""
        content, end = original.content, self.ends[side]
        draft = IssueDraft(
            str(content["title"]),
            self._copied(side, original, str(content["body"])),
            tuple(content["labels"]),
            self._milestone_key(side, content["milestone"]) or None,
        )
        marker = marker_of(self.kind, self.ends[side.other].place, original.key)
        recent = IssueQuery(updated_since_us=max(0, self.now_us - LOOK_BACK_US))
        made = end.forge.create_issue(draft, marker=marker, within=recent)
        if made.state.value != content["state"]:
            made = end.forge.edit_issue(made.number, IssueChange(state=ItemState(str(content["state"]))))
        return self._item(side, made)

    def _copied(self, side: Side, original: Item, text: str) -> str:
        return copied(text, author=original.author, place=f"{self.ends[side.other].place} {original.key}")

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:
        """Labels first, then the rest, whose answer says how it is."""
        forge, number, after = self.ends[side].forge, int(item.key), dict(item.content)
        if "labels" in fields:
            wanted, known = set(fields["labels"]), set(item.content["labels"])
            if wanted - known:
                forge.add_labels(Thread.issue(number), tuple(sorted(wanted - known)))
            if known - wanted:
                forge.remove_labels(Thread.issue(number), tuple(sorted(known - wanted)))
            after["labels"] = fields["labels"]
        if fields.keys() - {"labels"}:
            change = self._change(side, fields, original)
            after = {**self._item(side, forge.edit_issue(number, change)).content, "labels": after["labels"]}
        return after

    def _change(self, side: Side, fields: dict[str, Value], original: Item | None) -> IssueChange:
        body = None
        if "body" in fields and original is None:
            body = harmless(str(fields["body"]))
        elif "body" in fields and original is not None:
            marker = marker_of(self.kind, self.ends[side.other].place, original.key)
            body = marked(self._copied(side, original, str(fields["body"])), marker)
        return IssueChange(
            title=str(fields["title"]) if "title" in fields else None,
            body=body,
            state=ItemState(str(fields["state"])) if "state" in fields else None,
            milestone=self._milestone_key(side, fields["milestone"]) if "milestone" in fields else None,
        )

    def remove(self, side: Side, item: Item) -> str:
        """No token of a robot deletes issues: it is closed."""
        if item.content["state"] != ItemState.CLOSED.value:
            self.ends[side].forge.edit_issue(int(item.key), IssueChange(state=ItemState.CLOSED))
        return item.key

    def keep_lost(self, side: Side, key: str, text: str, mark: str) -> None:
        """A text that did not win becomes a comment, which is copied to the other side like any other."""
        keep_lost(self.ends[side], Thread.issue(int(key)), text, mark)


@dataclass(frozen=True, slots=True)
class CommentShelf:
    """The comments below one issue. `threads` are its numbers; `web` where its repositories are."""

    ends: dict[Side, End]
    threads: dict[Side, Thread]
    web: dict[Side, str]
    kind = Kind.COMMENT
    checks = False

    def decide(self, each: Paired, wins: Side) -> Decision:  # noqa: ARG002 - a text is its author's
        """The copy follows."""
        return decide_comment(each.pair, each.link.origin)

    def items(self, side: Side) -> dict[str, Item]:
        """The oldest first."""
        found = self.ends[side].forge.comments(self.threads[side])
        return {one.key: self._item(side, one) for one in found if not self._is_notice(side, one)}

    def _is_notice(self, side: Side, comment: Comment) -> bool:
        """What was said to this side alone."""
        return self.ends[side].is_ours(comment.author) and comment.body.startswith(NOTICE)

    def look(self, side: Side, key: str) -> Item | None:
        """Out of the list, read anew."""
        return self.items(side).get(key)

    def _item(self, side: Side, comment: Comment) -> Item:
        ours = self.ends[side].is_ours(comment.author)
        copy_of = original_of(comment.body, self.kind, self.ends[side.other].place) if ours else ""
        return Item(comment.key, {"body": text_of(comment.body, self.web[side])}, comment.author, copy_of)

    def make(self, side: Side, original: Item) -> Item:
        """Below its marker."""
        return self._item(side, self._put(side, original, str(original.content["body"])))

    def write(self, side: Side, item: Item, fields: dict[str, Value], original: Item | None) -> Content:
        """Only copies are written: no forge lets a robot change what people wrote."""
        if original is None:
            return item.content
        return self._item(side, self._put(side, original, str(fields["body"]))).content

    def _put(self, side: Side, original: Item, text: str) -> Comment:
        marker = marker_of(self.kind, self.ends[side.other].place, original.key)
        body = copied(text, author=original.author, place=self.ends[side.other].place)
        return self.ends[side].forge.put_comment(self.threads[side], marker=marker, body=body)

    def remove(self, side: Side, item: Item) -> None:
        """Whosoever it is: it was taken away on the other side."""
        self.ends[side].forge.delete_comment(self.threads[side], item.key)

    def keep_lost(self, side: Side, _key: str, text: str, mark: str) -> None:
        """What somebody wrote into a copy becomes a comment of its own."""
        keep_lost(self.ends[side], self.threads[side], text, mark)


def keep_lost(end: End, thread: Thread, text: str, mark: str) -> None:
    """Write a text that was lost as a comment of its own, once."""
    body = f"*Both forges had changed this; what was written here was:*\n\n{harmless(text)}"
    end.forge.put_comment(thread, marker=f"{MARKER}-lost {mark}", body=body)


def is_label(name: str) -> bool:
    """True for a name that every forge takes."""
    try:
        checked_label(name)
    except InvalidValue:
        return False
    return True


def _milestone_item(milestone: Milestone) -> Item:
    content: Content = {
        "title": milestone.title,
        "description": milestone.description.replace("\r\n", "\n").strip(),
        "state": milestone.state.value,
        "due_on": "" if milestone.due_on is None else milestone.due_on.isoformat(),
    }
    return Item(milestone.key, content)


def _milestone(key: str, content: Content) -> Milestone:
    return Milestone(
        key,
        str(content["title"]),
        str(content["description"]),
        ItemState(str(content["state"])),
        _day(content["due_on"]),
    )


def _day(written: Value) -> date | None:
    return date.fromisoformat(str(written)) if written else None
