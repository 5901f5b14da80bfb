"""The e-process: its promise, its algebra, its size, and agreement with the published reference."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.statistics.e_process import (
    VALUE_MAX,
    EProcess,
    Mixture,
    begin,
    log_likelihood_ratios,
    update,
    value,
)
from shipline.statistics.two_arms import TwoArms

SIMULATOR = Path(__file__).parents[2] / "bench" / "canary_sim.py"
REFERENCE = Mixture(
    tolerance=1.1, ratios=(1.5, 2.0, 4.0, 10.0, 50.0, 1000.0), shares=(1 / 6,) * 6, share_from_start=0.5
)
MIXTURE = Mixture(tolerance=1.1)


def reference() -> Any:
    """The simulator's module, as a reference implementation."""
    spec = importlib.util.spec_from_file_location("canary_sim", SIMULATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@st.composite
def arms(draw: st.DrawFn) -> TwoArms:
    canary, baseline = draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))
    return TwoArms(draw(st.integers(0, canary)), canary, draw(st.integers(0, baseline)), baseline)


def after(mixture: Mixture, ticks: list[TwoArms]) -> EProcess:
    state = begin(mixture)
    for tick in ticks:
        state = update(mixture, state, tick)
    return state


def random_ticks(seed: int, count: int) -> list[TwoArms]:
    random = np.random.default_rng(seed)
    ticks = []
    for _ in range(count):
        canary, baseline = int(random.integers(1, 200)), int(random.integers(1, 400))
        failures = random.binomial([canary, baseline], [0.03, 0.02])
        ticks.append(TwoArms(int(failures[0]), canary, int(failures[1]), baseline))
    return ticks


