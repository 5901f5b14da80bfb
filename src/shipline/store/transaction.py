"""One transaction: rows, events and the engine's next tick are committed together or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import rfc8785
from sqlalchemy import Connection, func, insert, select

from shipline.domain.codec import to_json
from shipline.domain.event import Event
from shipline.domain.package import Project
from shipline.store.tables import event as event_table


def content_hash(salt: str, content: str) -> str:
    """The salted hash that the Merkle leaf commits to: sha256 of the salt's bytes and the canonical content."""
    return hashlib.sha256(bytes.fromhex(salt) + content.encode()).hexdigest()


@dataclass(slots=True)
class Transaction:
    """An open transaction of one project. `salts` gives 32 random hex digits a call."""

    connection: Connection
    project: Project
    salts: Callable[[], str]

    def append(self, event: Event) -> Event:
        """Append to the event's stream; returns the event with its position. The same id twice is an error."""
        position = self._last_position(event.stream) + 1
        content = rfc8785.dumps({"actor": to_json(event.actor), "body": event.body}).decode()
        salt = self.salts()
        self.connection.execute(
            insert(event_table).values(
                id=event.id,
                organisation_id=self.project.organisation_id,
                project_id=self.project.id,
                stream=event.stream,
                position=position,
                kind=event.kind,
                version=event.version,
                time_us=event.time_us,
                cause=event.cause,
                content=content,
                salt=salt,
                content_hash=content_hash(salt, content),
            )
        )
        return replace(event, position=position)

    def _last_position(self, stream: str) -> int:
        last = self.connection.scalar(
            select(func.max(event_table.c.position)).where(
                event_table.c.project_id == self.project.id, event_table.c.stream == stream
            )
        )
        return int(last) if last is not None else 0
