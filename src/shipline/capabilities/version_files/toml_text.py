"""TOML: strings with their keys and byte offsets, and the standard library's parser to check them against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from shipline.capabilities.version_files.spans import Span
from shipline.capabilities.version_files.trees import Keys
from shipline.domain import strict_toml


def read_toml(data: bytes) -> dict[str, Any]:
    """TOML's tables. Floats stay as they are written: a NaN is not equal to itself. Comments may hold any bytes."""
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return strict_toml.read_toml(text, floats_as_text=True)


def scan_toml(data: bytes) -> Iterator[tuple[Keys, Span]]:
    """Strings of a TOML text that is known to be valid (TOML 1.0.0)."""
    return _Scan(data.decode("latin-1")).strings()


class _Scan:
    """A walk over the text from statement to statement; multi-line strings and arrays are stepped over whole."""

    _gap = re.compile(r"[ \t\r\n,]*+(?:#[^\n]*+[ \t\r\n,]*+)*")
    _key = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*(\.?)""")
    _string = re.compile(
        r'"""(?:\\.|[^\\])*?"""(?:"{0,2})|' r"'''.*?'''(?:'{0,2})|" r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""", re.DOTALL
    )
    _scalar = re.compile(r"[^,\]}\r\n#]+")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 3 if text.startswith("\xef\xbb\xbf") else 0  # A byte order mark, as Latin-1 shows it.
        self._rows: dict[Keys, int] = {}

    def strings(self) -> Iterator[tuple[Keys, Span]]:
        table: Keys = ()
        while self._skip_gap():
            if self._text[self._at] != "[":
                yield from self._pair(table)
                continue
            array = self._text.startswith("[[", self._at)
            self._at += 2 if array else 1
            *above, last = self._keys()
            table = (*self._inside(above), last)
            if array:
                self._rows[table] = self._rows.get(table, -1) + 1
            table = self._inside([last], self._inside(above))
            self._at += 2 if array else 1

    def _inside(self, keys: list[str], base: Keys = ()) -> Keys:
        """A header's keys with the numbers of the latest rows: `[a.b]` after `[[a]]` is about the last `a`."""
        for key in keys:
            base = (*base, key)
            if base in self._rows:
                base = (*base, self._rows[base])
        return base

    def _skip_gap(self) -> bool:
        self._at = self._matched(self._gap).end()
        return self._at < len(self._text)

    def _pair(self, table: Keys) -> Iterator[tuple[Keys, Span]]:
        keys = (*table, *self._keys())
        self._at += 1  # The equals sign.
        return self._value(keys)

    def _keys(self) -> list[str]:
        keys = []
        more = True
        while more:
            match = self._matched(self._key)
            self._at = match.end()
            keys.append(_key(match[1]))
            more = match[2] == "."
        return keys

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
        row = 0
        while self._skip_gap() and self._text[self._at] != closing:
            yield from self._pair(keys) if closing == "}" else self._value((*keys, row))
            row += 1
        self._at += 1

    def _matched(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        return match if match is not None else _lost(self._at)


def _key(written: str) -> str:
    if written[0] not in "\"'":
        return written
    if written.isascii() and "\\" not in written:
        return written[1:-1]
    return next(iter(read_toml(f"{written} = 0".encode("latin-1"))))


def _lost(at: int) -> NoReturn:
    raise ValueError(f"what stands at byte {at} is not understood")