def test_a_healthy_canary_reaches_the_threshold_in_at_most_one_percent_of_rollouts() -> None:
    """Goal: Ville's bound, with drifting rates and weights that react to what was seen. Method: Monte Carlo, with the
    wealth of 2,000 rollouts computed by the module's own ratios for each count that occurs."""
    rollouts, ticks = 2_000, 120
    random = np.random.default_rng(20_260_101)
    mixture = Mixture(tolerance=1.0)
    crossed = 0
    for _ in range(rollouts // 100):
        crossed += _crossings(mixture, random, rollouts=100, ticks=ticks)
    assert crossed / rollouts <= 0.01


def _crossings(mixture: Mixture, random: np.random.Generator, *, rollouts: int, ticks: int) -> int:
    states = [begin(mixture)] * rollouts
    weights = np.full(rollouts, 0.05)
    crossed = np.zeros(rollouts, bool)
    for tick in range(ticks):
        failing = 0.02 + 0.2 * (tick % 40 < 4)  # shared incidents
        requests = random.poisson(np.stack([60 * weights, 60 * (1 - weights)]))
        failures = random.binomial(requests, failing)
        for run in range(rollouts):
            counts = TwoArms(*(int(n) for pair in zip(failures[:, run], requests[:, run], strict=True) for n in pair))
            states[run] = update(mixture, states[run], counts)
            crossed[run] |= value(states[run]) >= 100
        # An adversary's weights: more traffic whenever the canary looks bad.
        weights = np.where(failures[0] > requests[0] * failing, 0.5, 0.05)
    return int(crossed.sum())


def test_it_agrees_with_the_reference_on_the_same_bets() -> None:
    """Errors on the grid of the published RestartEProcess, start times included, to 1e-9."""
    theirs = reference().RestartEProcess(1, tol=1.1)
    state = begin(REFERENCE)
    for tick in random_ticks(3, 200):
        state = update(REFERENCE, state, tick)
        theirs.update(
            *(
                np.array([count])
                for count in (
                    tick.canary_failures,
                    tick.canary_requests,
                    tick.baseline_failures,
                    tick.baseline_requests,
                )
            )
        )
        assert value(state) == pytest.approx(theirs.value()[0], rel=1e-9)


def test_it_agrees_with_the_reference_without_late_starts() -> None:
    """All capital from the start is the published EProcess."""
    mixture = Mixture(tolerance=1.1, ratios=REFERENCE.ratios, shares=REFERENCE.shares, share_from_start=1.0)
    theirs = reference().EProcess(1, tol=1.1)
    for tick in (ticks := random_ticks(5, 50)):
        theirs.update(
            np.array([tick.canary_failures]),
            np.array([tick.canary_requests]),
            np.array([tick.baseline_failures]),
            np.array([tick.baseline_requests]),
        )
    assert value(after(mixture, ticks)) == pytest.approx(theirs.value()[0], rel=1e-9)


@given(st.lists(arms(), max_size=30))
def test_a_json_round_trip_is_exact(ticks: list[TwoArms]) -> None:
    """State and settings survive text without losing a bit."""
    state = after(MIXTURE, ticks)
    assert from_json(EProcess, json.loads(json.dumps(to_json(state)))) == state
    assert from_json(Mixture, json.loads(json.dumps(to_json(MIXTURE)))) == MIXTURE


@given(arms(), st.integers(2, 5))
def test_splitting_a_tick_at_the_same_weights_changes_nothing(tick: TwoArms, parts: int) -> None:
    """The likelihood ratio of a tick is the product of those of its equal parts, wherever the failures fell."""
    whole = TwoArms(
        tick.canary_failures, tick.canary_requests * parts, tick.baseline_failures, tick.baseline_requests * parts
    )
    first = TwoArms(tick.canary_failures, tick.canary_requests, 0, tick.baseline_requests)
    second = TwoArms(0, tick.canary_requests, tick.baseline_failures, tick.baseline_requests)
    split = [first, second] + [TwoArms(0, tick.canary_requests, 0, tick.baseline_requests)] * (parts - 2)
    sums = [math.fsum(column) for column in zip(*(log_likelihood_ratios(MIXTURE, part) for part in split), strict=True)]
    assert sums == pytest.approx(log_likelihood_ratios(MIXTURE, whole), rel=1e-9, abs=1e-9)


@given(st.lists(arms(), max_size=10), arms())
def test_one_more_failure_on_the_canary_never_lowers_the_evidence(ticks: list[TwoArms], last: TwoArms) -> None:
    """And one more on the baseline never raises it."""
    state = after(MIXTURE, ticks)
    now = value(update(MIXTURE, state, last))
    if last.canary_failures < last.canary_requests:
        worse = TwoArms(last.canary_failures + 1, last.canary_requests, last.baseline_failures, last.baseline_requests)
        assert value(update(MIXTURE, state, worse)) >= now * (1 - 1e-12)
    if last.baseline_failures < last.baseline_requests:
        better = TwoArms(last.canary_failures, last.canary_requests, last.baseline_failures + 1, last.baseline_requests)
        assert value(update(MIXTURE, state, better)) <= now * (1 + 1e-12)


@given(st.integers(0, 1_000))
def test_an_arm_without_traffic_changes_nothing(requests: int) -> None:
    """No data is no evidence: the very same state comes back."""
    state = after(MIXTURE, random_ticks(1, 7))
    assert update(MIXTURE, state, TwoArms(0, 0, 0, requests)) is state
    assert update(MIXTURE, state, TwoArms(requests, requests, 0, 0)) is state


def test_the_state_stays_small_and_the_capital_is_kept() -> None:
    """After a day of ticks the state is as small as after one, and starts have spent no more than the capital."""
    tick = TwoArms(0, 10, 0, 10)
    state = after(MIXTURE, [tick] * 8_640)
    assert len(json.dumps(to_json(state))) < 250
    assert state.unspent == pytest.approx(0.4 / (1 + 8_639 // 6), rel=1e-9)
    assert value(state) == pytest.approx(1.0, abs=1e-9)


def test_enormous_counts_neither_overflow_nor_underflow() -> None:
    """Evidence is capped above and stays positive below."""
    against = after(MIXTURE, [TwoArms(10**9, 10**9, 0, 10**9)] * 50)
    assert value(against) == VALUE_MAX
    favour = after(MIXTURE, [TwoArms(0, 10**9, 10**9, 10**9)] * 50)
    assert 0 < value(favour) < 1
    assert math.isfinite(value(update(MIXTURE, favour, TwoArms(10**9, 10**9, 0, 10**9))))


def test_a_late_regression_is_found_although_the_beginning_was_good() -> None:
    """Bets that begin late are not held back by the good ticks before them."""
    late = [TwoArms(0, 300, 6, 300)] * 60 + [TwoArms(12, 300, 1, 300)] * 8
    assert value(after(MIXTURE, late)) >= 100


@pytest.mark.parametrize("counts", [(-1, 5, 0, 5), (6, 5, 0, 5), (0, 5, 6, 5), (0, 5, -1, 5)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]) -> None:
    """Negative counts, and more failures than requests."""
    with pytest.raises(InvalidValue, match="impossible counts"):
        TwoArms(*counts)


@pytest.mark.parametrize(
    "settings",
    [
        {"tolerance": 0.9},
        {"tolerance": math.nan},
        {"tolerance": 1.1, "ratios": (1.1,), "shares": (1.0,)},
        {"tolerance": 1.1, "ratios": (2.0,), "shares": (0.9,)},
        {"tolerance": 1.1, "ratios": (2.0, 3.0), "shares": (1.0,)},
        {"tolerance": 1.1, "share_from_start": 0.0},
        {"tolerance": 1.1, "updates_per_start": 0},
    ],
)
def test_a_mixture_that_would_break_the_promise_is_refused(settings: dict[str, Any]) -> None:
    """Capital that does not sum to 1, or a bet within the tolerance."""
    with pytest.raises(InvalidValue):
        Mixture(**settings)
