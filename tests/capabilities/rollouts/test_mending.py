"""Copies that die come back by themselves, whatever else is under way, and no share of the traffic changes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.rollouts import (
    Strategy,
    StrategyKind,
    environment_state,
    needs_mending,
    order_cooling,
    order_mending,
    serving_groups,
)
from shipline.capabilities.rollouts.routing import group_id
from shipline.capabilities.rollouts.upkeep.mending import PAUSE_MAX_S, RUN_S_MAX, STEADY_S, Mending, MendStep, restarted
from shipline.capabilities.rollouts.workflow import mending_key
from shipline.domain.rollout import RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, runs_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Again, StepContext
from shipline.ports.target import Role
from shipline.store.log import read_latest
from shipline.testing.fakes.faults import Fault
from tests.capabilities.rollouts.rollout_world import PLACE, RolloutWorld

OLD = group_id("quotes", "1.0.0", 1, Role.CANARY)


def look_after(place: RolloutWorld, engine: Engine) -> bool:
    """As the engine's owner does every few seconds; returns whether anything was found."""
    found = needs_mending(place.ground(place.world.store), PLACE)
    if found:
        with place.world.store.begin() as tx:
            order_mending(tx, engine, PLACE)
    return found


def mends(place: RolloutWorld) -> tuple[Run, ...]:
    with place.world.store.begin() as tx:
        return runs_of(tx, mending_key(PLACE))


def told(place: RolloutWorld) -> list[tuple[str, dict[str, Any]]]:
    events = [each.event for each in read_latest(place.world.store, 100, f"environment:{PLACE}")]
    return [(event.kind, dict(event.body)) for event in events]


def words(place: RolloutWorld) -> str:
    with place.world.store.begin() as tx:
        return environment_state(tx, PLACE).mending


def test_where_all_copies_live_nothing_is_ordered(serving: RolloutWorld) -> None:
    assert not look_after(serving, serving.engine())
    assert mends(serving) == ()


def test_a_copy_that_died_comes_back_and_gets_its_requests_again(serving: RolloutWorld) -> None:
    """Meanwhile the others get them; it has another address then."""
    serving.fake_target.kill(OLD, 1)
    serving.target.slow_s["1.0.0"] = 5.0
    alive = serving.addresses()
    engine = serving.engine()
    assert look_after(serving, engine)
    serving.look(engine, 3.0)
    assert (serving.routed(), serving.serving()) == (alive, {"1.0.0": 1.0})
    serving.look(engine, 5.0)
    assert serving.routed() == serving.addresses() > alive
    assert serving.serving() == {"1.0.0": 1.0}


def test_where_the_only_copy_died_its_route_follows_at_once(serving: RolloutWorld) -> None:
    """Requests would be lost otherwise."""
    serving.fake_target.kill(OLD)
    serving.target.slow_s["1.0.0"] = 5.0
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 1.0)
    assert serving.routed() == serving.addresses()
    assert len(serving.routed()) == 2


def test_copies_come_back_after_what_was_warm_was_stopped(serving: RolloutWorld) -> None:
    """The run that stopped it had a higher number than the rollout's."""
    serving.deploy("1.1.0", strategy=Strategy(StrategyKind.ALL_AT_ONCE, keep_warm_s=60))
    serving.settle()
    serving.world.clock.sleep(120)
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        order_cooling(tx, engine, PLACE)
    serving.settle()
    assert set(serving.alive()) == {"1.1.0"}
    (group,) = serving.target.groups
    serving.fake_target.kill(group, 1)
    assert needs_mending(serving.ground(serving.world.store), PLACE)
    with serving.world.store.begin() as tx:
        order_mending(tx, engine, PLACE)
    serving.look(serving.engine(), 10)
    assert len(serving.target.groups[group].copies) == 2


