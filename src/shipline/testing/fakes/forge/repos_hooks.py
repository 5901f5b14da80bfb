"""Webhooks as GitHub says them, and Gitea after it: their routes, their payloads and their signatures.

From: docs.github.com/webhooks/webhook-events-and-payloads; docs.gitea.com/usage/webhooks.
"""

from __future__ import annotations

from typing import Any

from shipline.ports.forge import StatusState
from shipline.ports.forge.hooks import HookEvent
from shipline.testing.fakes.forge.happenings import Happening, RefMoved
from shipline.testing.fakes.forge.hooks import Courier, HookRow, Sent, hexadecimal_hmac
from shipline.testing.fakes.forge.model import ForgeModel, Page, Pull, Said
from shipline.testing.fakes.forge.repos_tracker import said_at
from shipline.testing.fakes.forge.server import Handler, Reply, Request
from shipline.testing.fakes.forge.tracker import Item, Note, Stone

NOWHERE = "0" * 40
TAGS_TOLD_MAX = 3


class ReposHooks:
    """The part that both say alike. `told` are the events of which hooks are told; the dialect says the things."""

    model: ForgeModel
    switches_off = False
    told = frozenset(HookEvent)

    def hook_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """What both have at the same addresses."""
        one = rf"{at}/hooks/(\d+)"
        return [
            ("GET", f"{at}/hooks", lambda _: Reply([self._hook(row) for row in self.model.hooks.rows.values()])),
            ("POST", f"{at}/hooks", self.create_hook),
            ("GET", one, lambda asked: Reply(self._hook(self.model.hooks.get(asked.number(0))))),
            ("PATCH", one, self.change_hook),
            ("DELETE", one, self.delete_hook),
        ]

    def create_hook(self, asked: Request) -> Reply:
        body = asked.body
        made = self.model.hooks.create(body["config"]["url"], body["events"], body["config"].get("secret", ""))
        return Reply(self._hook(made), 201)

    def change_hook(self, asked: Request) -> Reply:
        row, body = self.model.hooks.get(asked.number(0)), asked.body
        row.active = body.get("active", row.active)
        row.words = body.get("events", row.words)
        row.url = body.get("config", {}).get("url", row.url)
        row.secret = body.get("config", {}).get("secret", row.secret)
        return Reply(self._hook(row))

    def delete_hook(self, asked: Request) -> Reply:
        self.model.hooks.delete(asked.number(0))
        return Reply(None, 204)

    def _hook(self, row: HookRow) -> dict[str, Any]:
        return {
            "id": row.key,
            "type": "Repository",
            "active": row.active,
            "events": list(row.words),
            "config": {"url": row.url, "content_type": "json"},
        }

    # --- payloads ----------------------------------------------------------------------------------------------

    def _stone(self, stone: Stone) -> dict[str, Any]:
        raise NotImplementedError

    def _item(self, item: Item) -> dict[str, Any]:
        raise NotImplementedError

    def _pull(self, pull: Pull) -> dict[str, Any]:
        raise NotImplementedError

    def _page(self, page: Page) -> dict[str, Any]:
        raise NotImplementedError

    def _note(self, note: Note) -> dict[str, Any]:
        raise NotImplementedError

    def _thread(self, number: int) -> dict[str, Any]:
        raise NotImplementedError

    def _user(self, name: str) -> dict[str, Any]:
        raise NotImplementedError

    def payloads(self, happening: Happening) -> list[tuple[str, dict[str, Any]]]:
        """What is sent, by the word of its event."""
        if happening.event not in self.told:
            return []
        whole = {
            "repository": {
                "id": 1,
                "full_name": self.model.repository,
                "default_branch": self.model.default_branch,
            },
            "sender": self._user(self.model.account),
        }
        word, body = self._told(happening)
        actions = {"action": happening.action} if word not in ("push", "status") else {}
        return [(word, actions | body | whole)]

    def _told(self, happening: Happening) -> tuple[str, dict[str, Any]]:
        subject = happening.subject
        found: tuple[str, dict[str, Any]]
        match subject:
            case Stone():
                found = "milestone", {"milestone": self._stone(subject)}
            case Item():
                found = "issues", {"issue": self._item(subject)}
            case Pull():
                found = "pull_request", {"number": subject.number, "pull_request": self._pull(subject)}
            case Note():
                thread = self._thread(subject.thread.number)
                found = "issue_comment", {"issue": thread, "comment": self._note(subject)}
            case Page():
                found = "release", {"release": self._page(subject)}
            case Said():
                word = "error" if subject.state is StatusState.FAILURE else subject.state.value
                found = "status", {"sha": subject.commit, "state": word, "context": subject.context}
            case _:
                found = "push", self._push(subject)
        return found

    def _push(self, moved: RefMoved) -> dict[str, Any]:
        after = None if moved.after is None else {"id": moved.after, "timestamp": said_at(self.model.now_us())}
        return {
            "ref": moved.ref,
            "before": moved.before or NOWHERE,
            "after": moved.after or NOWHERE,
            "created": moved.before is None,
            "deleted": moved.after is None,
            "forced": False,
            "commits": [] if after is None else [after],
            "head_commit": after,
            "pusher": {"name": self.model.account},
        }

    def signed(self, row: HookRow, sent: Sent) -> dict[str, str]:
        """GitHub's headers, which Gitea sends too."""
        return {
            "User-Agent": "GitHub-Hookshot/fake",
            "X-GitHub-Event": sent.word,
            "X-GitHub-Delivery": sent.guid,
            "X-GitHub-Hook-ID": str(row.key),
            "X-Hub-Signature-256": f"sha256={hexadecimal_hmac(row.secret, sent.body)}",
        }


