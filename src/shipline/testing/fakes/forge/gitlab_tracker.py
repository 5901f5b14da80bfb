"""Milestones, issues, labels and notes as GitLab says them.

From: docs.gitlab.com/api/{milestones,issues,labels,notes}.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from shipline.ports.forge.answers import ItemState, Thread, ThreadKind
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.pulls import LineNote
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.repos_tracker import asked_at, said_at
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Badge, Item, Note, Stone, bearing

PROJECT_ID = 42
STATES = {ItemState.OPEN: "opened", ItemState.CLOSED: "closed"}
STONE_STATES = {ItemState.OPEN: "active", ItemState.CLOSED: "closed"}
EVENTS = {"close": ItemState.CLOSED, "reopen": ItemState.OPEN, "activate": ItemState.OPEN}
LEVELS = {"admin": 50, "maintain": 40, "write": 30, "triage": 20, "read": 10, "none": 0}
KINDS = {"issues": ThreadKind.ISSUE, "merge_requests": ThreadKind.PULL}


class GitLabTracker:
    """GitLab's part."""

    model: ForgeModel

    def tracker_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """Below the project, and the users."""
        notes = rf"{at}/(issues|merge_requests)/(\d+)/notes"
        return [
            ("GET", "/api/v4/user", lambda _: Reply(self._user(self.model.account))),
            ("GET", "/api/v4/users", self.users),
            ("GET", f"{at}/milestones", self.stones),
            ("POST", f"{at}/milestones", self.create_stone),
            ("GET", rf"{at}/milestones/(\d+)", lambda asked: Reply(_stone(self.model.stone(asked.number(0))))),
            ("PUT", rf"{at}/milestones/(\d+)", self.change_stone),
            ("DELETE", rf"{at}/milestones/(\d+)", self.delete_stone),
            ("GET", rf"{at}/milestones/(\d+)/issues", self.stone_issues),
            ("GET", f"{at}/issues", self.issues),
            ("POST", f"{at}/issues", self.create_issue),
            ("GET", rf"{at}/issues/(\d+)", lambda asked: Reply(self._item(self.model.item(asked.number(0))))),
            ("PUT", rf"{at}/issues/(\d+)", self.change_issue),
            ("GET", f"{at}/labels", lambda _: Reply([_badge(badge) for badge in self.model.badges.values()])),
            ("POST", f"{at}/labels", self.create_badge),
            ("GET", f"{at}/labels/([^/]+)", lambda asked: Reply(_badge(self._badge_of(asked)))),
            ("PUT", f"{at}/labels/([^/]+)", self.change_badge),
            ("DELETE", f"{at}/labels/([^/]+)", self.delete_badge),
            ("GET", notes, self.notes),
            ("POST", notes, self.add_note),
            ("GET", rf"{notes}/(\d+)", self.one_note),
            ("GET", rf"{notes}/(\d+)/award_emoji", self.awards),
            ("POST", rf"{notes}/(\d+)/award_emoji", self.award),
            ("GET", rf"{at}/members/all/(\d+)", self.member),
            ("GET", r"/api/v4/users/(\d+)", self.user),
            ("PUT", rf"{notes}/(\d+)", self.change_note),
            ("DELETE", rf"{notes}/(\d+)", self.delete_note),
        ]

    def _user(self, name: str) -> dict[str, Any]:
        known = self._all_names()
        number = 1 + (known.index(name) if name in known else 99)
        return {"id": number, "username": name, "name": name.title(), "state": "active"}

    def users(self, asked: Request) -> Reply:
        """By their exact name."""
        return Reply([self._user(name) for name in self._all_names() if name == asked.query.get("username")])

    def user(self, asked: Request) -> Reply:
        """One, with what a list leaves out."""
        name = self._named(asked.number(0))
        return Reply(self._user(name) | {"bot": name in self.model.robots})

    def member(self, asked: Request) -> Reply:
        """Who may do something, also by a group; a stranger is none."""
        if not self.model.tells_roles:
            raise Refused("forbidden", "403 Forbidden")
        name = self._named(asked.number(0))
        if name not in self.model.roles:
            raise Refused("missing", "404 Not found")
        return Reply(self._user(name) | {"access_level": LEVELS[self.model.roles[name]]})

    def _all_names(self) -> list[str]:
        known = (*self.model.people, *self.model.roles, *(note.author for note in self.model.notes.values()))
        return list(dict.fromkeys(known))

    def _named(self, number: int) -> str:
        found = next((name for name in self._all_names() if self._user(name)["id"] == number), None)
        if found is None:
            raise Refused("missing", "404 Not found")
        return found

    # --- milestones --------------------------------------------------------------------------------------------

    def stones(self, asked: Request) -> Reply:
        state = asked.query.get("state")
        found = [one for one in self.model.stones.values() if state in (None, STONE_STATES[one.state])]
        return Reply([_stone(one) for one in reversed(found)])

    def create_stone(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.create_stone(body["title"], body.get("description") or "", _day(body), unique=True)
        return Reply(_stone(made), 201)

    def change_stone(self, asked: Request) -> Reply:
        body = asked.body
        changed = self.model.change_stone(
            asked.number(0),
            unique=True,
            title=body.get("title"),
            description=body.get("description"),
            due_on=_day(body),
            state=EVENTS.get(body.get("state_event", "")),
        )
        return Reply(_stone(changed))

    def delete_stone(self, asked: Request) -> Reply:
        self.model.delete_stone(asked.number(0))
        return Reply(None, 204)

    def stone_issues(self, asked: Request) -> Reply:
        self.model.stone(asked.number(0))
        return Reply([self._item(item) for item in self.model.items.values() if item.milestone == asked.number(0)])

    # --- issues ------------------------------------------------------------------------------------------------

    def issues(self, asked: Request) -> Reply:
        query = asked.query
        since = query.get("updated_after")
        found = [
            item
            for item in self.model.items.values()
            if query.get("state", "all") in ("all", STATES[item.state])
            and bearing(item.labels, query.get("labels", ""))
            and (since is None or item.updated_us >= asked_at(since))
        ]
        return Reply([self._item(item) for item in (found if query.get("sort") == "asc" else reversed(found))])

    def create_issue(self, asked: Request) -> Reply:
        body = asked.body
        labels = _names(body.get("labels"))
        made = self.model.create_item(body["title"], body.get("description") or "", labels, body.get("milestone_id"))
        return Reply(self._item(made), 201)

    def change_issue(self, asked: Request) -> Reply:
        number, body = asked.number(0), asked.body
        if not body:
            return Reply({"error": "title, description, ... are missing, at least one parameter must be provided"}, 400)
        self.change_thread(Thread.issue(number), body)
        if "milestone_id" in body:
            self.model.place_item(number, body["milestone_id"] or None)
        rest = {"title": body.get("title"), "body": body.get("description")}
        rest |= {"state": EVENTS.get(body.get("state_event", ""))}
        if any(value is not None for value in rest.values()):
            self.model.change_item(number, **rest)
        return Reply(self._item(self.model.item(number)))

    def change_thread(self, thread: Thread, body: dict[str, Any]) -> None:
        """What issues and merge requests take alike."""
        if "add_labels" in body:
            self.model.put_labels(thread, _names(body["add_labels"]))
        if "remove_labels" in body:
            self.model.take_labels(thread, _names(body["remove_labels"]))
        if "labels" in body:
            self.model.take_labels(thread, list(self.model.labels_of(thread)))
            self.model.put_labels(thread, _names(body["labels"]))
        if "assignee_ids" in body:
            names = [name for name in self.model.people if self._user(name)["id"] in body["assignee_ids"]]
            self.model.assign(thread, names)

    def _item(self, item: Item) -> dict[str, Any]:
        return {
            "id": 500_000 + item.number,
            "iid": item.number,
            "project_id": PROJECT_ID,
            "title": item.title,
            "description": item.body,
            "state": STATES[item.state],
            "author": self._user(item.author),
            "labels": list(item.labels),
            "assignees": [self._user(name) for name in item.assignees],
            "milestone": None if item.milestone is None else _stone(self.model.stone(item.milestone)),
            "created_at": said_at(item.created_us),
            "updated_at": said_at(item.updated_us),
            "web_url": f"https://127.0.0.1/{self.model.repository}/-/issues/{item.number}",
        }

    # --- labels ------------------------------------------------------------------------------------------------

    def create_badge(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.create_badge(body["name"], body["color"].removeprefix("#"), body.get("description") or "")
        return Reply(_badge(made), 201)

    def change_badge(self, asked: Request) -> Reply:
        body = asked.body
        color = body["color"].removeprefix("#") if body.get("color") else None
        changed = self.model.change_badge(
            self._badge_of(asked), name=body.get("new_name"), color=color, description=body.get("description")
        )
        return Reply(_badge(changed))

    def delete_badge(self, asked: Request) -> Reply:
        self.model.delete_badge(self._badge_of(asked))
        return Reply(None, 204)

    def _badge_of(self, asked: Request) -> Badge:
        (name,) = asked.names
        return self.model.badge(int(name)) if name.isdigit() else self.model.badge_named(name)

    # --- notes -------------------------------------------------------------------------------------------------

    def notes(self, asked: Request) -> Reply:
        thread = _thread(asked)
        notes = [self._note(note) for note in self.model.notes_of(thread)]
        if thread.kind is ThreadKind.PULL:
            notes += [self._line_note(note) for note in self.model.pull(thread.number).line_notes]
        return Reply(notes if asked.query.get("sort") == "asc" else notes[::-1])

    def _line_note(self, note: LineNote) -> dict[str, Any]:
        said = {"id": note.key, "type": "DiffNote", "body": note.body, "author": self._user(note.author)}
        return said | {"created_at": said_at(0), "updated_at": said_at(0), "system": False, "resolvable": True}

    def add_note(self, asked: Request) -> Reply:
        return Reply(self._note(self.model.add_note(_thread(asked), asked.body["body"])), 201)

    def change_note(self, asked: Request) -> Reply:
        return Reply(self._note(self.model.change_note(asked.number(2), asked.body["body"])))

    def delete_note(self, asked: Request) -> Reply:
        self.model.delete_note(asked.number(2))
        return Reply(None, 204)

    def _note(self, note: Note) -> dict[str, Any]:
        return {
            "id": note.key,
            "body": note.body,
            "author": self._user(note.author),
            "created_at": said_at(note.created_us),
            "updated_at": said_at(note.edited_us or note.created_us),
            "system": note.system,
        }

    def one_note(self, asked: Request) -> Reply:
        return Reply(self._note(self._note_at(asked)))

    def _note_at(self, asked: Request) -> Note:
        note = self.model.note(asked.number(2))
        if note.thread != _thread(asked):
            raise Refused("missing", "404 Not found")
        return note

    def awards(self, asked: Request) -> Reply:
        listed = enumerate(self._note_at(asked).reactions)
        return Reply([{"id": 1 + key, "name": sign, "user": self._user(name)} for key, (name, sign) in listed])

    def award(self, asked: Request) -> Reply:
        """A double is answered like what is not there."""
        note = self._note_at(asked)
        if not self.model.react(note.key, asked.body["name"]):
            return Reply({"message": "404 Award Emoji Name has already been taken Not Found"}, 404)
        return Reply({"id": len(note.reactions), "name": asked.body["name"]}, 201)


def _thread(asked: Request) -> Thread:
    return Thread(KINDS[asked.names[0]], asked.number(1))


def _names(given: str | list[str] | None) -> list[str]:
    """Labels as a text with commas, or as a list."""
    names = given.split(",") if isinstance(given, str) else given or []
    return [name.strip() for name in names if name.strip()]


def _day(body: dict[str, Any]) -> date | None:
    return date.fromisoformat(body["due_date"]) if body.get("due_date") else None


def _stone(stone: Stone) -> dict[str, Any]:
    return {
        "id": stone.key,
        "iid": stone.key,
        "title": stone.title,
        "description": stone.description,
        "state": STONE_STATES[stone.state],
        "due_date": None if stone.due_on is None else stone.due_on.isoformat(),
        "web_url": f"https://127.0.0.1/-/milestones/{stone.key}",
    }


def _badge(badge: Badge) -> dict[str, Any]:
    color = f"#{badge.color.upper()}"
    return {"id": badge.key, "name": badge.name, "color": color, "description": badge.description or None}
