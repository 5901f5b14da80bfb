"""The event log: events get their places in the Merkle tree, are read, and can have their contents erased.

Events are appended by `Transaction.append`; until the sequencer has been there they have no place and are not proven.
Places count from 0 without gaps, in the order of `number` as far as the events are committed. On PostgreSQL a
transaction may commit after a later one was sequenced: its events then get later places. Within a stream the order
of places is always that of positions (`store.transaction` says why).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, exists, insert, select, update

from shipline.domain.actor import Actor, ActorKind
from shipline.domain.codec import from_json
from shipline.domain.errors import ConfigurationError, InvalidValue, NothingToDo, RefusedError
from shipline.domain.event import Event
from shipline.store import merkle
from shipline.store.checkpoints import Checkpoint
from shipline.store.database import Store
from shipline.store.errors import CorruptStore
from shipline.store.notes import NoteSigningKey
from shipline.store.tables import checkpoint, log_head, merkle_node
from shipline.store.tables import event as event_table
from shipline.store.transaction import Transaction
from shipline.store.tree import StoredNodes, leaf_data, leaf_document
from shipline.store.upcasts import NO_UPCASTS, Upcasts, upcast

BATCH = 1000
CONTENT_ERASED = "ContentErased"
ERASED = Actor(kind=ActorKind.SYSTEM, issuer="shipline", subject="erased")


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the log has it. `place` is None until it is sequenced. An erased one has the body {} and the actor
    ERASED."""

    number: int
    place: int | None
    event: Event
    is_erased: bool


def sequence(store: Store, key: NoteSigningKey, *, batch: int = BATCH) -> int:
    """Give places to all events that have none, with a signed checkpoint a batch; returns how many there were.

    Any number of processes may do so at once. Raises ConfigurationError when the log is signed by another key.
    """
    total = 0
    while _has_unsequenced(store):
        with store.begin() as tx:
            total += _sequence_batch(tx.connection, key, batch)
    return total


def _has_unsequenced(store: Store) -> bool:
    with store.snapshot() as connection:
        return bool(connection.scalar(select(exists().where(event_table.c.place.is_(None)))))


def _sequence_batch(connection: Connection, key: NoteSigningKey, batch: int) -> int:
    size = _lock_head(connection, key)
    # Read after the lock is held: what another sequencer has just done is seen.
    query = select(event_table).where(event_table.c.place.is_(None)).order_by(event_table.c.number).limit(batch)
    rows = connection.execute(query).mappings().all()
    if not rows:
        return 0
    nodes = StoredNodes(connection, merkle.peaks(size))
    fresh = []
    for place, row in enumerate(rows, start=size):
        leaf = merkle.leaf_hash(leaf_data(leaf_document(row)))
        for level, index, value in merkle.appended_nodes(place, leaf, nodes):
            nodes.add(level, index, value)
            fresh.append({"level": level, "index": index, "hash": value.hex()})
    places = [{"at": row["number"], "to": place} for place, row in enumerate(rows, start=size)]
    connection.execute(
        update(event_table).where(event_table.c.number == bindparam("at")).values(place=bindparam("to")), places
    )
    connection.execute(insert(merkle_node), fresh)
    _write_head(connection, key, size + len(rows), nodes)
    return len(rows)


def _lock_head(connection: Connection, key: NoteSigningKey) -> int:
    """Hold the head's row until the transaction ends; returns the log's size."""
    head = connection.execute(select(log_head).with_for_update()).one_or_none()
    if head is None:
        raise CorruptStore("the event log", why="its head is gone")
    if head.key not in (None, str(key.public_key)):
        raise ConfigurationError(
            "the event log is signed by another key than this machine's",
            why=f"the log's is {head.key[:200]}",
            todo="copy the key file of the machine that began the log, or set SHIPLINE_LOG_KEY to it",
        )
    return int(head.size)


def _write_head(connection: Connection, key: NoteSigningKey, size: int, nodes: StoredNodes) -> None:
    connection.execute(update(log_head).values(size=size, key=str(key.public_key)))
    note = Checkpoint(origin=key.name, size=size, root=merkle.root(size, nodes)).signed(key)
    connection.execute(insert(checkpoint).values(size=size, note=note))


def latest_checkpoint(store: Store) -> str | None:
    """The latest checkpoint's signed note, None while nothing is sequenced. Keep it elsewhere, as a witness."""
    with store.snapshot() as connection:
        return connection.scalar(select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1))


