"""What a forge knows of milestones, issues, labels and comments, and the rules that all forges share about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from shipline.ports.clock import Clock
from shipline.ports.forge.answers import ItemState, Thread, ThreadKind
from shipline.ports.forge.hooks import HookEvent
from shipline.testing.fakes.forge.happenings import Happening
from shipline.testing.fakes.forge.hooks import HookRows
from shipline.testing.fakes.forge.refusals import Refused

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


@dataclass
class Stone:
    """A milestone."""

    key: int
    title: str
    description: str
    due_on: date | None
    state: ItemState = ItemState.OPEN


@dataclass
class Item:
    """An issue. `milestone` is that one's key."""

    number: int
    title: str
    body: str
    author: str
    created_us: int
    updated_us: int
    state: ItemState = ItemState.OPEN
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    milestone: int | None = None


@dataclass
class Badge:
    """A label."""

    key: int
    name: str
    color: str
    description: str


@dataclass
class Note:
    """A comment. `system`: the forge itself has noted something, as GitLab does. `edited_us` is when its text was last
    changed, 0 for never. `reactions` are accounts with their signs."""

    key: int
    thread: Thread
    body: str
    author: str
    created_us: int
    system: bool = False
    edited_us: int = 0
    reactions: list[tuple[str, str]] = field(default_factory=list)


