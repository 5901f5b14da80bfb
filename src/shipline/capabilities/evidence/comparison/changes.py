"""Which lines a change wrote, from a unified diff as `git diff` prints it.

Source: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html, and git-diff(1) for the names.
Only the headers of files and hunks and the first character of each line are looked at; a hunk says how many lines it
has, so that nothing inside of it can pass for a header.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from shipline.domain.errors import InvalidValue

ChangedLines: TypeAlias = "dict[str, frozenset[int]]"
"""The numbers of the lines that were added or rewritten, in the new file, by its path."""
_HUNK = re.compile(r"^@@ -\d{1,9}(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_ESCAPED = re.compile(r'\\([0-7]{3}|[abfnrtv"\\])')
_LETTERS = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def read_diff(data: bytes) -> ChangedLines:
    """Read a diff; an empty one changed nothing. Raises InvalidValue where it is cut off, of two parents at once, or
    no diff at all."""
    lines = data.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
    changed: dict[str, set[int]] = {}
    path = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.startswith("@@@"):
            raise InvalidValue("the diff is that of a merge, with several parents", todo="compare two commits")
        if line.startswith("+++ "):
            path = _path(line[4:])
        elif hunk := _HUNK.match(line):
            if not path:
                raise InvalidValue("the diff has a hunk that belongs to no file")
            numbers = changed.setdefault(path, set())
            at = _read_hunk(lines, at, hunk, numbers)
    if not changed and data.strip() and not re.search(rb"^(diff |--- |Binary files )", data, re.MULTILINE):
        raise InvalidValue("the file is no unified diff", todo="write it with: git diff BASE HEAD")
    return {name: frozenset(numbers) for name, numbers in changed.items() if name != "/dev/null"}


def _read_hunk(lines: list[str], at: int, hunk: re.Match[str], numbers: set[int]) -> int:
    """Add the hunk's new lines to `numbers`; gives where the hunk ends."""
    old, new = (1 if count is None else int(count) for count in (hunk[1], hunk[3]))
    number = int(hunk[2])
    while old > 0 or new > 0:
        mark = (lines[at][:1] or " ") if at < len(lines) else ""  # Some tools take the space from an empty line.
        at += 1
        if mark == "\\":  # "No newline at end of file" is about the line above.
            continue
        if mark not in (" ", "+", "-"):
            raise InvalidValue("the diff is cut off: a hunk has fewer lines than it says")
        if mark == "+":
            numbers.add(number)
        old -= mark != "+"
        new -= mark != "-"
        number += mark != "-"
    return at


def _path(written: str) -> str:
    """The path of a `+++` line, without git's `b/`, its quotes, or the time that diff(1) writes after a tab."""
    text = written.rstrip("\r").partition("\t")[0] if not written.startswith('"') else _unquoted(written)
    return text.removeprefix("b/")


def _unquoted(written: str) -> str:
    inner = written[1:].rpartition('"')[0]
    octets = bytearray()
    end = 0
    for found in _ESCAPED.finditer(inner):
        octets += inner[end : found.start()].encode()
        code = found[1]
        octets.append(int(code, 8) & 0xFF if code.isdigit() else _LETTERS.get(code, ord(code)))
        end = found.end()
    return (octets + inner[end:].encode()).decode("utf-8", errors="replace")
