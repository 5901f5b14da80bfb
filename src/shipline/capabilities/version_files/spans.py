"""What an editor of a version file is, and the one way in which bytes are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shipline.domain.version_file import VersionFile


@dataclass(frozen=True, slots=True)
class Span:
    """Where a version stands: byte offsets, the end exclusive, and what it says."""

    start: int
    end: int
    text: str


class Editor(Protocol):
    """What is known of one format. ValueError (SyntaxError, RecursionError): the file is not of that format."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """Every place that states the version that `file` means; empty where none does."""
        ...

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """What a parser reads; with `version`, what it would read if that stood in the version's places."""
        ...


def replaced(data: bytes, spans: Sequence[Span], new: str) -> bytes:
    """`data` with `new` in every one of `spans`."""
    parts, at = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        parts += [data[at : span.start], new.encode("ascii")]
        at = span.end
    return b"".join([*parts, data[at:]])


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    """The lines, each with the offset of its first byte and without its line end (LF, CRLF or CR)."""
    found, at = [], 3 if data.startswith(b"\xef\xbb\xbf") else 0
    for line in data[at:].splitlines(keepends=True):
        found.append((at, line.rstrip(b"\r\n")))
        at += len(line)
    return found
