"""Opening the store: SQLite (WAL, synchronous=FULL) as the embedded default, PostgreSQL by URL."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Project
from shipline.store.errors import CorruptStore, FullDisk, translated_errors
from shipline.store.schema import bring_up_to_date
from shipline.store.sqlite import BUSY_TIMEOUT_MS, SNAPSHOT, create_sqlite_engine
from shipline.store.transaction import Transaction
from shipline.store.upcasts import NO_UPCASTS, Upcasts

if TYPE_CHECKING:
    import psycopg

__all__ = ["CorruptStore", "FullDisk", "Store"]

IDLE_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 10


class Store:
    """The rows and events of many projects; `project` is the one that transactions speak of, `upcasts` say how old
    events are read.

    The constructor does no I/O; `open` connects and migrates. Errors of the database reach callers as ShiplineError.
    """

    def __init__(self, url: str, project: Project | None = None, *, upcasts: Upcasts = NO_UPCASTS) -> None:
        self.url = url
        self.upcasts = upcasts
        self.project = project if project is not None else Project()
        self._engine: Engine | None = None
        self._writers = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The open SQLAlchemy engine."""
        if self._engine is None:
            raise RuntimeError("the store is not open")
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded default."""
        return _parsed(self.url).get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The database file of SQLite, None for PostgreSQL."""
        return Path(str(_parsed(self.url).database)) if self.is_sqlite else None

    def open(self) -> Store:
        """Connect and bring the schema up to date; a store that could not be opened stays closed.

        Raises ConfigurationError, UnavailableError, CorruptStore, or ShiplineError for a schema newer than this code.
        """
        engine = _create_engine(_parsed(self.url))
        try:
            if self.path is not None:
                _make_folder(self.path.parent)
                _make_file(self.path)
            with translated_errors(self.path):
                bring_up_to_date(engine, self.path)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine
        return self

    def close(self) -> None:
        """Give back all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that commits when the block ends and rolls back on any error."""
        with self._turn(), translated_errors(self.path), self.engine.begin() as connection:
            yield Transaction(connection, self.project, lambda: secrets.token_hex(16))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """On SQLite one transaction at a time: its own way to let others wait is to sleep, longer and longer.

        Who waits for longer than SQLite would lets SQLite say so.
        """
        taken = self.is_sqlite and self._writers.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            yield
        finally:
            if taken:
                self._writers.release()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection for reading: every query sees the same moment, and no writer waits for it."""
        options = {SNAPSHOT: True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with translated_errors(self.path), self.engine.connect() as connection:
            yield connection.execution_options(**options)


@lru_cache(maxsize=64)
def _parsed(url: str) -> URL:
    """The URL, of a database that we know. Raises ConfigurationError, without the URL: it may hold a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = URL.create("unknown")
    name = parsed.get_backend_name()
    if name == "postgresql" and parsed.database:
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    raise ConfigurationError(
        "the store's URL names no database that Shipline can use",
        why="a store in memory keeps nothing" if name == "sqlite" else "",
        todo="use sqlite:///PATH or postgresql://USER@HOST/DATABASE",
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ShiplineError(
            f"the folder {folder} for the database cannot be made",
            why=error.strerror or "",
            todo="check the path and its permissions",
        ) from error


def _make_file(path: Path) -> None:
    """Make an empty database that is its owner's alone; SQLite gives the files beside it the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError:
        return  # SQLite says it better.


def _create_engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        timeout = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}
        engine = create_engine(url, pool_pre_ping=True, pool_size=10, connect_args=timeout)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    return create_sqlite_engine(url)


def _prepare_postgresql(connection: psycopg.Connection, _record: object) -> None:
    # A process that froze inside a transaction must not keep its locks from the others for as long as it sleeps.
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
    connection.commit()  # The pool rolls back what is open when a connection is given back.
