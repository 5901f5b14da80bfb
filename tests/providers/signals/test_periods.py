"""Counts by period: which periods are read, and what is sure of those at the ends of a window."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.domain.errors import ConfigurationError
from shipline.ports.metrics import WrongType
from shipline.ports.target import Role
from shipline.providers.signals.periods import Pace, Served, whole_count
from shipline.testing.conformance.signals import GROUPS, totals

START_MS, MINUTE_MS = 1_790_000_040_000, 60_000  # At a full minute.
PACE = Pace(period_s=60, lag_s=120, window_s=180, doubt=1)


def served(*requests: int, errors: int = 0) -> Served:
    """So many in each minute, from the one before the window on; and so many failures in each."""
    times = [START_MS + (index - 1) * MINUTE_MS for index in range(len(requests))]
    return Served(dict(zip(times, requests, strict=True)), dict.fromkeys(times, errors))


def test_of_the_first_group_all_is_kept_to_and_of_others_what_is_sure_and_what_may_be() -> None:
    """An incident that the other's clock puts a period beside the window is in what may be."""
    canary, baseline = GROUPS[:2]
    both = {canary: served(1, 10, 20, 30, 100), baseline: served(1, 10, 20, 30, 100, errors=1)}
    reading = PACE.reading(START_MS, START_MS + 3 * MINUTE_MS, both)
    assert reading.window is not None
    ways = (reading.window.least, reading.roles, reading.window.most)
    assert [totals(each[Role.CANARY]) for each in ways] == [(60, 0)] * 3
    assert [totals(each[Role.BASELINE]) for each in ways] == [(20, 1), (60, 3), (161, 5)]


@pytest.mark.parametrize(
    ("later_s", "end"),
    [(359, None), (360, 3), (419, 3), (420, 4), (3600, 15), (-1, None)],
    ids=["not in", "in", "the next is not", "it is", "bounded", "a clock set back"],
)
def test_a_window_is_read_once_its_periods_and_the_one_beside_them_are_closed_and_in(
    later_s: int, end: int | None
) -> None:
    """120 s after they closed."""
    found = PACE.end_ms(START_MS, START_MS * 1000 + later_s * 1_000_000)
    assert found == (None if end is None else START_MS + end * MINUTE_MS)


def test_it_begins_with_a_period_that_holds_nothing_from_before() -> None:
    """The one that is under way holds some."""
    assert PACE.begin_ms(START_MS * 1000) == START_MS
    assert PACE.begin_ms(START_MS * 1000 + 1) == START_MS + MINUTE_MS


def test_a_failure_that_stands_in_a_later_period_than_its_request_is_a_request() -> None:
    one = Served({}, {START_MS: 3})
    assert totals(PACE.reading(START_MS, START_MS + MINUTE_MS, {GROUPS[0]: one}).roles[Role.CANARY]) == (3, 3)


@pytest.mark.parametrize("value", [-1, 0.5, float("nan"), float("inf"), 2**60, True, "3", None, [1]])
def test_what_counts_no_whole_things_is_refused(value: Any) -> None:
    with pytest.raises(WrongType, match="Datadog says"):
        whole_count(value, who="Datadog")


def test_a_count_that_was_kept_as_a_rate_is_whole_again() -> None:
    assert [whole_count(value, who="x") for value in (0, 3.0, 2.9999999996)] == [0, 3, 3]


@pytest.mark.parametrize(
    "changes", [{"lag_s": 0}, {"lag_s": 901}, {"window_s": 60}, {"window_s": 200}, {"window_s": 960}]
)
def test_windows_that_nothing_would_be_sure_of_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        Pace(**{"period_s": 60, "lag_s": 120, "window_s": 180, "doubt": 1, **changes}).check()
