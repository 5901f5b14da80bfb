"""Reading the log for figures."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Connection, select

from shipline.capabilities.metrics.rules import KINDS, Report, Window, make_report, tell
from shipline.domain.event import Event
from shipline.store.database import Store
from shipline.store.log import recorded
from shipline.store.tables import event as event_table


def dora(store: Store, window: Window, *, now_us: int, environments: Collection[str]) -> Report:
    """The five figures of `window`, for each package in each of `environments` (names) and for the project.

    The whole log is read once, row by row and from one moment's snapshot, so no writer waits: what was deployed
    before the window is the base of its lead times, and what was learned after it (an incident resolved, say) counts,
    up to `now_us`.
    """
    with store.snapshot() as connection:
        log = _Log(store, connection, now_us)
        history = tell(log.events())
    return make_report(history, window, environments, made_us=now_us, erased_events=log.erased)


class _Log:
    """The events that figures are made of; `erased` counts those that can no longer be read."""

    def __init__(self, store: Store, connection: Connection, now_us: int) -> None:
        self.store = store
        self.connection = connection
        self.now_us = now_us
        self.erased = 0

    def events(self) -> Iterator[Event]:
        """In the order in which they were appended: a stream's own order, and a reactor's events after their cause."""
        columns = event_table.c
        mine = columns.project_id == self.store.project.id
        query = select(event_table).where(mine, columns.kind.in_(KINDS), columns.time_us <= self.now_us)
        for row in self.connection.execute(query.order_by(columns.number)).mappings():
            read = recorded(row, self.store.upcasts)
            self.erased += read.is_erased
            yield read.event
