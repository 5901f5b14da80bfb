"""XML from outside, streamed: no entities, nothing fetched, bounded depth, and errors in words.

Bounds on the size are the caller's. A document type may be named, since Cobertura's reports do, and is never loaded;
declarations inside the document are refused. With entities goes the bomb that is well known, with attribute defaults
the other one: a long default, given to a million elements.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from shipline.domain.errors import InvalidValue

DEPTH_MAX = 64
"""Nested test suites go some ten levels deep; nobody writes a report that is deeper than this."""
CHUNK_BYTES = 64 * 1024
OPENED_MAX = 1000
LOOKED_AT_BYTES_MAX = 4 * 1024 * 1024
"""How much is looked at to tell what a document is: so many elements, or so many bytes."""
Placed: TypeAlias = "tuple[tuple[Element, ...], Element]"
"""An element with its ancestors, outermost first."""


class _Builder(TreeBuilder):
    """Keeps the elements that have closed, each with its ancestors, until somebody takes them."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what
        self.open: list[Element] = []
        self.opened: deque[Placed] = deque()
        self.closed: deque[Placed] = deque()

    def start(self, tag: Any, attrs: dict[Any, Any], /) -> Element:
        element = super().start(tag, attrs)
        self.opened.append((tuple(self.open), element))
        self.open.append(element)
        if len(self.open) > DEPTH_MAX:
            raise InvalidValue(f"{self.what} is nested more than {DEPTH_MAX} levels deep")
        return element

    def end(self, tag: str, /) -> Element:
        element = super().end(tag)
        self.open.pop()
        self.closed.append((tuple(self.open), element))
        return element


class _Parser(DefusedXMLParser):
    """Refuses entities and external references as its base does, and whatever else a document declares itself."""

    def __init__(self, target: _Builder) -> None:
        super().__init__(target=target)
        self.parser.StartDoctypeDeclHandler = self._start_doctype

    def _start_doctype(self, name: str, system_id: str | None, public_id: str | None, declares: int) -> None:
        if declares:
            raise DTDForbidden(name, system_id, public_id)


def closing_elements(chunks: Iterable[bytes], *, what: str) -> Iterator[Placed]:
    """Every element when it closes, children first. `chunks` are the document's bytes, in order.

    An element loses its content once it was handed out, so that a long report takes the memory of its longest branch.
    Raises InvalidValue for whatever is not well-formed XML.
    """
    builder = _Builder(what)
    parser = _Parser(builder)
    for chunk in _split(chunks):
        _feed(parser, chunk, what)
        builder.opened.clear()
        while builder.closed:
            ancestors, element = builder.closed.popleft()
            yield ancestors, element
            if ancestors:
                ancestors[-1].remove(element)
    _feed(parser, None, what)


def opening_elements(chunks: Iterable[bytes], *, what: str) -> Iterator[Placed]:
    """The first elements as they open, with their attributes: about OPENED_MAX, of LOOKED_AT_BYTES_MAX.

    Raises InvalidValue for what is not well-formed XML, as far as was read.
    """
    builder = _Builder(what)
    parser = _Parser(builder)
    count, looked_at = 0, 0
    for chunk in _split(chunks):
        _feed(parser, chunk, what)
        count += len(builder.opened)
        looked_at += len(chunk)
        yield from builder.opened
        builder.opened.clear()
        if count >= OPENED_MAX or looked_at >= LOOKED_AT_BYTES_MAX:
            return
    _feed(parser, None, what)


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        view = memoryview(chunk)
        for start in range(0, len(chunk), CHUNK_BYTES):
            yield bytes(view[start : start + CHUNK_BYTES])


def _feed(parser: _Parser, chunk: bytes | None, what: str) -> None:
    """Give the parser more, or its end (None)."""
    try:
        if chunk is None:
            parser.close()
        else:
            parser.feed(chunk)
    except DefusedXmlException as error:
        raise InvalidValue(
            f"{what} declares entities or attributes of its own, or asks for other files; reports have no need of it",
            why=type(error).__name__,
            todo="make the report again with a tool that you trust",
        ) from None
    except ParseError as error:
        raise InvalidValue(
            f"{what} is not well-formed XML",
            why=str(error)[:200],
            todo="see whether the tool that wrote it was stopped before its end, and run it again",
        ) from None
    except (ValueError, LookupError) as error:  # Encodings that the parser does not know.
        raise InvalidValue(f"{what} cannot be read as XML", why=str(error)[:200]) from None


def local_name(element: Element) -> str:
    """The element's name without a namespace."""
    return element.tag.rpartition("}")[2]


def count_in(element: Element, attribute: str) -> int | None:
    """A count in an attribute, None where it is absent or empty. Raises InvalidValue for anything but digits."""
    text = element.get(attribute, "").strip()
    if not text:
        return None
    if len(text) > 12 or not (text.isascii() and text.isdigit()):
        raise InvalidValue(f"the attribute {attribute!r} of <{local_name(element)[:60]}> is no count: {text[:40]!r}")
    return int(text)
