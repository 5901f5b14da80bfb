"""Nouns as rows: saved whole, read back strictly."""

from __future__ import annotations

import json
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, Table, insert, select, update

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.store.transaction import Transaction

T = TypeVar("T")

ROWS_MAX = 10_000
"""More than this are not read at once: whoever may meet as many asks for a page."""


class Rows(Generic[T]):
    """One noun's table. A column of the table that the noun has a field for is filled from it; the rest is the body.

    Columns that the noun itself does not have (`stage` of a verdict, say) are given to `save` by name.
    """

    def __init__(self, table: Table, kind: type[T]) -> None:
        self.table = table
        self.kind = kind

    def save(self, tx: Transaction, value: T, *, row_id: str | None = None, **columns: str | int | None) -> None:
        """Write the row of `value`, whose id is `row_id` or its own. An id of another project's row: ConflictError.

        A row that is there is changed in its place, so that who waits for its lock finds it afterwards.
        """
        document = to_json(value)
        identity = row_id if row_id is not None else document["id"]
        filled = {name: document[name] for name in self.table.columns.keys() if name in document} | columns  # noqa: SIM118 - a column collection iterates columns, not names
        filled |= {
            "id": identity,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "body": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        }
        there = (self.table.c.id == identity) & (self.table.c.project_id == tx.project.id)
        if tx.connection.execute(update(self.table).where(there).values(**filled)).rowcount == 0:
            tx.connection.execute(insert(self.table).values(**filled))

    def find(self, tx: Transaction, row_id: str, *, lock: bool = False) -> T | None:
        """The noun with this id in the transaction's project, None where there is none.

        With `lock` nobody else changes it until the transaction ends: for who decides by it what to write.
        """
        query: Select[Any] = select(self.table.c.body).where(
            self.table.c.project_id == tx.project.id, self.table.c.id == row_id
        )
        body = tx.connection.scalar(query.with_for_update() if lock else query)
        return None if body is None else from_json(self.kind, json.loads(body))

    def where(
        self,
        tx: Transaction,
        *,
        order: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        **columns: object,
    ) -> tuple[T, ...]:
        """The nouns whose columns equal the given values, ordered by column `order`: the first `limit`, or all.

        Of a tuple the column equals any. All are at most ROWS_MAX: beyond it ShiplineError, since a decision by a part
        of the rows would be wrong.
        """
        query = select(self.table.c.body).where(self.table.c.project_id == tx.project.id)
        for name, value in columns.items():
            column = self.table.c[name]
            query = query.where(column.in_(value) if isinstance(value, tuple) else column == value)
        if order is not None:
            column = self.table.c[order]
            query = query.order_by(column.desc() if newest_first else column)
        bodies = tx.connection.scalars(query.limit(ROWS_MAX + 1 if limit is None else limit)).all()
        if limit is None and len(bodies) > ROWS_MAX:
            raise ShiplineError(f"more than {ROWS_MAX} rows of {self.table.name} belong together: too many to read")
        return tuple(from_json(self.kind, json.loads(body)) for body in bodies)
