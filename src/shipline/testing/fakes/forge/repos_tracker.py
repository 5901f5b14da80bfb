"""Milestones, issues, labels and comments as GitHub says them, and Gitea after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from shipline.ports.forge.answers import ItemState, Thread
from shipline.testing.fakes.forge.model import ForgeModel, Pull
from shipline.testing.fakes.forge.refusals import Refused
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Badge, Item, Note, Stone, bearing

SECOND_US = 1_000_000


def said_at(time_us: int) -> str:
    """An instant as all forges write it."""
    return datetime.fromtimestamp(time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def asked_at(text: str) -> int:
    """The other way round."""
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US


class ReposTracker:
    """The part that both say alike. `changed_status` is what a changed issue is answered with."""

    model: ForgeModel
    changed_status: int
    milestone_key: str
    unique_titles: bool

    def tracker_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """What both have at the same addresses."""
        issue = rf"{at}/issues/(\d+)"
        return [
            ("GET", "/api/v[13]/user", lambda _: Reply(self._user(self.model.account))),
            ("GET", f"{at}/milestones", self.stones),
            ("POST", f"{at}/milestones", self.create_stone),
            ("GET", rf"{at}/milestones/(\d+)", self._with_stone(self._stone)),
            ("PATCH", rf"{at}/milestones/(\d+)", self.change_stone),
            ("DELETE", rf"{at}/milestones/(\d+)", self.delete_stone),
            ("GET", f"{at}/issues", self.issues),
            ("POST", f"{at}/issues", self.create_issue),
            ("GET", issue, lambda asked: Reply(self._thread(asked.number(0)))),
            ("PATCH", issue, self.change_issue),
            ("GET", f"{at}/labels", lambda _: Reply([self._badge(badge) for badge in self.model.badges.values()])),
            ("POST", f"{at}/labels", self.create_badge),
            ("GET", f"{issue}/labels", lambda asked: Reply(self._labels(asked.number(0)))),
            ("POST", f"{issue}/labels", self.put_labels),
            ("GET", f"{issue}/comments", self.notes),
            ("POST", f"{issue}/comments", self.add_note),
            ("GET", rf"{at}/issues/comments/(\d+)", lambda asked: Reply(self._note(self.model.note(asked.number(0))))),
            ("POST", rf"{at}/issues/comments/(\d+)/reactions", self.react),
            ("GET", f"{at}/collaborators/([^/]+)/permission", self.role),
            ("PATCH", rf"{at}/issues/comments/(\d+)", self.change_note),
            ("DELETE", rf"{at}/issues/comments/(\d+)", self.delete_note),
        ]

    # --- what each says itself ---------------------------------------------------------------------------------

    def _pull(self, pull: Pull) -> dict[str, Any]:
        raise NotImplementedError

    def _names_of(self, labels: list[Any]) -> list[str]:
        """The labels that a request names."""
        raise NotImplementedError

    def _chosen(self, asked: Request, item: Item) -> bool:
        """Whether an issue is asked for, by its milestone."""
        raise NotImplementedError

    # --- milestones --------------------------------------------------------------------------------------------

    def _with_stone(self, said: Callable[[Stone], dict[str, Any]]) -> Handler:
        return lambda asked: Reply(said(self.model.stone(asked.number(0))))

    def stones(self, asked: Request) -> Reply:
        state = asked.query.get("state", "open")
        found = (one for one in self.model.stones.values() if state in ("all", one.state.value))
        return Reply([self._stone(one) for one in found])

    def create_stone(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.create_stone(
            body["title"], body.get("description") or "", _day(body), unique=self.unique_titles
        )
        return Reply(self._stone(made), 201)

    def change_stone(self, asked: Request) -> Reply:
        body = asked.body
        changed = self.model.change_stone(
            asked.number(0),
            unique=self.unique_titles,
            title=body.get("title"),
            description=body.get("description"),
            due_on=_day(body),
            state=_state(body),
        )
        return Reply(self._stone(changed))

    def delete_stone(self, asked: Request) -> Reply:
        self.model.delete_stone(asked.number(0))
        return Reply(None, 204)

    def _stone(self, stone: Stone) -> dict[str, Any]:
        due = None if stone.due_on is None else f"{stone.due_on.isoformat()}T07:00:00Z"
        inside = [item for item in self.model.items.values() if item.milestone == stone.key]
        return {
            # Where another number is the key, this one leads nowhere.
            "id": stone.key if self.milestone_key == "id" else 900_000 + stone.key,
            "title": stone.title,
            "description": stone.description or None,
            "state": stone.state.value,
            "due_on": due,
            "open_issues": len([item for item in inside if item.state is ItemState.OPEN]),
            "closed_issues": len([item for item in inside if item.state is ItemState.CLOSED]),
        } | ({"number": stone.key} if self.milestone_key == "number" else {})

    # --- issues ------------------------------------------------------------------------------------------------

    author_asked = "creator"
    """What a query calls the account whose issues are asked for."""

    def issues(self, asked: Request) -> Reply:
        """Pull requests too, but where only issues are asked for."""
        state, since = asked.query.get("state", "open"), asked.query.get("since")
        labels = self._labels_asked(asked.query.get("labels", ""))
        found = [
            self._item(item)
            for item in self.model.items.values()
            if state in ("all", item.state.value)
            and bearing(item.labels, labels)
            and (since is None or item.updated_us >= asked_at(since))
            and self._chosen(asked, item)
            and asked.query.get(self.author_asked, item.author) == item.author
            and asked.query.get("type") != "pulls"
        ]
        if asked.query.get("type") != "issues" and "milestone" not in asked.query:
            pulls = [pull for pull in self.model.pulls.values() if bearing(pull.labels, labels)]
            author = asked.query.get(self.author_asked)
            found += [self._of_pull(pull) for pull in pulls if author in (None, pull.author)]
        return Reply(sorted(found, key=lambda one: int(one["number"])))

    def _labels_asked(self, given: str) -> str:
        """The labels that are looked at."""
        return given

    def create_issue(self, asked: Request) -> Reply:
        body = asked.body
        labels = self._names_of(body.get("labels") or [])
        made = self.model.create_item(body["title"], body.get("body") or "", labels, body.get("milestone"))
        return Reply(self._item(made), 201)

    def change_issue(self, asked: Request) -> Reply:
        number, body = asked.number(0), asked.body
        thread = self._thread_of(number)
        if "assignees" in body:
            self._assign(thread, body["assignees"] or [])
        if thread == Thread.issue(number):
            if "milestone" in body:
                self.model.place_item(number, body["milestone"] or None)
            rest = {name: body.get(name) for name in ("title", "body")} | {"state": _state(body)}
            if any(value is not None for value in rest.values()):
                self.model.change_item(number, **rest)
        return Reply(self._thread(number), self.changed_status)

    def _assign(self, thread: Thread, names: list[str]) -> None:
        self.model.assign(thread, names)

    def _thread_of(self, number: int) -> Thread:
        return Thread.pull(number) if number in self.model.pulls else Thread.issue(number)

    def _thread(self, number: int) -> dict[str, Any]:
        """What stands at the number: a pull request is an issue, too."""
        pull = self.model.pulls.get(number)
        return self._item(self.model.item(number)) if pull is None else self._of_pull(pull)

    def _of_pull(self, pull: Pull) -> dict[str, Any]:
        said = self._pull(pull)
        alike = ("number", "title", "body", "state", "html_url", "labels", "user", "created_at", "updated_at")
        return {name: said[name] for name in alike if name in said} | {
            "assignees": [self._user(name) for name in pull.assignees],
            "pull_request": {"merged_at": said.get("merged_at"), "html_url": said["html_url"]},
        }

    def _item(self, item: Item) -> dict[str, Any]:
        milestone = None if item.milestone is None else self._stone(self.model.stone(item.milestone))
        return {
            "id": 500_000 + item.number,
            "number": item.number,
            "title": item.title,
            "body": item.body,
            "state": item.state.value,
            "user": self._user(item.author),
            "labels": [self._badge_named(name) for name in item.labels],
            "assignees": [self._user(name) for name in item.assignees],
            "milestone": milestone,
            "created_at": said_at(item.created_us),
            "updated_at": said_at(item.updated_us),
            "html_url": f"https://127.0.0.1/{self.model.repository}/issues/{item.number}",
        }

    def _user(self, name: str) -> dict[str, Any]:
        return {"id": 1 + (self.model.people.index(name) if name in self.model.people else 99), "login": name}

    # --- labels ------------------------------------------------------------------------------------------------

    def create_badge(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.create_badge(body["name"], body["color"].removeprefix("#"), body.get("description") or "")
        return Reply(self._badge(made), 201)

    def change_badge_of(self, badge: Badge, body: dict[str, Any]) -> Reply:
        color = body["color"].removeprefix("#") if body.get("color") else None
        changed = self.model.change_badge(
            badge, name=body.get("name") or body.get("new_name"), color=color, description=body.get("description")
        )
        return Reply(self._badge(changed))

    def put_labels(self, asked: Request) -> Reply:
        """The labels as an object's, or alone."""
        number = asked.number(0)
        given: Any = asked.body
        self.model.put_labels(
            self._thread_of(number), self._names_of(given if isinstance(given, list) else given["labels"])
        )
        return Reply(self._labels(number))

    def _labels(self, number: int) -> list[dict[str, Any]]:
        return [self._badge_named(name) for name in self.model.labels_of(self._thread_of(number))]

    def _badge_named(self, name: str) -> dict[str, Any]:
        """As it is known; a label that was put on in another way has no color of its own."""
        known = {badge.name: badge for badge in self.model.badges.values()}
        return self._badge(known.get(name, Badge(0, name, "ededed", "")))

    def _badge(self, badge: Badge) -> dict[str, Any]:
        return {"id": badge.key, "name": badge.name, "color": badge.color, "description": badge.description or None}

    # --- comments ----------------------------------------------------------------------------------------------

    def notes(self, asked: Request) -> Reply:
        return Reply([self._note(note) for note in self.model.notes_of(self._thread_of(asked.number(0)))])

    def add_note(self, asked: Request) -> Reply:
        return Reply(self._note(self.model.add_note(self._thread_of(asked.number(0)), asked.body["body"])), 201)

    def change_note(self, asked: Request) -> Reply:
        return Reply(self._note(self.model.change_note(asked.number(0), asked.body["body"])))

    def delete_note(self, asked: Request) -> Reply:
        self.model.delete_note(asked.number(0))
        return Reply(None, 204)

    def _note(self, note: Note) -> dict[str, Any]:
        return {
            "id": note.key,
            "body": note.body,
            "user": self._user(note.author),
            "created_at": said_at(note.created_us),
            "updated_at": said_at(note.edited_us or note.created_us),
            "issue_url": f"https://127.0.0.1/{self.model.repository}/issues/{note.thread.number}",
        }

    def react(self, asked: Request) -> Reply:
        """The same again is answered with itself."""
        key, sign = asked.number(0), asked.body["content"]
        is_new = self.model.react(key, sign)
        said = {"content": sign, "user": self._user(self.model.account), "created_at": said_at(self.model.now_us())}
        return Reply(said | self._reaction(key), 201 if is_new else 200)

    def _reaction(self, key: int) -> dict[str, Any]:
        """What one forge says of it alone."""
        del key
        return {}

    def role(self, asked: Request) -> Reply:
        """What an account may do: in the four words of old, and by the role's own name."""
        (login,) = asked.names
        if not self.model.tells_roles:
            raise Refused("forbidden", "Must have push access to view collaborator permission.")
        role = self.model.roles.get(login, "read")
        old = {"maintain": "write", "triage": "read"}.get(role, role)
        return Reply({"permission": old, "role_name": self._role_name(role), "user": self._user(login)})

    def _role_name(self, role: str) -> str:
        return role


def _state(body: dict[str, Any]) -> ItemState | None:
    return ItemState(body["state"]) if body.get("state") else None


def _day(body: dict[str, Any]) -> date | None:
    return date.fromisoformat(body["due_on"][:10]) if body.get("due_on") else None
