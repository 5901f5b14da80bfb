"""One transaction: rows, events and the engine's next tick are committed together or not at all.

Why the order within a stream survives the sequencer, which goes by `number`: a position is taken only by who sees the
one before it committed (or wrote it itself), and the unique constraint refuses a second taker. The number is drawn
after that, from a sequence that only rises. So of two events of a stream the later position has the higher number, and
whoever sees the later sees the earlier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shipline.domain.codec import to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.event import Event
from shipline.domain.package import Project
from shipline.domain.secrecy import may_hold_secrets, redacted_json
from shipline.store.early import EarlyConnection

if TYPE_CHECKING:
    from sqlalchemy import Connection

# What the columns hold.
LENGTHS = {"id": 40, "stream": 200, "kind": 80, "cause": 40}


def content_hash(salt: str, content: str) -> str:
    """The salted hash that the Merkle leaf commits to: sha256 of the salt's bytes and the canonical content."""
    return hashlib.sha256(bytes.fromhex(salt) + content.encode()).hexdigest()


@dataclass(slots=True)
class Transaction:
    """An open transaction of one project. `salts` gives 32 random hex digits a call."""

    given: Connection | EarlyConnection
    project: Project
    salts: Callable[[], str]

    @property
    def connection(self) -> Connection:
        """The connection for SQLAlchemy's statements."""
        return self.given.whole if isinstance(self.given, EarlyConnection) else self.given

    @property
    def is_postgresql(self) -> bool:
        """Whether the database is the one where locks are taken by name and row."""
        return not isinstance(self.given, EarlyConnection) and self.given.dialect.name == "postgresql"

    def rows(self, sql: str, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows of a query in the SQL that both databases understand, `:name` for each value in `given`.

        It needs no SQLAlchemy where that is not there yet: for what commands read that only look.
        """
        if isinstance(self.given, EarlyConnection) and not self.given.is_whole:
            return self.given.rows(sql, given)
        from sqlalchemy import text  # noqa: PLC0415 - see above

        return self.connection.execute(text(sql), given).all()

    def append(self, event: Event) -> Event:
        """Append to the event's stream; returns the event with its position, and with what its body says of secrets
        masked. The same id twice is a ConflictError.

        On PostgreSQL it waits for other transactions that have appended to the same stream and are still open.
        """
        from sqlalchemy import insert  # noqa: PLC0415 - see `rows`

        from shipline.store.tables import event as event_table  # noqa: PLC0415 - see `rows`

        content = _content(event)
        if may_hold_secrets(content):  # An event is there for good, and is shown to many.
            event = replace(event, body=redacted_json(event.body))
            content = _content(event)
        self.lock(event.stream)  # Else two writers took one position, and the second failed instead of waiting.
        position = self._last_position(event.stream) + 1
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

    def lock(self, name: str) -> None:
        """Wait for the transactions that have locked this name, and let later ones wait until this one ends.

        What they have written is seen then. A stream is locked by its own name. SQLite has one writer anyway.
        """
        if self.is_postgresql:
            sql = "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"
            self.rows(sql, {"name": f"{self.project.id} {name}"})

    def _last_position(self, stream: str) -> int:
        sql = "SELECT max(position) FROM event WHERE project_id = :project AND stream = :stream"
        ((last,),) = self.rows(sql, {"project": self.project.id, "stream": stream})
        return int(last) if last is not None else 0


def _content(event: Event) -> str:
    """What the salted hash is of: canonical JSON (RFC 8785). Raises InvalidValue for what a log cannot hold.

    PostgreSQL refuses longer texts and SQLite keeps them, so the lengths are checked here for both.
    """
    for name, length in LENGTHS.items():
        text = getattr(event, name) or ""
        if len(text) > length or not text.isprintable():
            raise InvalidValue(f"an event's {name} is too long or not printable: {text[:80]!r}")
    import rfc8785  # noqa: PLC0415 - who appends nothing does without it

    try:
        return rfc8785.dumps({"actor": to_json(event.actor), "body": event.body}).decode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidValue(f"the body of {event.kind} has no canonical JSON form", why=str(error)[:200]) from error
