"""Patterns of strangers stand for folders of the work tree alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.version_files import folders
from shipline.capabilities.version_files.folders import matching_folders


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    for path in ("crates/a/src", "crates/b", "tools/c"):
        (top / path).mkdir(parents=True)
    (tmp_path / "outside" / "d").mkdir(parents=True)
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "crates" / "file").touch()
    return top


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("crates/*", ["crates/a", "crates/b"]),
        ("./crates/a/", ["crates/a"]),
        ("*/[ab]", ["crates/a", "crates/b"]),
        ("crates/**", ["crates", "crates/a", "crates/a/src", "crates/b"]),
        ("**/src", ["crates/a/src"]),
        (".", ["."]),
        ("", ["."]),
        ("a**", []),
        ("crates/[z-a]", []),
        ("link/*", []),
        ("*/d", []),
        ("../outside/*", []),
        ("crates/../../outside/*", []),
        ("/etc", []),
        ("a\0b", []),
        ("nothing/here", []),
    ],
)
def test_a_pattern_stands_for_these(tree: Path, pattern: str, expected: list[str]) -> None:
    assert [each.relative_to(tree).as_posix() for each in matching_folders(tree, pattern)] == expected


def test_no_more_is_looked_at_than_the_bound(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "FOLDERS_MAX", 2)
    assert len(matching_folders(tree, "**/**/**")) == 2
