"""What is decided about a canary, on hand-made ticks and on simulated rollouts with fixed seeds."""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass, replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.capabilities.rollouts import (
    AnalysisSettings,
    AnalysisState,
    AnalysisVerdict,
    Decision,
    Observation,
    begin,
    decide,
    evidence,
    excess_upper,
)
from shipline.domain.errors import InvalidValue
from shipline.ports.signals import EDGES_S, Counts

SETTINGS = AnalysisSettings()
SHORT = AnalysisSettings(promote_after_s=40, deadline_s=90, tick_s=1, react_s=3, ramp_every_s=3, growth_period_s=3)
"""A rollout of under a minute, by settings alone."""
FAST_BUCKET = 20


def counts(requests: int, failed: int = 0, *, clients: int | None = None, bucket: int = FAST_BUCKET) -> Counts:
    histogram = [0] * (len(EDGES_S) + 1)
    histogram[bucket] = requests
    return Counts(requests, failed, failed if clients is None else clients, tuple(histogram))


def ticks(settings: AnalysisSettings, state: AnalysisState, *arms: Counts, number: int) -> Decision:
    """The same tick `number` times, or until something other than CONTINUE is decided."""
    canary, baseline = arms
    for _ in range(number):
        observation = Observation(canary, baseline, state.weight)
        decision = decide(settings, state, observation, state.last_s + settings.tick_s)
        state = decision.state
        if decision.verdict is not AnalysisVerdict.CONTINUE:
            break
    return decision


@dataclass(frozen=True, slots=True)
class Outcome:
    verdict: AnalysisVerdict
    now_s: float
    failed: int
    reason: str


def simulated(
    seed: int, *, failing: float, slowdown: float = 1.0, rate_per_s: int = 100, settings: AnalysisSettings = SHORT
) -> Outcome:
    """A rollout against random traffic: the stable version fails 0.1%, the canary `failing` of its requests."""
    source = random.Random(seed)  # noqa: S311 - traffic, not a secret
    state, weight = begin(settings, rate_per_s=rate_per_s)
    now_s, failed = 0.0, 0

    def arm(probability: float, slower: float) -> Counts:
        requests = sum(source.random() < weight for _ in range(int(rate_per_s * settings.tick_s)))
        errors = sum(source.random() < probability for _ in range(requests))
        histogram = [0] * (len(EDGES_S) + 1)
        for _ in range(requests):
            histogram[bisect_left(EDGES_S, slower * source.lognormvariate(-4, 0.5))] += 1
        return Counts(requests, errors, errors, tuple(histogram))

    while True:
        canary, baseline = arm(failing, slowdown), arm(0.001, 1.0)
        now_s += settings.tick_s
        failed += canary.errors
        decision = decide(settings, state, Observation(canary, baseline, weight), now_s)
        state, weight = decision.state, decision.weight
        if decision.verdict is not AnalysisVerdict.CONTINUE:
            return Outcome(decision.verdict, now_s, failed, decision.reason)


def test_a_short_rollout_promotes_a_good_version_at_the_shortest_time() -> None:
    """30 rollouts of 40 s at 100 requests a second: all promoted, all on time."""
    outcomes = [simulated(seed, failing=0.001) for seed in range(30)]
    assert {outcome.verdict for outcome in outcomes} == {AnalysisVerdict.PROMOTE}
    assert {outcome.now_s for outcome in outcomes} == {40.0}
    assert outcomes[0].reason.startswith("Ruled out with 99% confidence: ")


def test_a_short_rollout_finds_a_version_that_fails_one_request_in_twenty() -> None:
    """30 rollouts: all found within 25 s, with a median of at most 15 failed requests and never more than 25."""
    outcomes = [simulated(seed, failing=0.05) for seed in range(30)]
    assert {outcome.verdict for outcome in outcomes} == {AnalysisVerdict.ROLLBACK}
    assert max(outcome.now_s for outcome in outcomes) <= 25
    assert median(outcome.failed for outcome in outcomes) <= 15
    assert max(outcome.failed for outcome in outcomes) <= 25


