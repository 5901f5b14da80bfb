"""Nouns as rows: saved whole, read back strictly."""

from __future__ import annotations

import json
from types import NoneType
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Integer, Select, Table, bindparam, insert, select, update

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.domain.secrecy import may_hold_secrets, redacted_json
from shipline.store.transaction import Transaction

T = TypeVar("T")
# The columns that are given with the type of what they equal, the order, and whether it is from the newest on.
_Shape: TypeAlias = tuple[tuple[tuple[str, type], ...], str | None, bool]

ROWS_MAX = 10_000
"""More than this are not read at once: whoever may meet as many asks for a page."""


class Rows(Generic[T]):
    """One noun's table. A column of the table that the noun has a field for is filled from it; the rest is the body.

    Columns that the noun itself does not have (`stage` of a verdict, say) are given to `save` by name.
    """

    def __init__(self, table: Table, kind: type[T]) -> None:
        self.table = table
        self.kind = kind
        # Statements are made once: to make one takes longer than to run it, and an engine runs thousands.
        there = (table.c.id == bindparam("this_id")) & (table.c.project_id == bindparam("this_project"))
        self._find = select(table.c.body).where(there)
        self._update, self._insert = update(table).where(there), insert(table)
        self._where: dict[_Shape, Select[Any]] = {}

    def save(self, tx: Transaction, value: T, *, row_id: str | None = None, **columns: str | int | None) -> None:
        """Write the row of `value`, whose id is `row_id` or its own. An id of another project's row: ConflictError.

        What looks like a secret in it is masked. A row that is there is changed in its place, so that who waits for its
        lock finds it afterwards.
        """
        document = to_json(value)
        body = _written(document)
        if may_hold_secrets(body):
            document = redacted_json(document)
            body = _written(document)
        identity = row_id if row_id is not None else document["id"]
        filled = {name: document[name] for name in self.table.columns.keys() if name in document} | columns  # noqa: SIM118 - a column collection iterates columns, not names
        filled |= {
            "id": identity,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "body": body,
        }
        this = {"this_id": identity, "this_project": tx.project.id}
        if tx.connection.execute(self._update, filled | this).rowcount == 0:
            tx.connection.execute(self._insert, filled)

    def find(self, tx: Transaction, row_id: str, *, lock: bool = False) -> T | None:
        """The noun with this id in the transaction's project, None where there is none.

        With `lock` nobody else changes it until the transaction ends: for who decides by it what to write.
        """
        query = self._find.with_for_update() if lock else self._find
        body = tx.connection.scalar(query, {"this_id": row_id, "this_project": tx.project.id})
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
        shape = (tuple((name, type(value)) for name, value in columns.items()), order, newest_first)
        if shape not in self._where:
            self._where[shape] = self._shaped(shape)
        given = {f"this_{name}": value for name, value in columns.items() if value is not None}
        given |= {"this_project": tx.project.id, "this_many": ROWS_MAX + 1 if limit is None else limit}
        bodies = tx.connection.scalars(self._where[shape], given).all()
        if limit is None and len(bodies) > ROWS_MAX:
            raise ShiplineError(f"more than {ROWS_MAX} rows of {self.table.name} belong together: too many to read")
        return tuple(from_json(self.kind, json.loads(body)) for body in bodies)

    def _shaped(self, shape: _Shape) -> Select[Any]:
        columns, order, newest_first = shape
        query = select(self.table.c.body).where(self.table.c.project_id == bindparam("this_project"))
        for name, kind in columns:
            column = self.table.c[name]
            if kind is tuple:
                query = query.where(column.in_(bindparam(f"this_{name}", expanding=True)))
            else:
                query = query.where(column.is_(None) if kind is NoneType else column == bindparam(f"this_{name}"))
        if order is not None:
            query = query.order_by(self.table.c[order].desc() if newest_first else self.table.c[order])
        return query.limit(bindparam("this_many", type_=Integer))


def _written(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
