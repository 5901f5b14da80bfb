"""What a database can do to us, in words: a driver's errors become ShiplineErrors without parameters or passwords."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipline.domain.errors import ConflictError, ShiplineError, UnavailableError


class CorruptStore(ShiplineError):
    """The database is damaged, or is not one of ours."""

    def __init__(self, where: str, *, why: str) -> None:
        super().__init__(
            f"{where} is damaged or is not one of Shipline's",
            why=why,
            todo="move it away and run the command again: tags, registries and release bundles rebuild what is needed",
        )


class FullDisk(ShiplineError):
    """The database cannot grow. Nothing of the open transaction was kept."""


@contextmanager
def translated_errors(path: Path | None) -> Iterator[None]:
    """Turn a driver's errors into ours. `path` is the database file, None for PostgreSQL."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(path, error, is_conflict=isinstance(error, sqlite3.IntegrityError)) from error
    except Exception as error:
        known = sys.modules.get("sqlalchemy.exc")  # Where it was not imported, it has raised nothing.
        if known is None or not isinstance(error, known.DBAPIError):
            raise
        raise translated(path, error.orig, is_conflict=isinstance(error, known.IntegrityError)) from error


def named(path: Path | None) -> str:
    """The database as messages call it."""
    return f"the database {path}" if path is not None else "the PostgreSQL database"


def translated(path: Path | None, cause: BaseException | None, *, is_conflict: bool) -> ShiplineError:
    """The error for people. Drivers tell their errors apart by text alone; of that the first line has no values."""
    why = next(iter(str(cause).splitlines()), "")[:200] or type(cause).__name__
    where, lowered = named(path), why.lower()
    if is_conflict:
        return ConflictError(f"{where} holds another row under the same key", why=why)
    if any(sign in lowered for sign in ("malformed", "not a database", "unsupported file format")):
        return CorruptStore(where, why=why)
    if any(sign in lowered for sign in ("disk is full", "disk i/o error", "no space left", "could not extend file")):
        return FullDisk(f"{where} cannot be written", why=why, todo="free disk space, then run the command again")
    if any(sign in lowered for sign in ("unable to open", "readonly", "read-only", "permission denied")):
        return ShiplineError(f"{where} cannot be written", why=why, todo="check the path and its permissions")
    if path is not None and "locked" in lowered:
        todo = "wait for the other shipline process, or end it, then run the command again"
        return UnavailableError(f"{where} is held by another process", why=why, todo=todo)
    todo = "run the command again" if path is not None else "check that it runs and that the store's URL is right"
    return UnavailableError(f"{where} did not answer as it should", why=why, todo=todo)
