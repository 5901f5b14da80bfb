"""Maven's pom.xml: the version of the project itself, never a dependency's or a plug-in's; in a module, a parent's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from shipline.capabilities.version_files.spans import Span
from shipline.domain.version_file import VersionFile

OWN = "own"  # Among the names of a module: its own version goes with its parent's.
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]{1,80})\}")
_PROJECT_VERSION = ("project", "version")
_PARENT_VERSION = ("project", "parent", "version")
_MODULES = (("project", "modules", "module"), ("project", "profiles", "profile", "modules", "module"))
_DEPTH = 3  # An element that is told of deeper than this is a module, or nothing that is asked for.


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
            if len(self._path) <= _DEPTH or tuple(self._path) in _MODULES:
                self.found.append((tuple(self._path), self.data.find(b">", begun) + 1, parser.CurrentByteIndex))
            self._path.pop()
            self.events.append(["end", name])

        return end


def _refuse_entities(*_: object) -> None:
    raise ValueError("it declares entities, which are not read")


@dataclass(frozen=True, slots=True)
class Project:
    """What a pom.xml says of what it belongs to: its own and its parent's `group:artifact`, and its modules.

    `keeps` says that the version is the parent's: it states none of its own, or the same. `parent` is "" for none.
    """

    name: str
    parent: str
    keeps: bool
    modules: tuple[str, ...]


def read_project(data: bytes) -> Project:
    """The project of a pom.xml. ValueError for what is none."""
    reader = _Reader(data).read()
    parent = [_text(reader, "project", "parent", each) for each in ("groupId", "artifactId")]
    group = _text(reader, "project", "groupId") or parent[0]
    own, above = _text(reader, *_PROJECT_VERSION), _text(reader, *_PARENT_VERSION)
    modules = [_span(data, start, end).text for place in _MODULES for start, end in _found(reader, place)]
    return Project(
        name=f"{group}:{_text(reader, 'project', 'artifactId')}",
        parent=":".join(parent) if all(parent) else "",
        keeps=own in ("", above),
        modules=tuple(each for each in modules if each),
    )


class MavenProject:
    """`project/version`, or the property that it is a reference to: `${revision}`.

    In a module, whose `names` are the `group:artifact` of those whose version it may inherit: its parent's version
    where that is one of them, and its own where that is the same. References stay, since they say the new version by
    themselves.
    """

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """As in Editor."""
        reader = _Reader(data).read()
        return tuple(span for place in _places(reader, file) for span in _stated(reader, place))

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the elements, texts and comments, one after the other."""
        reader = _Reader(data).read()
        return _with_version(_joined(reader.events), _places(reader, file), version)


def _places(reader: _Reader, file: VersionFile) -> tuple[tuple[str, ...], ...]:
    if not file.names:
        return (_place(reader),)
    project = read_project(reader.data)
    above = _text(reader, *_PARENT_VERSION)
    if project.parent not in file.names or not above or "${" in above:
        return ()
    # Its own version is another package's where the folder is one.
    return (_PARENT_VERSION, _PROJECT_VERSION) if project.keeps and OWN in file.names else (_PARENT_VERSION,)


def _place(reader: _Reader) -> tuple[str, ...]:
    spans = _stated(reader, _PROJECT_VERSION)
    reference = _REFERENCE.fullmatch(spans[0].text) if spans else None
    return _PROJECT_VERSION if reference is None else ("project", "properties", reference[1])


def _text(reader: _Reader, *path: str) -> str:
    """What stands in an element, "" where there is none."""
    spans = _stated(reader, path)
    return spans[0].text if spans else ""


def _with_version(events: list[list[str]], places: tuple[tuple[str, ...], ...], version: str | None) -> list[list[str]]:
    path: list[str] = []
    for event in events:
        if event[0] == "begin":
            path.append(event[1])
        elif event[0] == "end":
            path.pop()
        elif event[0] == "text" and version is not None and tuple(path) in places and event[1].strip():
            event[1] = event[1].replace(event[1].strip(), version)
    return events


def _stated(reader: _Reader, path: tuple[str, ...]) -> tuple[Span, ...]:
    found = _found(reader, path)
    if len(found) > 1:
        raise ValueError(f"{'/'.join(path)} stands in it more than once")
    return tuple(_span(reader.data, start, end) for start, end in found if start < end)


def _found(reader: _Reader, path: tuple[str, ...]) -> list[tuple[int, int]]:
    return [(start, end) for where, start, end in reader.found if where == path]


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
