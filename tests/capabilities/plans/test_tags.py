"""Which tags are releases of a package."""

from __future__ import annotations

import pytest

from shipline.capabilities.plans.tags import of_other_packages, released, version_text, with_detected_format
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Package
from shipline.ports.repository import Tag


def tags(*names: str) -> list[Tag]:
    return [Tag(name, name.encode().hex().ljust(40, "0"), 0) for name in names]


@pytest.mark.parametrize(
    ("tag_format", "tag", "expected"),
    [
        ("v{version}", "v1.2.3", "1.2.3"),
        ("v{version}", "1.2.3", None),
        ("{version}", "1.2.3", "1.2.3"),
        ("{package}@{version}", "@a/b@1.2.3", "1.2.3"),
        ("{package}-v{version}", "@a/b-v1.2.3", "1.2.3"),
        ("{package}-v{version}", "@a/bc-v1.2.3", None),
        ("v{version}-final", "v1.2.3-final", "1.2.3"),
        ("v{version}-final", "v-final", None),
    ],
)
def test_a_format_reads_what_it_renders(tag_format: str, tag: str, expected: str | None) -> None:
    package = Package("@a/b", tag_format=tag_format)
    assert version_text(tag_format, package.name, tag) == expected
    assert expected is None or package.tag(expected) == tag


def test_a_format_without_a_version_is_refused() -> None:
    with pytest.raises(InvalidValue, match="has no"):
        version_text("release", "app", "release")


def test_releases_are_sorted_by_version_and_other_tags_left_out() -> None:
    found = released(
        Package("app"), tags("v1.10.0", "v1.9.0", "v1", "latest", "v1.x", "v2.0.0-rc.1", "v01.0.0"), alone=True
    )
    assert [entry.version.text for entry in found] == ["1.9.0", "1.10.0", "2.0.0-rc.1"]


def test_a_package_alone_keeps_its_history_when_the_form_of_its_tags_changes() -> None:
    found = released(Package("app"), tags("0.9.0", "app@1.0.0", "v1.1.0", "other-v9.0.0"), alone=True)
    assert [entry.version.text for entry in found] == ["0.9.0", "1.0.0", "1.1.0"]


def test_among_several_packages_bare_tags_belong_only_to_who_says_so() -> None:
    several = tags("v9.0.0", "app@1.0.0", "app-v1.1.0")
    app = Package("app", "packages/app", tag_format="{package}-v{version}")
    assert [entry.version.text for entry in released(app, several, alone=False)] == ["1.0.0", "1.1.0"]
    core = Package("core", "packages/core")
    assert [entry.version.text for entry in released(core, several, alone=False)] == ["9.0.0"]


def test_an_unusual_format_stands_alone() -> None:
    found = released(Package("app", tag_format="rel_{version}"), tags("rel_1.0.0", "v2.0.0"), alone=True)
    assert [entry.tag.name for entry in found] == ["rel_1.0.0"]


def test_of_two_tags_of_one_version_the_packages_own_form_counts() -> None:
    for order in (("1.0.0", "v1.0.0"), ("v1.0.0", "1.0.0")):
        (only,) = released(Package("app"), tags(*order), alone=True)
        assert only.tag.name == "v1.0.0"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "v{version}"),
        (("latest",), "v{version}"),
        (("1.0.0", "1.1.0"), "{version}"),
        (("1.0.0", "1.1.0", "v2.0.0", "v2.1.0"), "v{version}"),  # Who changed the form lately goes on with the new one.
        (("1.0.0", "1.1.0", "1.2.0", "1.3.0", "v2.0.0", "v2.1.0", "v2.2.0"), "v{version}"),
        # One tag that came in by mistake is not a new form.
        (("v1.0.0", "v1.1.0", "2.0.0"), "v{version}"),
        (("v1.0.0", "v1.1.0", "app@9.9.9"), "v{version}"),
        (("v1.0.0", "v1.1.0", "2.0.0-beta.1"), "v{version}"),
        # A branch whose final versions are old goes on in the form of its pre-releases.
        (("1.0.0", "1.1.0", "v9.0.0-rc.1", "v9.0.0-rc.2", "v9.0.0-rc.3"), "v{version}"),
        (("v1.0.0-rc.1", "1.0.0-rc.2"), "{version}"),
        (("v1.0.0", "1.0.0", "1.1.0", "v1.1.0", "v0.9.0"), "v{version}"),
        (("app@1.0.0",), "{package}@{version}"),
        (("app-1.0.0",), "{package}-{version}"),
        (("release-1.0.0",), "release-{version}"),
    ],
)
def test_the_format_is_found_in_the_history(names: tuple[str, ...], expected: str) -> None:
    assert with_detected_format(Package("app"), tags(*names)).tag_format == expected


def test_tags_of_other_packages_are_known_as_such() -> None:
    names = ("v1.0.0", "1.0.0", "app-v1.0.0", "other-v1.0.0", "@a/b@1.0.0-rc.1", "x/v1.0.0", "latest", "1.0.0-v2")
    found = of_other_packages(Package("app"), tags(*names))
    assert [tag.name for tag in found] == ["other-v1.0.0", "@a/b@1.0.0-rc.1", "x/v1.0.0"]
