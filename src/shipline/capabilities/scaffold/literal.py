"""A configuration in JavaScript or TypeScript, as far as it is literal: `module.exports = {...}`, `export default
{...}`, or a constant that holds it.

Nothing is run. What is computed in it (calls, functions, templates with holes) stands there as Computed, and the rest
is read. A file that exports nothing literal, or that is no such code, is a ValueError that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

# Every repetition is possessive or bounded: no text makes it slow.
TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|`[^`$\\]*+`)|(?P<template>`(?:[^`\\]|\\.)*+`)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_$][\w$]*)|(?P<mark>\S)""",
    re.DOTALL,
)
BLANK = re.compile(r"(?:\s|//[^\n]*)*+")
PATTERN = re.compile(r"/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){0,200}+\]){1,300}+/[a-z]*")
BEFORE_PATTERN = frozenset("(,=:[!&|?{};+>")
ESCAPES = {"n": "\n", "t": "\t"}
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None, "Infinity": float("inf")}
# From: @commitlint/types 20, RuleConfigSeverity.
MEMBERS = {f"RuleConfigSeverity.{name}": level for level, name in enumerate(("Disabled", "Warning", "Error"))}
EXPORTS = (("module", ".", "exports", "="), ("export", "default"), ("export", "="))
DECLARATIONS = frozenset({"const", "let", "var"})
SUFFIXES = frozenset({"as", "satisfies"})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
ENDS = frozenset({",", "]", "}", ")"})
WRAPPERS = frozenset({"defineConfig"})
"""Functions that return what they are given: they are there for the types."""
NESTING_MAX = 40
TYPE_TOKENS_MAX = 60
FAILURES_MAX = 20
"""Constants that cannot be read: each costs a look at all that is behind it."""


@dataclass(frozen=True, slots=True)
class Computed:
    """What is no literal, in the words of the file."""

    words: str


class Token(NamedTuple):
    """A piece of the source; `fresh` is True on a new line."""

    kind: str
    text: str
    at: int
    fresh: bool


END = Token("", "", 0, fresh=True)


def read_literal(source: str) -> Any:
    """The value that the file exports, in which Computed stands for what is none. ValueError where all of it is."""
    return _Reader(source).exported()


def without_computed(value: Any) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """The value without what is computed below its own keys, and that by its place with its words.

    A key of the table itself keeps its Computed: that it is set says something. A list in which something is computed
    is computed as a whole, unless it stands at such a key: there what is known of it is still worth something.
    """
    notes: list[tuple[str, str]] = []
    if not isinstance(value, dict):
        return value, ()
    return {key: _known(each, key, notes, top=True) for key, each in value.items()}, tuple(notes)


def _known(value: Any, place: str, notes: list[tuple[str, str]], *, top: bool = False) -> Any:
    if isinstance(value, dict):
        found = {key: _known(each, f"{place}.{key}", notes) for key, each in value.items()}
        notes += [(f"{place}.{key}", each.words) for key, each in found.items() if isinstance(each, Computed)]
        return {key: each for key, each in found.items() if not isinstance(each, Computed)}
    if isinstance(value, list):
        items = [_known(each, f"{place}[{number}]", notes) for number, each in enumerate(value)]
        computed = [(number, each) for number, each in enumerate(items) if isinstance(each, Computed)]
        if computed and not top:
            return computed[0][1]
        notes += [(f"{place}[{number}]", each.words) for number, each in computed]
        return [each for each in items if not isinstance(each, Computed)]
    return value


