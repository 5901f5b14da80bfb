"""What may be frozen, until when, and the rule of the calendar that it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.freezes import FreezeOrder, FreezeRules, calendar_rule_of, ends_at
from shipline.capabilities.freezes.rules import declared, to_lift
from shipline.capabilities.gates import standing
from shipline.domain.errors import NothingToDo, RefusedError, UsageError
from shipline.domain.freeze import Freeze

MINUTE_US, HOUR_US = 60_000_000, 3_600_000_000
NOW_US = 1_800_000_000_000_000 + 1
HELD = FreezeRules(("release", "pull-request", "staging"), 24 * 3600)
FREEZE = Freeze("frz_1", "staging", "a move", "ada@github", NOW_US // MINUTE_US * MINUTE_US, NOW_US - 1 + 2 * HOUR_US)


@pytest.mark.parametrize(
    ("text", "ends_us"),
    [
        ("90min", NOW_US - 1 + 91 * MINUTE_US),  # Never earlier than was said.
        ("2d", NOW_US - 1 + 48 * HOUR_US + MINUTE_US),
        ("2027-01-15 10:00", NOW_US - 1 + 2 * HOUR_US),
        ("2027-01-15T10:00Z", NOW_US - 1 + 2 * HOUR_US),
    ],
)
def test_an_end_is_a_time_from_now_or_one_in_utc(text: str, ends_us: int) -> None:
    assert ends_at(text, NOW_US) == ends_us


@pytest.mark.parametrize("text", ["", "0h", "-1h", "2 hours", "tomorrow", "2027-13-45 10:00", "2027-01-15 07:59"])
def test_what_is_no_end_or_over_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        ends_at(text, NOW_US)


def test_the_same_again_is_the_same_and_what_may_not_be_is_refused() -> None:
    order = FreezeOrder("staging", FREEZE.ends_us, "a move")
    assert declared(order, (), HELD, now_us=NOW_US) is None
    assert declared(order, (FREEZE,), HELD, now_us=NOW_US) == FREEZE
    longest = replace(order, ends_us=ends_at("1d", NOW_US))
    assert declared(longest, (), HELD, now_us=NOW_US) is None
    with pytest.raises(RefusedError, match="lasts at most 1d"):
        declared(replace(longest, ends_us=longest.ends_us + MINUTE_US), (), HELD, now_us=NOW_US)
    with pytest.raises(RefusedError, match="50 freezes"):
        declared(longest, (FREEZE,) * 50, HELD, now_us=NOW_US)
    for wrong in (replace(order, stage="stagign"), replace(order, reason=" "), replace(order, reason="a\nb")):
        with pytest.raises(UsageError):
            declared(wrong, (), HELD, now_us=NOW_US)


def test_it_closes_its_stage_from_now_to_its_end_and_all_closes_the_release_and_every_environment() -> None:
    rule = calendar_rule_of(FREEZE, ("release", "staging"))
    assert standing((rule,), "staging", NOW_US).sentence == (
        "staging is frozen by 'a move (ada@github)' until 2027-01-15 10:00 (UTC)"
    )
    assert standing((rule,), "release", NOW_US).is_open
    assert standing((rule,), "staging", FREEZE.ends_us).is_open
    assert calendar_rule_of(replace(FREEZE, stage="all"), ("release", "staging")).stages == ("release", "staging")


def test_what_is_lifted_is_what_was_declared_for_the_stage_and_nothing_is_guessed() -> None:
    everything = replace(FREEZE, id="frz_2", stage="all")
    assert to_lift(None, (FREEZE,)) == to_lift("staging", (FREEZE, everything)) == (FREEZE,)
    with pytest.raises(UsageError, match="say which"):
        to_lift(None, (FREEZE, everything))
    with pytest.raises(NothingToDo, match="release by itself"):
        to_lift("release", (FREEZE, everything))
    with pytest.raises(NothingToDo):
        to_lift(None, ())