def few_tags(moves: list[RefMoved]) -> list[RefMoved]:
    """No tag of more than three in one push. From: docs.github.com/webhooks/webhook-events-and-payloads#push."""
    tags = [move for move in moves if move.ref.startswith("refs/tags/")]
    return [move for move in moves if len(tags) <= TAGS_TOLD_MAX or move not in tags]


class GitHubHooks(ReposHooks):
    """GitHub's part: what was sent is listed, and sent again on request."""

    courier: Courier

    def github_hook_routes(self, at: str) -> list[tuple[str, str, Handler]]:
        """Beside the common ones."""
        return [
            ("GET", rf"{at}/hooks/(\d+)/deliveries", self.list_sent),
            ("POST", rf"{at}/hooks/(\d+)/deliveries/(\d+)/attempts", self.send_again),
        ]

    def list_sent(self, asked: Request) -> Reply:
        return Reply([_sent(one) for one in reversed(self.model.hooks.get(asked.number(0)).sent)])

    def send_again(self, asked: Request) -> Reply:
        row = self.model.hooks.get(asked.number(0))
        self.courier.again(row, self.model.hooks.sent(row.key, asked.number(1)))
        return Reply({}, 202)

    def _hook(self, row: HookRow) -> dict[str, Any]:
        last = row.sent[-1].status if row.sent else None
        answer = {"code": last, "status": "unused" if last is None else "active", "message": None}
        return super()._hook(row) | {"name": "web", "last_response": answer}


class GiteaHooks(ReposHooks):
    """Gitea's part: no milestones, and three families of headers."""

    told = frozenset(HookEvent) - {HookEvent.MILESTONE}

    def _hook(self, row: HookRow) -> dict[str, Any]:
        return super()._hook(row) | {"type": "gitea"}

    def signed(self, row: HookRow, sent: Sent) -> dict[str, str]:
        own = {"Event": sent.word, "Delivery": sent.guid, "Signature": hexadecimal_hmac(row.secret, sent.body)}
        names = {f"X-{forge}-{name}": value for forge in ("Gitea", "Gogs") for name, value in own.items()}
        return super().signed(row, sent) | {"User-Agent": "Go-http-client/1.1"} | names


def _sent(sent: Sent) -> dict[str, Any]:
    return {
        "id": sent.key,
        "guid": sent.guid,
        "delivered_at": said_at(sent.sent_us),
        "redelivery": sent.again,
        "status": "OK" if sent.status is not None and sent.status < 300 else "failed",
        "status_code": sent.status or 0,
        "event": sent.word,
        "action": None,
    }
