"""A release is found by its version, its tag, or package and version; what is near is said where there is none."""

from __future__ import annotations

import pytest

from shipline.capabilities.releases.yank.naming import named_release, unknown_release
from shipline.domain.package import Package

ALONE = (Package("quotes"),)
SEVERAL = (
    Package("core", tag_format="{package}@{version}"),
    Package("@a/web", tag_format="web-v{version}"),
    Package("api", scheme="pep440", tag_format="{package}@{version}"),
)


@pytest.mark.parametrize(
    ("packages", "text", "named"),
    [
        (ALONE, "0.1.1", ("0.1.1", None)),
        (ALONE, "v0.1.1", ("0.1.1", None)),
        (ALONE, "quotes@0.1.1", ("0.1.1", "quotes")),
        (ALONE, "quotes@v0.1.1", ("0.1.1", "quotes")),
        (ALONE, "other@0.1.1", ("other@0.1.1", None)),
        (ALONE, "version", ("version", None)),
        (SEVERAL, "0.1.1", ("0.1.1", None)),
        (SEVERAL, "core@0.1.1", ("0.1.1", "core")),
        (SEVERAL, "@a/web@0.1.1", ("0.1.1", "@a/web")),
        (SEVERAL, "web-v0.1.1", ("0.1.1", "@a/web")),
        (SEVERAL, "api@1.0rc1", ("1.0rc1", "api")),
        ((Package("a"), Package("b")), "v1.0.0", ("1.0.0", None)),
    ],
)
def test_a_release_is_named_in_several_ways(
    packages: tuple[Package, ...], text: str, named: tuple[str, str | None]
) -> None:
    assert named_release(text, packages) == named


def test_the_nearest_releases_are_listed_first() -> None:
    known = [("q", version) for version in ("1.0.0", "0.1.0", "0.2.1")]
    assert "nearest first: 0.1.0, 0.2.1, 1.0.0;" in unknown_release("0.1.9", known).todo
    assert "a@1.0.0" in unknown_release("1.0.0", [("a", "1.0.0"), ("b", "2.0.0")]).todo
    assert " and 5 more" in unknown_release("1", [("q", f"1.{number}.0") for number in range(15)]).todo
    assert "shipline release" in unknown_release("1", []).todo
