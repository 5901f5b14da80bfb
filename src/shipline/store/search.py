"""Events found by what they say: kind, stream, actor, words in them, time.

The database narrows down what it can; whether an event fits is decided on the event as it is read.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, or_, select

from shipline.domain.actor import Actor
from shipline.store.database import Store
from shipline.store.log import RecordedEvent, recorded
from shipline.store.tables import event as event_table

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of the project are meant; all that is given must fit, and nothing given fits all.

    `kinds` are any of these. `actor` is a subject, or `subject@issuer`. `text` stands in the stream, the actor or the
    body, in whatever case. `since_us` is the first moment that counts, `until_us` the first that does not any more.
    """

    kinds: tuple[str, ...] = ()
    stream: str | None = None
    actor: str = ""
    text: str = ""
    since_us: int | None = None
    until_us: int | None = None

    def fits(self, entry: RecordedEvent) -> bool:
        """Whether actor and text are those of an event; the rest is what the database was asked for."""
        event = entry.event
        if self.actor and (entry.is_erased or self.actor not in (event.actor.subject, str(event.actor))):
            return False
        return not self.text or self.text.casefold() in "\n".join(_said(event.stream, event.actor, event.body))


def latest_found(
    store: Store, wanted: Wanted, limit: int, *, before_number: int | None = None
) -> tuple[RecordedEvent, ...]:
    """The last `limit` events that are wanted, oldest first; of those below `before_number` if that is given."""
    with closing(_rows(store, wanted, before_number, newest_first=True)) as rows:
        found = [entry for entry, _ in islice(rows, limit)]
    return tuple(reversed(found))


def all_found(store: Store, wanted: Wanted) -> Iterator[tuple[RecordedEvent, RowMapping]]:
    """All that are wanted, at one moment, oldest first, each with its row; few of them are held at a time."""
    return _rows(store, wanted, None, newest_first=False)


def _rows(
    store: Store, wanted: Wanted, before_number: int | None, *, newest_first: bool
) -> Generator[tuple[RecordedEvent, RowMapping], None, None]:
    columns = event_table.c
    conditions = [columns.project_id == store.project.id, *_conditions(wanted)]
    if before_number is not None:
        conditions.append(columns.number < before_number)
    order = columns.number.desc() if newest_first else columns.number
    query = select(event_table).where(and_(*conditions)).order_by(order).execution_options(yield_per=CHUNK)
    with store.snapshot() as connection, connection.execute(query) as result:
        for row in result.mappings():
            entry = recorded(row, store.upcasts)
            if wanted.fits(entry):
                yield entry, row


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    columns = event_table.c
    if wanted.kinds:
        yield columns.kind.in_(wanted.kinds)
    if wanted.stream is not None:
        yield columns.stream == wanted.stream
    if wanted.since_us is not None:
        yield columns.time_us >= wanted.since_us
    if wanted.until_us is not None:
        yield columns.time_us < wanted.until_us
    if wanted.actor:
        yield columns.content.is_not(None)
        subjects = {wanted.actor, wanted.actor.rpartition("@")[0]} - {""}
        if all(map(_is_plain, subjects)):
            yield or_(*(columns.content.contains(f'"subject":"{one}"', autoescape=True) for one in subjects))
    if _is_plain(wanted.text):
        either = (columns.content, columns.stream)
        yield or_(*(column.icontains(wanted.text, autoescape=True) for column in either))


def _is_plain(text: str) -> bool:
    """Whether a text stands in the database as it is, and its case is known there: not so beyond ASCII, nor with what
    JSON escapes."""
    return bool(text) and text.isascii() and text.isprintable() and not set(text) & set('"\\')


def _said(*values: Any) -> Iterator[str]:
    """Every text in some values, names included, without case."""
    for value in values:
        if isinstance(value, str):
            yield value.casefold()
        elif isinstance(value, Actor):
            yield from _said(value.subject, value.issuer)
        elif isinstance(value, dict):
            yield from _said(*value.keys(), *value.values())
        elif isinstance(value, list):
            yield from _said(*value)
        elif value is not None:
            yield json.dumps(value)
