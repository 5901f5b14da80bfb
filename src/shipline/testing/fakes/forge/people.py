"""People at work on a fake forge: random edits of all that a tracker holds, by a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from random import Random

from shipline.ports.forge.answers import ItemState, Thread
from shipline.ports.forge.pulls import PullState
from shipline.testing.fakes.forge.model import ForgeModel, Page

WORDS = ("slow", "broken", "wanted", "/close", "@ada", "`@code`", "**bold**", "line\n/merge", "é", "a <!-- b -->")


class People:
    """They edit one forge, each time something else; `name` is who they are."""

    def __init__(self, model: ForgeModel, random: Random, name: str) -> None:
        self.model = model
        self.random = random
        self.name = name
        self.done = 0

    def edit(self) -> str:
        """One edit; what it was."""
        self.done += 1
        chosen = self.random.choices(
            [
                self.open_issue,
                self.edit_issue,
                self.label_issue,
                self.place_issue,
                self.comment,
                self.edit_comment,
                self.delete_comment,
                self.put_label,
                self.put_milestone,
                self.delete_label,
                self.delete_milestone,
                self.publish,
                self.edit_release,
                self.delete_release,
                self.open_pull,
                self.edit_pull,
            ],
            weights=[10, 20, 15, 8, 20, 8, 3, 5, 5, 1, 1, 3, 4, 1, 4, 6],
        )[0]
        chosen()
        return chosen.__name__

    def text(self) -> str:
        """A text like none before, with what is troublesome in it."""
        return f"{self.random.choice(WORDS)} {self.name} {self.done} {self.random.choice(WORDS)}"

    def open_issue(self) -> None:
        """An issue, perhaps with a label."""
        known = sorted(badge.name for badge in self.model.badges.values())
        labels = [self.random.choice(known)] if known and self.random.random() < 0.5 else []
        self.model.create_item(self.text().replace("\n", " "), self.text(), labels, author=self.name)

    def edit_issue(self) -> None:
        """Title, text or state."""
        number = self._one(self.model.items)
        if number is not None:
            states = self.random.choice([None, None, ItemState.OPEN, ItemState.CLOSED])
            title = self.text().replace("\n", " ") if self.random.random() < 0.3 else None
            body = self.text() if self.random.random() < 0.3 else None
            self.model.change_item(number, title=title, body=body, state=states)

    def label_issue(self) -> None:
        """A label on, or off."""
        number = self._one(self.model.items)
        known = sorted(badge.name for badge in self.model.badges.values())
        if number is not None and known:
            put = self.random.choice([self.model.put_labels, self.model.take_labels])
            put(Thread.issue(number), [self.random.choice(known)])

    def place_issue(self) -> None:
        """Into a milestone, or out of it."""
        number = self._one(self.model.items)
        if number is not None:
            self.model.place_item(number, self._one(self.model.stones) if self.random.random() < 0.7 else None)

    def comment(self) -> None:
        """Below any issue."""
        number = self._one(self.model.items)
        if number is not None:
            self.model.add_note(Thread.issue(number), self.text(), author=self.name)

    def edit_comment(self) -> None:
        """Anyone's, copies too: an owner of a repository may."""
        key = self._one(self.model.notes)
        if key is not None:
            self.model.notes[key].body += f"\nedited by {self.name} {self.done}"

    def delete_comment(self) -> None:
        """Anyone's."""
        key = self._one(self.model.notes)
        if key is not None:
            self.model.delete_note(key)

    def put_label(self) -> None:
        """A new one, or another colour."""
        name = f"kind/{self.random.randrange(8)}"
        color = f"{self.random.randrange(1 << 24):06x}"
        if self.model.has_label(name):
            self.model.change_badge(self.model.badge_named(name), color=color)
        else:
            self.model.create_badge(name, color, self.name)

    def put_milestone(self) -> None:
        """A new one, or another title, text or state."""
        key = self._one(self.model.stones)
        if key is None or self.random.random() < 0.4:
            self.model.create_stone(f"1.{self.done}.0 {self.name}", self.text(), None, unique=True)
        else:
            title = f"2.{self.done}.0 {self.name}" if self.random.random() < 0.3 else None
            state = self.random.choice([None, ItemState.OPEN, ItemState.CLOSED])
            self.model.change_stone(key, unique=True, title=title, description=self.text(), state=state)

    def delete_label(self) -> None:
        """One goes."""
        key = self._one(self.model.badges)
        if key is not None:
            self.model.delete_badge(self.model.badges[key])

    def delete_milestone(self) -> None:
        """One goes."""
        key = self._one(self.model.stones)
        if key is not None:
            self.model.delete_stone(key)

    def publish(self) -> None:
        """A release of a new tag; nobody but where branches are."""
        commit = self.model.refs.get(f"refs/heads/{self.model.default_branch}")
        if commit is not None:
            tag = f"v1.{self.done}.0-{self.name}"
            self.model.create_ref(f"refs/tags/{tag}", commit)
            page = Page(0, tag, self.text().replace("\n", " "), self.text(), draft=False, prerelease=False)
            self.model.create_page(page, one_a_tag=True)
            self.model.add_file(page, f"{tag}.whl", b"x", unique=True)

    def edit_release(self) -> None:
        """Title, notes or its mark; copies too."""
        key = self._one(self.model.pages)
        if key is not None:
            title = self.text().replace("\n", " ") if self.random.random() < 0.5 else None
            notes = self.text() if self.random.random() < 0.5 else None
            mark = self.random.choice([None, True, False])
            self.model.change_page(self.model.pages[key], title=title, notes=notes, prerelease=mark)

    def delete_release(self) -> None:
        """One of their own."""
        own = {key: page for key, page in self.model.pages.items() if page.tag.endswith(self.name)}
        key = self._one(own)
        if key is not None:
            self.model.delete_page(key)

    def open_pull(self) -> None:
        """A pull request of a new branch; nobody but where branches are."""
        base = self.model.default_branch
        if self.model.refs.get(f"refs/heads/{base}") is not None:
            head, text = f"topic/{self.done}-{self.name}", self.text()
            commit = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - the id of a commit
            self.model.create_ref(f"refs/heads/{head}", commit)
            self.model.open_pull(head, base, text.replace("\n", " "), self.text()).author = self.name

    def edit_pull(self) -> None:
        """Title, text, a comment, or its end; merged without that anything moves. Copies too."""
        number = self._one({key: one for key, one in self.model.pulls.items() if one.state is PullState.OPEN})
        if number is None:
            return
        what = self.random.choice(["title", "body", "comment", "comment", "close", "merge"])
        if what == "comment":
            self.model.add_note(Thread.pull(number), self.text(), author=self.name)
        elif what == "merge":
            self.model.merge(number, self.model.refs.get(f"refs/heads/{self.model.default_branch}") or "")
        else:
            title = self.text().replace("\n", " ") if what == "title" else None
            body = self.text() if what == "body" else None
            self.model.change_pull(number, title=title, body=body, close=what == "close")

    def _one(self, things: Mapping[int, object]) -> int | None:
        return self.random.choice(sorted(things)) if things else None