class _Reader:
    """Reads the tokens once; constants are known from where they are declared."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = list(_tokens(source))
        self._constants: dict[str, Any] = {}
        self._failures = 0

    def exported(self) -> Any:
        at, depth, found, changed = 0, 0, list[Any](), list[str]()
        while at < len(self._tokens):
            start = self._begins(at) if depth == 0 else None
            if start is None:
                text = self._text(at)
                if self._is_change(at):
                    changed.append(text)
                depth += (text in OPENING) - (text in CLOSING)
                at += 1
                continue
            name, first = start
            value, at = self._statement_value(first, is_export=name is None)
            if name is None:
                found.append(value)
            else:
                self._constants[name] = value
        if not found:
            raise ValueError("it exports no literal")
        if len(found) > 1 or isinstance(found[0], Computed):
            raise ValueError("what it exports is computed")
        if changed and isinstance(found[0], dict):
            return found[0] | {f"({changed[0]})": Computed(f"code in the file changes {changed[0]}")}
        return found[0]

    def _begins(self, at: int) -> tuple[str | None, int] | None:
        """Where the value of an export (None) or of a constant begins; None where there is neither."""
        for words in EXPORTS:
            if tuple(self._text(at + number) for number in range(len(words))) == words:
                return None, at + len(words)
        if self._text(at) not in DECLARATIONS or self._kind(at + 1) != "word":
            return None
        name, first = self._text(at + 1), at + 2
        if self._text(first) == ":":
            stop = first + TYPE_TOKENS_MAX
            first = next((each for each in range(first, stop) if self._text(each) in ("=", ";", "")), first)
        return (name, first + 1) if self._text(first) == "=" else None

    def _is_change(self, at: int) -> bool:
        """True where code goes on to what is exported or declared: `config.plugins.push(…)`, `module.exports.a = …`."""
        if self._text(at - 1) == "." or self._text(at + 1) not in (".", "["):
            return False
        if self._text(at) == "module":
            return self._text(at + 2) == "exports"
        return isinstance(self._constants.get(self._text(at)), dict | list)

    def _statement_value(self, at: int, *, is_export: bool) -> tuple[Any, int]:
        """The value up to the end of its statement, which a new line may make too; Computed unless it ends there.

        A constant that cannot be read is computed; an export that cannot be is a ValueError.
        """
        try:
            value, end = self._plain(at, 0)
        except ValueError:
            self._failures += 1
            if is_export or self._failures > FAILURES_MAX:
                raise
            return Computed(self._words(at, at + 8)), at
        end = self._past_types(end)
        follows = self._tokens[end] if end < len(self._tokens) else END
        if end > at and (follows.text in ("", ";") or (follows.fresh and follows.kind in ("word", "string"))):
            return value, end
        return Computed(self._words(at, at + 8)), at

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        """A value in a list or a table, and where what follows it begins; Computed unless it ends there."""
        value, end = self._plain(at, depth)
        end = self._past_types(end)
        if self._text(end) in ENDS and end > at:
            return value, end
        end = self._skipped(at)
        return Computed(self._words(at, end)), end

    def _plain(self, at: int, depth: int) -> tuple[Any, int]:
        """The literal that begins here; Computed where none does."""
        if depth > NESTING_MAX:
            raise ValueError("it is nested too deeply")
        kind, text = self._kind(at), self._text(at)
        if kind in ("string", "number"):
            return _string(text) if kind == "string" else float(text) if "." in text else int(text), at + 1
        if text == "{":
            return self._table(at + 1, depth)
        if text == "[":
            return self._list(at + 1, depth)
        wrapped = 1 if text == "(" else 2 if text in WRAPPERS and self._text(at + 1) == "(" else 0
        if wrapped:
            value, end = self._value(at + wrapped, depth + 1)
            return (value, end + 1) if self._text(end) == ")" else (Computed(text), at)
        if kind == "word":
            return self._named(at)
        return Computed(text), at

    def _named(self, at: int) -> tuple[Any, int]:
        text = self._text(at)
        if text in WORDS:
            return WORDS[text], at + 1
        member = f"{text}{self._text(at + 1)}{self._text(at + 2)}"
        if member in MEMBERS:
            return MEMBERS[member], at + 3
        if text in self._constants:
            return self._constants[text], at + 1
        return Computed(text), at

    def _table(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while self._text(at) != "}":
            name = self._text(at)
            if self._is_spread(at):
                value, end = self._value(at + 3, depth + 1)
                found |= value if isinstance(value, dict) else {f"...{self._words(at + 3, end)}"[:80]: Computed("…")}
            elif self._kind(at) in ("string", "word", "number") and self._text(at + 1) == ":":
                value, end = self._value(at + 2, depth + 1)
                found[_string(name) if self._kind(at) == "string" else name] = value
            elif self._kind(at) == "word" and self._text(at + 1) in (",", "}"):
                value, end = self._value(at, depth + 1)
                found[name] = value
            else:  # A method, or a key that is computed itself.
                end = self._skipped(at)
                found[name if self._kind(at) == "word" else self._words(at, end)] = Computed(self._words(at, end))
            at = self._after(end, "}")
        return found, at + 1

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while self._text(at) != "]":
            spread = self._is_spread(at)
            value, end = self._value(at + 3 if spread else at, depth + 1)
            if spread and isinstance(value, list):
                found += value
            else:
                found.append(Computed(self._words(at, end)) if spread else value)
            at = self._after(end, "]")
        return found, at + 1

    def _after(self, at: int, end: str) -> int:
        """Past a comma; the end stays."""
        if self._text(at) == ",":
            return at + 1
        if self._text(at) != end:
            raise ValueError(
                f"it is no plain literal at {self._text(at)[:40]!r}" if self._text(at) else "it ends early"
            )
        return at

    def _skipped(self, at: int) -> int:
        """Past an expression: at the comma behind it, or at what closes the list or table that it stands in."""
        depth = 0
        while at < len(self._tokens):
            text = self._text(at)
            if depth == 0 and text in ENDS:
                return at
            depth += (text in OPENING) - (text in CLOSING)
            at += 1
        raise ValueError("it ends too early")

    def _past_types(self, at: int) -> int:
        """Past `as const`, `satisfies UserConfig` and the like."""
        while self._text(at) in SUFFIXES and self._kind(at + 1) == "word":
            at += 2
            while self._text(at) == "." or (self._text(at) == "[" and self._text(at + 1) == "]"):
                at += 2
        return at

    def _is_spread(self, at: int) -> bool:
        return all(self._text(at + number) == "." for number in range(3))

    def _words(self, at: int, end: int) -> str:
        """The source of some tokens, on one line and as long as people read."""
        last = self._tokens[end].at if end < len(self._tokens) else len(self._source)
        first = self._tokens[at].at if at < len(self._tokens) else last
        return " ".join(self._source[first : min(last, first + 400)].split())[:60]

    def _text(self, at: int) -> str:
        """The text of a token, "" behind the last."""
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""

    def _kind(self, at: int) -> str:
        return self._tokens[at].kind if 0 <= at < len(self._tokens) else ""


def _tokens(source: str) -> Iterator[Token]:
    """The tokens up to the first string or comment that never ends: behind that nothing is known."""
    at, fresh, before = 0, True, ""
    while at < len(source):
        blank = BLANK.match(source, at)
        end = blank.end() if blank else at
        fresh = fresh or "\n" in source[at:end]
        at = end
        if source.startswith("/*", at):
            end = source.find("*/", at + 2)
            if end < 0:
                return
            fresh = fresh or "\n" in source[at:end]
            at = end + 2
            continue
        begins = source.startswith("/", at) and (before[-1:] in BEFORE_PATTERN or before == "return")
        pattern = PATTERN.match(source, at) if begins else None
        found = pattern or TOKEN.match(source, at)
        if found is None:
            return
        kind = "pattern" if pattern else found.lastgroup or ""
        if kind == "mark" and found[0] in "\"'`":
            return
        yield Token(kind, found[0], at, fresh)
        at, fresh, before = found.end(), False, found[0]


def _string(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)