def test_the_log_and_the_record_tell_of_it(serving: RolloutWorld) -> None:
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 1.0)
    assert words(serving).startswith("Started again 1 time, the next time in ")
    assert "1 of 2 copies of quotes 1.0.0 is ready: an instance of quotes 1.0.0 ended" in words(serving)
    serving.look(engine, 5.0)
    assert words(serving) == "All copies are ready again, after 1 time."
    common = {"environment": PLACE, "group": OLD, "package": "quotes", "version": "1.0.0", "size": 2}
    (failed, first), (recovered, second) = told(serving)
    assert (failed, recovered) == ("CopiesFailed", "CopiesRecovered")
    assert first == common | {"ready": 1, "trouble": "an instance of quotes 1.0.0 ended: it is broken"}
    assert second == common | {"seconds": second["seconds"], "restarts": 1}
    assert 0 < second["seconds"] < 5


def test_it_ends_when_all_has_been_well_for_a_while(serving: RolloutWorld) -> None:
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, STEADY_S - 5.0)
    assert [run.state.status for run in mends(serving)] == [RunStatus.ACTIVE]
    serving.look(engine, 10.0)
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE]
    assert words(serving) == ""
    serving.fake_target.kill(OLD, 1)
    look_after(serving, engine)
    serving.look(engine, 5.0)
    assert len(mends(serving)) == 2


def test_one_that_keeps_dying_is_started_at_growing_pauses(serving: RolloutWorld) -> None:
    """A minute at most; and it is said for how often already."""
    serving.target.broken.add("1.0.0")
    serving.fake_target.kill(OLD, 2)
    before = serving.target.runs[OLD]
    engine = serving.engine()
    look_after(serving, engine)
    counts = []
    for _ in range(6):
        serving.look(engine, 100.0)
        counts.append(serving.target.runs[OLD] - before)
        look_after(serving, engine)
    assert counts[0] == 7  # at 0, 1, 3, 7, 15, 31 and 63 seconds
    assert all(1 <= later - earlier <= 2 for earlier, later in itertools.pairwise(counts))
    assert words(serving).startswith(f"Started again {counts[-1]} times, the next time in ")
    assert [kind for kind, _ in told(serving)] == ["CopiesFailed"]
    assert serving.routed() == serving.addresses(), "what lives serves"


def test_one_that_dies_again_and_again_after_it_was_ready_is_one_trouble(serving: RolloutWorld) -> None:
    """Its pauses go on growing, until it has been well for a while."""
    engine = serving.engine()
    before = serving.target.runs[OLD]
    for _ in range(60):
        if len(serving.target.groups[OLD].copies) == 2:
            serving.fake_target.kill(OLD, 2)
        look_after(serving, engine)
        serving.look(engine, 5.0)
    assert serving.target.runs[OLD] - before <= 11
    assert len(mends(serving)) == 1


def test_pauses_double_up_to_a_minute() -> None:
    mending, pauses = Mending(), []
    for _ in range(9):
        mending = restarted(mending, 0)
        pauses.append(mending.not_before_us / 1e6)
    assert pauses == [1, 2, 4, 8, 16, 32, PAUSE_MAX_S, PAUSE_MAX_S, PAUSE_MAX_S]
    assert mending.restarts == 9


def test_copies_that_live_and_are_not_ready_are_left_alone(serving: RolloutWorld) -> None:
    """To end one would cut its requests off; it is shown where the environment is looked at."""
    serving.target.sick.add(OLD)
    assert not look_after(serving, serving.engine())
    (group,) = serving_groups(serving.ground(serving.world.store))
    assert not group.is_whole


