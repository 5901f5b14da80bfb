"""TOML and JSON: found by a scan that knows byte offsets, checked against the standard library's parsers."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from shipline.capabilities.releases.version_files.spans import Span

Keys: TypeAlias = tuple[str, ...]
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Tree:
    """A format of nested tables: `parse` reads it all, `scan` yields its strings with keys and places, `places` are
    the keys under which its own version may stand. `scan` gets the bytes as Latin-1, so that offsets are bytes."""

    parse: Callable[[str], dict[str, Any]]
    scan: Callable[[str], Iterator[tuple[Keys, Span]]]
    places: tuple[Keys, ...]

    def spans(self, data: bytes) -> tuple[Span, ...]:
        """As in Editor; every stated place must be found once, with the very text that the parser read."""
        document = self._parsed(data)
        stated = {keys: value for keys in self.places if isinstance(value := _at(document, keys), str)}
        found = [(keys, span) for keys, span in self.scan(data.decode("latin-1")) if keys in stated]
        if sorted((keys, span.text) for keys, span in found) != sorted(stated.items()):
            raise ValueError("its version is not written once, as a plain string without escapes")
        return tuple(span for _, span in found)

    def document(self, data: bytes, version: str | None = None) -> object:
        """As in Editor: the parsed tables."""
        document = self._parsed(data)
        for keys in self.places:
            if version is not None and isinstance(_at(document, keys), str):
                _at(document, keys[:-1])[keys[-1]] = version
        return document

    def _parsed(self, data: bytes) -> dict[str, Any]:
        # Bytes that are no UTF-8 are let through to where the format allows any text, in comments.
        document = self.parse(data.decode("utf-8", "surrogateescape").removeprefix(_BOM))
        if not isinstance(document, dict):
            raise ValueError("it holds no table")  # noqa: TRY004 - wrong content is a ValueError as from the parsers
        return document


def _at(document: Any, keys: Keys) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def read_toml(text: str) -> dict[str, Any]:
    """TOML's tables. Floats stay as they are written: a NaN is not equal to itself."""
    return tomllib.loads(text, parse_float=str)


def read_json(text: str) -> dict[str, Any]:
    """A JSON object. Numbers stay as they are written."""
    document: dict[str, Any] = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    return document


_ITEM = "[]"  # Stands in the keys for an item of an array.
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_JSON_COLON = re.compile(r"\s*:")


def scan_json(text: str) -> Iterator[tuple[Keys, Span]]:
    """Strings of a JSON text that is known to be valid (RFC 8259)."""
    keys: list[str] = []
    for match in _JSON_TOKEN.finditer(text):
        found = match[0]
        if found in ("{", "["):
            keys.append(_ITEM)
        elif found in ("}", "]"):
            keys.pop()
        elif _JSON_COLON.match(text, match.end()):
            keys[-1] = found[1:-1]
        elif keys:
            yield tuple(keys), Span(match.start() + 1, match.end() - 1, found[1:-1])


class _TOMLScan:
    """A walk over the text from statement to statement; multi-line strings and arrays are stepped over whole."""

    _gap = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
    _key = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*(\.?)""")
    _string = re.compile(
        r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|' r"'''.*?'''(?:'{0,2})|" r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""", re.DOTALL
    )
    _scalar = re.compile(r"[^,\]}\r\n#]+")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 3 if text.startswith("\xef\xbb\xbf") else 0  # A byte order mark, as Latin-1 shows it.

    def strings(self) -> Iterator[tuple[Keys, Span]]:
        table: Keys = ()
        while self._skip_gap():
            if self._text[self._at] != "[":
                yield from self._pair(table)
                continue
            array = self._text.startswith("[[", self._at)
            self._at += 2 if array else 1
            table = (*self._keys(), _ITEM) if array else self._keys()
            self._at += 2 if array else 1

    def _skip_gap(self) -> bool:
        self._at = self._matched(self._gap).end()
        return self._at < len(self._text)

    def _pair(self, table: Keys) -> Iterator[tuple[Keys, Span]]:
        keys = (*table, *self._keys())
        self._at += 1  # The equals sign.
        return self._value(keys)

    def _keys(self) -> Keys:
        keys = []
        more = True
        while more:
            match = self._matched(self._key)
            self._at = match.end()
            keys.append(match[1][1:-1] if match[1][0] in "\"'" else match[1])
            more = match[2] == "."
        return tuple(keys)

    def _value(self, keys: Keys) -> Iterator[tuple[Keys, Span]]:
        self._skip_gap()
        first = self._text[self._at]
        if first in "\"'":
            match = self._matched(self._string)
            self._at = match.end()
            yield keys, Span(match.start() + 1, match.end() - 1, match[0][1:-1])
        elif first in "[{":
            yield from self._container(keys, "]" if first == "[" else "}")
        else:
            self._at = self._matched(self._scalar).end()

    def _container(self, keys: Keys, closing: str) -> Iterator[tuple[Keys, Span]]:
        self._at += 1
        while self._skip_gap() and self._text[self._at] != closing:
            yield from self._pair(keys) if closing == "}" else self._value((*keys, _ITEM))
        self._at += 1

    def _matched(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        return match if match is not None else _lost(self._at)


def _lost(at: int) -> NoReturn:
    raise ValueError(f"what stands at byte {at} is not understood")


def scan_toml(text: str) -> Iterator[tuple[Keys, Span]]:
    """Strings of a TOML text that is known to be valid (TOML 1.0.0)."""
    return _TOMLScan(text).strings()
