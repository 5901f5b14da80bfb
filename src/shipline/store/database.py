"""Opening the store: SQLite (WAL, synchronous=FULL) as the embedded default, PostgreSQL by URL."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from shipline.domain.errors import ShiplineError
from shipline.domain.package import Project
from shipline.store.early import EarlyConnection, is_current
from shipline.store.errors import CorruptStore, FullDisk, translated_errors
from shipline.store.sqlite import BUSY_TIMEOUT_MS, connect, plain_file
from shipline.store.transaction import Transaction
from shipline.store.upcasts import NO_UPCASTS, Upcasts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from shipline.store.engines import Engines

__all__ = ["CorruptStore", "FullDisk", "Store"]


class Store:
    """The rows and events of many projects; `project` is the one that transactions speak of, `upcasts` say how old
    events are read.

    The constructor does no I/O; `open` connects and migrates. Errors of the database reach callers as ShiplineError.
    """

    def __init__(self, url: str, project: Project | None = None, *, upcasts: Upcasts = NO_UPCASTS) -> None:
        self.url = url
        self.upcasts = upcasts
        self.project = project if project is not None else Project()
        self._is_open = False
        self._engines: Engines | None = None
        self._making = threading.Lock()
        # Between two transactions, while there is no engine yet.
        self._idle: sqlite3.Connection | None = None
        self._writers = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine of the open store, made when it is first asked for."""
        return self.engines.engine

    @property
    def engines(self) -> Engines:
        """What makes the engine, and has it take connections over."""
        if not self._is_open:
            raise RuntimeError("the store is not open")
        with self._making:
            if self._engines is None:
                from shipline.store.engines import Engines  # noqa: PLC0415 - SQLAlchemy: see `early`

                self._engines = Engines(self.url)
            return self._engines

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded default."""
        return self.path is not None

    @cached_property
    def path(self) -> Path | None:
        """The database file of SQLite, None for PostgreSQL. Raises ConfigurationError for another database."""
        file = plain_file(self.url)
        if file is not None:
            return Path(file)
        from shipline.store.engines import parsed  # noqa: PLC0415 - SQLAlchemy: see `early`

        known = parsed(self.url)
        return Path(str(known.database)) if known.get_backend_name() == "sqlite" else None

    def open(self) -> Store:
        """Connect and bring the schema up to date; a store that could not be opened stays closed.

        Raises ConfigurationError, UnavailableError, CorruptStore, or ShiplineError for a schema newer than this code.
        """
        if self.path is not None:
            _make_folder(self.path.parent)
            _make_file(self.path)
        self._is_open = True
        try:
            with translated_errors(self.path):
                if not self._is_current():
                    from shipline.store.schema import bring_up_to_date  # noqa: PLC0415 - SQLAlchemy: see `early`

                    bring_up_to_date(self.engine, self.path)
        except BaseException:
            self.close()
            raise
        return self

    def _is_current(self) -> bool:
        """Whether a plain file has this code's schema, which is seen without SQLAlchemy."""
        file = plain_file(self.url)
        if file is None:
            return False
        self._idle = connect(file)
        return is_current(self._idle)

    def close(self) -> None:
        """Give back all connections."""
        self._is_open = False
        if self._engines is not None:
            self._engines.engine.dispose()
            self._engines = None
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that commits when the block ends and rolls back on any error."""
        with self._turn(), translated_errors(self.path), self._transaction() as connection:
            yield Transaction(connection, self.project, lambda: secrets.token_hex(16))

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that only reads, as `snapshot`: it may be asked for while another one is open."""
        file = plain_file(self.url)
        if file is None or self._engines is not None or not self._is_open:
            with self.snapshot() as connection:
                yield Transaction(connection, self.project, _refuse)
            return
        with translated_errors(self.path), EarlyConnection(connect(file), self._adopt).reading() as early:
            yield Transaction(early, self.project, _refuse)

    def _adopt(self, connection: sqlite3.Connection) -> Connection:
        return self.engines.adopt(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection | EarlyConnection]:
        file = plain_file(self.url)
        if file is None or self._engines is not None or not self._is_open:
            with self.engine.begin() as connection:
                yield connection
            return
        idle, self._idle = self._idle, None
        raw = connect(file) if idle is None else idle
        early = EarlyConnection(raw, self._adopt)
        try:
            with early.transaction():
                yield early
        except BaseException:
            if not early.is_whole:
                raw.close()
            raise
        if not early.is_whole:
            self._idle = raw

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
        from shipline.store.engines import SNAPSHOT  # noqa: PLC0415 - SQLAlchemy: see `early`

        options = {SNAPSHOT: True} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with translated_errors(self.path), self.engine.connect() as connection:
            yield connection.execution_options(**options)


def _refuse() -> NoReturn:
    raise RuntimeError("who only reads has appended an event")


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