def test_stable_and_canary_are_kept_whole_during_a_rollout(serving: RolloutWorld) -> None:
    """The rollout goes on beside it, with its own weights."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    engine = serving.engine()
    serving.say(rollout, "pause")
    serving.look(engine, 4.0)
    weights = serving.serving()
    assert 0 < weights["1.1.0"] < 0.5
    serving.lose_all_copies()
    look_after(serving, engine)
    serving.look(engine, 10.0)
    assert serving.serving() == weights
    assert serving.routed() == serving.addresses()
    assert serving.alive() == ["1.0.0", "1.0.0", "1.0.0", "1.1.0"]
    serving.say(rollout, "resume")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.routed() == serving.addresses()


def test_the_stable_version_is_kept_whole_though_it_has_no_traffic_for_now(serving: RolloutWorld) -> None:
    """The canary at its largest weight, and the baseline, have all of it: what dies then must serve on the way back."""
    rollout = serving.deploy("1.1.0")
    serving.run_until(rollout, "canary")
    engine = serving.engine()
    serving.say(rollout, "pause")
    serving.look(engine, 4.0)
    for name, route in serving.traffic.routes.items():
        serving.traffic.routes[name] = replace(route, share=0.0 if name == OLD else 0.5)
    serving.fake_target.kill(OLD)
    look_after(serving, engine)
    serving.look(engine, 5.0)
    assert {endpoint.address for endpoint in serving.traffic.routes[OLD].endpoints} <= serving.addresses()
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.serving() == {"1.0.0": 1.0}
    assert serving.routed() == serving.addresses()


def test_what_serves_is_kept_whole_while_a_rollout_waits_for_a_person(serving: RolloutWorld) -> None:
    """The rollout has ended, an old group cannot be stopped, and nobody has looked yet. A retry goes on."""
    serving.traffic.open_requests[OLD] = 1
    rollout = serving.shipped("1.1.0")
    (new,) = serving_groups(serving.ground(serving.world.store))
    serving.fake_target.kill(new.id, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 5.0)
    assert serving.alive() == ["1.0.0", "1.0.0", "1.1.0", "1.1.0"]
    serving.traffic.open_requests[OLD] = 0
    serving.say(rollout, "retry")
    serving.settle()
    assert serving.alive() == ["1.1.0", "1.1.0"]
    assert serving.now(rollout).waiting_for == ""


def test_a_rollout_begins_and_ends_while_copies_are_mended(serving: RolloutWorld) -> None:
    """Rolling forward over a stable version that keeps dying is possible, and then there is nothing to mend."""
    serving.target.broken.add("1.0.0")
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 20.0)
    rollout = serving.deploy("1.1.0", strategy="all-at-once")
    serving.look(engine, 30.0)
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.alive() == ["1.1.0", "1.1.0"]
    serving.settle()
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE]


def test_it_ends_when_the_environment_is_taken_down(serving: RolloutWorld) -> None:
    serving.target.broken.add("1.0.0")
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 5.0)
    serving.take_down()
    serving.settle()
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE]
    assert (serving.alive(), serving.traffic.running) == ([], False)
    assert not look_after(serving, engine)


def test_a_zombie_that_mends_late_is_refused(serving: RolloutWorld) -> None:
    """Goal: a process that was paused between its look and its effect changes nothing that a rollout has made since.
    Method: the rollout happens within the zombie's call of the target."""
    serving.fake_target.kill(OLD, 1)
    ground = serving.ground(serving.world.store)
    zombie = MendStep(ground, PLACE)
    groups = serving.fake_target.groups
    happened: list[bool] = []

    def frozen() -> Any:
        seen = groups()
        if not happened:
            happened.append(True)
            assert serving.shipped("1.1.0").status is RolloutStatus.PROMOTED
        return seen

    serving.fake_target.groups = frozen  # type: ignore[method-assign] # the pause
    outcome = zombie(context_at(serving.world.clock.now_us()))
    assert isinstance(outcome, Again)
    assert "is older than" in outcome.waiting_for
    assert serving.alive() == ["1.1.0", "1.1.0"]
    assert serving.serving() == {"1.1.0": 1.0}
    assert serving.routed() == serving.addresses()
    (late,) = serving.breaches
    assert "came after" in late, "the call was made, and refused"
    serving.breaches.clear()


def context_at(now_us: int, started_us: int | None = None) -> StepContext:
    began_us = now_us if started_us is None else started_us
    return StepContext("run", "mending", "run:mend", 1, {}, {}, None, (), False, now_us, began_us, "", began_us)


def test_it_waits_while_a_step_of_a_rollout_is_under_way(serving: RolloutWorld) -> None:
    """It has no number of its own to act with then."""
    serving.fake_target.kill(OLD, 1)
    rollout = serving.deploy("1.1.0")
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        (run,) = runs_of(tx, f"rollout:{rollout.id}")
    assert not isinstance(engine._plan(run.id, hand_on=True), bool)
    outcome = MendStep(serving.ground(serving.world.store), PLACE)(context_at(serving.world.clock.now_us()))
    assert isinstance(outcome, Again)
    assert outcome.waiting_for == "Waiting for a step of the rollout that is under way there."
    assert len(serving.target.groups[OLD].copies) == 1


