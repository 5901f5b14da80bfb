"""A configuration in JavaScript, where it is a plain literal: `module.exports = {...}` or `export default {...}`.

Nothing is run. What is no literal (calls, imports, spreads, templates with holes) is a ValueError that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TOKEN = re.compile(
    r"""\s*+(?:(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|`[^`$\\]*`)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_$][\w$]*)|(?P<mark>[{}\[\],:;=.])|(?P<other>\S))""",
    re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t"}
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "undefined": None, "Infinity": float("inf")}
STARTS = (("module", ".", "exports", "="), ("export", "default"))
NESTING_MAX = 40
Token = tuple[str, str]


def read_literal(source: str) -> Any:
    """The value that the file exports. ValueError where it is not a plain literal."""
    tokens = list(_tokens(source))
    start = next((len(words) for words in STARTS if tuple(text for _, text in tokens[: len(words)]) == words), None)
    if start is None:
        raise ValueError("it does more than export a literal")
    value, end = _value(tokens, start, 0)
    if [text for _, text in tokens[end:]] not in ([], [";"]):
        raise ValueError("it does more than export a literal")
    return value


def _tokens(source: str) -> Iterator[Token]:
    """The tokens up to the first that no literal holds. What is behind it, an open comment say, is not looked into."""
    at = 0
    while (found := TOKEN.match(source, at)) is not None:
        at = found.end()
        kind = found.lastgroup or ""
        if kind != "comment":
            yield kind, found[kind]
        if kind == "other":
            return


def _value(tokens: list[Token], at: int, depth: int) -> tuple[Any, int]:
    kind, text = tokens[at] if at < len(tokens) else ("", "its end")
    if depth > NESTING_MAX:
        raise ValueError("it is nested too deeply")
    if kind == "string":
        return _string(text), at + 1
    if kind == "number":
        return (float(text) if "." in text else int(text)), at + 1
    if kind == "word" and text in WORDS:
        return WORDS[text], at + 1
    if text == "{":
        return _object(tokens, at + 1, depth)
    if text == "[":
        return _list(tokens, at + 1, depth)
    raise ValueError(f"it is no plain literal at {text[:40]!r}")


def _object(tokens: list[Token], at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while _text(tokens, at) != "}":
        kind, name = tokens[at]
        if kind not in ("string", "word", "number") or _text(tokens, at + 1) != ":":
            raise ValueError(f"it is no plain literal at {name[:40]!r}")
        found[_string(name) if kind == "string" else name], at = _value(tokens, at + 2, depth + 1)
        at = _after(tokens, at, "}")
    return found, at + 1


def _list(tokens: list[Token], at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while _text(tokens, at) != "]":
        item, at = _value(tokens, at, depth + 1)
        found.append(item)
        at = _after(tokens, at, "]")
    return found, at + 1


def _after(tokens: list[Token], at: int, end: str) -> int:
    """Past a comma; the end stays."""
    if _text(tokens, at) == ",":
        return at + 1
    if _text(tokens, at) != end:
        raise ValueError(f"it is no plain literal at {_text(tokens, at)[:40]!r}")
    return at


def _text(tokens: list[Token], at: int) -> str:
    if at >= len(tokens):
        raise ValueError("it ends too early")
    return tokens[at][1]


def _string(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)
