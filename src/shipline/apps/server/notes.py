"""Release notes as blocks that a template can write: headings, lists and paragraphs, with bold and code in them.

This is the Markdown that Shipline's changelog is written in, and no more: links, images and HTML stay the text that
they are, because commit messages are the words of strangers. Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

HEADING = re.compile(r"(#{1,6})\s+(.*)")
ITEM = re.compile(r"\s*[-*+]\s+(.*)")
INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
BLOCKS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line. `kind` is text, code or strong."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is heading, list or paragraph; `items` are its lines: one for a heading or paragraph."""

    kind: str
    items: tuple[tuple[Span, ...], ...]


def blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks of a text, at most 2,000. The first two levels of headings are left out: they name the version."""
    found: list[Block] = []
    for kind, text in _lines(markdown):
        spans = tuple(_spans(text))
        if kind in ("list", "paragraph") and found and found[-1].kind == kind and not _parted(found):
            last = found[-1]
            items = (*last.items, spans) if kind == "list" else ((*last.items[0], Span("text", " "), *spans),)
            found[-1] = Block(kind, items)
        else:
            found.append(Block(kind, (spans,)))
        if len(found) > BLOCKS_MAX:
            break
    return tuple(block for block in found if block.kind != "gap")


def _parted(found: list[Block]) -> bool:
    return found[-1].kind == "gap"


def _lines(markdown: str) -> Iterator[tuple[str, str]]:
    for line in markdown.splitlines():
        heading, item = HEADING.match(line), ITEM.match(line)
        if heading is not None:
            if len(heading[1]) > 2:
                yield "heading", heading[2]
        elif item is not None:
            yield "list", item[1]
        elif line.strip():
            yield "paragraph", line.strip()
        else:
            yield "gap", ""


def _spans(text: str) -> Iterator[Span]:
    """`&lt;` is how the changelog writes a stranger's angle bracket; the template escapes it again."""
    end = 0
    for found in INLINE.finditer(text):
        if found.start() > end:
            yield Span("text", html.unescape(text[end : found.start()]))
        yield Span("code", found[1]) if found[1] is not None else Span("strong", html.unescape(found[2]))
        end = found.end()
    if end < len(text):
        yield Span("text", html.unescape(text[end:]))
