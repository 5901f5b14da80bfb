"""Freezes, windows and trains: when a stage is open, when it opens, and in which words that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipline.capabilities.gates import check_rule, judge, opens_us, periods, standing
from shipline.domain.calendar import CalendarRule, Exemption, PeriodKind
from shipline.domain.errors import ConfigurationError
from shipline.domain.verdict import Answer

STAGES = ("release", "staging", "production")
YEAR_END = CalendarRule(
    "year end",
    PeriodKind.FREEZE,
    ("production",),
    "Europe/Berlin",
    begins="2026-12-18 18:00",
    ends="2027-01-04 08:00",
    exemptions=(Exemption("quotes 1.4.1", "the till does not open", "ann", "2026-12-24 18:00"),),
)
WEEKEND = CalendarRule("weekend", PeriodKind.FREEZE, ("production",), cron="0 16 * * FRI", lasts_s=64 * 3600)
NIGHTS = CalendarRule("nights", PeriodKind.WINDOW, ("production",), cron="0 2 * * *", lasts_s=3 * 3600)
TRAIN = CalendarRule("weekly", PeriodKind.TRAIN, ("release",), "Europe/Berlin", cron="0 10 * * TUE", lasts_s=7200)
DAY_US = 86_400_000_000


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-12-18 17:59", True),
        ("2026-12-18 18:00", False),
        ("2027-01-04 07:59", False),
        ("2027-01-04 08:00", True),
    ],
)
def test_a_freeze_holds_from_its_beginning_to_before_its_end(moment: str, *, is_open: bool) -> None:
    found = standing((YEAR_END,), "production", at(moment, "Europe/Berlin"))
    assert found.is_open is is_open
    assert standing((YEAR_END,), "staging", at(moment, "Europe/Berlin")).is_open


def test_a_refusal_says_by_what_until_when_and_when_it_opens() -> None:
    (verdict,) = judge((YEAR_END, NIGHTS), "production", at("2026-12-24 03:00"), release="quotes 1.5.0")
    assert verdict.answer is Answer.FAIL
    assert verdict.reasons == (
        "production is frozen by 'year end' until 2027-01-04 08:00 (Europe/Berlin)",
        "it opens 2027-01-05 03:00 (Europe/Berlin)",
    )


def test_a_freeze_lets_only_its_exemptions_through_and_says_who_approved() -> None:
    moment = at("2026-12-24 12:00")
    (let,) = judge((YEAR_END,), "production", moment, release="quotes 1.4.1", signed=("ann",))
    assert let.answer is Answer.PASS
    assert "until 2026-12-24 18:00: the till does not open (approved by ann)" in let.reasons[0]
    for other in ("quotes 1.4.10", "quotes", "other 1.4.1", ""):
        assert judge((YEAR_END,), "production", moment, release=other, signed=("ann",))[0].answer is Answer.FAIL


def test_an_exemption_needs_the_signature_of_the_approver_whom_it_names() -> None:
    (shut,) = judge((YEAR_END,), "production", at("2026-12-24 12:00"), release="quotes 1.4.1", signed=("ben",))
    assert shut.answer is Answer.FAIL
    assert shut.reasons[0].endswith(
        "the exemption of quotes 1.4.1 counts once ann has approved it: shipline approve 1.4.1 --stage production"
    )


def test_an_exemption_is_over_at_its_end() -> None:
    for moment, answer in (("17:59", Answer.PASS), ("18:00", Answer.FAIL)):
        now_us = at(f"2026-12-24 {moment}", "Europe/Berlin")
        (found,) = judge((YEAR_END,), "production", now_us, release="quotes 1.4.1", signed=("ann",))
        assert found.answer is answer
    assert "the exemption of quotes 1.4.1 was over 2026-12-24 18:00 (Europe/Berlin)" in found.reasons[0]


def test_an_exemption_of_one_freeze_is_none_of_another() -> None:
    saturday = at("2026-12-19 12:00")
    assert not standing((YEAR_END, WEEKEND), "production", saturday, release="quotes 1.4.1").is_open


def test_a_stage_with_windows_is_closed_outside_of_them() -> None:
    assert standing((NIGHTS,), "production", at("2026-11-27 04:59")).is_open
    shut = standing((NIGHTS,), "production", at("2026-11-27 05:00"))
    assert (shut.is_open, shut.period) == (False, None)
    assert opens_us((NIGHTS,), "production", at("2026-11-27 05:00")) == at("2026-11-28 02:00")


def test_a_train_departs_at_its_local_time_in_winter_and_in_summer() -> None:
    assert opens_us((TRAIN,), "release", at("2026-11-27 00:00")) == at("2026-12-01 09:00")
    assert opens_us((TRAIN,), "release", at("2026-06-27 00:00")) == at("2026-06-30 08:00")


@pytest.mark.parametrize(
    ("cron", "day", "begins"),
    [
        # Berlin's clocks skip 02:00 to 03:00 on 2026-03-29, and show 02:00 to 03:00 twice on 2026-10-25.
        ("30 2 * * *", "2026-03-29", ["2026-03-29 01:00"]),
        ("30 2 * * *", "2026-10-25", ["2026-10-25 00:30"]),
        ("0 4 * * *", "2026-03-29", ["2026-03-29 02:00"]),
        ("0 4 * * *", "2026-10-25", ["2026-10-25 03:00"]),
    ],
)
def test_clock_changes_lose_no_period_and_double_none(cron: str, day: str, begins: list[str]) -> None:
    rule = replace(NIGHTS, timezone="Europe/Berlin", cron=cron, lasts_s=60)
    midnight = at(f"{day} 00:00", "Europe/Berlin")
    assert [each.begins_us for each in periods(rule, midnight, midnight + DAY_US)] == [at(text) for text in begins]


def test_where_no_rule_is_about_a_stage_the_calendar_has_no_say() -> None:
    assert judge((YEAR_END,), "staging", 0, release="quotes 1.0.0") == ()


def test_what_never_opens_is_said_to() -> None:
    always = replace(WEEKEND, cron="0 0 * * *", lasts_s=86_400)
    assert opens_us((always,), "production", at("2026-11-27 00:00")) is None
    (verdict,) = judge((always,), "production", at("2026-11-27 00:00"), release="quotes 1.0.0")
    assert verdict.reasons[1] == "it does not open within a year"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (replace(NIGHTS, stages=("prod",)), "unknown stage 'prod'"),
        (replace(NIGHTS, stages=()), "names no stage"),
        (replace(NIGHTS, timezone="Berlin"), "unknown time zone"),
        (replace(NIGHTS, timezone="../../etc/passwd"), "unknown time zone"),
        (replace(NIGHTS, timezone=""), "unknown time zone"),
        (replace(NIGHTS, cron="", lasts_s=0), "once, or again and again"),
        (replace(NIGHTS, begins="2026-01-01 00:00"), "once, or again and again"),
        (replace(NIGHTS, cron="every night"), "cannot be read"),
        (replace(NIGHTS, cron="0 0 30 2 *"), "never happens|cannot be read"),
        (replace(NIGHTS, lasts_s=0), "needs `lasts`"),
        (replace(NIGHTS, cron="* * * * *", lasts_s=86_400), "begins again 100 times before it ends"),
        (replace(YEAR_END, ends=""), "no time in `ends`"),
        (replace(YEAR_END, begins="18.12.2026"), "no time in `begins`"),
        (replace(YEAR_END, ends="2026-12-18 17:00"), "ends before it begins"),
        (replace(YEAR_END, exemptions=(Exemption("quotes 1.0.0", " ", "ann", "2026-12-24 18:00"),)), "needs a reason"),
        (replace(YEAR_END, exemptions=(Exemption("quotes 1.0.0", "x", "ann", "soon"),)), "no time in `until`"),
        (replace(YEAR_END, kind=PeriodKind.WINDOW), "only a freeze lets something through"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: CalendarRule, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_rule(rule, STAGES)


@pytest.mark.parametrize("rule", [YEAR_END, WEEKEND, NIGHTS, TRAIN])
def test_a_rule_that_can_be_is_not(rule: CalendarRule) -> None:
    check_rule(rule, STAGES)


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
CRONS = st.sampled_from(["0 10 * * TUE", "30 2 * * *", "15 */6 * * *", "0 0 1 * *", "0 16 * * FRI"])
MOMENTS = st.integers(at("2020-01-01 00:00"), at("2035-01-01 00:00"))
RULES = st.builds(
    CalendarRule,
    name=st.just("some"),
    kind=st.sampled_from(PeriodKind),
    stages=st.just(("production",)),
    timezone=ZONES,
    cron=CRONS,
    lasts_s=st.integers(60, 3 * 86_400),
)


@given(rule=RULES, now_us=MOMENTS)
def test_periods_come_in_order_overlap_the_asked_time_and_last_what_they_shall(rule: CalendarRule, now_us: int) -> None:
    found = list(periods(rule, now_us, now_us + 30 * DAY_US))
    assert all(each.ends_us > now_us and each.begins_us < now_us + 30 * DAY_US for each in found)
    assert all(each.ends_us - each.begins_us == rule.lasts_s * 1_000_000 for each in found)
    assert all(first.begins_us < second.begins_us for first, second in pairwise(found))


@settings(deadline=None)  # A year of closed windows takes some tens of milliseconds, more where others work too.
@given(rules=st.lists(RULES, max_size=3), now_us=MOMENTS)
def test_what_opens_is_open_then_and_was_not_a_moment_before(rules: list[CalendarRule], now_us: int) -> None:
    opens = opens_us(rules, "production", now_us)
    if opens is None:
        return
    assert standing(rules, "production", opens).is_open
    assert opens == now_us or not standing(rules, "production", opens - 1_000_000).is_open


@given(rule=RULES, now_us=MOMENTS)
def test_the_words_name_a_time_of_the_rules_own_zone(rule: CalendarRule, now_us: int) -> None:
    found = standing((rule,), "production", now_us)
    if found.period is not None:
        local = datetime.fromtimestamp(found.period.ends_us // 1_000_000, UTC).astimezone(ZoneInfo(rule.timezone))
        assert f"{local:%Y-%m-%d %H:%M} ({rule.timezone})" in found.sentence
