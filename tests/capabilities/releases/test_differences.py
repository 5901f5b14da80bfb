"""Diffs are what git applies, and never too long."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shipline.capabilities.releases.differences import (
    ALL_LINES_MAX,
    COMPARED_LINES_MAX,
    FILE_LINES_MAX,
    LINE_LENGTH_MAX,
    differences,
)

LINES = b"".join(b"line %d\n" % number for number in range(30))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\n", b"a\nB\n"),
        (b"a\nb", b"a\nb\nc"),
        (b"a\nb\n", b"x\na\nb"),
        (LINES, b"new\n" + LINES + b"last"),
        (LINES, LINES.replace(b"line 7\n", b"line seven\r\n")),
        (b"form\x0cfeed\nb\n", b"form\x0cfeed\nb\n\xc2\x85\n"),
        (None, b"new\n"),
        (None, b"new"),
        (b"old\n", None),
    ],
)
def test_git_makes_the_one_of_the_other(tmp_path: Path, before: bytes | None, after: bytes | None) -> None:
    path = tmp_path / "folder" / "a.txt"
    path.parent.mkdir()
    if before is not None:
        path.write_bytes(before)
    (told,) = differences({"folder/a.txt": after}, {"folder/a.txt": before}.get)
    assert told.change == ("added" if before is None else "deleted" if after is None else "changed")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, check=True, input=told.diff.encode())
    assert (path.read_bytes() if path.exists() else None) == after


def test_what_stays_is_left_out() -> None:
    assert differences({"a": b"a", "b": None}, {"a": b"a"}.get) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, b"line\n" * (FILE_LINES_MAX + 1)),
        (None, b"x" * (LINE_LENGTH_MAX + 1) + b"\n"),
        (b"\xff\n", b"\xfe\n"),
        (b"\xff\n", b"\xfe\n\n"),
        (b"a\n", b"b\n" * COMPARED_LINES_MAX),
    ],
)
def test_what_is_cut_is_bounded_and_says_so(before: bytes | None, after: bytes) -> None:
    (told,) = differences({"a": after}, {"a": before}.get)
    assert told.cut
    assert len(told.diff) <= LINE_LENGTH_MAX + 100
    assert told.diff.count("\n") <= FILE_LINES_MAX


def test_what_is_no_utf_8_is_shown_with_escapes() -> None:
    """Whether lines come in or only change."""
    for after in (b"caf\xe9\n2\n", b"caf\xe9\nmore\n2\n"):
        (told,) = differences({"a": after}, {"a": b"caf\xe9\n1\n"}.get)
        assert told.cut
        assert {" caf\\xe9", "-1", "+2"} <= set(told.diff.splitlines())


def test_many_files_are_named_and_not_all_shown() -> None:
    files: dict[str, bytes | None] = {f"{number:03}": b"line\n" * (FILE_LINES_MAX - 10) for number in range(20)}
    told = differences(files, lambda _path: None)
    assert len(told) == 20
    assert sum(one.diff.count("\n") for one in told) <= ALL_LINES_MAX
    assert [one.cut for one in told] == sorted(one.cut for one in told)
    assert told[-1].cut
