"""Counts of a canary whose weight somebody else sets: what of them may be evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts import AnalysisSettings
from shipline.capabilities.rollouts.analysis import AnalysisState, AnalysisVerdict, Observation
from shipline.capabilities.rollouts.driven.analysis import Watched, driven_settings, seen_of, with_weight
from shipline.capabilities.rollouts.observing.counting import Weighed
from shipline.capabilities.rollouts.observing.figures import NO_COUNTS
from shipline.capabilities.rollouts.rules import begin, decide, evidence
from shipline.ports.signals import Counts, Reading, Window
from shipline.ports.target import Role

SECOND_US = 1_000_000
SETTINGS = driven_settings(AnalysisSettings(), 0.0)


def watched(weight: float, looked_s: int = 10) -> Watched:
    state, _ = begin(SETTINGS, rate_per_s=0.0, stable_histogram=NO_COUNTS.histogram)
    return Watched("0", 0, looked_s * SECOND_US, weight, state, (Weighed(0, weight),))


def counts(requests: int, errors: int) -> Counts:
    return Counts(requests, errors, errors, (requests, *NO_COUNTS.histogram[1:]))


def reading(window: Window | None = None) -> Reading:
    return Reading("1", {Role.CANARY: counts(20, 20), Role.BASELINE: counts(80, 0)}, {}, window)


def test_a_look_in_which_the_weight_changed_is_no_evidence() -> None:
    before, now_us = watched(0.2), 20 * SECOND_US
    same = seen_of(reading(), before, with_weight(before, 0.2, now_us), now_us=now_us, delay_s=0.0)
    changed = seen_of(reading(), before, with_weight(before, 0.5, now_us), now_us=now_us, delay_s=0.0)
    assert (same.is_one_split, changed.is_one_split) == (True, False)


@pytest.mark.parametrize(("since_s", "until_s", "one"), [(8, 15, False), (12, 19, False), (20, 29, True)])
def test_windows_that_touch_the_time_of_a_change_are_none_either(since_s: int, until_s: int, one: bool) -> None:  # noqa: FBT001
    """It was changed somewhere between the looks at 10 s and at 20 s."""
    before = watched(0.2)
    weights = with_weight(before, 0.5, 20 * SECOND_US)
    roles = reading().roles
    window = Window(since_s * SECOND_US, until_s * SECOND_US, roles, roles)
    seen = seen_of(reading(window), before, weights, now_us=30 * SECOND_US, delay_s=0.0)
    assert seen.is_one_split is one


def decided(state: AnalysisState, seen: Observation, at_s: float) -> tuple[AnalysisState, AnalysisVerdict]:
    decision = decide(SETTINGS, state, seen, at_s)
    return decision.state, decision.verdict


def test_every_look_counts_by_itself_and_a_bad_canary_is_found() -> None:
    """No pool is left open over a change of the weight that nobody here has made."""
    state = watched(0.2).analysis
    state, verdict = decided(state, Observation(counts(1, 0), counts(4, 0), 0.2), 10.0)
    assert state.errors.updates == 1
    assert verdict is AnalysisVerdict.CONTINUE
    quiet = replace(Observation(counts(20, 20), counts(80, 0), 0.5), is_one_split=False)
    state, _ = decided(state, quiet, 20.0)
    assert evidence(SETTINGS, state) <= 1.0
    for tick in range(3, 9):
        state, verdict = decided(state, Observation(counts(20, 8), counts(80, 0), 0.2), tick * 10.0)
    assert verdict is AnalysisVerdict.ROLLBACK
