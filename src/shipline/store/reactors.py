"""Reactors: "when X has happened, do Y", as a durable cursor over the log that handles each event exactly once.

They go by place, not by number: places are given under one lock and without gaps, so an event that was committed late
cannot turn up behind the cursor. What is not sequenced yet is not seen yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shipline.domain.event import Event
from shipline.store.database import Store
from shipline.store.log import RecordedEvent, recorded
from shipline.store.tables import event as event_table
from shipline.store.tables import log_head, reactor_cursor
from shipline.store.transaction import Transaction
from shipline.store.upcasts import Upcasts

Handler = Callable[[Transaction, Event], None]

LIMIT = 1000


def react(store: Store, name: str, kinds: Sequence[str], handler: Handler, *, limit: int = LIMIT) -> int:
    """Call `handler(tx, event)` for the project's events of `kinds` that the reactor `name` has not handled yet, in
    the order of their places; returns how many, at most `limit`.

    Each call is one transaction with the cursor's move: what the handler writes is kept exactly once. What it does
    elsewhere may happen again after a crash, so commands carry the event's id as their key. An error ends the round,
    keeps nothing of that event, and the next round begins with it. While another process is at it, this one returns.
    """
    for handled in range(limit):
        with store.begin() as tx:
            if not _advance(tx, name, kinds, handler, store.upcasts):
                return handled
    return limit


def _advance(tx: Transaction, name: str, kinds: Sequence[str], handler: Handler, upcasts: Upcasts) -> bool:
    place = _lock_cursor(tx, name)
    if place is None:
        return False
    # The size first: all places below it are visible to every later query, so none is passed over.
    size = tx.connection.scalars(select(log_head.c.size)).one()
    found = _next(tx, place, size, kinds, upcasts)
    if found is not None and found.place is not None:
        handler(tx, found.event)
        size = found.place + 1
    if size != place:
        tx.connection.execute(update(reactor_cursor).where(_own(tx, name)).values(place=size))
    return found is not None


def _next(tx: Transaction, place: int, size: int, kinds: Sequence[str], upcasts: Upcasts) -> RecordedEvent | None:
    columns = event_table.c
    query = (
        select(event_table)
        .where(columns.place >= place, columns.place < size, columns.project_id == tx.project.id)
        .where(columns.kind.in_(kinds))
        .order_by(columns.place)
        .limit(1)
    )
    row = tx.connection.execute(query).mappings().one_or_none()
    return None if row is None else recorded(row, upcasts)


def _lock_cursor(tx: Transaction, name: str) -> int | None:
    """The reactor's next place, held until the transaction ends; None while another process holds it."""
    query = select(reactor_cursor.c.place).where(_own(tx, name))
    locking = query.with_for_update(skip_locked=True)
    if tx.connection.scalar(query) is None:
        _begin_cursor(tx, name)
    place = tx.connection.scalar(locking)
    return None if place is None else int(place)


def _begin_cursor(tx: Transaction, name: str) -> None:
    insert = _insert_for(tx.connection)(reactor_cursor).values(
        project_id=tx.project.id, organisation_id=tx.project.organisation_id, reactor=name, place=0
    )
    tx.connection.execute(insert.on_conflict_do_nothing())


def _insert_for(connection: Connection) -> Callable[..., sqlite.Insert | postgresql.Insert]:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _own(tx: Transaction, name: str) -> ColumnElement[bool]:
    return (reactor_cursor.c.project_id == tx.project.id) & (reactor_cursor.c.reactor == name)
