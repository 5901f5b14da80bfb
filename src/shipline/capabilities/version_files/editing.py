"""Reading and writing the version that a file states: pure, bytes in, bytes out, and verified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from shipline.capabilities.version_files.kinds import KINDS
from shipline.capabilities.version_files.spans import Span, replaced
from shipline.capabilities.version_files.spelling import spelled
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.domain.version_file import Site, VersionFile

# What SemVer 2, PEP 440 and CalVer are written with; none of it needs escaping in any of the formats.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,199}")


def find_sites(file: VersionFile, data: bytes) -> tuple[Site, ...]:
    """Every place where the file states the package's version, in the order of their bytes; empty where none does.

    ShiplineError for a file that cannot be read, or that states its version in a form that is not edited.
    """
    spans = sorted(_spans(file, data), key=lambda span: span.start)
    return tuple(Site(file.path, file.kind, span.start, span.end, span.text) for span in spans)


def read_version(file: VersionFile, data: bytes) -> str:
    """The version that the file states; ShiplineError where it states none, or two that differ."""
    return _only(file, _spans(file, data))


def _only(file: VersionFile, spans: tuple[Span, ...]) -> str:
    versions = sorted({span.text for span in spans})
    if not versions:
        silent = KINDS[file.kind].silent
        raise ShiplineError(
            f"{file.path} states no version that can be edited",
            why=silent or "it is missing, dynamic, or written in a form that is not a plain string",
            todo="take it out of version_files"
            if silent
            else "name the file that the version is read from, or state it here",
        )
    if len(versions) > 1:
        raise ShiplineError(
            f"{file.path} states more than one version: {', '.join(versions)[:200]}",
            todo="mend it by hand, or with `shipline version sync`",
        )
    return versions[0]


def write_version(file: VersionFile, data: bytes, new: str, *, old: str | None = None) -> bytes:
    """`data` with `new`, as this kind of file spells it, for its version and every other byte as it was.

    `data` itself where it is there already. With `old`, a file that states neither is refused: it would hide a
    mismatch. Without, several places may state several versions before, and state one afterwards.
    """
    new = spelling_of(file, new)
    spans = _spans(file, data)
    if not spans or old is not None:
        current = _only(file, spans)
        if old is not None and current not in (new, spelling_of(file, old)):
            raise ShiplineError(
                f"{file.path} states version {current[:80]}, and {old} was expected",
                todo="mend the version in that file, commit, then run this again",
            )
    if all(span.text == new for span in spans):
        return data
    edited = replaced(data, spans, new)
    _verify(file, data, edited, new)
    return edited


def spelling_of(file: VersionFile, version: str) -> str:
    """How this kind of file writes the version. InvalidValue for one that it cannot hold."""
    if not _VERSION.fullmatch(version):
        raise InvalidValue(f"{version[:80]!r} cannot be written as a version")
    return spelled(version, KINDS[file.kind].dialect)


def _verify(file: VersionFile, before: bytes, after: bytes, new: str) -> None:
    """Two ways to the same document: edit and parse, parse and replace. They must meet."""
    editor = KINDS[file.kind].editor
    try:
        same = editor.document(before, file, new) == editor.document(after, file)
        stated = {span.text for span in editor.spans(after, file)} == {new}
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        same = stated = False
    if not same or not stated:
        raise ShiplineError(
            f"{file.path} cannot be edited safely",
            why=f"parsed again with {new[:80]}, the file differs in more than its version",
            todo="put the version in quotes if it has none, or name another file",
        )


def _spans(file: VersionFile, data: bytes) -> tuple[Span, ...]:
    kind = KINDS[file.kind]
    if len(data) > kind.bytes_max:
        raise ShiplineError(f"{file.path} is larger than {kind.bytes_max // 1024**2} MiB")
    with readable(file.path):
        return () if kind.silent else kind.editor.spans(data, file)


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Whatever the parsers raise for a file becomes one ShiplineError that names it."""
    try:
        yield
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ShiplineError(
            f"{path} cannot be read", why=str(error)[:200], todo="mend that file, commit, then run this again"
        ) from None
