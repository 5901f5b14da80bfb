"""Mending version files: all edits are made in memory and verified before the first file is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shipline.capabilities.version_files.disk import content_of, own_file, write_atomically
from shipline.capabilities.version_files.editing import write_version
from shipline.domain.errors import ConflictError
from shipline.domain.version_file import VersionFile

CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """A file, relative to the repository's root, with its content before and after."""

    path: str
    before: bytes
    after: bytes


def edits_to(root: Path, wanted: Sequence[tuple[VersionFile, str]]) -> tuple[Edit, ...]:
    """What must change so that every file says its version; a file that is named twice is edited twice.

    Raises ShiplineError for the first file that cannot be edited; nothing is written here.
    """
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    for file, version in wanted:
        if file.path not in before:
            before[file.path] = after[file.path] = content_of(root, file.path)
        after[file.path] = write_version(file, after[file.path], version)
    return tuple(Edit(path, before[path], after[path]) for path in before if before[path] != after[path])


def write_edits(root: Path, edits: Sequence[Edit]) -> None:
    """Write the files. One that has changed since it was read is refused (ConflictError), with all after it."""
    for edit in edits:
        if content_of(root, edit.path) != edit.before:
            raise ConflictError(f"{edit.path} has just been changed by somebody else", todo="run this again")
        write_atomically(own_file(root, edit.path), edit.after)


def unified_diff(edit: Edit) -> bytes:
    """The edit as `git apply` and `patch` read it. No line moves in it, so lines are compared in pairs."""
    before, after = _lines(edit.before), _lines(edit.after)
    path = edit.path.encode("utf-8", "surrogateescape")
    parts = [b"--- a/" + path + b"\n", b"+++ b/" + path + b"\n"]
    for start, end in _hunks(
        [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]], len(before)
    ):
        size = f"{start + 1},{end - start}"
        parts.append(f"@@ -{size} +{size} @@\n".encode())
        parts += _hunk(before[start:end], after[start:end])
    return b"".join(parts)


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    ended = [line + b"\n" for line in lines[:-1]]
    return ended + ([lines[-1]] if lines[-1] else [])


def _hunks(changed: Sequence[int], count: int) -> Iterator[tuple[int, int]]:
    """The ranges of lines to be shown: every changed one with the lines around it, those that meet as one."""
    start = end = None
    for number in changed:
        low, high = max(0, number - CONTEXT_LINES), min(count, number + CONTEXT_LINES + 1)
        if start is None or end is None or low > end:
            if start is not None and end is not None:
                yield start, end
            start = low
        end = high
    if start is not None and end is not None:
        yield start, end


def _hunk(before: Sequence[bytes], after: Sequence[bytes]) -> Iterator[bytes]:
    """Changed lines in a row are taken out together and then put in together."""
    removed: list[bytes] = []
    added: list[bytes] = []
    for old, new in zip(before, after, strict=True):
        if old != new:
            removed.append(_shown(b"-", old))
            added.append(_shown(b"+", new))
            continue
        yield from (*removed, *added, _shown(b" ", old))
        removed, added = [], []
    yield from (*removed, *added)


def _shown(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"
