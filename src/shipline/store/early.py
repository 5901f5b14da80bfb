"""SQLite before SQLAlchemy is there: most commands read a few rows and end, and its import costs more than all they do.

A transaction begins on a connection of Python's own driver. What only reads stays on it; the first statement that needs
SQLAlchemy has the connection taken over, with the transaction as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shipline.store.migrations import HEAD

if TYPE_CHECKING:
    from sqlalchemy import Connection


class EarlyConnection:
    """A connection in a transaction. `adopt` makes it one of SQLAlchemy's."""

    def __init__(self, connection: sqlite3.Connection, adopt: Callable[[sqlite3.Connection], Connection]) -> None:
        self._connection = connection
        self._adopt = adopt
        self._whole: Connection | None = None

    @property
    def whole(self) -> Connection:
        """The same connection and transaction for SQLAlchemy's statements."""
        if self._whole is None:
            self._whole = self._adopt(self._connection)
        return self._whole

    @property
    def is_whole(self) -> bool:
        """Whether SQLAlchemy has taken it over."""
        return self._whole is not None

    def rows(self, sql: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises sqlite3.Error."""
        return self._connection.execute(sql, given).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[EarlyConnection]:
        """Commits when the block ends, and rolls back on any error."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self
            self._end("COMMIT")
        except BaseException:
            self._end("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[EarlyConnection]:
        """Every query sees the same moment, no writer waits for it, and nothing stays of what it writes."""
        self._connection.execute("BEGIN")
        try:
            yield self
        finally:
            self._end("ROLLBACK")
            if not self.is_whole:
                self._connection.close()

    def _end(self, how: str) -> None:
        if self._whole is None:
            if self._connection.in_transaction:
                self._connection.execute(how)
            return
        try:
            if how == "COMMIT":
                self._whole.commit()
        finally:
            self._whole.close()  # What is open is rolled back then.


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the schema is this code's; if not, `schema` finds out what to do. Raises sqlite3.Error."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    if found.fetchone() is None:
        return False
    return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
