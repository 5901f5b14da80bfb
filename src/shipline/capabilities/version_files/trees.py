"""Formats of nested tables: where a version stands is said by keys, and checked against a parser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from shipline.capabilities.version_files.spans import Span
from shipline.domain.version_file import VersionFile

Keys: TypeAlias = tuple[str | int, ...]


class Place(NamedTuple):
    """Where a version may stand: its keys, numbers for items of lists, and what stands before it in the string."""

    keys: Keys
    prefix: str = ""


Places: TypeAlias = Callable[[Any, VersionFile], Iterable[Place]]
Scan: TypeAlias = Callable[[bytes], Iterator[tuple[Keys, Span]]]


@dataclass(frozen=True, slots=True)
class Tree:
    """A format of nested tables: `parse` reads it all, `scan` yields its strings with keys and byte offsets, `places`
    are those of a document where the version of a VersionFile may stand."""

    parse: Callable[[bytes], Any]
    scan: Scan
    places: Places

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """As in Editor; every stated place must be found once, with the very text that the parser read."""
        stated = self._stated(self.parse(data), file)
        if not stated:
            return ()
        found = [(keys, span) for keys, span in self.scan(data) if keys in stated]
        if len(found) != len(stated) or any(span.text != "".join(stated[keys]) for keys, span in found):
            raise ValueError("its version is not written once, as a plain string without escapes")
        return tuple(Span(span.end - len(stated[keys][1]), span.end, stated[keys][1]) for keys, span in found)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the parsed tables."""
        document = self.parse(data)
        if version is not None:
            for keys, (prefix, _) in self._stated(document, file).items():
                at(document, keys[:-1])[keys[-1]] = prefix + version
        return document

    def _stated(self, document: Any, file: VersionFile) -> dict[Keys, tuple[str, str]]:
        """The places that state something, each with what stands before the version, and the version."""
        if not isinstance(document, dict):
            raise ValueError("it holds no table")  # noqa: TRY004 - wrong content is a ValueError as from the parsers
        found = {}
        for keys, prefix in self.places(document, file):
            value = at(document, keys)
            if isinstance(value, str) and value.startswith(prefix):
                found[keys] = (prefix, value[len(prefix) :])
        return found


def at(document: Any, keys: Keys) -> Any:
    """What stands under `keys`; None where nothing does."""
    for key in keys:
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and isinstance(key, int) and key < len(document):
            document = document[key]
        else:
            return None
    return document


def rows(document: Any, *keys: str) -> list[tuple[int, dict[str, Any]]]:
    """The tables in the list that stands under `keys`, each with its number."""
    value = at(document, keys)
    return [(number, row) for number, row in enumerate(value if isinstance(value, list) else []) if type(row) is dict]


def table(document: Any, *keys: str) -> dict[str, Any]:
    """The table under `keys`; an empty one where there is none."""
    value = at(document, keys)
    return value if isinstance(value, dict) else {}
