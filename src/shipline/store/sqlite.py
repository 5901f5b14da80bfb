"""SQLite as the store needs it: WAL, every commit on the disk, transactions that are serial from their beginning."""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL, Connection, Engine, create_engine, event

BUSY_TIMEOUT_MS = 30_000
WAL_ATTEMPTS = 100
# The execution option of connections that only read.
SNAPSHOT = "shipline_snapshot"


def create_sqlite_engine(url: URL) -> Engine:
    """An engine whose connections are prepared as above. No I/O yet."""
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # We send BEGIN ourselves: the driver's own begins too late and only for writes.
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # What is erased from the log is overwritten in the file, too.


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch a fresh file to WAL. SQLite does not wait for a second process that does the same: so we do, in BEGIN."""
    for attempt in range(WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == WAL_ATTEMPTS - 1:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return


def _begin(connection: Connection) -> None:
    # Taking the write lock first makes read-then-write transactions serial, as `for update` does on PostgreSQL.
    is_snapshot = connection.get_execution_options().get(SNAPSHOT, False)
    connection.exec_driver_sql("BEGIN" if is_snapshot else "BEGIN IMMEDIATE")
