"""SQLite as the store needs it: WAL, every commit on the disk, transactions that are serial from their beginning."""

from __future__ import annotations

import os
import sqlite3

BUSY_TIMEOUT_MS = 30_000
WAL_ATTEMPTS = 100
# The beginning of an address that says no more than the file.
_SCHEME = "sqlite:///"


def plain_file(url: str) -> str | None:
    """The file of a store's address that names a file of SQLite and nothing besides; None for every other one."""
    file = url.removeprefix(_SCHEME)
    return file if url.startswith(_SCHEME) and file not in ("", ":memory:") and "?" not in file else None


def connect(file: str) -> sqlite3.Connection:
    """A connection that is prepared as above, for one thread at a time. Raises sqlite3.Error."""
    connection = sqlite3.connect(os.path.abspath(file), timeout=BUSY_TIMEOUT_MS / 1000, check_same_thread=False)  # noqa: PTH100 - links stay as they are
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection, _record: object = None) -> None:
    """Set a fresh connection up; no transaction may be open."""
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
