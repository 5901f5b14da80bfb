"""One engine owner per SQLite store: a lock that the operating system takes back when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class Lease:
    """The right to execute on a store. A second process may enqueue; it never executes.

    On SQLite a lock on a file beside the `database` (its name and `.lease`), freed by the kernel however the holder
    ends. On PostgreSQL (`database` None) every process may execute, and heartbeats tell who is alive.
    """

    def __init__(self, database: Path | None) -> None:
        self.database = database
        self._file: int | None = None

    def acquire(self) -> bool:
        """True if this process owns the engine now."""
        if self.database is None or self._file is not None:
            return True
        real = self.database.resolve()  # One database has one lease, whatever link leads to it.
        file = os.open(real.with_name(f"{real.name}.lease"), os.O_RDWR | os.O_CREAT | O_CLOEXEC, 0o600)
        if not _lock(file):
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the right back. Nothing where it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


O_CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)  # Not on Windows, where files are not inherited anyway.

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
