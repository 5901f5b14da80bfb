"""Keeps JSON from outside within bounds before a parser sees it, in a piece at a time.

A streaming parser holds little, and yet a hostile document makes it hold much: one string of 100 MB, brackets in
brackets, or one element that never ends. What is looked at here is only the structure, by a few scans in C for every
piece; whether the text is JSON at all is the parser's to say.
"""

from __future__ import annotations

import re

from shipline.domain.errors import InvalidValue

DEPTH_MAX = 128
"""Levels of nesting. Reports go some twenty levels deep."""
STRING_BYTES_MAX = 8 * 1024 * 1024
"""The longest text. Screenshots and embedded sources, the longest that tools write, have some megabytes."""
NUMBER_BYTES_MAX = 1024
ELEMENT_BYTES_MAX = 32 * 1024 * 1024
"""How much text one element of a list (one finding, with all that it says) may have."""
ELEMENT_VALUES_MAX = 500_000
"""How many values one element may have: an empty object of two bytes takes 72 in memory."""

_STRINGS = re.compile(rb'"[^"]*"?')
_LONG_NUMBER = re.compile(rb"[^\s\[\]{},:]{%d}" % NUMBER_BYTES_MAX)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Bounds:
    """Takes a document's pieces in order and raises InvalidValue at the first that goes beyond a bound.

    `what` names the document in errors. `depth` is how many brackets are open around each element of interest (2 in
    `{"results": [...]}`); what is deeper is bounded as an element. None: nothing is.
    """

    def __init__(self, what: str, depth: int | None = None) -> None:
        self.what = what
        self._depth_kept = depth
        self._depth = 0
        self._in_string = False
        self._held = b""
        self._string_bytes = 0
        self._element_bytes = 0
        self._element_values = 0

    def feed(self, piece: bytes) -> None:
        """Look at the next piece."""
        outside = self._without_strings(piece)
        if _LONG_NUMBER.search(outside) is not None:
            raise InvalidValue(f"{self.what} is not JSON", why="a number or a word in it does not end")
        lowest = self._follow(outside.translate(None, _NO_BRACKETS))
        if self._depth_kept is None or lowest <= self._depth_kept:
            self._element_bytes = self._element_values = 0
            return
        self._element_bytes += len(piece)
        self._element_values += outside.count(b",") + outside.count(b"{") + outside.count(b"[")
        if self._element_bytes > ELEMENT_BYTES_MAX or self._element_values > ELEMENT_VALUES_MAX:
            raise InvalidValue(
                f"{self.what} has a single element of more than {ELEMENT_VALUES_MAX} values or "
                f"{ELEMENT_BYTES_MAX // (1024 * 1024)} MiB",
                todo="see whether the tool wrote it, and whether it can be told to write less about each",
            )

    def _without_strings(self, piece: bytes) -> bytes:
        """What stands outside of strings; remembers whether the piece ends within one."""
        data = self._held + piece
        trailing = len(data) - len(data.rstrip(b"\\"))
        self._held = b"\\" if trailing % 2 else b""  # It escapes what comes with the next piece.
        # Without what is escaped, every quotation mark that is left begins or ends a string.
        data = data[: len(data) - trailing % 2].replace(b"\\\\", b"").replace(b'\\"', b"")
        end = data.find(b'"') if self._in_string else -1
        if self._in_string and end < 0:
            self._lengthen(piece)
            return b""
        if data.count(b'"') % 2:
            self._in_string = not self._in_string
        self._string_bytes = 0
        if self._in_string:
            self._lengthen(piece)
        return _STRINGS.sub(b"", data[end + 1 :])

    def _lengthen(self, piece: bytes) -> None:
        self._string_bytes += len(piece)
        if self._string_bytes > STRING_BYTES_MAX:
            raise InvalidValue(f"{self.what} has a text of more than {STRING_BYTES_MAX // (1024 * 1024)} MiB")

    def _follow(self, brackets: bytes) -> int:
        """Follow the nesting through a piece, and give the lowest level that it came to."""
        for _ in range(DEPTH_MAX):
            shorter = brackets.replace(b"{}", b"").replace(b"[]", b"")
            if len(shorter) == len(brackets):
                break
            brackets = shorter
        opened = brackets.lstrip(b"}]")
        lowest = self._depth - (len(brackets) - len(opened))
        self._depth = lowest + len(opened)
        if self._depth > DEPTH_MAX:
            raise InvalidValue(f"{self.what} is nested too deeply", why=f"more than {DEPTH_MAX} levels")
        if lowest < 0 or b"}" in opened or b"]" in opened:
            raise InvalidValue(f"{self.what} is not JSON", why="its brackets do not match")
        return lowest
