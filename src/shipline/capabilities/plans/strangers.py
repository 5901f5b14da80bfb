"""Text of strangers, as commits and changesets have it, put into Markdown: no HTML, no way out of its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
BACKTICKS = re.compile(r"(`+)")
FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
LINES_MAX = 1000
TAB = 4


def safe_line(text: str) -> str:
    """Text on one line: no control characters, no HTML outside of code spans."""
    if not text.isprintable():
        text = UNPRINTABLE.sub(" ", text)
    if "<" not in text:
        return text
    if "`" not in text or "\\`" in text:  # Whether an escaped one begins code is not worth the risk.
        return text.replace("<", "&lt;")
    return _outside_of_code(text)


def safe_lines(text: str) -> Iterator[str]:
    """Text of several lines, such as paragraphs and lists: the same line by line, and code in fences as it is.

    A fence that nobody closed is closed at the end.
    """
    fence = ""
    for line in text.split("\n")[:LINES_MAX]:
        mark = FENCE.fullmatch(line)
        if not fence and mark is not None and "`" not in mark[2]:
            fence = mark[1]
            yield safe_line(line.expandtabs(TAB)).rstrip()
            continue
        if fence and mark is not None and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        shown = line.expandtabs(TAB)
        yield (UNPRINTABLE.sub(" ", shown) if fence else safe_line(shown)).rstrip()
    if fence:
        yield fence


def _outside_of_code(text: str) -> str:
    """Code goes from some backticks to the next that are as many.

    From: https://spec.commonmark.org/0.31.2/#code-spans
    """
    parts = BACKTICKS.split(text)
    ends: dict[str, list[int]] = {}
    for place in range(len(parts) - 2, 0, -2):
        ends.setdefault(parts[place], []).append(place)
    place = 0
    while place < len(parts):
        parts[place] = parts[place].replace("<", "&lt;")
        if place + 1 == len(parts):
            break
        later = ends[parts[place + 1]]
        while later and later[-1] <= place + 1:
            later.pop()
        place = later[-1] + 1 if later else place + 2
    return "".join(parts)
