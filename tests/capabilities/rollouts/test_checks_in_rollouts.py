"""Thresholds at work in whole rollouts: as gates of a canary, of a rolling rollout, and of the time after a switch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shipline.capabilities.rollouts import (
    CheckMode,
    CheckRule,
    Checks,
    Strategy,
    StrategyKind,
    WeightStep,
    analysis_of,
)
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.metrics import FakeMetrics
from tests.capabilities.rollouts.rollout_world import RolloutWorld, no_source

ERRORS = CheckRule("errors", figure="error_rate", value_max=0.02, every_s=2)
LAG = CheckRule("lag", query="lag_seconds", value_max=5.0, every_s=2, inconclusive_max=1)
BAKED = Strategy(StrategyKind.BLUE_GREEN, bake_s=30)
ROLLING = Strategy(StrategyKind.ROLLING, batch_hold_s=6)


def with_figure(place: RolloutWorld, *rules: CheckRule) -> None:
    """These checks from now on; they ask nobody."""
    place.checks = Checks(rules, no_source, place.world.clock)


def with_query(place: RolloutWorld, *lag: float) -> FakeMetrics:
    """The lag is checked from now on; these are its series."""
    metrics = FakeMetrics(place.world.clock)
    metrics.series["lag_seconds"] = list(lag)
    place.checks = Checks((LAG,), lambda _rule: metrics, place.world.clock)
    return metrics


def ended(place: RolloutWorld, version: str, strategy: Strategy, *, rollback: bool = False) -> Rollout:
    rollout = place.deploy(version, strategy=strategy, rollback=rollback)
    place.settle()
    return place.now(rollout)


STRATEGIES = (Strategy(StrategyKind.CANARY), Strategy(StrategyKind.CANARY, steps=(WeightStep(0.3, 6),)), ROLLING, BAKED)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_check_that_passes_lets_it_through(serving: RolloutWorld, strategy: Strategy) -> None:
    with_figure(serving, ERRORS)
    assert ended(serving, "1.1.0", strategy).status is RolloutStatus.PROMOTED


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_check_that_fails_turns_it_back(serving: RolloutWorld, strategy: Strategy) -> None:
    """Also where both versions are as bad, which the analysis does not mind."""
    for version in ("1.0.0", "1.2.0"):
        serving.behave(version, error_rate=0.2)
    with_figure(serving, ERRORS)
    rollout = ended(serving, "1.2.0", strategy)
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "errors" in rollout.reason
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.alive() == ["1.0.0", "1.0.0"]


def test_information_decides_nothing_and_is_kept(serving: RolloutWorld) -> None:
    """It stands with the looks that read it."""
    with_figure(serving, replace(ERRORS, value_max=0.0, mode=CheckMode.INFORMATION))
    rollout = ended(serving, "1.1.0", Strategy(StrategyKind.CANARY))
    assert rollout.status is RolloutStatus.PROMOTED
    with serving.world.store.begin() as tx:
        findings = [finding for look in analysis_of(tx, rollout.id) for finding in look.checks]
    assert findings
    assert {(finding.name, finding.mode) for finding in findings} == {("errors", CheckMode.INFORMATION)}


def test_no_number_is_no_pass(serving: RolloutWorld) -> None:
    """A source that goes away during the rollout keeps it from being promoted, and a person is asked."""
    metrics = with_query(serving, 1.0)
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    metrics.series.clear()
    engine = serving.engine()
    serving.look(engine, 60)
    paused = serving.now(rollout)
    assert paused.status is RolloutStatus.PAUSED
    assert "lag" in paused.waiting_for
    serving.say(rollout, "promote")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


def test_a_query_without_a_number_refuses_before_anything_is_started(serving: RolloutWorld) -> None:
    """But never the way back."""
    with_query(serving)
    rollout = ended(serving, "1.1.0", Strategy(StrategyKind.CANARY))
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "lag" in rollout.reason
    assert "1.1.0" not in {version for _, version, _ in serving.target.prepared}
    back = ended(serving, "1.1.0", Strategy(StrategyKind.ALL_AT_ONCE), rollback=True)
    assert back.status is RolloutStatus.PROMOTED


def test_what_bakes_waits_for_its_checks(serving: RolloutWorld) -> None:
    """Its time is over, and nobody knows yet whether it is good."""
    metrics = with_query(serving, 1.0)
    rollout = serving.deploy("1.1.0", strategy=BAKED)
    serving.run_until(rollout, "verify")
    metrics.series.clear()
    engine = serving.engine()
    serving.look(engine, 100)
    assert serving.now(rollout).status is RolloutStatus.PROMOTING
    assert "lag" in serving.now(rollout).waiting_for
    metrics.series["lag_seconds"] = [1.0]
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


@pytest.mark.parametrize("strategy", [ROLLING, BAKED], ids=lambda one: one.kind.value)
def test_counts_that_nobody_asks_for_hold_nothing_up(serving: RolloutWorld, strategy: Strategy) -> None:
    """Where checks have queries alone, the source of counts may be away."""
    with_query(serving, 1.0)
    rollout = serving.deploy("1.1.0", strategy=strategy)
    serving.run_until(rollout, "roll" if strategy is ROLLING else "verify")
    serving.fake_signals.fault = Fault.UNAVAILABLE
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED


SWITCHED = (Strategy(StrategyKind.BLUE_GREEN), Strategy(StrategyKind.ALL_AT_ONCE))


@pytest.mark.parametrize("strategy", SWITCHED, ids=lambda one: one.kind.value)
def test_what_was_only_switched_is_not_done_before_its_checks_were_read(
    serving: RolloutWorld, strategy: Strategy
) -> None:
    """Though it has no time to bake: nothing has read them before, and nothing would."""
    with_figure(serving, ERRORS)
    assert ended(serving, "1.1.0", strategy).status is RolloutStatus.PROMOTED
    serving.behave("1.2.0", error_rate=0.2)
    rollout = ended(serving, "1.2.0", strategy)
    assert rollout.status is RolloutStatus.ROLLED_BACK
    assert "errors" in rollout.reason
    assert serving.serving() == {"1.1.0": 1.0}


def test_the_first_deployment_and_the_way_back_wait_for_no_check(place: RolloutWorld) -> None:
    """The one has nothing to turn back to, the other must not take longer than it has to."""
    with_query(place)
    assert ended(place, "1.0.0", SWITCHED[1]).status is RolloutStatus.PROMOTED
    assert ended(place, "0.9.0", SWITCHED[1], rollback=True).status is RolloutStatus.PROMOTED


def test_what_the_analysis_finds_worse_goes_back_without_asking_a_source(serving: RolloutWorld) -> None:
    """One that hangs would let users wait for the way back."""
    metrics = with_query(serving, 1.0)
    rollout = ended(serving, "1.2.0", Strategy(StrategyKind.CANARY))
    assert rollout.status is RolloutStatus.ROLLED_BACK
    with serving.world.store.begin() as tx:
        found_us = analysis_of(tx, rollout.id)[-1].time_us
    assert found_us not in [at_us for _, at_us in metrics.asked]
