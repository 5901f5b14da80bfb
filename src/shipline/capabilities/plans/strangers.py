"""Text of strangers, as commits and changesets have it, put into Markdown: no HTML, no way out of its place. Pure.

What is code stays as it is, and only that. Where it would take a whole parser to know, it is not taken for code: then a
reader sees `&lt;` in the code, which harms nobody.

From: https://spec.commonmark.org/0.31.2/, code spans and fenced code blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
BACKTICKS = re.compile(r"(`+)")
FENCE = re.compile(r"( *)(?:(`{3,})([^`]*)|(~{3,})(.*))")
# Behind the mark of a list or a quotation, where a fence may begin as well.
FENCE_INSIDE = re.compile(r" *(?:(?:>|[-*+]|\d{1,9}[.)]) *)+(?:```|~~~)")
FENCE_INDENT_MAX = 3
LINES_MAX = 1000
TAB = 4


def safe_line(text: str) -> str:
    """Text on one line: no control characters, no HTML outside of code spans."""
    if "<" not in text and "`" not in text and text.isprintable():
        return text  # As most are, and a long changelog has very many.
    return _line(text)[0]


def safe_lines(text: str, *, after: str = "") -> Iterator[str]:
    """Text of several lines, such as paragraphs and lists: the same line by line, and code in fences as it is.

    `after` is the line that it follows. A fence that nobody closed is closed at the end.
    """
    fence = ""  # The one that is open, as it is written, with what stands before it.
    unsure = _may_begin_fence(after)  # Whether a fence is open cannot be known, or not any more.
    reaching = _line(after)[1]  # A code span may reach from a line to the next, and to the end of the paragraph.
    for line in text.split("\n")[:LINES_MAX]:
        shown = UNPRINTABLE.sub(" ", line.expandtabs(TAB)).rstrip()
        mark = FENCE.fullmatch(shown)
        if fence and not unsure:
            closing = mark is not None and _closes(mark, fence.strip())
            unsure = bool(shown) and (_indent(shown) < _indent(fence) or (closing and _is_deep(mark)))
            fence = "" if closing or unsure else fence
            yield _escaped(shown) if unsure else shown
            continue
        unsure = unsure or _is_deep(mark) or FENCE_INSIDE.match(shown) is not None
        if mark is not None and not unsure:
            fence = f"{mark[1]}{mark[2] or mark[4]}"
        reaching = reaching and bool(shown)
        safe, opened = _line(shown)
        yield _escaped(shown) if reaching or unsure or mark is not None else safe
        reaching = reaching or (opened and mark is None)
    if fence:
        yield fence


def _closes(mark: re.Match[str], fence: str) -> bool:
    return (mark[2] or mark[4]).startswith(fence) and not (mark[3] or mark[5] or "").strip()


def _may_begin_fence(line: str) -> bool:
    shown = UNPRINTABLE.sub(" ", line).rstrip()
    return FENCE.fullmatch(shown) is not None or FENCE_INSIDE.match(shown) is not None


def _is_deep(mark: re.Match[str] | None) -> bool:
    """True for a fence that is one in some lists alone."""
    return mark is not None and len(mark[1]) > FENCE_INDENT_MAX


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


def _line(text: str) -> tuple[str, bool]:
    """The text on one line, and whether a code span may begin there that does not end there."""
    if not text.isprintable():
        text = UNPRINTABLE.sub(" ", text)
    if "`" not in text:
        return _escaped(text), False
    if "\\`" in text:  # Whether an escaped one begins code is not worth the risk.
        return _escaped(text), True
    return _outside_of_code(text)


def _outside_of_code(text: str) -> tuple[str, bool]:
    """Code goes from some backticks to the next that are as many."""
    parts = BACKTICKS.split(text)
    ends: dict[str, list[int]] = {}
    for place in range(len(parts) - 2, 0, -2):
        ends.setdefault(parts[place], []).append(place)
    place, opened = 0, False
    while place < len(parts):
        parts[place] = _escaped(parts[place])
        if place + 1 == len(parts):
            break
        later = ends[parts[place + 1]]
        while later and later[-1] <= place + 1:
            later.pop()
        opened = opened or not later
        place = later[-1] + 1 if later else place + 2
    return "".join(parts), opened
