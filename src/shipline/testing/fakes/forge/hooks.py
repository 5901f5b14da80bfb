"""Webhooks of a fake forge: what is known of them, and a courier that really sends.

A forge sends once. What was answered with an error stays so until somebody asks for another attempt; GitLab switches a
hook off that fails four times in a row.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from shipline.testing.fakes.forge.happenings import Happening
from shipline.testing.fakes.forge.refusals import Refused

ANSWER_TIMEOUT_S = 10
FAILURES_MAX = 4


@dataclass
class Sent:
    """A payload on its way, or answered: `status` is None until then, and where nobody answered."""

    key: int
    hook: int
    word: str
    guid: str
    body: bytes
    sent_us: int
    status: int | None = None
    again: bool = False


@dataclass
class HookRow:
    """A webhook. `words` are the forge's own for its events; `failures` those in a row."""

    key: int
    url: str
    words: list[str]
    secret: str
    active: bool = True
    failures: int = 0
    sent: list[Sent] = field(default_factory=list)


class HookRows:
    """The webhooks of a repository, by key. `next_key` and `now_us` are the model's."""

    def __init__(self, next_key: Callable[[], int], now_us: Callable[[], int]) -> None:
        self.rows: dict[int, HookRow] = {}
        self.next_key = next_key
        self.now_us = now_us

    def create(self, url: str, words: list[str], secret: str) -> HookRow:
        """A new one; one an address."""
        if any(row.url == url for row in self.rows.values()):
            raise Refused("duplicate", "Hook already exists on this repository")
        made = HookRow(self.next_key(), url, words, secret)
        self.rows[made.key] = made
        return made

    def get(self, key: int) -> HookRow:
        """One by key."""
        if key not in self.rows:
            raise Refused("missing", "Not Found")
        return self.rows[key]

    def delete(self, key: int) -> None:
        """It goes."""
        self.get(key)
        del self.rows[key]

    def sent(self, key: int, delivery: int) -> Sent:
        """A delivery of a hook."""
        found = next((one for one in self.get(key).sent if one.key == delivery), None)
        if found is None:
            raise Refused("missing", "Not Found")
        return found


class Words(Protocol):
    """How a dialect says what has happened."""

    switches_off: bool

    def payloads(self, happening: Happening) -> list[tuple[str, dict[str, Any]]]:
        """Each with the event's word; none for what this forge does not tell."""
        ...

    def signed(self, row: HookRow, sent: Sent) -> dict[str, str]:
        """The headers of a delivery."""
        ...


class Courier:
    """Takes what happened to the hooks that want it. With `held`, it waits in `pending`, where a test may reorder,
    double or lose it, until `settle`."""

    def __init__(self, rows: HookRows, words: Words) -> None:
        self.rows = rows
        self.words = words
        self.held = False
        self.pending: deque[Sent] = deque()

    def hear(self, happening: Happening) -> None:
        """Put it on its way."""
        for word, body in self.words.payloads(happening):
            for row in self.rows.rows.values():
                if row.active and word in row.words:
                    self.pending.append(self._made(row, word, json.dumps(body).encode()))

    def _made(self, row: HookRow, word: str, body: bytes, *, guid: str = "") -> Sent:
        key = self.rows.next_key()
        made = Sent(key, row.key, word, guid or str(UUID(int=key)), body, self.rows.now_us(), again=guid != "")
        row.sent.append(made)
        return made

    def again(self, row: HookRow, sent: Sent) -> None:
        """The same once more, under the same delivery id."""
        self.pending.append(self._made(row, sent.word, sent.body, guid=sent.guid))

    def ping(self, row: HookRow, word: str, body: dict[str, Any]) -> int | None:
        """A test, at once: the status of its answer. One that succeeds switches the hook on."""
        sent = self._made(row, word, json.dumps(body).encode())
        self._send(row, sent)
        if sent.status is not None and sent.status < 300:
            row.active, row.failures = True, 0
        return sent.status

    def settle(self) -> None:
        """Send all that waits, in its order."""
        while self.pending:
            sent = self.pending.popleft()
            row = self.rows.rows.get(sent.hook)
            if row is not None:
                self._send(row, sent)

    def _send(self, row: HookRow, sent: Sent) -> None:
        headers = {"Content-Type": "application/json"} | self.words.signed(row, sent)
        request = urllib.request.Request(row.url, sent.body, headers, method="POST")  # noqa: S310 - a test's own address
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:  # noqa: S310 - the same
                sent.status = answer.status
        except urllib.error.HTTPError as error:
            sent.status = error.code
            error.close()
        except OSError:
            sent.status = None
        good = sent.status is not None and sent.status < 300
        row.failures = 0 if good else row.failures + 1
        if self.words.switches_off and row.failures >= FAILURES_MAX:
            row.active = False


def hexadecimal_hmac(secret: str, body: bytes) -> str:
    """The signature that GitHub and Gitea send. From: docs.github.com/webhooks/using-webhooks."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
