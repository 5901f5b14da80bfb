"""Path globs."""

from __future__ import annotations

import pytest

from shipline.capabilities.plans.globs import literal_folder, matches, selected
from shipline.domain.errors import InvalidValue


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("packages/*", "packages/a", True),
        ("./packages/*/", "packages/a", True),
        ("packages/*", "packages/a/b", False),
        ("packages/*", "other/a", False),
        ("packages/**", "packages/a/b", True),
        ("**/test", "test", True),
        ("**/test", "a/b/test", True),
        ("**/a/**/b", "x/a/b", True),
        ("**/a/**/b", "a/x/y/b", True),
        ("**/a/**/b", "a/x/y/c", False),
        ("{apps,libs}/[ab]?", "libs/a1", True),
        ("{apps,libs}/[ab]?", "libs/c1", False),
        ("a.b", "axb", False),
        ("@scope/*", "@scope/core", True),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, path: str, *, fits: bool) -> None:
    assert matches(pattern, path) is fits


def test_later_patterns_take_away() -> None:
    paths = ["packages/a", "packages/b", "packages/x"]
    assert selected(["packages/*", "!packages/x", "packages/[x]"], paths) == ["packages/a", "packages/b", "packages/x"]
    assert selected(["packages/*", "!**/b"], paths) == ["packages/a", "packages/x"]


def test_the_folder_above_all() -> None:
    folders = [literal_folder(each) for each in ("packages/*", "a/b/**/c", "*", "a/b", "a/{b,c}")]
    assert folders == ["packages", "a/b", "", "a/b", "a"]


def test_no_pattern_costs_more_than_its_length_says() -> None:
    """Patterns and paths of strangers: what would backtrack does not."""
    assert not matches("**/" * 60 + "b", "/".join("a" * 100))
    assert not matches("*a" * 100 + "b", "a" * 4000)
    for pattern in ("x" * 301, "{a,b}" * 10):
        with pytest.raises(InvalidValue):
            matches(pattern, "x")
