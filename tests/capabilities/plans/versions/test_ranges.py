"""Which versions a requirement admits, by four sets of rules."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from shipline.capabilities.plans import satisfies
from shipline.capabilities.plans.versions import DIALECTS, Dialect
from shipline.domain.errors import InvalidValue
from tests.cargo import Cargo
from tests.npm_semver import NpmSemver

# requirement, what it admits, what it does not.
Row = tuple[str, tuple[str, ...], tuple[str, ...]]

# From: https://github.com/npm/node-semver#ranges, the examples of each section.
NPM: list[Row] = [
    (">=1.2.7", ("1.2.7", "1.2.8", "2.5.3", "1.3.9"), ("1.2.6", "1.1.0")),
    (">=1.2.7 <1.3.0", ("1.2.7", "1.2.8", "1.2.99"), ("1.2.6", "1.3.0", "1.1.0")),
    ("1.2.7 || >=1.2.9 <2.0.0", ("1.2.7", "1.2.9", "1.4.6"), ("1.2.8", "2.0.0")),
    (">1.2.3-alpha.3", ("1.2.3-alpha.7", "3.4.5"), ("3.4.5-alpha.9",)),
    ("1.2.3 - 2.3.4", ("1.2.3", "2.3.4"), ("1.2.2", "2.3.5")),
    ("1.2 - 2.3.4", ("1.2.0",), ("1.1.9",)),
    ("1.2.3 - 2.3", ("2.3.99",), ("2.4.0", "2.4.0-0")),
    ("1.2.3 - 2", ("2.99.0",), ("3.0.0", "3.0.0-0")),
    ("*", ("0.0.0", "9.9.9"), ("1.0.0-rc.1",)),
    ("", ("1.2.3",), ("1.2.3-rc.1",)),
    ("1.x", ("1.0.0", "1.9.9"), ("2.0.0", "0.9.9")),
    ("1", ("1.0.0", "1.9.9"), ("2.0.0",)),
    ("1.2.x", ("1.2.0", "1.2.9"), ("1.3.0",)),
    ("1.2", ("1.2.0", "1.2.9"), ("1.3.0",)),
    ("~1.2.3", ("1.2.3", "1.2.99"), ("1.2.2", "1.3.0", "1.3.0-0")),
    ("~1.2", ("1.2.0",), ("1.3.0",)),
    ("~1", ("1.9.0",), ("2.0.0",)),
    ("~0.2.3", ("0.2.3", "0.2.9"), ("0.3.0",)),
    ("~1.2.3-beta.2", ("1.2.3-beta.2", "1.2.3-beta.4", "1.2.4"), ("1.2.4-beta.2", "1.2.3-beta.1")),
    ("^1.2.3", ("1.2.3", "1.9.9"), ("2.0.0", "1.2.2", "2.0.0-rc.1")),
    ("^0.2.3", ("0.2.3", "0.2.9"), ("0.3.0",)),
    ("^0.0.3", ("0.0.3",), ("0.0.4", "0.0.4-0")),
    ("^1.2.3-beta.2", ("1.2.3-beta.4", "1.2.3", "1.3.0"), ("1.2.4-beta.2",)),
    ("^0.0.3-beta", ("0.0.3-pr.2", "0.0.3"), ("0.0.4",)),
    ("^1.2.x", ("1.2.0", "1.9.0"), ("2.0.0",)),
    ("^0.0.x", ("0.0.0", "0.0.9"), ("0.1.0",)),
    ("^0.0", ("0.0.9",), ("0.1.0",)),
    ("^1.x", ("1.0.0",), ("2.0.0",)),
    ("^0.x", ("0.9.0",), ("1.0.0",)),
    (">1.2", ("1.3.0",), ("1.2.9",)),
    ("<=1.2", ("1.2.9",), ("1.3.0",)),
    (">= v1.2.3+build", ("1.2.3",), ("1.2.2",)),
    ("<x", (), ("0.0.0", "1.0.0")),
    ("~>1.2", ("1.2.5",), ("1.3.0",)),
]

# From: https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html, "Version requirement syntax", and the
# rules of each operator at https://docs.rs/semver/1/semver/enum.Op.html.
CARGO: list[Row] = [
    ("1.2.3", ("1.2.3", "1.9.9"), ("2.0.0", "1.2.2")),
    ("1.2", ("1.2.0", "1.9.0"), ("2.0.0", "1.1.9")),
    ("1", ("1.0.0",), ("2.0.0", "0.9.0")),
    ("0.2.3", ("0.2.3", "0.2.9"), ("0.3.0",)),
    ("0.2", ("0.2.0",), ("0.3.0",)),
    ("0.0.3", ("0.0.3",), ("0.0.4",)),
    ("0.0", ("0.0.9",), ("0.1.0",)),
    ("0", ("0.9.9",), ("1.0.0",)),
    ("~1.2.3", ("1.2.9",), ("1.3.0",)),
    ("~1.2", ("1.2.0",), ("1.3.0",)),
    ("~1", ("1.9.0",), ("2.0.0",)),
    ("*", ("0.0.1", "9.0.0"), ("1.0.0-rc.1",)),
    ("1.*", ("1.9.0",), ("2.0.0",)),
    ("1.2.*", ("1.2.9",), ("1.3.0",)),
    ("1.*.*", ("1.9.0",), ("2.0.0",)),
    (">= 1.2.0", ("1.2.0", "3.0.0"), ("1.1.9",)),
    (">1", ("2.0.0",), ("1.9.9",)),
    (">1.2", ("1.3.0",), ("1.2.9",)),
    ("<2", ("1.9.9",), ("2.0.0", "2.0.0-rc.1")),
    ("<=2", ("2.9.9",), ("3.0.0",)),
    ("=1.2.3", ("1.2.3",), ("1.2.4", "1.2.3-rc.1")),
    ("=1.2", ("1.2.9",), ("1.3.0",)),
    (">= 1.2, < 1.5", ("1.4.9",), ("1.5.0", "1.1.0")),
    ("1.2.3-rc.1", ("1.2.3-rc.1", "1.2.3-rc.2", "1.2.3", "1.3.0"), ("1.2.3-beta", "1.2.4-rc.1")),
    ("=1.2.3-rc.1+build", ("1.2.3-rc.1",), ("1.2.3",)),
    # What the crate itself is tested with: https://github.com/dtolnay/semver, 1.0, tests/test_version_req.rs.
    ("=0.1.0-beta2.a", ("0.1.0-beta2.a",), ("0.9.1", "0.1.0", "0.1.1-beta2.a", "0.1.0-beta2")),
    ("=0.1.0+meta", ("0.1.0", "0.1.0+meta", "0.1.0+any"), ()),
    (
        ">= 2.1.0-alpha2",
        ("2.1.0-alpha2", "2.1.0-alpha3", "2.1.0", "3.0.0"),
        ("2.0.0", "2.1.0-alpha1", "2.0.0-alpha2", "3.0.0-alpha2"),
    ),
    ("< 1.0.0", ("0.1.0", "0.0.1"), ("1.0.0", "1.0.0-beta", "1.0.1", "0.9.9-alpha")),
    (
        "<= 2.1.0-alpha2",
        ("2.1.0-alpha2", "2.1.0-alpha1", "2.0.0", "1.0.0"),
        ("2.1.0", "2.2.0-alpha1", "2.0.0-alpha2", "1.0.0-alpha2"),
    ),
    (">1.0.0-alpha, <1.0.0", ("1.0.0-beta",), ()),
    (">1.0.0-alpha, <1.0", (), ("1.0.0-beta",)),
    (">1.0.0-alpha, <1", (), ("1.0.0-beta",)),
    ("0.3.0, 0.4.0", (), ("0.0.8", "0.3.0", "0.4.0")),
    ("0.1.0, 0.1.4, 0.1.6", ("0.1.6", "0.1.9"), ("0.1.0", "0.1.4", "0.2.0")),
    (
        ">=0.5.1-alpha3, <0.6",
        ("0.5.1-alpha3", "0.5.1-alpha4", "0.5.1-beta", "0.5.1", "0.5.5"),
        ("0.5.1-alpha1", "0.5.2-alpha3", "0.5.5-pre", "0.5.0-pre", "0.6.0", "0.6.0-pre"),
    ),
    (
        "~1.2.3-beta.2",
        ("1.2.3", "1.2.4", "1.2.3-beta.2", "1.2.3-beta.4"),
        ("1.3.3", "1.1.4", "1.2.3-beta.1", "1.2.4-beta.2"),
    ),
    (
        "^0.5.1-alpha3",
        ("0.5.1-alpha3", "0.5.1-alpha4", "0.5.1-beta", "0.5.1", "0.5.5"),
        ("0.5.1-alpha1", "0.5.2-alpha3", "0.5.5-pre", "0.5.0-pre", "0.6.0"),
    ),
    (
        "^1.4.2-beta.5",
        ("1.4.2", "1.4.3", "1.4.2-beta.5", "1.4.2-beta.6", "1.4.2-c"),
        ("0.9.9", "2.0.0", "1.4.2-alpha", "1.4.2-beta.4", "1.4.3-beta.5"),
    ),
    ("^0.0", ("0.0.2", "0.0.0"), ("0.9.1", "2.9.0", "1.1.1", "0.1.4")),
    ("0.*.*", ("0.5.0",), ()),
]

# From: https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers
PEP440: list[Row] = [
    ("~=2.2", ("2.2", "2.9"), ("3.0", "2.1")),
    ("~=1.4.5", ("1.4.9",), ("1.5.0",)),
    ("~=2.2.post3", ("2.2.post3", "2.9"), ("2.2",)),
    ("==1.1", ("1.1", "1.1.0"), ("1.1.post1",)),
    ("==1.1.*", ("1.1", "1.1.post1", "1.1.9"), ("1.2",)),
    ("==1.1.post1", ("1.1.post1",), ("1.1",)),
    ("!=1.1.*", ("1.2",), ("1.1.post1",)),
    (">1.7", ("1.7.1",), ("1.7.0.post1", "1.7")),
    (">1.7.post2", ("1.7.1", "1.7.0.post3"), ("1.7.0",)),
    (">=1,<2,!=1.5", ("1.4", "1.6"), ("1.5", "2.0")),
    (">=1.0", ("1.0",), ("2.0rc1", "2.0.dev1")),
    (">=1.0rc1", ("1.0rc2", "1.1a1"), ("1.0b1",)),
    ("<2", ("1.9",), ("2.0rc1",)),
    ("", ("1.0",), ("1.0rc1",)),
    ("===1.0", ("1.0",), ("1.0.0",)),
]

# From: https://github.com/Masterminds/semver#checking-version-constraints and its comments on each operator.
HELM: list[Row] = [
    (">= 1.2.3", ("1.2.3", "2.0.0"), ("1.2.2", "1.3.0-rc.1")),
    (">=1.2.3-0", ("1.2.3-rc.1", "1.3.0-rc.1"), ("1.2.2",)),
    ("!=1.2.3", ("1.2.4",), ("1.2.3",)),
    ("!=1.2.x", ("1.3.0",), ("1.2.9",)),
    ("!=1", ("2.0.0",), ("1.9.0",)),
    (">= 1.2, < 3.0.0 || >= 4.2.3", ("1.2.0", "2.9.9", "4.2.3"), ("3.0.0", "4.2.2")),
    (">=1.2 <3", ("2.0.0",), ("3.0.0",)),
    ("1.2 - 1.4.5", ("1.2.0", "1.4.5"), ("1.4.6", "1.1.9")),
    ("2.3.4 - 4.5", ("4.5.9",), ("4.6.0",)),
    ("1.2.x", ("1.2.0", "1.2.9"), ("1.3.0",)),
    (">= 1.2.x", ("1.2.0", "2.0.0"), ("1.1.9",)),
    ("<= 2.x", ("2.9.9",), ("3.0.0",)),
    ("*", ("0.0.0", "9.0.0"), ("1.0.0-rc.1",)),
    ("", ("0.0.0", "9.0.0"), ()),
    ("~1.2.3", ("1.2.9",), ("1.3.0", "1.2.2")),
    ("~1", ("1.9.0",), ("2.0.0",)),
    ("~2.3", ("2.3.9",), ("2.4.0",)),
    ("~1.x", ("1.9.0",), ("2.0.0",)),
    ("~0.0.0", ("9.0.0",), ()),
    ("^1.2.3", ("1.9.0",), ("2.0.0",)),
    ("^2.x", ("2.9.0",), ("3.0.0",)),
    ("^0.2.3", ("0.2.9",), ("0.3.0",)),
    ("^0.2", ("0.2.0",), ("0.3.0",)),
    ("^0.0.3", ("0.0.3",), ("0.0.4",)),
    ("^0.0", ("0.0.9",), ("0.1.0",)),
    ("^0", ("0.9.0",), ("1.0.0",)),
    ("=> v1.2, =< 2", ("1.2.0", "2.9.0"), ("3.0.0",)),
    (">11", ("12.0.0",), ("11.1.0",)),
    (">11.1", ("11.2.1",), ("11.1.1",)),
    (">=1.0.0-0 <2.0.0", ("1.5.0-rc.1", "2.0.0-rc.1"), ("2.0.0",)),
    # What the library itself is tested with: https://github.com/Masterminds/semver, 3.4, constraints_test.go.
    ("=2.0", ("2.0.0", "2.0.1"), ("1.2.3",)),
    ("!=4.1-alpha", ("4.1.0",), ("4.1.0-alpha", "4.1.1-alpha")),
    ("!=4.1.0", ("4.1.1",), ("4.1.0", "5.1.0-alpha.1")),
    ("<11", ("0.1.0",), ("11.1.0",)),
    ("<=11", ("1.2.3", "11.2.3"), ("12.2.3",)),
    ("<=1.1", ("0.1.0", "1.1.0", "1.1.1"), ("1.2.3", "0.1.0-alpha")),
    (">0", ("1.0.0",), ("0.0.0", "0.0.1-alpha", "0.0.0-alpha")),
    (">0-0", (), ("0.0.1-alpha", "0.0.0-alpha")),
    (">0.0-0", (), ("0.0.1-alpha",)),
    (">0.0.0-0", ("0.0.0-alpha",), ()),
    (">1.2.3-alpha.1", ("1.2.3-alpha.2", "1.3.3-alpha.2"), ()),
    (">=11.1", ("11.1.2",), ("11.0.2",)),
    (">=1.1", ("4.1.0", "1.1.0"), ("0.0.9", "4.1.0-beta")),
    (">=0", ("0.0.0",), ("0.0.1-alpha", "0.0.0-alpha")),
    (">=0-0", ("0.0.1-alpha", "0.0.0-alpha"), ()),
    (">=0.0-0", ("0.0.1-alpha",), ()),
    (">=0.0.0-0", ("0.0.0-alpha", "1.2.3", "3.4.5-beta.1"), ()),
    ("<0", (), ("0.0.0-alpha",)),
    ("<0-z", ("0.0.0-alpha",), ()),
    ("*-0", ("1.2.3-alpha.1",), ()),
    ("", ("1.0.0", "4.5.6"), ("1.2.3-alpha.1",)),
    ("~1", ("1.2.4", "1.3.5", "1.4.0"), ("2.3.4", "2.1.1", "1.3.5-beta")),
    ("~1.2.3-beta.2", ("1.2.3-beta.4", "1.2.4-beta.2"), ("1.3.4-beta.2",)),
    ("^1.2.0", (), ("2.2.1", "1.2.1-alpha.1")),
    ("^1.2.0-alpha.0", ("1.2.1-alpha.1", "1.2.1-alpha.0"), ()),
    ("^1.2.0-alpha.2", (), ("1.2.0-alpha.1",)),
    ("^0.2.3-beta.2", ("0.2.3-beta.4", "0.2.4-beta.2", "0.2.3-beta.2"), ("0.3.4-beta.2",)),
    ("0.x.x", (), ("1.2.3",)),
    ("^0.0.0", (), ("1.2.3",)),
    ("<1.x", ("0.1.1",), ("1.1.1", "2.0.0", "2.1.1")),
    ("<1.1.x", ("1.0.500",), ("1.2.1", "1.1.500")),
    ("<=1.1-a", ("0.1.0-alpha",), ()),
    (">=1.1 <2 !=1.2.3 || > 3", ("4.1.2",), ("3.1.2", "3.0.0", "1.2.3")),
    (">=1.1    <2    !=1.2.3", (), ("1.2.3",)),
    ("> 1.1, <     2", (), ("1.1.1",)),
    (">= 1.0.0  <= 2.0.0-beta", ("1.0.1-beta", "1.0.1"), ("3.0.0",)),
    (">= 1.0.0  <= 2.0.0-beta || > 3", ("1.0.1-beta",), ("3.0.1-beta",)),
    (">= 1.0.0  <= 2.0.0-beta != 1.0.1-beta || > 3", (), ("1.0.1-beta",)),
    (">= 1.0.0-0  <= 2.0.0", ("1.0.1-beta",), ()),
    ("1.1-3", (), ("4.3.2",)),
    ("^1.2.x-alpha", (), ("1.1.1-beta1",)),
    ("^1.1.2-alpha", ("1.2.1-beta1",), ()),
    ("~*", ("2.1.1",), ()),
    ("~1.1-alpha", ("1.1.1-beta",), ()),
    ("~1.1.1-beta", ("1.1.1",), ("1.1.1-alpha",)),
    ("1.0.0 - 2.0.0 <=2.0.0", ("1.5.0",), ()),
    ("1.0.0 - 2.0.0, <=2.0.0", ("1.5.0",), ()),
    ("^1.1.1-beta", (), ("1.1.1-alpha",)),
    ("~1.3.6-alpha", (), ("1.3.5-beta",)),
]

TABLES: dict[Dialect, list[Row]] = {"npm": NPM, "cargo": CARGO, "pep440": PEP440, "helm": HELM}
CASES = [
    (dialect, requirement, version, expected)
    for dialect, rows in TABLES.items()
    for requirement, inside, outside in rows
    for versions, expected in ((inside, True), (outside, False))
    for version in versions
]


@pytest.mark.parametrize(("dialect", "requirement", "version", "expected"), CASES)
def test_a_requirement_admits_what_its_dialect_says(
    dialect: Dialect, requirement: str, version: str, *, expected: bool
) -> None:
    assert satisfies(version, requirement, dialect) is expected


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("requirement", ["latest", "^^1", ">>1", "1.2.3.4.5 ||", "git+ssh://x", "1 2 3 -", "x" * 2001])
def test_what_cannot_be_read_is_never_a_no(dialect: Dialect, requirement: str) -> None:
    with pytest.raises(InvalidValue):
        satisfies("1.2.3", requirement, dialect)


@pytest.mark.parametrize(
    "requirement",
    [
        *("1.2.3, *", "1.*.3", "1,", "", ",", "=1.2.3 || 2", ", ".join(["1"] * 33)),
        *(
            "> 0.3.0, ,",
            "1.2.3 - 2.3.4",
            "> 0.0.9 <= 2.5.3",
            ">= >= 0.0.2",
            ">== 0.0.2",
            "a.0.0",
            "1.0.0-",
            ">=",
            "*.1",
        ),
        *(">=1.*.1", "*, 0.20.0-any", "0.20.0-any, *", "1.2.3.4"),
    ],
)
def test_cargo_refuses_what_the_crate_refuses(requirement: str) -> None:
    with pytest.raises(InvalidValue):
        satisfies("1.2.3", requirement, "cargo")


@pytest.mark.parametrize(
    "requirement", [">= bar", "BAR >= 1.2.3", "12.3.4.1234", "12.23.4.1234", "12.3.34~ 1.2.3", "v1.2.3-beta.01"]
)
def test_helm_refuses_what_the_library_refuses(requirement: str) -> None:
    with pytest.raises(InvalidValue):
        satisfies("1.2.3", requirement, "helm")


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("version", ["", "one", "1.2.3 4", "1..2"])
def test_a_version_that_is_none_is_refused(dialect: Dialect, version: str) -> None:
    with pytest.raises(InvalidValue):
        satisfies(version, ">=1", dialect)


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidValue) as caught:
        satisfies("1.0.0", "1", "maven")  # type: ignore[arg-type] # that is the point
    assert "npm, cargo, pep440, helm" in caught.value.todo


NUMBERS = st.sampled_from(["0", "1", "2", "3", "10"])
LABELS = st.sampled_from(["", "", "", "-0", "-alpha", "-alpha.1", "-rc.1", "-1.2", "-a-b"])
WHOLE = st.builds("{}.{}.{}{}".format, NUMBERS, NUMBERS, NUMBERS, LABELS)
PARTIAL = st.lists(NUMBERS | st.sampled_from(["x", "X", "*"]), min_size=1, max_size=3).map(".".join)
COMPARATOR = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "^", "~", "~>", ">=", ">", "<", "<=", "=", "^ ", ">= ", "~ "]),
    st.sampled_from(["", "", "", "v", "="]),
    WHOLE | PARTIAL,
)
ALTERNATIVE = st.lists(COMPARATOR, min_size=0, max_size=3).map(" ".join) | st.builds(
    "{} - {}".format, WHOLE | PARTIAL, WHOLE | PARTIAL
)
RANGE = st.lists(ALTERNATIVE, min_size=1, max_size=3).map(" || ".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(WHOLE, RANGE)
def test_npm_ranges_are_read_as_npm_reads_them(npm_semver: NpmSemver, version: str, requirement: str) -> None:
    """No disagreement is known, in what is refused neither."""
    if npm_semver.ask("validRange", requirement) is None:
        with pytest.raises(InvalidValue):
            satisfies(version, requirement, "npm")
    else:
        assert satisfies(version, requirement, "npm") is npm_semver.ask("satisfies", version, requirement)


CARGO_PARTIAL = st.lists(NUMBERS, min_size=1, max_size=3).map(".".join) | st.builds(
    "{}.{}".format, NUMBERS, st.sampled_from(["*", "x", "X", "*.*", "1.*", "*.1", "0.x"])
)
CARGO_COMPARATOR = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "^", "~", ">=", ">", "<", "<=", "=", ">= "]),
    WHOLE | CARGO_PARTIAL | st.sampled_from(["*", "1.2.3+build", "01", "1.2-rc.1"]),
    st.sampled_from(["", "", "", " "]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(WHOLE, st.lists(CARGO_COMPARATOR, min_size=1, max_size=3).map(",".join))
def test_cargo_ranges_are_read_as_cargo_reads_them(cargo: Cargo, version: str, requirement: str) -> None:
    """No disagreement is known, in what is refused neither."""
    answer = cargo.admits(version, requirement)
    if answer is None:
        with pytest.raises(InvalidValue):
            satisfies(version, requirement, "cargo")
    else:
        assert satisfies(version, requirement, "cargo") is answer


@given(
    st.builds("{}.{}{}".format, NUMBERS, NUMBERS, st.sampled_from(["", "", "rc1", ".dev2", ".post1", "+local"])),
    st.lists(
        st.builds("{}{}.{}".format, st.sampled_from(["~=", "==", "!=", "<=", ">=", "<", ">"]), NUMBERS, NUMBERS),
        max_size=3,
    ).map(",".join),
)
def test_pep440_specifiers_are_read_as_packaging_reads_them(version: str, requirement: str) -> None:
    """Without its exception for requirements that only pre-releases satisfy."""
    assert satisfies(version, requirement, "pep440") is SpecifierSet(requirement).contains(version, prereleases=False)