def test_a_version_that_always_fails_is_found_by_its_first_requests() -> None:
    """30 rollouts: at most 3 ticks, a median of at most 10 failed requests."""
    outcomes = [simulated(seed, failing=1.0) for seed in range(30)]
    assert {outcome.verdict for outcome in outcomes} == {AnalysisVerdict.ROLLBACK}
    assert max(outcome.now_s for outcome in outcomes) <= 3
    assert median(outcome.failed for outcome in outcomes) <= 10
    assert outcomes[0].reason.startswith("The canary's first requests failed.")


def test_a_version_that_is_twice_as_slow_is_found() -> None:
    """Without a single failure; the reason speaks of slowness."""
    outcomes = [simulated(seed, failing=0.001, slowdown=2.0) for seed in range(10)]
    assert {outcome.verdict for outcome in outcomes} == {AnalysisVerdict.ROLLBACK}
    assert all("slower than the stable version" in outcome.reason for outcome in outcomes)


@pytest.mark.parametrize(
    ("rate_per_s", "weight"), [(0.0, 0.005), (0.1, 0.5), (10.0, 0.06), (50.0, 0.012), (1_000.0, 0.005), (1e9, 0.005)]
)
def test_the_first_weight_gives_the_canary_a_handful_of_requests(rate_per_s: float, weight: float) -> None:
    """Within the smallest and the largest weight; the smallest where no traffic was seen."""
    assert begin(SETTINGS, rate_per_s=rate_per_s)[1] == pytest.approx(weight)


def test_no_traffic_leaves_the_evidence_and_pauses_at_the_deadline() -> None:
    """Nothing is promoted on no data, and the reason says what to do."""
    state, _ = begin(SHORT, rate_per_s=100)
    decision = ticks(SHORT, state, counts(0), counts(0), number=200)
    assert decision.verdict is AnalysisVerdict.PAUSE
    assert decision.state.last_s == SHORT.deadline_s
    assert decision.state.errors == state.errors
    assert decision.reason.startswith("Insufficient evidence after 90 s")
    assert "synthetic load" in decision.reason
    again = decide(SHORT, decision.state, Observation(counts(0), counts(0), 0.1), 91.0)
    assert again.verdict is AnalysisVerdict.PAUSE


def test_thin_traffic_is_not_promoted_at_the_shortest_time() -> None:
    """12 minutes at one request in 20 s rule nothing out; the reason says how far the proof is."""
    state, _ = begin(SETTINGS, rate_per_s=0.1)
    decision = ticks(SETTINGS, state, counts(1), counts(1), number=80)
    assert decision.verdict is AnalysisVerdict.CONTINUE
    assert "so far at most" in decision.reason


def test_a_paused_canary_is_still_rolled_back() -> None:
    """Past the deadline the evidence goes on counting."""
    state, _ = begin(SHORT, rate_per_s=1)
    paused = ticks(SHORT, state, counts(1), counts(1), number=90)
    assert paused.verdict is AnalysisVerdict.PAUSE
    late = ticks(SHORT, paused.state, counts(40, 20), counts(40), number=1)
    assert late.verdict is AnalysisVerdict.ROLLBACK
    assert late.weight == 0.0


def test_an_outage_of_both_arms_is_not_the_canarys_fault() -> None:
    """Everything fails everywhere, from the first request on: no rollback, no growth."""
    state, _ = begin(SETTINGS, rate_per_s=50)
    decision = ticks(SETTINGS, state, counts(10, 10), counts(10, 10), number=60)
    assert decision.verdict is AnalysisVerdict.CONTINUE
    assert evidence(SETTINGS, decision.state) < 1


