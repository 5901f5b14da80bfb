"""A version is let fail on purpose: the analysis finds it, nothing is left on, and nobody takes it for an incident."""

from __future__ import annotations

import pytest

from shipline.capabilities.incidents import follow_rollout, open_incidents
from shipline.capabilities.rollouts import (
    AnalysisPoint,
    Found,
    RehearsalOrder,
    end_rehearsal,
    experienced,
    found_by,
    order_rehearsal,
)
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import Run, holder_of, runs_of
from shipline.ports.target import Role
from shipline.store.log import read_latest
from shipline.testing.fakes.faults import Fault
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE, RolloutWorld

ORDER = RehearsalOrder(PLACE, Role.CANARY, seconds=40, errors=0.3)


def watched(serving: RolloutWorld) -> Rollout:
    """A good version whose canary is being watched."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    return rollout


def order(serving: RolloutWorld, wanted: RehearsalOrder = ORDER) -> str:
    with serving.world.store.begin() as tx:
        return order_rehearsal(tx, serving.engine(), wanted, PERSON)


def run_of(serving: RolloutWorld, subject: str) -> Run:
    with serving.world.store.begin() as tx:
        return runs_of(tx, subject)[-1]


def found(serving: RolloutWorld, subject: str) -> Found:
    ended = found_by(run_of(serving, subject))
    assert ended is not None
    return ended


def test_a_good_canary_that_fails_on_purpose_is_sent_back_and_is_no_incident(serving: RolloutWorld) -> None:
    """What it took is told; the deployment has not failed, the version is not found worse, and no fault is left."""
    rollout = watched(serving)
    subject = order(serving)
    serving.settle()
    ended, what = serving.now(rollout), found(serving, subject)
    assert (ended.status, what.turned_back) == (RolloutStatus.ROLLED_BACK, True)
    assert what.failed_requests == ended.failed_requests > 0
    assert 0 < what.seconds < ORDER.seconds
    assert ended.reason.endswith("It was let fail on purpose: a rehearsal.")
    assert serving.traffic.faults == {}
    assert [one.failed for one in serving.deployments()] == [False, False]
    with serving.world.store.begin() as tx:
        for kind in ("RollbackBegan", "RolloutRolledBack"):
            (event,) = [each.event for each in read_latest(serving.world.store, 100) if each.event.kind == kind]
            assert event.body["rehearsed"]
            follow_rollout(tx, event)
        assert open_incidents(tx) == ()
    (told,) = bodies(serving.world.store, "RolloutRolledBack")
    assert not told["found_worse"]
    (ending,) = bodies(serving.world.store, "RehearsalEnded")
    assert (ending["turned_back"], ending["rollout_id"]) == (True, rollout.id)


def test_without_a_canary_there_is_nobody_to_fail(serving: RolloutWorld) -> None:
    """And of two at once the second is refused."""
    with pytest.raises(RefusedError, match="there is no canary in production"):
        order(serving)
    watched(serving)
    order(serving)
    with pytest.raises(RefusedError, match="a rehearsal is under way"):
        order(serving)


def test_a_stable_version_that_fails_says_nothing_of_the_canary(serving: RolloutWorld) -> None:
    """Its baseline is not touched: the canary is promoted, and the fault ends with its time."""
    rollout = watched(serving)
    subject = order(serving, RehearsalOrder(PLACE, Role.STABLE, seconds=5, errors=0.9))
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert found(serving, subject).words == "its time was over"
    assert serving.traffic.faults == {}


def test_it_is_ended_when_it_is_said_to(serving: RolloutWorld) -> None:
    watched(serving)
    subject = order(serving, RehearsalOrder(PLACE, Role.CANARY, seconds=3000, latency_ms=5))
    engine = serving.engine()
    serving.look(engine, 1.5)
    assert serving.traffic.faults
    with serving.world.store.begin() as tx:
        end_rehearsal(tx, engine, PLACE)
    serving.look(engine, 1.5)
    assert (found(serving, subject).words, serving.traffic.faults) == ("it was ended", {})


def test_a_canary_that_is_promoted_in_the_middle_of_it_fails_nobody(serving: RolloutWorld) -> None:
    """From the moment of its promotion on, though nobody has taken the fault away by then."""
    rollout = watched(serving)
    order(serving, RehearsalOrder(PLACE, Role.CANARY, seconds=3000, errors=0.01))
    serving.look(serving.engine(), 0.5)
    (name,) = serving.traffic.faults
    serving.say(rollout, "promote")
    serving.run_until(rollout, "verify")
    assert serving.traffic.faults
    assert serving.traffic.routes[name].role is Role.STABLE
    assert not serving.traffic.acts(name, serving.world.clock.now_us())
    serving.settle()
    assert (serving.now(rollout).status, serving.traffic.faults) == (RolloutStatus.PROMOTED, {})


def test_what_failed_long_before_is_no_excuse(serving: RolloutWorld) -> None:
    """A rehearsal that found nothing, and then a version that is worse: an incident, and a failed change."""
    rollout = watched(serving)
    subject = order(serving, RehearsalOrder(PLACE, Role.CANARY, seconds=1, latency_ms=1))
    serving.say(rollout, "pause")
    serving.look(serving.engine(), 20.0)
    assert found(serving, subject).words == "its time was over"
    serving.behave("1.1.0", error_rate=0.5)
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    (told,) = bodies(serving.world.store, "RolloutRolledBack")
    assert (told["rehearsed"], told["found_worse"]) == (False, True)
    assert [one.failed for one in serving.deployments()] == [False, True]


def test_another_canary_is_not_let_fail(serving: RolloutWorld) -> None:
    """The one that was meant has gone back before anybody came to inject."""
    rollout = watched(serving)
    subject = order(serving)
    with serving.world.store.begin() as tx:
        injecting = runs_of(tx, subject)[-1].id
    serving.say(rollout, "abort")
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        engine_run = runs_of(tx, f"rollout:{rollout.id}")[-1].id
    while serving.now(rollout).status is not RolloutStatus.ROLLED_BACK:
        engine.tick(engine_run)
    engine.tick(injecting)
    assert serving.traffic.faults == {}
    serving.settle()
    assert "is watched no more" in bodies(serving.world.store, "RehearsalEnded")[-1]["words"]


def test_what_fails_last_is_waited_for(serving: RolloutWorld) -> None:
    """Counts come late: the canary goes back after the fault has ended, and that is found all the same."""
    serving.fake_signals.delay_s = 8.0
    watched(serving)
    subject = order(serving, RehearsalOrder(PLACE, Role.CANARY, seconds=3, errors=0.9))
    serving.settle()
    what = found(serving, subject)
    assert what.turned_back
    assert what.seconds > 3.0


def test_a_dead_process_costs_nothing(serving: RolloutWorld) -> None:
    """Nobody works on it until its time is over: nothing fails any more, and the next process puts it on record."""
    watched(serving)
    subject = order(serving)
    serving.look(serving.engine(), 0.5)
    (name,) = serving.traffic.faults
    serving.world.clock.jump_to(serving.world.clock.now_us() + (ORDER.seconds + 1) * 1_000_000)
    assert not serving.traffic.acts(name, serving.world.clock.now_us())
    serving.settle()
    assert (serving.traffic.faults, run_of(serving, subject).state.status.value) == ({}, "done")


def test_a_proxy_that_is_gone_has_no_fault_to_take_away(serving: RolloutWorld) -> None:
    """The rehearsal comes to its end, and another may begin."""
    order(serving, RehearsalOrder(PLACE, Role.STABLE, seconds=3, errors=0.5))
    serving.look(serving.engine(), 1.0)
    serving.fake_traffic.fault = Fault.UNAVAILABLE
    serving.look(serving.engine(), 60.0)
    with serving.world.store.begin() as tx:
        assert holder_of(tx, f"rehearsal:{PLACE}") is None
    assert len(bodies(serving.world.store, "RehearsalEnded")) == 1


def test_load_alone_injects_nothing(serving: RolloutWorld) -> None:
    subject = order(serving, RehearsalOrder(PLACE, Role.CANARY, seconds=3, rate_per_s=5))
    serving.settle()
    assert (found(serving, subject).turned_back, serving.traffic.faults) == (False, {})
    assert [body["rate_per_s"] for body in bodies(serving.world.store, "RehearsalStarted")] == [5]


def test_the_traffic_is_read_from_the_looks() -> None:
    """Requests a second by the weight that was in effect, failures by the baseline."""

    def point(number: int, weight: float, requests: int, errors: int) -> AnalysisPoint:
        return AnalysisPoint(
            f"p{number}", "rol", number, number * 10_000_000, weight, requests, 0, requests, errors, 1.0, "continue", ""
        )

    points = (point(1, 0.1, 7, 0), point(2, 0.5, 100, 1), point(3, 0.5, 500, 5))
    rate_per_s, failing = experienced(points)
    assert (rate_per_s, failing) == pytest.approx((100.0, 6 / 607))
    assert experienced(points[:1]) == (0.0, 0.0)
