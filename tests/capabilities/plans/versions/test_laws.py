"""What holds for all versions of all schemes, and what the peers say to the same questions."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from packaging.version import InvalidVersion
from packaging.version import Version as PackagingVersion

from shipline.capabilities.plans.versions import Scheme, Version, compare, next_version, scheme_named
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue
from tests.capabilities.plans.versions.test_schemes import SEMVER_INVALID, SEMVER_VALID
from tests.npm_semver import NpmSemver

SEMVER = scheme_named("semver")
PEP440 = scheme_named("pep440")
BUMPS = st.sampled_from([Bump.PATCH, Bump.MINOR, Bump.MAJOR])

NUMBERS = st.integers(0, 12).map(str)
IDENTIFIERS = st.sampled_from(["0", "1", "2", "10", "alpha", "beta", "rc", "dev", "a-b", "0a", "-", "RC"])
LABELS = st.lists(IDENTIFIERS, max_size=3).map(lambda parts: "-" + ".".join(parts) if parts else "")
BUILDS = st.sampled_from(["", "", "+1", "+build.01"])
SEMVER_TEXTS = st.builds("{}.{}.{}{}{}".format, NUMBERS, NUMBERS, NUMBERS, LABELS, BUILDS)
PEP440_TEXTS = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["", "", "1!"]),
    st.lists(NUMBERS, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["", "", "a1", ".beta-2", "RC3", "c0", "_preview_4"]),
    st.sampled_from(["", "", ".post1", "-2", ".rev3"]),
    st.sampled_from(["", "", ".dev0", "dev4"]),
    st.sampled_from(["", "", "+abc.5", "+ABC-07"]),
)
CALVER_TEXTS = st.builds(
    "{}.{:02d}.{}{}".format,
    st.integers(2020, 2030),
    st.integers(1, 12),
    NUMBERS,
    st.sampled_from(["", "", "-rc.1", "-beta2", ".dev0", "-a"]),
)
TEXTS = {"semver": SEMVER_TEXTS, "pep440": PEP440_TEXTS, "calver:YYYY.0M.MICRO": CALVER_TEXTS}


def read(scheme: Scheme, text: str) -> Version:
    version = scheme.parse(text)
    assert version is not None, text
    return version


@given(st.data(), st.sampled_from(sorted(TEXTS)))
def test_the_order_is_total(data: st.DataObject, name: str) -> None:
    """Antisymmetric, reflexive, transitive: three versions, sorted, are in order pair by pair."""
    scheme = scheme_named(name)
    one, two, three = (read(scheme, data.draw(TEXTS[name])) for _ in range(3))
    assert compare(one, two) == -compare(two, one)
    assert compare(one, one) == 0
    low, middle, high = sorted((one, two, three), key=lambda version: version.key)
    assert compare(low, middle) <= 0
    assert compare(middle, high) <= 0
    assert compare(low, high) <= 0


@given(st.data(), st.sampled_from(sorted(TEXTS)))
def test_the_normal_form_is_the_same_version_and_its_own(data: st.DataObject, name: str) -> None:
    scheme = scheme_named(name)
    version = read(scheme, data.draw(TEXTS[name]))
    normal = scheme.normalized(version.text)
    assert normal is not None
    assert scheme.normalized(normal) == normal
    assert compare(read(scheme, normal), version) == 0


@given(st.text(max_size=12) | st.text("0123456789.-+abrcdev!*x v", max_size=20), st.sampled_from(sorted(TEXTS)))
def test_rubbish_is_none_and_what_is_read_is_kept_as_written(text: str, name: str) -> None:
    version = scheme_named(name).parse(text)
    assert version is None or version.text == text


@given(st.data(), st.sampled_from(["semver", "pep440"]), BUMPS, st.sampled_from([None, "rc", "beta", "dev"]))
def test_the_next_version_is_above_or_refused(data: st.DataObject, name: str, bump: Bump, pre: str | None) -> None:
    """Refused are only pre-releases: final versions go on from everywhere."""
    scheme = scheme_named(name)
    current = read(scheme, data.draw(TEXTS[name]))
    try:
        following = read(scheme, next_version(scheme, current, bump, pre=pre, day=None))
    except InvalidValue:
        assert pre is not None
        return
    assert compare(following, current) == 1
    assert following.is_stable == (pre is None)


@pytest.mark.parametrize(
    ("name", "current", "bump", "pre", "expected"),
    [
        ("semver", "1.2.3", "minor", None, "1.3.0"),
        ("semver", "1.2.3", "minor", "rc", "1.3.0-rc.1"),
        ("semver", "1.3.0-rc.1", "minor", "rc", "1.3.0-rc.2"),
        ("semver", "1.3.0-rc.1", "minor", None, "1.3.0"),
        ("semver", "1.3.0-rc.1", "patch", None, "1.3.0"),
        ("semver", "1.3.0-rc.1", "major", "rc", "2.0.0-rc.1"),
        ("semver", "1.3.0-beta.4", "minor", "rc", "1.3.0-rc.1"),
        ("semver", "0.2.3", "major", None, "1.0.0"),
        ("semver", "1.2.3+build", "patch", None, "1.2.4"),
        ("pep440", "1.2", "minor", "rc", "1.3.0rc1"),
        ("pep440", "1.3.0rc1", "minor", "rc", "1.3.0rc2"),
        ("pep440", "1.3.0.dev4", "minor", "dev", "1.3.0.dev5"),
        ("pep440", "1!1.2.post3", "patch", None, "1!1.2.1"),
        ("pep440", "1.2.3.4", "patch", None, "1.2.4"),
        ("pep440", "1.0+local", "patch", None, "1.0.1"),
    ],
)
def test_the_next_version_by_example(name: str, current: str, bump: str, pre: str | None, expected: str) -> None:
    scheme = scheme_named(name)
    assert next_version(scheme, read(scheme, current), Bump(bump), pre=pre, day=None) == expected


def test_a_beta_after_a_candidate_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidValue) as caught:
        next_version(SEMVER, read(SEMVER, "1.3.0-rc.1"), Bump.MINOR, pre="beta", day=None)
    assert "1.3.0-beta.1 would not be above 1.3.0-rc.1" in caught.value.what


# --- packaging ---------------------------------------------------------------------------------------------------

# From: https://packaging.python.org/en/latest/specifications/version-specifiers/, the examples of "Normalization".
NORMALIZED = [
    ("1.1RC1", "1.1rc1"),
    ("00", "0"),
    ("09000", "9000"),
    ("1.0+foo0100", "1.0+foo0100"),
    ("1.1.a1", "1.1a1"),
    ("1.1-a1", "1.1a1"),
    ("1.1_a.1", "1.1a1"),
    ("1.1alpha1", "1.1a1"),
    ("1.1beta2", "1.1b2"),
    ("1.1c3", "1.1rc3"),
    ("1.1pre3", "1.1rc3"),
    ("1.1preview3", "1.1rc3"),
    ("1.2a", "1.2a0"),
    ("1.2-post2", "1.2.post2"),
    ("1.2post2", "1.2.post2"),
    ("1.2.post-2", "1.2.post2"),
    ("1.0-r4", "1.0.post4"),
    ("1.2.post", "1.2.post0"),
    ("1.0-1", "1.0.post1"),
    ("1.2-dev2", "1.2.dev2"),
    ("1.2dev2", "1.2.dev2"),
    ("1.2.dev", "1.2.dev0"),
    ("1.0+ubuntu-1", "1.0+ubuntu.1"),
    ("v1.0", "1.0"),
    (" 1.0\n", "1.0"),
]


@pytest.mark.parametrize(("text", "expected"), NORMALIZED)
def test_pep_440_is_normalized_as_its_examples_are(text: str, expected: str) -> None:
    assert PEP440.normalized(text) == expected


@given(PEP440_TEXTS | st.text("0123456789.-+abrcdev!*x v_post", max_size=12))
def test_pep_440_is_normalized_as_packaging_does_it(text: str) -> None:
    """No disagreement is known. `parse` reads tags, of whose `v` it knows nothing; `normalized` reads all."""
    try:
        expected: str | None = str(PackagingVersion(text))
    except InvalidVersion:
        expected = None
    assert PEP440.normalized(text) == expected


# --- npm's semver ------------------------------------------------------------------------------------------------

MAX_SAFE_INTEGER = 2**53 - 1


def test_npm_agrees_on_semver_s_own_lists(npm_semver: NpmSemver) -> None:
    """But for one: numbers above 2**53 - 1, which JavaScript cannot count. SemVer sets no limit, so we are right."""
    for text in SEMVER_VALID:
        unsafe = any(int(number) > MAX_SAFE_INTEGER for number in re.findall(r"\d+", text.partition("-")[0]))
        assert (npm_semver.ask("valid", text) is None) is unsafe, text
    for text in SEMVER_INVALID:
        assert npm_semver.ask("valid", text) is None, text


def test_npm_takes_a_v_for_a_part_of_a_version(npm_semver: NpmSemver) -> None:
    """SemVer's FAQ: "v1.2.3" is not a semantic version. So we are right to refuse it, and normalize takes it away."""
    for text in ("v1.2.3", "=1.2.3", "= v1.2.3", " 1.2.3 "):
        assert SEMVER.parse(text) is None
        assert SEMVER.normalized(text) == "1.2.3" == npm_semver.ask("clean", text)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SEMVER_TEXTS, SEMVER_TEXTS)
def test_npm_orders_versions_in_the_same_way(npm_semver: NpmSemver, left: str, right: str) -> None:
    assert compare(read(SEMVER, left), read(SEMVER, right)) == npm_semver.ask("compare", left, right)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SEMVER_TEXTS, BUMPS)
def test_npm_moves_versions_in_the_same_way(npm_semver: NpmSemver, text: str, bump: Bump) -> None:
    """Final versions. A first pre-release is number 0 there (`-rc.0`) and 1 here, as most projects' tags have it."""
    following = next_version(SEMVER, read(SEMVER, text), bump, pre=None, day=None)
    assert following == npm_semver.ask("inc", text, bump.value)


@given(SEMVER_TEXTS)
def test_a_number_that_javascript_cannot_count_is_ordered_exactly(text: str) -> None:
    """Others do not: npm compares such labels as floating-point numbers, so that these two are equal there."""
    assume("-" not in text and "+" not in text)
    low, high = (read(SEMVER, f"{text}-{MAX_SAFE_INTEGER + number}") for number in (1, 2))
    assert compare(low, high) == -1
