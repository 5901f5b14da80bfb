"""Any text file: lines that a marker points out, and lines that a pattern of the settings fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from shipline.capabilities.version_files import pattern_process
from shipline.capabilities.version_files.spans import Span, lines_of, replaced
from shipline.clients.confined import Unfinished, answer_of
from shipline.domain.errors import ConfigurationError
from shipline.domain.version_file import VersionFile

MARKER = b"shipline-version"
LINE_BYTES_MAX = 1000
PATTERN_LENGTH_MAX = 500
REPETITIONS_MAX = 5
TIMEOUT_S = 10.0
# A version in running text: what follows it, such as `.tar.gz` or `-amd64`, is none of it.
# The look ahead takes as much as it can and, unlike a plain group, gives nothing back: `1.2.3x` is not the version 1.2.
# Repeated groups that give nothing back by themselves, `(...)++`, miss matches in Python up to 3.11.4.
_VERSION = re.compile(
    rb"(?<![\w.])v?(?=(\d+(?:\.\d+)+(?:-[A-Za-z]+\.\d+(?:\.\d+)*|-(?:alpha|beta|rc|a|b|dev|pre)\d+|-SNAPSHOT\b"
    rb"|(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?(?:\+[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*)?))\1(?!\w)"
)
_MARK = re.compile(rb"(?<![\w-])shipline-version(-start|-end)?(?![\w-])")


class Marked:
    """The versions on lines with the comment `shipline-version`, and on those from `…-start` to `…-end`."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:  # noqa: ARG002 - as in Editor
        """As in Editor. A marked line without a version is an error, and so is a block that is not ended."""
        found, inside = [], False
        for offset, line in lines_of(data):
            mark = _MARK.search(line)
            if mark is None and not inside:
                continue
            word = mark[1] if mark is not None else b"inside"
            if word in (b"-start", b"-end"):
                if inside == (word == b"-start"):
                    raise ValueError(f"a {MARKER.decode()}{word.decode()} stands where none can")
                inside = not inside
                continue
            versions = list(_VERSION.finditer(line[:LINE_BYTES_MAX]))
            if not versions and word is None:
                raise ValueError("a marked line states no version")
            found += [Span(offset + each.start(1), offset + each.end(1), each[1].decode()) for each in versions]
        if inside:
            raise ValueError(f"a {MARKER.decode()}-start has no {MARKER.decode()}-end")
        return tuple(found)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: no parser is at hand, so it is the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


class Matched:
    """The group `version` of VersionFile.pattern, wherever it fits in a line of at most LINE_BYTES_MAX bytes."""

    def spans(self, data: bytes, file: VersionFile) -> tuple[Span, ...]:
        """As in Editor; all places count. ConfigurationError for a pattern that does not end on this file."""
        checked_pattern(file.pattern)
        lines = [(offset, line) for offset, line in lines_of(data) if len(line) <= LINE_BYTES_MAX]
        found = _places(file.pattern, tuple(line for _, line in lines))
        places = ((lines[number][0] + start, lines[number][0] + end) for number, start, end in found)
        return tuple(Span(start, end, data[start:end].decode("latin-1")) for start, end in places)

    def document(self, data: bytes, file: VersionFile, version: str | None = None) -> object:
        """As in Editor: no parser is at hand, so it is the bytes."""
        return data if version is None else replaced(data, self.spans(data, file), version)


@lru_cache(maxsize=16)
def _places(pattern: str, lines: tuple[bytes, ...]) -> tuple[tuple[int, int, int], ...]:
    """Line, start and end of each place that the pattern fits. An edit asks the same several times."""
    asked = {"pattern": pattern, "lines": [line.decode("latin-1") for line in lines]}
    try:
        answer = answer_of(Path(pattern_process.__file__), asked, timeout_s=TIMEOUT_S, packages=False)
    except Unfinished as error:
        raise _unusable(pattern, f"on this file {error.what}") from None
    return tuple((number, start, end) for number, start, end in answer)


@lru_cache(maxsize=64)
def checked_pattern(pattern: str) -> re.Pattern[bytes]:
    """The pattern, compiled. ConfigurationError for one that has no group `version`, or that plainly may never end.

    What takes time without end is a repetition inside of a repetition, many of them in a row, and a reference back.
    None is allowed; up to ten times of something is no repetition. What is let through may still take for ever on a
    line that was made for it: that is known when it is tried, under a time limit.
    """
    trouble = _trouble(pattern)
    if trouble:
        raise _unusable(pattern, trouble)
    return re.compile(pattern.encode())


def _unusable(pattern: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the version pattern {pattern[:80]!r} cannot be used",
        why=why,
        todo='name the place and take its characters, as in: tag = "(?P<version>[0-9A-Za-z.+-]+)"',
    )


def _trouble(pattern: str) -> str:
    if len(pattern) > PATTERN_LENGTH_MAX:
        return f"it is longer than {PATTERN_LENGTH_MAX} characters"
    try:
        groups = re.compile(pattern.encode()).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    if "version" not in groups:
        return "it has no group (?P<version>...)"
    if re.search(r"\\[1-9]|\(\?P=|\(\?\(", pattern):
        return "it refers back to a group"
    nested = list(_nested(pattern))
    if len(nested) > REPETITIONS_MAX:
        return f"it holds more than {REPETITIONS_MAX} repetitions"
    return "it repeats what holds a repetition" if any(nested) else ""


_PART = re.compile(
    r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|(?P<open>\((?:\?(?:P<\w+>|[a-zA-Z-]*:|[=!>]|<[=!]))?)|(?P<close>\))"
    r"|(?P<many>[*+]|\{\d*,\}|\{(?:\d*,)?\d{2,}\})|.",
    re.DOTALL,
)


def _nested(pattern: str) -> Iterator[bool]:
    """Say for each repetition whether it is one of a group that holds one itself."""
    holds = [False]  # For the whole and each open group: a repetition is in it.
    closed = False  # The part just before closed a group that holds one.
    for part in _PART.finditer(pattern):
        before, closed = closed, False
        if part["open"]:
            holds.append(False)
        elif part["close"] and len(holds) > 1:
            closed = holds.pop()
            holds[-1] = holds[-1] or closed
        elif part["many"]:
            yield before
            holds[-1] = True


MARKED = Marked()
PATTERN = Matched()
