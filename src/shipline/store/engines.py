"""SQLAlchemy's engines over both databases. Whoever imports this pays for SQLAlchemy, which is half of a small command:
the store does so when the first statement needs it (`early`)."""

from __future__ import annotations

import sqlite3
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shipline.domain.errors import ConfigurationError
from shipline.store.sqlite import BUSY_TIMEOUT_MS, connect, plain_file, prepare

if TYPE_CHECKING:
    import psycopg

IDLE_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 10
# The execution options of connections that only read, and of those whose transaction is open already.
SNAPSHOT = "shipline_snapshot"
_BEGUN = "shipline_begun"


@lru_cache(maxsize=64)
def parsed(url: str) -> URL:
    """The URL, of a database that we know. Raises ConfigurationError, without the URL: it may hold a password."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        found = URL.create("unknown")
    name = found.get_backend_name()
    if name == "postgresql" and found.database:
        return found.set(drivername="postgresql+psycopg")
    if name == "sqlite" and found.database not in (None, "", ":memory:"):
        return found.set(drivername="sqlite")
    raise ConfigurationError(
        "the store's URL names no database that Shipline can use",
        why="a store in memory keeps nothing" if name == "sqlite" else "",
        todo="use sqlite:///PATH or postgresql://USER@HOST/DATABASE",
    )


class Engines:
    """What makes the engine of one store. No I/O when it is made.

    An engine over a plain file of SQLite takes connections over that were opened before there was an engine.
    """

    def __init__(self, url: str) -> None:
        known = parsed(url)
        self._file = plain_file(url)
        self._given = threading.local()
        if known.get_backend_name() == "postgresql":
            timeout = {} if "connect_timeout" in known.query else {"connect_timeout": CONNECT_TIMEOUT_S}
            self.engine = create_engine(known, pool_pre_ping=True, pool_size=10, connect_args=timeout)
            event.listen(self.engine, "connect", _prepare_postgresql)
            return
        if self._file is not None:
            self.engine = create_engine(known, creator=self._create)
        else:
            self.engine = create_engine(
                known, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
            )
            event.listen(self.engine, "connect", prepare)
        event.listen(self.engine, "begin", _begin)

    def _create(self) -> sqlite3.Connection:
        given: sqlite3.Connection | None = getattr(self._given, "connection", None)
        self._given.connection = None
        return connect(str(self._file)) if given is None else given

    def adopt(self, connection: sqlite3.Connection) -> Connection:
        """A connection to the file as one of the engine's, its transaction open as it was."""
        # The first connection of an engine is asked what it can do, and rolled back after that: not this one.
        others = [self.engine.connect()]
        self._given.connection = connection
        while self._given.connection is not None:  # Until the pool has no idle one left, and asks for a new one.
            others.append(self.engine.connect())
        taken = others.pop()
        for other in others:
            other.close()
        taken.execution_options(**{_BEGUN: True}).begin()
        return taken


def _begin(connection: Connection) -> None:
    # Taking the write lock first makes read-then-write transactions serial, as `for update` does on PostgreSQL.
    options = connection.get_execution_options()
    if not options.get(_BEGUN, False):
        connection.exec_driver_sql("BEGIN" if options.get(SNAPSHOT, False) else "BEGIN IMMEDIATE")


def _prepare_postgresql(connection: psycopg.Connection, _record: object) -> None:
    # A process that froze inside a transaction must not keep its locks from the others for as long as it sleeps.
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
    connection.commit()  # The pool rolls back what is open when a connection is given back.
