"""Traffic that takes its time to switch: it is waited for, there and back, in its own words."""

from __future__ import annotations

from shipline.capabilities.rollouts import rollout_workflow
from shipline.domain.rollout import RolloutStatus
from shipline.engine.journal import runs_of
from shipline.ports.traffic import Route, UnderWay
from tests.capabilities.rollouts.rollout_world import CarefulTraffic, RolloutWorld


class SlowTraffic(CarefulTraffic):
    """A splitter that is asked `calls` times until what it was told last is in effect; None: for ever."""

    calls: int | None = 3
    wanted: tuple[tuple[Route, ...], int] = ((), 0)

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        known, asked = self.wanted
        self.wanted = (routes, asked + 1 if routes == known else 1)
        if self.calls is None or self.wanted[1] < self.calls:
            raise UnderWay("The other side is told", after_s=20.0)
        super().apply(routes, revision=revision)


def slowed(place: RolloutWorld) -> SlowTraffic:
    """The environment behind such a splitter."""
    slow = SlowTraffic(place.world.clock, place.traffic, place.breaches)
    place.fake_traffic = slow
    return slow


def test_a_switch_that_is_under_way_is_waited_for(serving: RolloutWorld) -> None:
    """As often as it is worth asking, and no more often; that is no failed attempt."""
    slow, began_us = slowed(serving), serving.world.clock.now_us()
    slow.calls = 10
    rollout = serving.deploy("1.1.0", strategy="all-at-once")
    serving.run_until(rollout, "promote")
    with serving.world.store.begin() as tx:
        assert runs_of(tx, f"rollout:{rollout.id}")[-1].state.waiting_for == "The other side is told."
    assert serving.now(rollout).waiting_for == "The other side is told."
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.PROMOTED
    assert serving.now(rollout).waiting_for == ""
    assert serving.world.clock.now_us() - began_us >= 9 * 20_000_000
    assert serving.serving() == {"1.1.0": 1.0}


def test_a_switch_that_does_not_end_is_turned_back(serving: RolloutWorld) -> None:
    """By a person here, and when its time is over; the way back is waited for, too."""
    slow = slowed(serving)
    slow.calls = None
    rollout = serving.deploy("1.1.0", strategy="all-at-once")
    serving.run_until(rollout, "promote")
    serving.look(serving.engine(), 590.0)
    slow.calls = 3
    slow.wanted = ((), 0)
    serving.say(rollout, "abort")
    serving.settle()
    assert serving.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert serving.serving() == {"1.0.0": 1.0}


def test_who_needs_longer_gets_longer() -> None:
    """There and back; a splitter that is quick keeps its own limit."""
    for switch_s, timeout_s in ((0, 600), (7200, 7200)):
        workflow = rollout_workflow("production", wait_timeout_s=60, drain_timeout_s=60, switch_s=switch_s)
        found = {step.name: step.timeout_s for step in workflow.steps}
        assert (found["start"], found["promote"]) == (timeout_s, timeout_s)