def test_a_canary_that_fails_while_its_baseline_gets_nothing_is_rolled_back() -> None:
    """A baseline that is not there cannot excuse the canary."""
    state, _ = begin(SETTINGS, rate_per_s=50)
    assert ticks(SETTINGS, state, counts(10, 10), counts(0), number=1).verdict is AnalysisVerdict.ROLLBACK


def test_a_retry_storm_of_one_client_counts_once() -> None:
    """500 failures of one client are one failure; of 500 clients they are a rollback."""
    state, _ = begin(SETTINGS, rate_per_s=50)
    stubborn = ticks(SETTINGS, state, counts(600, 500, clients=1), counts(600), number=1)
    assert stubborn.verdict is AnalysisVerdict.CONTINUE
    assert stubborn.state.total.canary.counted == 101
    many = ticks(SETTINGS, state, counts(600, 500), counts(600), number=1)
    assert many.verdict is AnalysisVerdict.ROLLBACK


def test_the_weight_grows_by_the_factor_at_most_and_holds_while_evidence_is_up() -> None:
    """Growth is 3x in 30 s; a canary under suspicion gets no more traffic."""
    state, weight = begin(SETTINGS, rate_per_s=1_000)
    seen = [weight]
    for _ in range(12):
        state = ticks(SETTINGS, state, counts(500), counts(500), number=1).state
        seen.append(state.weight)
    assert seen == sorted(seen)
    assert all(later <= 3.0 * earlier * (1 + 1e-9) for earlier, later in zip(seen, seen[3:], strict=False))
    suspicious = ticks(SETTINGS, state, counts(500, 14), counts(500, 1), number=1)
    assert SETTINGS.evidence_calm <= evidence(SETTINGS, suspicious.state) < SETTINGS.rollback_evidence
    assert suspicious.weight == state.weight


def test_the_weight_stays_while_ticks_are_pooled() -> None:
    """A block of pooled ticks has one weight, and its end does not depend on what failed."""
    state, weight = begin(replace(SETTINGS, weight_max=0.9), rate_per_s=1)
    first = decide(SETTINGS, state, Observation(counts(2, 1), counts(2), weight), 10.0)
    assert first.state.pending.canary.requests == 2
    assert first.state.errors == state.errors
    assert first.weight == weight
    second = decide(SETTINGS, first.state, Observation(counts(2), counts(2), weight), 20.0)
    assert second.state.pending.canary.requests == 0
    assert second.state.errors.updates == 1


def test_thresholds_are_read_from_the_stable_version_before_the_rollout() -> None:
    """With a history the very first tick is judged; without one it only teaches what is slow."""
    history = [0] * (len(EDGES_S) + 1)
    history[FAST_BUCKET] = 10_000
    slow = counts(100, bucket=60)
    known, _ = begin(SETTINGS, rate_per_s=100, stable_histogram=history)
    assert ticks(SETTINGS, known, slow, counts(100), number=1).verdict is AnalysisVerdict.ROLLBACK
    unknown, _ = begin(SETTINGS, rate_per_s=100)
    assert ticks(SETTINGS, unknown, slow, counts(100), number=1).verdict is AnalysisVerdict.CONTINUE


def test_a_canary_that_is_a_little_slower_is_found_once_its_copies_are_warm() -> None:
    """8% of its requests are slow in place of 5.5%: within the tolerance of a minute of warming, beyond it after that.

    The minute begins anew whenever the share rises.
    """
    history = [0] * (len(EDGES_S) + 1)
    history[FAST_BUCKET], history[60] = 9_500, 500

    def arm(slow: int) -> Counts:
        return Counts(
            1000,
            0,
            0,
            tuple([1000 - slow if b == FAST_BUCKET else slow if b == 60 else 0 for b in range(len(history))]),
        )

    start, _ = begin(replace(SETTINGS, weight_min=0.5), rate_per_s=200, stable_histogram=history)
    warming = ticks(SETTINGS, start, arm(80), arm(55), number=6)
    assert evidence(SETTINGS, warming.state) < 1.0
    warm = ticks(SETTINGS, warming.state, arm(80), arm(55), number=20)
    assert warm.verdict is AnalysisVerdict.ROLLBACK
    assert "slower than the stable version" in warm.reason
    risen = replace(warming.state, share_seen=0.1)
    assert evidence(SETTINGS, ticks(SETTINGS, risen, arm(80), arm(55), number=6).state) < 1.0


