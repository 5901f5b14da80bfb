"""Maven's pom.xml: the version of the project itself, never its parent's, a dependency's or a plug-in's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from shipline.capabilities.version_files.spans import Span
from shipline.domain.version_file import VersionFile

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]{1,80})\}")
_PROJECT_VERSION = ("project", "version")


@dataclass
class _Reader:
    """Collects what expat tells: every element's text and offsets by path, and all events in a list."""

    data: bytes
    events: list[list[str]] = field(default_factory=list)
    found: list[tuple[tuple[str, ...], int, int]] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    def read(self) -> _Reader:
        parser = expat.ParserCreate()
        parser.EntityDeclHandler = _refuse_entities
        parser.StartElementHandler = self._begin(parser)
        parser.EndElementHandler = self._end(parser)
        parser.CharacterDataHandler = lambda text: self.events.append(["text", text])
        parser.CommentHandler = lambda text: self.events.append(["comment", text])
        parser.ProcessingInstructionHandler = lambda target, text: self.events.append(["instruction", target, text])
        try:
            parser.Parse(self.data, True)
        except (expat.ExpatError, LookupError) as error:  # The latter for an encoding that nobody knows.
            raise ValueError(str(error)) from None
        return self

    def _begin(self, parser: expat.XMLParserType) -> Callable[[str, dict[str, str]], None]:
        def begin(name: str, attributes: dict[str, str]) -> None:
            self._path.append(name)
            self._starts.append(parser.CurrentByteIndex)
            self.events.append(["begin", name, *(part for pair in attributes.items() for part in pair)])

        return begin

    def _end(self, parser: expat.XMLParserType) -> Callable[[str], None]:
        def end(name: str) -> None:
            begun = self._starts.pop()
            # An element that is told of deeper than this is never the project's version or a property.
            if len(self._path) <= 3:
                self.found.append((tuple(self._path), self.data.find(b">", begun) + 1, parser.CurrentByteIndex))
            self._path.pop()
            self.events.append(["end", name])

        return end


def _refuse_entities(*_: object) -> None:
    raise ValueError("it declares entities, which are not read")


class MavenProject:
    """`project/version`, or the property that it is a reference to: `${revision}`."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor; at most one."""
        reader = _Reader(data).read()
        return _stated(reader, _place(reader))

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:  # noqa: ARG002 - the same
        """As in Editor: the elements, texts and comments, one after the other."""
        reader = _Reader(data).read()
        return _with_version(_joined(reader.events), _place(reader), version)


def _place(reader: _Reader) -> tuple[str, ...]:
    spans = _stated(reader, _PROJECT_VERSION)
    reference = _REFERENCE.fullmatch(spans[0].text) if spans else None
    return _PROJECT_VERSION if reference is None else ("project", "properties", reference[1])


def _with_version(events: list[list[str]], place: tuple[str, ...], version: str | None) -> list[list[str]]:
    path: list[str] = []
    for event in events:
        if event[0] == "begin":
            path.append(event[1])
        elif event[0] == "end":
            path.pop()
        elif event[0] == "text" and version is not None and tuple(path) == place:
            event[1] = event[1].replace(event[1].strip(), version)
    return events


def _stated(reader: _Reader, path: tuple[str, ...]) -> tuple[Span, ...]:
    found = [(start, end) for where, start, end in reader.found if where == path]
    if len(found) > 1:
        raise ValueError(f"{'/'.join(path)} stands in it more than once")
    return tuple(_span(reader.data, start, end) for start, end in found if start < end)


def _span(data: bytes, start: int, end: int) -> Span:
    text = data[start:end]
    if b"<" in text or b"&" in text:
        raise ValueError("its version is not plain text")
    inner = text.strip()
    start += len(text) - len(text.lstrip())
    return Span(start, start + len(inner), inner.decode("latin-1"))


def _joined(events: list[list[str]]) -> list[list[str]]:
    """Texts that the parser handed over in pieces are one."""
    joined: list[list[str]] = []
    for event in events:
        if joined and event[0] == joined[-1][0] == "text":
            joined[-1] = ["text", joined[-1][1] + event[1]]
        else:
            joined.append(event)
    return joined
