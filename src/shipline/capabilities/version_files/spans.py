"""What an editor of a version file is, and the lines of such a file."""

from __future__ import annotations

from typing import Protocol

from shipline.clients.byte_spans import Span, replaced
from shipline.domain.version_file import VersionFile

__all__ = ["Editor", "Span", "lines_of", "replaced"]


class Editor(Protocol):
    """What is known of one format. ValueError (SyntaxError, RecursionError): the file is not of that format."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """Every place that states the version that `file` means; empty where none does."""
        ...

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """What a parser reads; with `version`, what it would read if that stood in the version's places."""
        ...


def lines_of(data: bytes) -> list[tuple[int, bytes]]:
    """The lines, each with the offset of its first byte and without its line end (LF, CRLF or CR)."""
    found, at = [], 3 if data.startswith(b"\xef\xbb\xbf") else 0
    for line in data[at:].splitlines(keepends=True):
        found.append((at, line.rstrip(b"\r\n")))
        at += len(line)
    return found
