"""SemVer 2.0.0 and PEP 440: order, reading and the next version."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as PackagingVersion

from shipline.capabilities.plans.bumps import USUAL
from shipline.capabilities.plans.versions import (
    STABLE,
    bumped,
    checked_channel,
    compare,
    distance,
    scheme_named,
)
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

SEMVER = scheme_named("semver")
PEP440 = scheme_named("pep440")

# From: https://semver.org/spec/v2.0.0.html, items 11.2 and 11.4.4
SEMVER_ORDER = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
]

# From: the list that semver.org's suggested regular expression links to, https://regex101.com/r/vkijKf/1/
SEMVER_VALID = [
    "0.0.4",
    "1.2.3",
    "10.20.30",
    "1.1.2-prerelease+meta",
    "1.1.2+meta",
    "1.1.2+meta-valid",
    "1.0.0-alpha",
    "1.0.0-beta",
    "1.0.0-alpha.beta",
    "1.0.0-alpha.beta.1",
    "1.0.0-alpha.1",
    "1.0.0-alpha0.valid",
    "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
    "1.0.0-rc.1+build.1",
    "2.0.0-rc.1+build.123",
    "1.2.3-beta",
    "10.2.3-DEV-SNAPSHOT",
    "1.2.3-SNAPSHOT-123",
    "1.0.0",
    "2.0.0",
    "1.1.7",
    "2.0.0+build.1848",
    "2.0.1-alpha.1227",
    "1.0.0-alpha+beta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
    "1.2.3----R-S.12.9.1--.12+meta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12",
    "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "99999999999999999999999.999999999999999999.99999999999999999",
    "1.0.0-0A.is.legal",
]
SEMVER_INVALID = [
    "1",
    "1.2",
    "1.2.3-0123",
    "1.2.3-0123.0123",
    "1.1.2+.123",
    "+invalid",
    "-invalid",
    "-invalid+invalid",
    "-invalid.01",
    "alpha",
    "alpha.beta",
    "alpha.beta.1",
    "alpha.1",
    "alpha+beta",
    "alpha_beta",
    "alpha.",
    "alpha..",
    "beta",
    "1.0.0-alpha_beta",
    "-alpha.",
    "1.0.0-alpha..",
    "1.0.0-alpha..1",
    "1.0.0-alpha...1",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3.DEV",
    "1.2-SNAPSHOT",
    "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788",
    "1.2-RC-SNAPSHOT",
    "-1.0.3-gamma+b7718",
    "+justmeta",
    "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    "99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1--------------------------------..12",
]

# From: https://packaging.python.org/en/latest/specifications/version-specifiers/, "Summary of permitted suffixes and
# relative ordering"
PEP440_ORDER = [
    "1.dev0",
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0rc1.dev456",
    "1.0rc1",
    "1.0",
    "1.0+abc.5",
    "1.0+abc.7",
    "1.0+5",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.0.15",
    "1.1.dev1",
]


@pytest.mark.parametrize(("scheme", "order"), [("semver", SEMVER_ORDER), ("pep440", PEP440_ORDER)])
def test_versions_are_ordered_as_the_specification_lists_them(scheme: str, order: list[str]) -> None:
    versions = [scheme_named(scheme).parse(text) for text in order]
    for (left_place, left), (right_place, right) in itertools.product(enumerate(versions), repeat=2):
        assert left is not None
        assert right is not None
        assert compare(left, right) == (left_place > right_place) - (left_place < right_place)


@pytest.mark.parametrize("text", SEMVER_VALID)
def test_valid_semver_is_read(text: str) -> None:
    version = SEMVER.parse(text)
    assert version is not None
    assert version.is_stable == ("-" not in text.partition("+")[0])


@pytest.mark.parametrize(
    "text", [*SEMVER_INVALID, "", "v1.0.0", " 1.0.0", "1.0.0\n", "\u0661.0.0", "1.0.0-" + "a" * 300]
)
def test_invalid_semver_is_none(text: str) -> None:
    assert SEMVER.parse(text) is None


def test_build_metadata_does_not_order() -> None:
    """SemVer item 10."""
    left, right = SEMVER.parse("1.0.0+a"), SEMVER.parse("1.0.0+b")
    assert left is not None
    assert right is not None
    assert compare(left, right) == 0


@pytest.mark.parametrize("text", ["", "v1.0", " 1.0", "1.0-", "one", "1..0", "1" * 300])
def test_invalid_pep440_is_none(text: str) -> None:
    assert PEP440.parse(text) is None


@pytest.mark.parametrize(
    ("text", "channel", "number"),
    [("1.0", None, 0), ("1.0.post1", None, 0), ("1.0rc2", "rc", 2), ("1.0.alpha3", "a", 3), ("1.0rc2.dev4", "dev", 4)],
)
def test_pep440_says_which_channel_a_version_is_of(text: str, channel: str | None, number: int) -> None:
    version = PEP440.parse(text)
    assert version is not None
    assert (version.channel, version.number) == (channel, number)


TRIPLES = st.tuples(*[st.integers(0, 99)] * 3)


@given(
    st.sampled_from(["semver", "pep440"]), TRIPLES, st.sampled_from([STABLE, "rc", "beta", "dev"]), st.integers(0, 50)
)
def test_what_is_rendered_reads_back(scheme: str, release: tuple[int, int, int], channel: str, number: int) -> None:
    text = scheme_named(scheme).render(release, channel=channel, number=number, epoch=0)
    version = scheme_named(scheme).parse(text)
    assert version is not None
    assert version.release == release
    assert version.is_stable == (channel == STABLE)
    assert channel == STABLE or (version.number, scheme_named(scheme).same_channel(channel, version)) == (number, True)
    assert scheme != "pep440" or str(PackagingVersion(text)) == text


@given(TRIPLES, st.sampled_from([Bump.PATCH, Bump.MINOR, Bump.MAJOR]))
def test_a_bump_goes_up_and_its_distance_is_itself(release: tuple[int, int, int], bump: Bump) -> None:
    assert bumped(release, bump) > release
    assert distance(release, bumped(release, bump)) is bump
    assert bumped(release, Bump.NONE) == release


def test_before_1_0_0_a_breaking_change_moves_the_minor_version() -> None:
    assert [USUAL.effective(bump, 0) for bump in Bump] == [Bump.NONE, Bump.PATCH, Bump.MINOR, Bump.MINOR]
    assert [USUAL.effective(bump, 1) for bump in Bump] == list(Bump)


@pytest.mark.parametrize("channel", ["", "1", "a b", "a.b", "-rc", "é", "x" * 40])
def test_a_channel_that_cannot_stand_in_a_version_is_refused(channel: str) -> None:
    with pytest.raises(InvalidValue):
        checked_channel(channel)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue) as caught:
        scheme_named("romver")
    assert "semver, pep440" in caught.value.todo
    with pytest.raises(InvalidValue) as caught:
        PEP440.render((1, 0, 0), channel="nightly", number=1, epoch=0)
    assert "rc" in caught.value.todo
    with pytest.raises(InvalidValue):
        SEMVER.render((1, 0, 0), channel=STABLE, number=0, epoch=1)
