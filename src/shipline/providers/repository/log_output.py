"""What `git log -z` prints, read into commits; times that a commit claims, kept to what Shipline's times can be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from shipline.ports.repository import TIME_US_MAX, Commit, LogEntry

LOG_FIELDS = 6


def time_us_of(seconds: str) -> int:
    """Seconds as git has them in microseconds, kept to what Shipline's times can be.

    A commit may claim any time, and one far in the future must not make every release impossible.
    """
    return min(max(int(seconds or 0) * 1_000_000, 0), TIME_US_MAX)


def _fields(pieces: Iterator[bytes]) -> Iterator[list[str]]:
    """The NUL-terminated fields of each piece; a field that is cut between two pieces comes with the later one."""
    rest = b""
    for piece in pieces:
        whole, found, tail = piece.rpartition(b"\0")
        if found:
            yield (rest + whole).decode("utf-8", "replace").split("\0")
            rest = tail
        else:
            rest += piece


def log_entries(pieces: Iterator[bytes]) -> Iterator[LogEntry]:
    """Commits of LOG_FIELDS fields each."""
    open_fields: list[str] = []
    for fields in _fields(pieces):
        open_fields += fields
        complete = len(open_fields) - len(open_fields) % LOG_FIELDS
        cells = iter(open_fields[:complete])
        yield from map(LogEntry._make, zip(cells, cells, cells, cells, cells, cells, strict=True))
        del open_fields[:complete]


def commit_of(entry: LogEntry) -> Commit:
    """The entry, its fields read."""
    oid, parents, author, mail, _, message = entry
    return Commit(oid, tuple(parents.split()), author, mail, entry.time_us, message)


def commits_with_paths(pieces: Iterator[bytes]) -> Iterator[Commit]:
    """Commits of an empty field, LOG_FIELDS fields and the paths; no path is empty, so the next empty field ends it."""
    record: list[str] = []
    for field in chain.from_iterable(_fields(pieces)):
        if field or len(record) <= LOG_FIELDS:
            record.append(field)
        else:
            yield _commit_with_paths(record)
            record = [field]
    if record:
        yield _commit_with_paths(record)


def _commit_with_paths(record: list[str]) -> Commit:
    _, oid, parents, author, mail, time_s, message, *paths = record
    # git puts a line break between the message and the first path.
    changed = (paths[0].removeprefix("\n"), *paths[1:]) if paths else ()
    return Commit(oid, tuple(parents.split()), author, mail, time_us_of(time_s), message, changed)