def test_promotion_states_the_harm_that_was_ruled_out() -> None:
    """And what is ruled out is no more than the setting."""
    state, _ = begin(SETTINGS, rate_per_s=50)
    decision = ticks(SETTINGS, state, counts(250), counts(250), number=72)
    assert decision.verdict is AnalysisVerdict.PROMOTE
    assert decision.weight == 1.0
    assert excess_upper(SETTINGS, decision.state) <= SETTINGS.excess_max
    assert "percentage points or more of additional failures" in decision.reason
    assert "0 of 18,000 requests (0.00%) on the canary" in decision.reason


def test_a_clock_that_jumps_changes_weights_by_one_step_at_most() -> None:
    """A day's jump ends in a verdict; a jump back is no time at all."""
    state, weight = begin(SETTINGS, rate_per_s=1_000)
    forward = decide(SETTINGS, state, Observation(counts(50), counts(50), weight), 700.0)
    assert forward.weight <= weight * SETTINGS.growth * (1 + 1e-9)
    back = decide(SETTINGS, forward.state, Observation(counts(50), counts(50), weight), 10.0)
    assert back.weight == forward.weight
    assert back.state.last_s == 700.0


@given(st.lists(st.tuples(*(st.integers(0, 300) for _ in range(4))), min_size=1, max_size=40))
def test_whatever_happens_the_weight_is_within_its_limits(rows: list[tuple[int, int, int, int]]) -> None:
    """0 on rollback, 1 on promotion, the configured range in between; never smaller than before."""
    state, weight = begin(SHORT, rate_per_s=100)
    for tick, (first, second, third, fourth) in enumerate(rows, 1):
        canary, baseline = (
            counts(max(first, second), min(first, second)),
            counts(max(third, fourth), min(third, fourth)),
        )
        decision = decide(SHORT, state, Observation(canary, baseline, weight), float(tick))
        if decision.verdict is not AnalysisVerdict.CONTINUE:
            assert decision.weight == (0.0 if decision.verdict is AnalysisVerdict.ROLLBACK else decision.weight)
            return
        assert max(weight, SHORT.weight_min) <= decision.weight <= SHORT.weight_max
        state, weight = decision.state, decision.weight


@pytest.mark.parametrize(
    ("canary", "weight", "now_s"),
    [
        (counts(1, 2, clients=1), 0.1, 1.0),
        (counts(5, 1, clients=2), 0.1, 1.0),
        (Counts(-1, -1, -1, counts(0).histogram), 0.1, 1.0),
        (Counts(1, 0, 0, (1, 0)), 0.1, 1.0),
        (Counts(1, 0, 0, (-1, *counts(0).histogram[1:])), 0.1, 1.0),
        (counts(1), float("nan"), 1.0),
        (counts(1), 1.5, 1.0),
        (counts(1), 0.1, float("nan")),
        (counts(1), 0.1, -1.0),
    ],
)
def test_an_observation_that_cannot_be_is_refused(canary: Counts, weight: float, now_s: float) -> None:
    """Counts that contradict each other, other edges, numbers that are none."""
    state, _ = begin(SETTINGS, rate_per_s=10)
    with pytest.raises(InvalidValue):
        decide(SETTINGS, state, Observation(canary, counts(1), weight), now_s)


@pytest.mark.parametrize("rate_per_s", [-1.0, float("nan"), float("inf")])
def test_a_rate_that_is_no_rate_is_refused(rate_per_s: float) -> None:
    """Before anything begins."""
    with pytest.raises(InvalidValue):
        begin(SETTINGS, rate_per_s=rate_per_s)
