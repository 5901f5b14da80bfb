"""Which tags of an image move, and where they go back to."""

from __future__ import annotations

import pytest

from shipline.providers.registry.oci_tags import lines_of, may_follow, moving_tags, ways_back

TAGS = ("1", "1.4", "1.3", "1.4.0", "1.4.1", "1.3.9", "0.9.0", "1.5.0-rc.1", "latest", "v1", "1.4-slim", "sha256-abc")


def test_channels_and_the_version_s_own_lines_move() -> None:
    assert moving_tags(TAGS, "1.4.1") == ("1", "1.4", "v1", "1.4-slim", "latest")
    assert moving_tags(TAGS, "1.3.9") == ("1", "1.3", "v1", "1.4-slim", "latest")
    # A version with few numbers is no line of itself.
    assert moving_tags(("2026.7", "2026"), "2026.7") == ("2026",)


@pytest.mark.parametrize(
    ("tag", "version", "good", "expected"),
    [
        ("latest", "1.4.1", "1.3.9", ("1.3.9",)),
        ("latest", "1.4.1", None, ("1.4.0", "1.3.9", "0.9.0")),
        ("1.4", "1.4.1", None, ("1.4.0",)),
        ("1.4", "1.4.1", "1.4.0", ("1.4.0",)),
        ("1.4", "1.4.1", "1.3.9", ()),
        ("1", "1.4.1", "1.3.9", ("1.3.9",)),
        ("v1", "1.4.1", "1.4.0", ("1.4.0", "1.3.9")),
        ("1.3", "1.3.9", None, ()),
        ("rc", "1.5.0-rc.1", None, ()),
    ],
)
def test_a_line_goes_back_within_itself_and_to_nothing_that_was_passed_over(
    tag: str, version: str, good: str | None, expected: tuple[str, ...]
) -> None:
    assert ways_back(tag, version, TAGS, good) == expected


def test_a_plus_is_an_underscore_in_a_tag() -> None:
    assert ways_back("latest", "1.0.1", ("1.0.0_build.1",), None) == ("1.0.0+build.1",)


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("1.4.2", ("1.4", "1")),
        ("1.4.2+build.1", ("1.4", "1")),
        ("1.10.0", ("1.10", "1")),
        ("0.4.2", ("0.4",)),
        ("1.4", ("1",)),
        ("2026.7.1.2", ("2026.7", "2026")),
        ("1.4.2.post1", ("1.4", "1")),
        ("1.5.0-rc.1", ()),
        ("1.5.0rc1", ()),
        ("1.5rc1", ()),
        ("1.4.2.dev0", ()),
        ("7", ()),
        ("nightly", ()),
    ],
)
def test_the_lines_of_a_final_version(version: str, lines: tuple[str, ...]) -> None:
    assert lines_of(version) == lines


@pytest.mark.parametrize(
    ("line", "version", "named", "answer"),
    [
        ("1.4", "1.4.2", "1.4.1", "yes"),
        ("1", "1.10.0", "1.9.0", "yes"),
        ("1", "1.3.9", "1.4.2", "no"),
        ("1", "1.4.2", "10.0.0", "no"),
        ("1.4", "1.4.2", "1.4", "no"),
        ("1.4", "1.4.2", None, "no"),
    ],
)
def test_a_line_follows_its_own_versions_upwards_alone(line: str, version: str, named: str | None, answer: str) -> None:
    assert may_follow(line, version, named) is (answer == "yes")
