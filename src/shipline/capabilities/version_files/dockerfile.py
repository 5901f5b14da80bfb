"""Dockerfiles: the labels that say an image's version, and the argument that they are taken from.

From: https://github.com/opencontainers/image-spec/blob/main/annotations.md, http://label-schema.org/rc1/, and
https://docs.docker.com/reference/dockerfile/#label, whose example is `LABEL version="1.0"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipline.capabilities.version_files.lines import group_span
from shipline.capabilities.version_files.spans import Span, lines_of, replaced
from shipline.domain.version_file import VersionFile

_VALUE = rb"""(?:"([^"\\]*+)"|'([^'\\]*+)'|([^\s"'\\]++))(?=\s|\\|\Z)"""
_LABEL = re.compile(rb"""(?<![^\s"'])["']?+org\.opencontainers\.image\.version["']?+[= ][ \t]*+""" + _VALUE)
_OLDER = (b"org.label-schema.version", b"version")
# One pair after the other, so that nothing inside of a value is taken for a key.
_PAIR = re.compile(
    rb"""(?<!\S)["']?+([\w./-]++)["']?+=(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|(?:[^\s"'\\]|\\\S)++)"""
)
_PLAIN = re.compile(rb"[^=]*+=" + _VALUE)
_SPACED = re.compile(rb"[ \t]*+LABEL[ \t]++(?:org\.label-schema\.)?version[ \t]++" + _VALUE + rb"\s*+\Z", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w{0,80})\}?")
_INSTRUCTION = re.compile(rb"[ \t]*+(LABEL|ARG)[ \t]", re.IGNORECASE)
_USUAL_ARGUMENT = "VERSION"


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The label where it says a version, else the arguments that it refers to. With `argument`, arguments alone:
    those of VersionFile.names, or `ARG VERSION`.

    The older labels hold where there is none of OCI's; beside it they follow it where they say the same, since
    `version` may be about anything.
    """

    argument: bool = False

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """As in Editor; every stage of the build may have its own."""
        if self.argument:
            return _arguments(data, set(file.names) or {_USUAL_ARGUMENT})
        lines = list(_lines(data, b"LABEL"))
        labels = [span for line in lines for span in _matches(_LABEL, line)]
        said = {span.text for span in labels}
        older = (span for line in lines for span in _older(line))
        labels = sorted([*labels, *(span for span in older if not said or span.text in said)], key=lambda at: at.start)
        references = {found[1] for span in labels if (found := _REFERENCE.fullmatch(span.text))}
        plain = tuple(span for span in labels if "$" not in span.text)
        return (*plain, *_arguments(data, references))

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: no parser is at hand, so it is the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


def _arguments(data: bytes, names: set[str]) -> tuple[Span, ...]:
    if not names:
        return ()
    named = b"|".join(re.escape(name.encode()) for name in sorted(names))
    pattern = re.compile(rb"(?<=[ \t])(?:" + named + rb")=" + _VALUE)
    spans = (span for line in _lines(data, b"ARG") for span in _matches(pattern, line))
    return tuple(span for span in spans if "$" not in span.text)


def _older(line: tuple[int, bytes]) -> Iterator[Span]:
    offset, text = line
    spaced = _SPACED.match(text)
    if spaced is not None:
        yield group_span(spaced, offset)
    for pair in _PAIR.finditer(text):
        value = _PLAIN.match(text, pair.start()) if pair[1] in _OLDER else None
        if value is not None:
            yield group_span(value, offset)


def _matches(pattern: re.Pattern[bytes], line: tuple[int, bytes]) -> Iterator[Span]:
    offset, text = line
    return (group_span(match, offset) for match in pattern.finditer(text))


def _lines(data: bytes, instruction: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of an instruction, those that go on with it too; comments between them do not end it."""
    continues, current = False, b""
    for offset, line in lines_of(data):
        text = line.strip()
        if text.startswith(b"#") or (continues and not text):
            continue
        if not continues:
            begun = _INSTRUCTION.match(line)
            current = begun[1].upper() if begun is not None else b""
        continues = text.endswith(b"\\")
        if current == instruction:
            yield offset, line


LABEL = Dockerfile()
ARGUMENT = Dockerfile(argument=True)
