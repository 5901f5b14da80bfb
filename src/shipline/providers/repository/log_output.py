"""What `git log -z` prints, read into commits; times that a commit claims, kept to what Shipline's times can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain

from shipline.ports.repository import TIME_US_MAX, Commit, LogEntry

LOG_FIELDS = 6
ENTRY_FIELDS = 4
BEGINNING = re.compile(r"\0\0(?=[0-9a-f]{40,64}(?:\0|\Z))")


def time_us_of(seconds: str) -> int:
    """Seconds as git has them in microseconds, kept to what Shipline's times can be.

    A commit may claim any time, and one far in the future must not make every release impossible.
    """
    time_us = int(seconds or 0) * 1_000_000
    return time_us if 0 <= time_us <= TIME_US_MAX else min(max(time_us, 0), TIME_US_MAX)


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


def _rows(pieces: Iterator[bytes], width: int) -> Iterator[Iterator[tuple[str, ...]]]:
    """The fields by commits of so many each, for each piece."""
    open_fields: list[str] = []
    for fields in _fields(pieces):
        open_fields += fields
        complete = len(open_fields) - len(open_fields) % width
        cells = iter(open_fields[:complete])
        del open_fields[:complete]
        yield zip(*[cells] * width, strict=True)


def log_entries(pieces: Iterator[bytes]) -> Iterator[LogEntry]:
    """Commits of ENTRY_FIELDS fields each. No line of Python is run for one: there are very many."""
    return map(partial(tuple.__new__, LogEntry), chain.from_iterable(_rows(pieces, ENTRY_FIELDS)))


def plain_commits(pieces: Iterator[bytes]) -> Iterator[Commit]:
    """Commits of LOG_FIELDS fields each."""
    return map(_commit_of, chain.from_iterable(_rows(pieces, LOG_FIELDS)))


def _commit_of(row: tuple[str, ...]) -> Commit:
    oid, parents, author, mail, time_s, message = row
    return Commit(oid, tuple(parents.split()), author, mail, time_us_of(time_s), message)


def commits_with_paths(pieces: Iterator[bytes]) -> Iterator[Commit]:
    """Commits of an empty field, LOG_FIELDS fields and the paths."""
    return map(_commit_with_paths, _records(pieces))


def _records(pieces: Iterator[bytes]) -> Iterator[list[str]]:
    """The fields of each commit.

    Cut where the next one seems to begin, which is right once a commit has all of its fields: one of them may be empty,
    and the next be made to look like an id, but no path is empty.
    """
    begun = ""
    for text in _texts(chain((b"\0",), pieces)):
        first, *others = BEGINNING.split(text)
        begun += first
        for each in others:
            record = begun.split("\0")
            if len(record) >= LOG_FIELDS:
                yield record
                begun = each
            else:
                begun = f"{begun}\0\0{each}" if begun else each
    if begun != "\0":
        yield begun.removesuffix("\0").split("\0")


def _texts(pieces: Iterator[bytes]) -> Iterator[str]:
    """The whole text, cut only in front of empty fields."""
    rest = b""
    for piece in pieces:
        whole, found, tail = (rest + piece).rpartition(b"\0\0")
        rest = found + tail
        yield whole.decode("utf-8", "replace")
    yield rest.decode("utf-8", "replace")


def _commit_with_paths(record: list[str]) -> Commit:
    oid, parents, author, mail, time_s, message, *paths = record
    # git puts a line break between the message and the first path.
    changed = (paths[0].removeprefix("\n"), *paths[1:]) if paths else ()
    return Commit(oid, tuple(parents.split()), author, mail, time_us_of(time_s), message, changed)
