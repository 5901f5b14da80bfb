"""Opening the store: SQLite (WAL, synchronous=FULL) as the embedded default, PostgreSQL by URL."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg.errors
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from shipline.domain.errors import ConfigurationError, ConflictError, ShiplineError, UnavailableError
from shipline.domain.package import Project
from shipline.store.transaction import Transaction

BUSY_TIMEOUT_MS = 30_000
IDLE_TIMEOUT_MS = 10_000


class CorruptStore(ShiplineError):
    """The database file is damaged, or is not one of ours."""


class FullDisk(ShiplineError):
    """The database cannot grow. Nothing of the open transaction was kept."""


class Store:
    """The rows and events of many projects; `project` is the one that transactions speak of.

    The constructor does no I/O; `open` connects and migrates. Errors of the database reach callers as ShiplineError.
    """

    def __init__(self, url: str, project: Project | None = None) -> None:
        self.url = url
        self.project = project if project is not None else Project()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The open SQLAlchemy engine."""
        if self._engine is None:
            raise RuntimeError("the store is not open")
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded default."""
        return self.url.startswith("sqlite")

    @property
    def path(self) -> Path | None:
        """The database file of SQLite, None for PostgreSQL."""
        return Path(str(make_url(self.url).database)) if self.is_sqlite else None

    def open(self) -> Store:
        """Connect and bring the schema up to date. Raises ConfigurationError, UnavailableError or CorruptStore."""
        try:
            self._engine = _create_engine(self.url)
        except ArgumentError as error:
            raise ConfigurationError(
                "the store's URL cannot be understood", todo="use sqlite:///PATH or postgresql://USER@HOST/DATABASE"
            ) from error
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with translated_errors(self):
            _migrate(self.engine)
        return self

    def close(self) -> None:
        """Give back all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A transaction that commits when the block ends and rolls back on any error."""
        with translated_errors(self), self.engine.begin() as connection:
            yield Transaction(connection, self.project, lambda: secrets.token_hex(16))


def _create_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    if parsed.get_backend_name() != "sqlite":
        raise ArgumentError(url)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_postgresql(connection: psycopg.Connection, _record: object) -> None:
    # A process that froze inside a transaction must not keep its locks from the others for as long as it sleeps.
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}")
    connection.commit()  # The pool rolls back what is open when a connection is given back.


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # We send BEGIN ourselves: the driver's own begins too late and only for writes.
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock first makes read-then-write transactions serial, as `for update` does on PostgreSQL.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", "shipline.store:migrations")
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")


@contextmanager
def translated_errors(store: Store) -> Iterator[None]:
    """Turn a driver's errors into ours, in words, without the statement's parameters (they may be personal)."""
    try:
        yield
    except DBAPIError as error:
        raise _translated(store, error.orig) from error
    except sqlite3.Error as error:
        raise _translated(store, error) from error


def _translated(store: Store, cause: Any) -> ShiplineError:
    text = str(cause).splitlines()[0][:200] if str(cause) else type(cause).__name__
    where = f"the database {store.path}" if store.path is not None else "the database"
    lowered = text.lower()
    if isinstance(cause, sqlite3.IntegrityError | psycopg.errors.IntegrityError):
        return ConflictError(f"{where} holds another row under the same key", why=text)
    if "malformed" in lowered or "not a database" in lowered:
        return CorruptStore(
            f"{where} is damaged or is not one of Shipline's",
            why=text,
            todo="move it away and run the command again: tags, registries and release bundles rebuild what is needed",
        )
    if "disk is full" in lowered or "disk i/o error" in lowered or "no space left" in lowered:
        return FullDisk(f"{where} cannot be written", why=text, todo="free disk space, then run the command again")
    if "unable to open" in lowered or "readonly" in lowered or "permission" in lowered:
        return ShiplineError(
            f"{where} cannot be opened for writing", why=text, todo="check the path and its permissions"
        )
    return UnavailableError(f"{where} did not answer as it should", why=text, todo="run the command again")
