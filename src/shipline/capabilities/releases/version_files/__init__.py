"""Version files edited as byte spans: only the bytes of the version change, whatever else the file holds.

Every format is scanned for where its version stands, and parsed independently of that scan; an edit is handed back
only if the parser then reads the old document with nothing but the version changed. A file without a version that
is stated in it (a dynamic one, say) is an error, never left unchanged in silence. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from shipline.capabilities.releases.version_files.lines import CHART, PLAIN, PYTHON
from shipline.capabilities.releases.version_files.spans import Editor, Span, replaced
from shipline.capabilities.releases.version_files.trees import Tree, read_json, read_toml, scan_json, scan_toml
from shipline.domain.errors import InvalidValue, ShiplineError

__all__ = ["EDITORS", "Editor", "detect", "editor_for", "read_version", "states_version", "write_version"]

FILE_BYTES_MAX = 64 * 1024 * 1024
# What SemVer 2, PEP 440 and CalVer are written with; none of it needs escaping in any of the formats.
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,199}")

EDITORS: Mapping[str, Editor] = MappingProxyType(
    {
        # PEP 621; Poetry's own table is the older place.
        "pyproject.toml": Tree(read_toml, scan_toml, (("project", "version"), ("tool", "poetry", "version"))),
        "Cargo.toml": Tree(read_toml, scan_toml, (("package", "version"), ("workspace", "package", "version"))),
        "package.json": Tree(read_json, scan_json, (("version",),)),
        # lockfileVersion 1 has the first place, 2 and 3 have both.
        "package-lock.json": Tree(read_json, scan_json, (("version",), ("packages", "", "version"))),
        "__init__.py": PYTHON,
        "_version.py": PYTHON,
        "version.py": PYTHON,
        "__about__.py": PYTHON,
        "VERSION": PLAIN,
        "Chart.yaml": CHART,
    }
)


def editor_for(path: str) -> Editor:
    """The editor for a file by its name; ShiplineError, naming the known ones, for any other."""
    name = PurePosixPath(path).name
    if name not in EDITORS:
        raise ShiplineError(f"{path}: no version file by its name", todo="known: " + ", ".join(sorted(EDITORS)))
    return EDITORS[name]


def detect(paths: Iterable[str]) -> dict[str, Editor]:
    """The paths that are version files by their names, each with its editor, in the order of `paths`."""
    return {path: EDITORS[name] for path in paths if (name := PurePosixPath(path).name) in EDITORS}


def states_version(path: str, data: bytes) -> bool:
    """True where the file states a version of its own; ShiplineError for a file that cannot be read at all."""
    return len(_spans(path, data)) > 0


def read_version(path: str, data: bytes) -> str:
    """The version that the file states; ShiplineError where it states none, or two that differ."""
    versions = sorted({span.text for span in _spans(path, data)})
    if not versions:
        raise ShiplineError(
            f"{path} states no version that can be edited",
            why="it is missing, dynamic, or written in a form that is not a plain string",
            todo="name the file that the version is read from, or state it here",
        )
    if len(versions) > 1:
        raise ShiplineError(f"{path} states more than one version: {', '.join(versions)[:200]}")
    return versions[0]


def write_version(path: str, data: bytes, new: str, *, old: str | None = None) -> bytes:
    """`data` with `new` as its version and every other byte as it was; `data` itself where it is there already.

    With `old`, a file that states neither `old` nor `new` is refused: it would hide a mismatch.
    """
    if not _VERSION.fullmatch(new):
        raise InvalidValue(f"{new[:80]!r} cannot be written as a version")
    current = read_version(path, data)
    if current == new:
        return data
    if old is not None and current != old:
        raise ShiplineError(
            f"{path} states version {current[:80]}, and {old} was expected",
            todo="mend the version in that file, commit, then run this again",
        )
    edited = replaced(data, _spans(path, data), new)
    _verify(path, data, edited, new)
    return edited


def _verify(path: str, before: bytes, after: bytes, new: str) -> None:
    """Two ways to the same document: edit and parse, parse and replace. They must meet."""
    editor = editor_for(path)
    if read_version(path, after) != new or editor.document(before, new) != editor.document(after):
        raise ShiplineError(
            f"{path} cannot be edited safely", why="parsed again, the edited file differs in more than its version"
        )


def _spans(path: str, data: bytes) -> tuple[Span, ...]:
    if len(data) > FILE_BYTES_MAX:
        raise ShiplineError(f"{path} is larger than {FILE_BYTES_MAX} bytes")
    try:
        return editor_for(path).spans(data)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise ShiplineError(
            f"{path} cannot be read", why=str(error)[:200], todo="mend that file, commit, then run this again"
        ) from None
