"""What a release commit changes, file by file, as people and `git apply` read it: bounded in lines, and pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shipline.capabilities.releases.batch import Reader
from shipline.capabilities.version_files import Edit, unified_diff

FILE_LINES_MAX = 200
ALL_LINES_MAX = 2000
LINE_LENGTH_MAX = 2000
COMPARED_LINES_MAX = 20_000
ESCAPED = "backslashreplace"  # People have Latin-1 in their changelogs, and want to see the rest.


@dataclass(frozen=True, slots=True)
class Difference:
    """How one file changes. `change` is added, changed or deleted; `diff` is unified, with three lines around.

    `cut`: not all of it is shown, or bytes that are no UTF-8 as escapes. Then, and only then, `diff` cannot be applied.
    """

    path: str
    change: str
    diff: str
    cut: bool = False


def differences(files: Mapping[str, bytes | None], read: Reader) -> tuple[Difference, ...]:
    """Those of all files, by path, from their contents afterwards (None: deleted); what stays is left out."""
    found, shown = [], 0
    for path in sorted(files):
        before, after = read(path), files[path]
        if before == after:
            continue
        one = _difference(path, before, after)
        shown += one.diff.count("\n")
        found.append(one if shown <= ALL_LINES_MAX else replace(one, diff="", cut=True))
    return tuple(found)


def _difference(path: str, before: bytes | None, after: bytes | None) -> Difference:
    change = "added" if before is None else "deleted" if after is None else "changed"
    text = _diff(path, before, after)
    lines = text.splitlines(keepends=True) if text is not None else []
    is_cut = (
        text is None
        or not (_is_text(before) and _is_text(after))
        or len(lines) > FILE_LINES_MAX
        or any(len(line) > LINE_LENGTH_MAX for line in lines)
    )
    shown = [_shortened(line) for line in lines[:FILE_LINES_MAX]]
    return Difference(path, change, "".join(shown), is_cut)


def _is_text(content: bytes | None) -> bool:
    try:
        (content or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _shortened(line: str) -> str:
    return line if len(line) <= LINE_LENGTH_MAX else line[:LINE_LENGTH_MAX] + "…\n"


def _diff(path: str, before: bytes | None, after: bytes | None) -> str | None:
    """The whole diff; None for what is too large to be compared."""
    if before is not None and after is not None and _has_as_many_lines(before, after):
        return unified_diff(Edit(path, before, after)).decode(errors=ESCAPED)
    old, new = _lines(before), _lines(after)
    if len(old) + len(new) > COMPARED_LINES_MAX:
        return None
    names = (f"a/{path}" if before is not None else "/dev/null", f"b/{path}" if after is not None else "/dev/null")
    return "".join(_ended(difflib.unified_diff(old, new, *names)))


def _has_as_many_lines(before: bytes, after: bytes) -> bool:
    return before.count(b"\n") == after.count(b"\n") and before.endswith(b"\n") == after.endswith(b"\n")


def _lines(content: bytes | None) -> list[str]:
    """Lines end at line feeds alone, as git has it."""
    text = "" if content is None else content.decode(errors=ESCAPED)
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
