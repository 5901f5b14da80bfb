"""Nouns as rows: saved whole, read back strictly."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.domain.secrecy import may_hold_secrets, redacted_json
from shipline.store.transaction import Transaction

if TYPE_CHECKING:
    from sqlalchemy import Insert, Table, Update

T = TypeVar("T")
# The columns that are given, each with how many values it may equal (None: it is NULL; -1: one that is no tuple), the
# order, and whether it is from the newest on.
_Shape: TypeAlias = tuple[tuple[tuple[str, int | None], ...], str | None, bool]

ROWS_MAX = 10_000
"""More than this are not read at once: whoever may meet as many asks for a page."""


class Rows(Generic[T]):
    """One noun's table. A column of the table that the noun has a field for is filled from it; the rest is the body.

    Columns that the noun itself does not have (`stage` of a verdict, say) are given to `save` by name.
    """

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.kind = kind
        # Statements are made once: to make one takes longer than to run it, and an engine runs thousands.
        self._find = f'SELECT body FROM "{name}" WHERE id = :this_id AND project_id = :this_project'  # noqa: S608 - names of ours
        self._where: dict[_Shape, str] = {}

    @cached_property
    def table(self) -> Table:
        """The table itself; it brings SQLAlchemy, which who only reads does without."""
        from shipline.store.tables import metadata  # noqa: PLC0415 - see above

        return metadata.tables[self.name]

    @cached_property
    def _written(self) -> tuple[Update, Insert]:
        from sqlalchemy import bindparam, insert, update  # noqa: PLC0415 - see `table`

        there = (self.table.c.id == bindparam("this_id")) & (self.table.c.project_id == bindparam("this_project"))
        return update(self.table).where(there), insert(self.table)

    def save(self, tx: Transaction, value: T, *, row_id: str | None = None, **columns: str | int | None) -> None:
        """Write the row of `value`, whose id is `row_id` or its own. An id of another project's row: ConflictError.

        What looks like a secret in it is masked. A row that is there is changed in its place, so that who waits for its
        lock finds it afterwards.
        """
        document = to_json(value)
        body = _as_json(document)
        if may_hold_secrets(body):
            document = redacted_json(document)
            body = _as_json(document)
        identity = row_id if row_id is not None else document["id"]
        filled = {name: document[name] for name in self.table.columns.keys() if name in document} | columns  # noqa: SIM118 - a column collection iterates columns, not names
        filled |= {
            "id": identity,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "body": body,
        }
        this = {"this_id": identity, "this_project": tx.project.id}
        update, insert = self._written
        if tx.connection.execute(update, filled | this).rowcount == 0:
            tx.connection.execute(insert, filled)

    def find(self, tx: Transaction, row_id: str, *, lock: bool = False) -> T | None:
        """The noun with this id in the transaction's project, None where there is none.

        With `lock` nobody else changes it until the transaction ends: for who decides by it what to write.
        """
        query = f"{self._find} FOR UPDATE" if lock and tx.is_postgresql else self._find
        found = tx.rows(query, {"this_id": row_id, "this_project": tx.project.id})
        return from_json(self.kind, json.loads(found[0][0])) if found else None

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
        given: dict[str, Any] = {}
        for name, value in columns.items():
            if isinstance(value, tuple):
                given |= {f"this_{name}_{number}": one for number, one in enumerate(value)}
            elif value is not None:
                given[f"this_{name}"] = value
        shape = (tuple((name, _many(value)) for name, value in columns.items()), order, newest_first)
        if shape not in self._where:
            self._where[shape] = self._shaped(shape)
        given |= {"this_project": tx.project.id, "this_many": ROWS_MAX + 1 if limit is None else limit}
        found = tx.rows(self._where[shape], given)
        if limit is None and len(found) > ROWS_MAX:
            raise ShiplineError(f"more than {ROWS_MAX} rows of {self.name} belong together: too many to read")
        return tuple(from_json(self.kind, json.loads(body)) for (body,) in found)

    def _shaped(self, shape: _Shape) -> str:
        columns, order, newest_first = shape
        wanted = ["project_id = :this_project", *(_condition(name, many) for name, many in columns)]
        query = f'SELECT body FROM "{self.name}" WHERE {" AND ".join(wanted)}'  # noqa: S608 - names of ours
        if order is not None:
            query += f' ORDER BY "{order}"' + (" DESC" if newest_first else "")
        return query + " LIMIT :this_many"


def _many(value: object) -> int | None:
    if isinstance(value, tuple):
        return len(value)
    return None if value is None else -1


def _condition(name: str, many: int | None) -> str:
    if many is None:
        return f'"{name}" IS NULL'
    if many < 0:
        return f'"{name}" = :this_{name}'
    return f'"{name}" IN ({", ".join(f":this_{name}_{number}" for number in range(many))})' if many else "1 = 0"


def _as_json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
