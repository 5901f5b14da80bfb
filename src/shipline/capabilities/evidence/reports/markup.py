"""XML from outside, streamed: no entities, nothing fetched, bounded depth, and errors in words.

Bounds on the size are the caller's. A document type declaration is allowed, since Cobertura's reports carry one; it
is never loaded, and a declaration of an entity in it is refused, which ends every entity bomb before it starts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from shipline.domain.errors import InvalidValue

DEPTH_MAX = 64
"""Nested test suites go some ten levels deep; nobody writes a report that is deeper than this."""


def closing_elements(data: bytes, *, what: str) -> Iterator[tuple[tuple[Element, ...], Element]]:
    """Every element when it closes, children first, with its ancestors, outermost first.

    An element loses its content once it was handed out, so that a long report takes the memory of its longest branch.
    Raises InvalidValue for whatever is not well-formed XML.
    """
    open_elements: list[Element] = []
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=False):
            if event == "start":
                open_elements.append(element)
                if len(open_elements) > DEPTH_MAX:
                    raise InvalidValue(f"{what} is nested more than {DEPTH_MAX} levels deep")
                continue
            open_elements.pop()
            yield tuple(open_elements), element
            if open_elements:
                open_elements[-1].remove(element)
    except DefusedXmlException as error:
        raise InvalidValue(
            f"{what} declares XML entities or asks for other files, which reports have no need of",
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