def test_a_proxy_that_died_runs_again_with_what_it_led_to(serving: RolloutWorld) -> None:
    """Also where its machine went down with it, and the copies are gone, too."""
    serving.traffic.running = False
    serving.lose_all_copies()
    engine = serving.engine()
    assert look_after(serving, engine)
    serving.look(engine, 10.0)
    assert (serving.serving(), serving.alive()) == ({"1.0.0": 1.0}, ["1.0.0", "1.0.0"])
    assert serving.routed() == serving.addresses()
    kinds = [kind for kind, _ in told(serving)]
    assert kinds[-4:] == ["ProxyFailed", "ProxyRecovered", "CopiesFailed", "CopiesRecovered"]
    assert not look_after(serving, engine)


def test_a_port_in_use_is_told_until_it_is_free(serving: RolloutWorld) -> None:
    serving.traffic.running, serving.traffic.port_in_use = False, True
    engine = serving.engine()
    assert look_after(serving, engine)
    serving.look(engine, 10.0)
    assert "cannot be looked after now" in words(serving)
    serving.traffic.port_in_use = False
    serving.look(engine, 5.0)
    assert serving.serving() == {"1.0.0": 1.0}
    (kind, body), *_ = [each for each in told(serving) if each[0] == "ProxyRecovered"]
    assert (kind, body["seconds"] >= 10.0) == ("ProxyRecovered", True)


def test_what_was_taken_down_stays_down(serving: RolloutWorld) -> None:
    serving.take_down()
    serving.settle()
    assert not look_after(serving, serving.engine())
    assert not serving.traffic.running


def test_what_could_not_be_brought_up_again_has_no_proxy_that_leads_nowhere(serving: RolloutWorld) -> None:
    """It was taken down, and what was tried then went back to nothing: users are refused at once."""
    serving.take_down()
    serving.settle()
    serving.target.broken.add("1.1.0")
    assert serving.shipped("1.1.0").status is RolloutStatus.ROLLED_BACK
    assert not needs_mending(serving.ground(serving.world.store), PLACE)
    assert (serving.alive(), serving.traffic.running) == ([], False)


def test_where_nothing_ever_served_no_proxy_is_missed(place: RolloutWorld) -> None:
    assert not look_after(place, place.engine())


@pytest.mark.parametrize("part", ["target", "traffic"])
def test_a_target_or_a_proxy_that_does_not_answer_is_waited_for(serving: RolloutWorld, part: str) -> None:
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    fake: Any = serving.fake_target if part == "target" else serving.fake_traffic
    fake.fault = Fault.UNAVAILABLE
    serving.look(engine, 30.0)
    fake.fault = None
    look_after(serving, engine)
    serving.look(engine, 10.0)
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert serving.routed() == serving.addresses()


def test_a_run_has_an_end_and_what_has_stopped_for_good_is_begun_anew(serving: RolloutWorld) -> None:
    """After a day another run goes on with it; one that has met something unexpected does not block the next."""
    serving.target.broken.add("1.0.0")
    serving.fake_target.kill(OLD, 1)
    engine = serving.engine()
    look_after(serving, engine)
    serving.look(engine, 1.0)
    serving.world.clock.sleep(RUN_S_MAX + 1)
    serving.look(engine, 5.0)
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE]
    look_after(serving, engine)
    serving.fake_target.world.runs = None  # type: ignore[assignment] # whatever a bug may do
    serving.look(engine, 5.0)
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE, RunStatus.STOPPED]
    assert "unexpected" in words(serving)
    serving.target.runs = {}
    serving.target.broken.clear()
    look_after(serving, engine)
    serving.look(engine, 5.0)
    assert serving.alive() == ["1.0.0", "1.0.0"]
    assert [run.state.status for run in mends(serving)] == [RunStatus.DONE, RunStatus.UNDONE, RunStatus.ACTIVE]
