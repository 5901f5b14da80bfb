"""Nouns as rows: saved whole, read back strictly."""

from __future__ import annotations

import json
from typing import Generic, TypeVar

from sqlalchemy import Table, delete, insert, select

from shipline.domain.codec import from_json, to_json
from shipline.store.transaction import Transaction

T = TypeVar("T")


class Rows(Generic[T]):
    """One noun's table. A column of the table that the noun has a field for is filled from it; the rest is the body.

    Columns that the noun itself does not have (`stage` of a verdict, say) are given to `save` by name.
    """

    def __init__(self, table: Table, kind: type[T]) -> None:
        self.table = table
        self.kind = kind

    def save(self, tx: Transaction, value: T, *, row_id: str | None = None, **columns: str | int | None) -> None:
        """Insert or replace the row of `value`, whose id is `row_id` or its own."""
        document = to_json(value)
        identity = row_id if row_id is not None else document["id"]
        filled = {name: document[name] for name in self.table.columns.keys() if name in document} | columns  # noqa: SIM118 - a column collection iterates columns, not names
        filled |= {
            "id": identity,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "body": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        }
        tx.connection.execute(delete(self.table).where(self.table.c.id == identity))
        tx.connection.execute(insert(self.table).values(**filled))

    def find(self, tx: Transaction, row_id: str) -> T | None:
        """The noun with this id in the transaction's project, None where there is none."""
        found = self.where(tx, id=row_id)
        return found[0] if found else None

    def where(
        self,
        tx: Transaction,
        *,
        order: str | None = None,
        newest_first: bool = False,
        limit: int = 1000,
        **columns: object,
    ) -> tuple[T, ...]:
        """The nouns whose columns equal the given values, ordered by column `order`; at most `limit`."""
        query = select(self.table.c.body).where(self.table.c.project_id == tx.project.id)
        for name, value in columns.items():
            query = query.where(self.table.c[name] == value)
        if order is not None:
            column = self.table.c[order]
            query = query.order_by(column.desc() if newest_first else column)
        return tuple(from_json(self.kind, json.loads(body)) for (body,) in tx.connection.execute(query.limit(limit)))
