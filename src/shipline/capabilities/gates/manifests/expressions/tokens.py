"""CEL as tokens, as far as names have to be found in it: what stands in texts and comments is not a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

LENGTH_MAX = 16 * 1024
NESTING_MAX = 60
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"""|(?P<comment>//[^\n]*)"""
    r"""|(?P<space>\s+)"""
    r"""|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<number>\d[\w.]*)"""
    r"""|(?P<sign>&&|\|\||[=!<>]=|\.\?|\[\?|.)""",
    re.DOTALL | re.ASCII,
)


def tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token: `text`, `name`, `number` or `sign`; without space and comments."""
    found = ((str(match.lastgroup), match[0]) for match in _TOKEN.finditer(text))
    return [token for token in found if token[0] not in ("space", "comment")]


def is_bounded(text: str) -> bool:
    """Whether it is neither longer nor nested deeper than a policy's expression needs to be."""
    if len(text) > LENGTH_MAX:
        return False
    return max(_depths(text), default=0) <= NESTING_MAX


def joined(parts: list[tuple[str, str]]) -> str:
    """The text of tokens; a space between two that would run into each other."""
    return " ".join(part for _, part in parts)


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for kind, part in tokens(text):
        if kind == "sign":
            depth += (part[0] in "([{") - (part in (")", "]", "}"))
            yield depth
