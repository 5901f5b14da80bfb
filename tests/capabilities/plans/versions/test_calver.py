"""Calendar versions: formats, reading, and the next one by the day that is handed in."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.plans.versions import compare, next_version, scheme_named
from shipline.domain.change import Bump
from shipline.domain.errors import InvalidValue

# From: https://calver.org, "Scheme" (the meaning of each token) and "Users of CalVer" (versions that were released).
EXAMPLES = [
    ("YY.0M", "16.04", (16, 4)),  # Ubuntu
    ("YY.0M[.MICRO]", "4.10", (4, 10, 0)),
    ("YY.0M[.MICRO]", "16.04.1", (16, 4, 1)),
    ("YY.MM.MICRO", "15.5.0", (15, 5, 0)),  # Twisted
    ("YYYY.0M.0D", "2016.06.25", (2016, 6, 25)),  # youtube-dl, certifi
    ("YYYY.0M.0D[.MICRO]", "2016.06.19.1", (2016, 6, 19, 1)),
    ("YYYY.MM", "2016.4", (2016, 4)),  # pytz
    ("YY.MINOR.MICRO", "19.2.1", (19, 2, 1)),  # pip, Boltons
    ("YYYY.MINOR.MICRO", "2017.1.2", (2017, 1, 2)),  # PyCharm
    ("MAJOR.MINOR.0Y0M0D.MICRO", "1.2.160625.3", None),  # Which is no format here: 0Y grows a digit in 2100.
    ("YYYY0M0D.MICRO", "20160625.3", (2016, 6, 25, 3)),
    ("YY.MM", "106.1", (106, 1)),  # calver.org: "Short year - 6, 16, 106"
    ("0Y.0M", "06.12", (6, 12)),  # "Zero-padded year - 06, 16, 106"
    ("YYYY.WW", "2016.52", (2016, 52)),
    ("YYYY.0W", "2016.01", (2016, 1)),
    ("YYYY.MM.DD", "2016.1.31", (2016, 1, 31)),
    ("YYYY.MM.0D", "2016.1.02", (2016, 1, 2)),
    ("YYYY-0M-0D", "2016-06-25", (2016, 6, 25)),
    ("YYYY_MAJOR", "2016_3", (2016, 3)),
    ("MAJOR.YYYY.MINOR", "3.2016.1", (3, 2016, 1)),
]


@pytest.mark.parametrize(("written", "text", "numbers"), EXAMPLES)
def test_versions_of_every_token_are_read_and_written(written: str, text: str, numbers: tuple[int, ...] | None) -> None:
    if numbers is None:
        with pytest.raises(InvalidValue):
            scheme_named(f"calver:{written}")
        return
    scheme = scheme_named(f"calver:{written}")
    version = scheme.parse(text)
    assert version is not None
    assert version.release == numbers
    assert scheme.render(numbers, channel="stable", number=0, epoch=0) == text
    assert scheme.name == f"calver:{written}"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("YYYY.0M.MICRO", "2026.4.0"),
        ("YYYY.MM.MICRO", "2026.04.0"),
        ("YYYY.0M.0D", "2026.02.30"),
        ("YYYY.0M.0D", "2025.02.29"),
        ("YYYY.0W", "2025.53"),
        ("YYYY.0M", "2026.13"),
        ("YYYY.0M", "26.01"),
        ("YYYY.0M.MICRO", "2026.01"),
        ("YYYY.0M.MICRO", "2026.01.01"),
        ("YYYY.0M.MICRO", "v2026.01.0"),
        ("YYYY.0M.MICRO", "2026.01.0-"),
        ("YYYY.0M.MICRO", "2026.01.0+a"),
        ("YYYY.0M.MICRO", "2026.01.0-rc.1.2"),
        ("YYYY.0M.MICRO", "\u0662026.01.0"),
        ("YYYY.0M.MICRO", "2026.01." + "1" * 300),
    ],
)
def test_what_does_not_fit_the_format_or_the_calendar_is_none(written: str, text: str) -> None:
    assert scheme_named(f"calver:{written}").parse(text) is None


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "1 to 60"),
        ("Y" * 61, "1 to 60"),
        ("MICRO", "no year"),
        ("MM.YYYY", "a month needs a year"),
        ("YYYY.DD", "a day needs a month"),
        ("YYYY.MM.WW", "do not go together"),
        ("YYYYMM", "need a separator"),
        ("YYYY.YY", "stands twice"),
        ("YYYY.MM.0M", "stands twice"),
        ("YYYY.", "not whole"),
        (".YYYY", "not whole"),
        ("YYYY[.MICRO", "not whole"),
        ("YYYY..MM", "cannot stand there"),
        ("YYYY.FOO", "cannot stand there"),
        ("YYYY MM", "cannot stand there"),
        ("YYYY-MODIFIER.MICRO", "cannot stand there"),
        ("YYYY[.MM]", "only the last counter"),
    ],
)
def test_a_format_that_could_go_down_or_not_be_read_is_refused_in_words(written: str, why: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        scheme_named(f"calver:{written}")
    assert why in caught.value.what


@pytest.mark.parametrize(
    ("written", "current", "day", "bump", "expected"),
    [
        ("YYYY.0M.MICRO", "2026.10.3", "2026-10-31", "patch", "2026.10.4"),
        ("YYYY.0M.MICRO", "2026.10.3", "2026-11-01", "patch", "2026.11.0"),
        ("YYYY.0M.MICRO", "2026.12.3", "2027-01-01", "major", "2027.01.0"),
        # A clock behind the last release: its period goes on.
        ("YYYY.0M.MICRO", "2026.10.3", "2026-09-01", "patch", "2026.10.4"),
        ("YY.MINOR.MICRO", "26.1.3", "2026-11-26", "patch", "26.1.4"),
        ("YY.MINOR.MICRO", "26.1.3", "2026-11-26", "minor", "26.2.0"),
        ("YY.MINOR.MICRO", "26.1.3", "2026-11-26", "major", "26.2.0"),
        ("YY.MINOR.MICRO", "26.1.3", "2027-01-01", "minor", "27.0.0"),
        ("MAJOR.YYYY.MICRO", "1.2026.4", "2026-11-26", "major", "2.2026.0"),
        ("MAJOR.YYYY.MICRO", "1.2025.4", "2026-11-26", "patch", "1.2026.0"),
        ("MAJOR.YYYY", "1.2026", "2026-11-26", "patch", "2.2026"),
        ("YYYY.MINOR.0M.MICRO", "2026.4.10.3", "2026-11-26", "patch", "2026.4.11.0"),
        ("YY.0M[.MICRO]", "24.04", "2024-04-30", "patch", "24.04.1"),
        ("YY.0M[.MICRO]", "24.04.1", "2024-05-01", "patch", "24.05"),
        # ISO 8601: the first of January 2027 is in the last week of 2026.
        ("YYYY.0W.MICRO", "2026.53.0", "2027-01-01", "patch", "2026.53.1"),
        ("YYYY.0W.MICRO", "2026.53.1", "2027-01-04", "patch", "2027.01.0"),
        ("YYYY.0M.MICRO", "2026.11.0-rc.1", "2026-11-30", "patch", "2026.11.0"),
    ],
)
def test_the_next_version_takes_the_date_or_counts(
    written: str, current: str, day: str, bump: str, expected: str
) -> None:
    scheme = scheme_named(f"calver:{written}")
    version = scheme.parse(current)
    assert version is not None
    assert next_version(scheme, version, Bump(bump), pre=None, day=date.fromisoformat(day)) == expected


def test_a_format_without_a_counter_cannot_release_twice_in_a_period() -> None:
    scheme = scheme_named("calver:YYYY.0M.0D")
    version = scheme.parse("2026.11.26")
    assert version is not None
    with pytest.raises(InvalidValue) as caught:
        next_version(scheme, version, Bump.PATCH, pre=None, day=date(2026, 11, 26))
    assert "no counter" in caught.value.what
    assert "calver:YYYY.0M.0D.MICRO" in caught.value.todo
    assert next_version(scheme, version, Bump.PATCH, pre=None, day=date(2026, 11, 27)) == "2026.11.27"


def test_without_a_day_there_is_no_calendar_version() -> None:
    with pytest.raises(InvalidValue):
        scheme_named("calver:YYYY.MICRO").first(None)


@pytest.mark.parametrize(
    ("written", "text"),
    [("YYYY.MICRO", "2026.3-rc.1"), ("YYYY.MICROMODIFIER", "2026.3rc1"), ("YYYY.MICRO.MODIFIER", "2026.3.rc1")],
)
def test_the_modifier_is_written_as_the_format_has_it_and_read_in_any_spelling(written: str, text: str) -> None:
    scheme = scheme_named(f"calver:{written}")
    assert scheme.render((2026, 3), channel="rc", number=1, epoch=0) == text
    for spelling in ("2026.3-rc.1", "2026.3rc1", "2026.3.RC1", "2026.3_c-1", "2026.3-preview1"):
        assert scheme.normalized(spelling) == text


def test_modifiers_are_ordered_as_pep_440_orders_them() -> None:
    scheme = scheme_named("calver:YYYY.MICRO")
    texts = ["2026.3-dev.5", "2026.3-a1", "2026.3-alpha.2", "2026.3-beta.1", "2026.3-rc.1", "2026.3-rc.10", "2026.3"]
    versions = [scheme.parse(text) for text in texts]
    for left, right in itertools.pairwise(versions):
        assert left is not None
        assert right is not None
        assert compare(left, right) == -1


FORMATS = st.sampled_from(
    [
        "YYYY.0M.MICRO",
        "YY.MINOR.MICRO",
        "YYYY.0M.0D.MICRO",
        "0Y.0W.MICRO",
        "YYYY0M0D.MICRO",
        "MAJOR.YYYY.MM.MICRO",
        "YY.0M[.MICRO]",
        "YYYY.MINOR",
        "YYYY.MINOR.WW.MICRO",
        "YYYY-MM-DD_MICROMODIFIER",
    ]
)
FIRST_DAY = date(2000, 1, 3)  # The first Monday: short years begin with it where weeks count.
DAYS = st.dates(FIRST_DAY, date(2130, 1, 1))
BUMPS = st.sampled_from([Bump.PATCH, Bump.MINOR, Bump.MAJOR])


@given(
    FORMATS, DAYS, st.lists(st.tuples(BUMPS, st.integers(-40, 400), st.sampled_from([None, "rc", "dev"])), max_size=8)
)
def test_versions_only_go_up_whatever_the_calendar_does(
    written: str, day: date, steps: list[tuple[Bump, int, str | None]]
) -> None:
    """And every one reads back, and is its own normal form. The clock may go back too."""
    scheme = scheme_named(f"calver:{written}")
    version = scheme.parse(scheme.render(scheme.first(day), channel="stable", number=0, epoch=0))
    assert version is not None
    for bump, days, pre in steps:
        day = max(day + timedelta(days), FIRST_DAY)
        if pre == "dev" and version.channel == "rc":
            continue  # The one way down, which is refused.
        text = next_version(scheme, version, bump, pre=pre, day=day)
        following = scheme.parse(text)
        assert following is not None
        assert compare(following, version) == 1
        assert scheme.normalized(text) == text
        version = following