def read(
    store: Store, after_number: int, limit: int, stream: str | None = None, kinds: Sequence[str] | None = None
) -> tuple[RecordedEvent, ...]:
    """The project's first `limit` events with a number above `after_number`, oldest first.

    For people. Who must miss none goes by place (`store.reactors`): on PostgreSQL a lower number may appear later.
    """
    columns = event_table.c
    query = select(event_table).where(columns.project_id == store.project.id, columns.number > after_number)
    if stream is not None:
        query = query.where(columns.stream == stream)
    if kinds is not None:
        query = query.where(columns.kind.in_(kinds))
    with store.snapshot() as connection:
        rows = connection.execute(query.order_by(columns.number).limit(limit)).mappings().all()
    return tuple(recorded(row, store.upcasts) for row in rows)


def read_latest(
    store: Store, limit: int, stream: str | None = None, *, before_number: int | None = None
) -> tuple[RecordedEvent, ...]:
    """The project's last `limit` events, oldest first; of those with a number below `before_number` if that is given.

    The first number of one page is what asks for the page before it.
    """
    columns = event_table.c
    query = select(event_table).where(columns.project_id == store.project.id)
    if stream is not None:
        query = query.where(columns.stream == stream)
    if before_number is not None:
        query = query.where(columns.number < before_number)
    with store.snapshot() as connection:
        rows = connection.execute(query.order_by(columns.number.desc()).limit(limit)).mappings().all()
    return tuple(recorded(row, store.upcasts) for row in reversed(rows))


def first_of(tx: Transaction, stream: str) -> Event | None:
    """The first event of a stream as the transaction sees it; None where there is none, or its content was erased."""
    columns = event_table.c
    query = select(event_table).where(
        columns.project_id == tx.project.id, columns.stream == stream, columns.position == 1
    )
    row = tx.connection.execute(query).mappings().one_or_none()
    if row is None or row["content"] is None:
        return None
    return recorded(row, NO_UPCASTS).event


def last_of(tx: Transaction, stream: str) -> Event | None:
    """The newest event of a stream as the transaction sees it; None where there is none, or its content was erased."""
    columns = event_table.c
    query = select(event_table).where(columns.project_id == tx.project.id, columns.stream == stream)
    row = tx.connection.execute(query.order_by(columns.position.desc()).limit(1)).mappings().one_or_none()
    if row is None or row["content"] is None:
        return None
    return recorded(row, NO_UPCASTS).event


def stream_of(tx: Transaction, stream: str) -> tuple[Event, ...]:
    """All events of a stream whose content was not erased, in their order, as they were written."""
    rows = tx.connection.execute(
        select(event_table)
        .where(event_table.c.project_id == tx.project.id, event_table.c.stream == stream)
        .order_by(event_table.c.position)
    )
    found = (recorded(row, NO_UPCASTS) for row in rows.mappings())
    return tuple(one.event for one in found if not one.is_erased)


def recorded(row: RowMapping, upcasts: Upcasts) -> RecordedEvent:
    """An event's row as a value, its body brought to the newest version. Raises CorruptStore."""
    is_erased = row["content"] is None
    actor, body, version = ERASED, {}, row["version"]
    if not is_erased:
        try:
            content = json.loads(row["content"])
            actor, body = from_json(Actor, content["actor"]), content["body"]
        except (ValueError, KeyError, TypeError, InvalidValue) as error:
            raise CorruptStore("the event log", why=f"the content of {row['id']} cannot be read") from error
        version, body = upcast(upcasts, row["kind"], version, body)
    copied = {name: row[name] for name in ("id", "stream", "position", "kind", "time_us", "cause")}
    event = Event(**copied, actor=actor, body=body, version=version)
    return RecordedEvent(number=row["number"], place=row["place"], event=event, is_erased=is_erased)


def erase(tx: Transaction, event_id: str, *, erasure_id: str, actor: Actor, time_us: int) -> Event:
    """Erase the actor and body of an event, and append to its stream that `actor` did so; returns that event.

    The leaf keeps the salted hash, so the log still verifies; with the salt gone the hash tells nothing. Copies that
    the database keeps for itself (write-ahead logs, rows not vacuumed yet, backups) go when it lets go of them.
    """
    mine = (event_table.c.id == event_id) & (event_table.c.project_id == tx.project.id)
    row = tx.connection.execute(select(event_table).where(mine)).mappings().one_or_none()
    if row is None:
        raise InvalidValue(f"the log has no event {event_id[:80]!r}", todo="`shipline log show` lists the events")
    if row["content"] is None:
        raise NothingToDo(f"the content of {event_id} is erased already")
    if row["kind"] == CONTENT_ERASED:
        raise RefusedError("the record of an erasure is not erased", why="the log would not verify without it")
    tx.connection.execute(update(event_table).where(mine).values(content=None, salt=None))
    return tx.append(
        Event(
            id=erasure_id,
            stream=row["stream"],
            kind=CONTENT_ERASED,
            time_us=time_us,
            actor=actor,
            body={"event": event_id},
            cause=event_id,
        )
    )
