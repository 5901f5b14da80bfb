"""A JSON document walked through once: its members are looked at, and what is wanted is read at the speed of C.

The scanner of the standard library reads a value where it stands, in C, and says where it ended. So whoever walks
decides at each name whether to read the value, or to go into it. Memory holds a piece of the document, or as much of it
as one value has, within the bounds of `bounds.py`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from shipline.capabilities.evidence.reports.bounds import ELEMENT_BYTES_MAX, ELEMENT_VALUES_MAX, STRING_BYTES_MAX
from shipline.domain.errors import InvalidValue

NEAR_THE_END = 16
"""Signs that a cut-off escape, number or word may have: what is wrong so near to the end of a piece may only be cut."""
LOOKED_INTO_MIN = ELEMENT_VALUES_MAX
"""Less text than this cannot hold as many values."""
_BLANKS = re.compile(r"[ \t\n\r]*")
_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


class Walk:
    """Where a walk through a document stands. `what` names the document in errors, which are InvalidValue.

    Whoever is given a name or a place (`members`, `elements`) must go past its value before asking for the next: with
    `value`, or by walking through it.
    """

    def __init__(self, chunks: Iterator[bytes], what: str = "the report") -> None:
        self.what = what
        self._chunks = chunks
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._read = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
        self._text = ""
        self._at = 0
        self._is_over = False

    def members(self) -> Iterator[str]:
        """The names of the object here. InvalidValue where something else is."""
        self._expect("{")
        if self._next_sign() == "}":
            self._at += 1
            return
        while True:
            self._next_sign()
            name = self.value()
            if not isinstance(name, str):
                self._fail("a name in it is no text")
            self._expect(":")
            yield name
            if not self._goes_on("}"):
                return

    def elements(self) -> Iterator[None]:
        """A stop before each element of the list here. InvalidValue where something else is."""
        self._expect("[")
        if self._next_sign() == "]":
            self._at += 1
            return
        while True:
            yield
            if not self._goes_on("]"):
                return

    def items(self) -> Iterator[Any]:
        """The elements of the list here, one by one."""
        for _ in self.elements():
            yield self.value()

    def skip(self) -> None:
        """Go past the value here, an element at a time."""
        if self.is_at("["):
            for _ in self.items():
                pass
        elif self.is_at("{"):
            for _ in self.members():
                self.value()
        else:
            self.value()

    def is_at(self, sign: str) -> bool:
        """True if the value here begins so: `[`, `{`."""
        return self._next_sign() == sign

    def value(self) -> Any:
        """The value here, whole."""
        self._next_sign()
        while True:
            try:
                value, end = self._read(self._text, self._at)
            except json.JSONDecodeError as error:
                self._need_more(error.msg, error.pos, is_text=error.msg.startswith("Unterminated"))
            except RecursionError:
                raise InvalidValue(f"{self.what} is nested too deeply") from None
            except ValueError as error:
                self._fail(str(error)[:200])
            else:
                # A number near the end of the piece may go on in the next one, as `0` does in `0.` and `1` in `1e+`.
                is_whole = not isinstance(value, int | float) or end < len(self._text) - NEAR_THE_END
                if is_whole or not self._grow():
                    self._at = end
                    return value

    def end(self) -> None:
        """See to it that nothing comes any more."""
        if self._next_sign():
            self._fail("something comes after its end")

    def _expect(self, sign: str) -> None:
        if self._next_sign() != sign:
            self._fail(f"{sign} is missing")
        self._at += 1

    def _goes_on(self, last: str) -> bool:
        """True after a comma, False after the sign that ends a list or an object."""
        sign = self._next_sign()
        if sign not in (",", last):
            self._fail(f"{last} is missing")
        self._at += 1
        return sign == ","

    def _next_sign(self) -> str:
        """Go past blanks; the sign that comes, "" at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found is not None else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def _grow(self) -> bool:
        """Take the next piece, and let go of what lies behind; False at the end of the document."""
        if self._is_over:
            return False
        try:
            chunk = next(self._chunks, b"")
            self._is_over = not chunk
            more = self._decoder.decode(chunk, final=self._is_over)
        except UnicodeDecodeError:
            raise InvalidValue(f"{self.what} is not UTF-8 text") from None
        self._text = self._text[self._at :] + more
        self._at = 0
        return True

    def _need_more(self, why: str, position: int, *, is_text: bool = False) -> None:
        """Take more where what is wrong may only be cut off: until it is whole, twice as much each time."""
        if not is_text and position < len(self._text) - NEAR_THE_END:
            self._fail(why)
        if is_text and len(self._text) - position > STRING_BYTES_MAX:
            raise InvalidValue(f"{self.what} has a text of more than {STRING_BYTES_MAX // (1024 * 1024)} MiB")
        self._check_element()
        wanted = 2 * (len(self._text) - self._at)
        if not self._grow():
            self._fail(why)
        while len(self._text) < wanted and self._grow():
            pass

    def _check_element(self) -> None:
        """Refuse an element that goes through all that is held, and is too large already."""
        held = len(self._text) - self._at
        values = 0
        if held > LOOKED_INTO_MIN:
            outside = _STRINGS.sub("", self._text[self._at :])
            values = outside.count(",") + outside.count("[") + outside.count("{")
        if held > ELEMENT_BYTES_MAX or values > ELEMENT_VALUES_MAX:
            raise InvalidValue(
                f"{self.what} has a single element of more than {ELEMENT_VALUES_MAX} values or "
                f"{ELEMENT_BYTES_MAX // (1024 * 1024)} MiB",
                todo="see whether the tool wrote it, and whether it can be told to write less about each",
            )

    def _fail(self, why: str) -> NoReturn:
        raise InvalidValue(
            f"{self.what} is not JSON, or is cut off",
            why=why,
            todo="see whether the tool that wrote it was stopped before its end, and run it again",
        )