class TrackerModel:
    """`account` is whose token it is, `people` who may be assigned. `roles` is what accounts may
    do (admin, maintain, write, triage, read; none: nothing), `robots` are those of no person; `tells_roles` False: the
    token may not ask. Time goes on by a second with each change.

    `pull_threads` holds what issues and pull requests have alike of the latter: their assignees, by number.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.account = "robot"
        self.people = ["robot", "ada", "grace"]
        self.roles = {"robot": "admin"}
        self.robots = {"robot"}
        self.tells_roles = True
        self.stones: dict[int, Stone] = {}
        self.items: dict[int, Item] = {}
        self.badges: dict[int, Badge] = {}
        self.notes: dict[int, Note] = {}
        self.effects: list[str] = []
        self.listeners: list[Callable[[Happening], None]] = []
        self._clock = clock
        self._now_us = START_US
        self._last = 0
        self.hooks = HookRows(self.next_key, self.now_us)

    def tell(self, event: HookEvent, action: str, subject: object) -> None:
        """Let those know who listen."""
        for listener in self.listeners:
            listener(Happening(event, action, subject))

    def next_key(self) -> int:
        """A number that nothing here has yet."""
        self._last += 1
        return self._last

    def now_us(self) -> int:
        """A later instant than any before."""
        given = 0 if self._clock is None else self._clock.now_us()
        self._now_us = max(given, self._now_us + SECOND_US)
        return self._now_us

    def _note(self, effect: str) -> None:
        self.effects.append(effect)

    # --- milestones --------------------------------------------------------------------------------------------

    def create_stone(self, title: str, description: str, due_on: date | None, *, unique: bool) -> Stone:
        """A new milestone. `unique`: the forge takes a title once."""
        self._free(title, unique=unique)
        made = Stone(self.next_key(), title, description, due_on)
        self.stones[made.key] = made
        self._note(f"create milestone {title}")
        self.tell(HookEvent.MILESTONE, "created", made)
        return made

    def _free(self, title: str, *, unique: bool, but: int = 0) -> None:
        if title == "":
            raise Refused("invalid", "title can't be blank")
        if unique and any(one.title == title and one.key != but for one in self.stones.values()):
            raise Refused("duplicate", "title has already been taken")

    def stone(self, key: int) -> Stone:
        """One by key."""
        if key not in self.stones:
            raise Refused("missing", "Not Found")
        return self.stones[key]

    def change_stone(self, key: int, *, unique: bool, **values: object) -> Stone:
        """What is given, and not None."""
        stone = self.stone(key)
        if isinstance(values.get("title"), str):
            self._free(str(values["title"]), unique=unique, but=key)
        before = stone.state
        _set(stone, values)
        self._note(f"change milestone {stone.title}")
        self.tell(HookEvent.MILESTONE, _action(before, stone.state, "opened"), stone)
        return stone

    def delete_stone(self, key: int) -> None:
        """It goes, its issues stay."""
        stone = self.stone(key)
        del self.stones[key]
        for item in self.items.values():
            item.milestone = None if item.milestone == key else item.milestone
        self._note(f"delete milestone {stone.title}")
        self.tell(HookEvent.MILESTONE, "deleted", stone)

    # --- issues ------------------------------------------------------------------------------------------------

    def create_item(
        self, title: str, body: str, labels: list[str], milestone: int | None = None, *, author: str = ""
    ) -> Item:
        """A new issue of the token's account, or of another `author`."""
        if title == "":
            raise Refused("invalid", "title can't be blank")
        if milestone is not None:
            self.stone(milestone)
        now_us = self.now_us()
        number = self.next_key()
        made = Item(number, title, body, author or self.account, now_us, now_us, labels=labels, milestone=milestone)
        self.items[made.number] = made
        self._note(f"open issue {title}")
        self.tell(HookEvent.ISSUE, "opened", made)
        return made

    def item(self, number: int) -> Item:
        """One by number."""
        if number not in self.items:
            raise Refused("missing", "Not Found")
        return self.items[number]

    def change_item(self, number: int, **values: object) -> Item:
        """What is given, and not None."""
        item = self.item(number)
        before = item.state
        _set(item, values)
        self._touch(Thread.issue(number))
        self._note(f"change issue {item.title}")
        self.tell(HookEvent.ISSUE, _action(before, item.state, "reopened"), item)
        return item

    def place_item(self, number: int, milestone: int | None) -> None:
        """Into a milestone, or out of its own."""
        if milestone is not None:
            self.stone(milestone)
        self.item(number).milestone = milestone
        self._touch(Thread.issue(number))
        self._note("place an issue")

    # --- labels ------------------------------------------------------------------------------------------------

    def create_badge(self, name: str, color: str, description: str) -> Badge:
        """A new label."""
        if any(one.name.lower() == name.lower() for one in self.badges.values()):
            raise Refused("duplicate", "label already exists")
        made = Badge(self.next_key(), name, color, description)
        self.badges[made.key] = made
        self._note(f"create label {name}")
        return made

    def badge(self, key: int) -> Badge:
        """One by key."""
        if key not in self.badges:
            raise Refused("missing", "Not Found")
        return self.badges[key]

    def badge_named(self, name: str) -> Badge:
        """One by name."""
        found = next((one for one in self.badges.values() if one.name.lower() == name.lower()), None)
        if found is None:
            raise Refused("missing", "Not Found")
        return found

    def change_badge(self, badge: Badge, **values: object) -> Badge:
        """What is given, and not None."""
        _set(badge, values)
        self._note(f"change label {badge.name}")
        return badge

    def delete_badge(self, badge: Badge) -> None:
        """It goes, from all that bears it."""
        del self.badges[badge.key]
        for labels in self._all_labels():
            if badge.name in labels:
                labels.remove(badge.name)
        self._note(f"delete label {badge.name}")

    def _all_labels(self) -> list[list[str]]:
        return [item.labels for item in self.items.values()]

    def put_labels(self, thread: Thread, names: list[str]) -> list[str]:
        """Put labels on; GitHub and GitLab make those that are not there."""
        labels = self.labels_of(thread)
        labels += [name for name in dict.fromkeys(names) if name not in labels]
        self._touch(thread)
        self._note("put labels on")
        return labels

    def take_labels(self, thread: Thread, names: list[str]) -> list[str]:
        """Take labels off."""
        labels = self.labels_of(thread)
        labels[:] = [name for name in labels if name not in names]
        self._touch(thread)
        self._note("take labels off")
        return labels

    def assign(self, thread: Thread, names: list[str]) -> None:
        """Let these be the assignees; strangers are left out."""
        self.assignees_of(thread)[:] = [name for name in dict.fromkeys(names) if name in self.people]
        self._touch(thread)
        self._note("assign")

    # --- what people do ----------------------------------------------------------------------------------------

    def open_issue(self, *labels: str) -> int:
        """Somebody opens one; its labels are there from then on."""
        for label in labels:
            self._known(label)
        return self.create_item("something is wrong", "", list(labels), author="ada").number

    def close_issue(self, number: int) -> None:
        """Somebody closes it."""
        self.change_item(number, state=ItemState.CLOSED)

    def label_pull(self, number: int, label: str) -> None:
        """Somebody labels a pull request."""
        self._known(label)
        self.put_labels(Thread.pull(number), [label])

    def speak(self, thread: Thread, author: str, body: str) -> str:
        """Somebody writes a comment; its key."""
        return str(self.add_note(thread, body, author=author).key)

    def reword(self, key: str, body: str) -> None:
        """Somebody who may changes a comment, another's too; the forge tells of it."""
        note = self.note(int(key))
        note.body, note.edited_us = body, self.now_us()
        self.tell(HookEvent.COMMENT, "edited", note)

    def signs(self, key: str) -> tuple[str, ...]:
        """The reactions below it."""
        return tuple(sign for _, sign in self.note(int(key)).reactions)

    def allow(self, login: str, role: str, *, robot: bool = False) -> None:
        """Let an account be one of admin, maintain, write, triage, read or none."""
        self.roles[login] = role
        if robot:
            self.robots.add(login)

    def hide_roles(self) -> None:
        """Let the token not ask what others may do."""
        self.tells_roles = False

    def _known(self, label: str) -> None:
        if not self.has_label(label):
            self.create_badge(label, "ededed", "")

    def has_label(self, label: str) -> bool:
        """Whether there is such a label, in whatever case."""
        return any(badge.name.casefold() == label.casefold() for badge in self.badges.values())

    # --- what issues and pull requests have alike --------------------------------------------------------------

    def labels_of(self, thread: Thread) -> list[str]:
        """The labels of an issue; the whole model knows those of a pull request."""
        return self.item(thread.number).labels

    def assignees_of(self, thread: Thread) -> list[str]:
        """The assignees of an issue; the same."""
        return self.item(thread.number).assignees

    def _touch(self, thread: Thread) -> None:
        if thread.kind is ThreadKind.ISSUE:
            self.item(thread.number).updated_us = self.now_us()

    def add_note(self, thread: Thread, body: str, *, author: str = "", system: bool = False) -> Note:
        """A comment."""
        self.labels_of(thread)
        made = Note(self.next_key(), thread, body, author or self.account, self.now_us(), system)
        self.notes[made.key] = made
        self._touch(thread)
        self._note("comment")
        self.tell(HookEvent.COMMENT, "created", made)
        return made

    def notes_of(self, thread: Thread) -> list[Note]:
        """The oldest first."""
        self.labels_of(thread)
        return [note for note in self.notes.values() if note.thread == thread]

    def note(self, key: int) -> Note:
        """One by key."""
        if key not in self.notes:
            raise Refused("missing", "Not Found")
        return self.notes[key]

    def change_note(self, key: int, body: str) -> Note:
        """Another text; nobody changes what others wrote."""
        note = self.note(key)
        if note.author != self.account:
            raise Refused("forbidden", "this comment is of another account")
        note.body, note.edited_us = body, self.now_us()
        self._note("change a comment")
        return note

    def react(self, key: int, sign: str) -> bool:
        """A sign below a comment; False where it was there."""
        note = self.note(key)
        if (self.account, sign) in note.reactions:
            return False
        note.reactions.append((self.account, sign))
        self._note(f"react with {sign}")
        return True

    def delete_note(self, key: int) -> None:
        """It goes."""
        self.note(key)
        del self.notes[key]
        self._note("delete a comment")


def _set(target: object, values: dict[str, object]) -> None:
    for name, value in values.items():
        if value is not None:
            setattr(target, name, value)


def _action(before: ItemState, after: ItemState, opened: str) -> str:
    """What has become of it, in a word."""
    if before is after:
        return "edited"
    return "closed" if after is ItemState.CLOSED else opened


def bearing(labels: list[str], asked: str) -> bool:
    """Whether it bears all the labels of a query, in whatever case."""
    return {name.casefold() for name in asked.split(",") if name} <= {name.casefold() for name in labels}
