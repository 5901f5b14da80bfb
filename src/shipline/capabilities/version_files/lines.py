"""Formats in which the version stands on a line of its own, and no parser is at hand: the bytes are the document.

Every pattern is tried at the start of a line and takes no byte twice, so that a hostile line costs no more than its
length.
"""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass

from shipline.capabilities.version_files.spans import Span, lines_of, replaced
from shipline.domain.version_file import VersionFile


def group_span(match: re.Match[bytes], offset: int = 0) -> Span:
    """Where the first of the groups stands that took part in a match."""
    group = next(number for number, text in enumerate(match.groups(), start=1) if text is not None)
    return Span(offset + match.start(group), offset + match.end(group), match[group].decode("latin-1"))


def once(spans: list[Span]) -> tuple[Span, ...]:
    """The spans, of which there must not be two."""
    if len(spans) > 1:
        raise ValueError("its version is written more than once")
    return tuple(spans)


class Plain:
    """A file that holds a version and nothing else."""

    _whole = re.compile(rb"(?:\xef\xbb\xbf)?+\s*+(\S++)\s*+")

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor; at most one."""
        match = self._whole.fullmatch(data)
        return () if match is None else (group_span(match),)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


@dataclass(frozen=True, slots=True)
class Line:
    """A format in which the version stands on the one line that `pattern` matches from its start."""

    pattern: re.Pattern[bytes]
    continued_by: bytes = b"\n"  # What, at its end, makes the next line a part of a line; this never does.

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor; at most one."""
        found, continues = [], False
        for offset, line in lines_of(data):
            match = None if continues else self.pattern.match(line)
            continues = line.endswith(self.continued_by)
            if match is not None:
                found.append(group_span(match, offset))
        return once(found)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


class SetupConfiguration:
    """`version` in the section `[metadata]` of a setup.cfg, unless it says where else the version stands."""

    _section = re.compile(rb"\[([^\]]*)\]")
    _version = re.compile(rb"version[ \t]*+[=:][ \t]*+([^\s:]++)[ \t]*+$", re.IGNORECASE)

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor; at most one, with the very text that the parser read."""
        stated = _options(data).get("metadata", {}).get("version", "")
        found, section = [], b""
        for offset, line in lines_of(data):
            header = self._section.match(line)
            section = header[1] if header is not None else section
            match = self._version.match(line) if section == b"metadata" else None
            if match is not None:
                found.append(group_span(match, offset))
        if found and [span.text for span in found] != [stated]:
            raise ValueError("its version is not written once, on a line of its own")
        return tuple(found)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: the sections with their options."""
        options = _options(data)
        if version is not None and self.spans(data, file):
            options["metadata"]["version"] = version
        return options


def _options(data: bytes) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(default_section="\n")  # No section is special here.
    try:
        parser.read_string(data.removeprefix(b"\xef\xbb\xbf").decode("latin-1"))
    except configparser.Error as error:
        raise ValueError(" ".join(str(error).split())) from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


PLAIN = Plain()
SETUP_CFG = SetupConfiguration()
# From: https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html#load-java.io.Reader-
GRADLE_PROPERTIES = Line(
    re.compile(rb"[ \t\f]*+version(?:[ \t\f]*+[=:]|[ \t\f])[ \t\f]*+([^\s\\]++)[ \t\f]*+$"), continued_by=b"\\"
)
_RUBY_STRING = rb"""(?:"([^"\\#]*+)"|'([^'\\]*+)')(?:\.freeze)?+[ \t]*+(?:\#.*+)?+$"""
GEMSPEC = Line(re.compile(rb"[ \t]*+\w++\.version[ \t]*+=[ \t]*+" + _RUBY_STRING))
RUBY_MODULE = Line(re.compile(rb"[ \t]*+VERSION[ \t]*+=[ \t]*+" + _RUBY_STRING))
