"""A way back that failed and cannot be mended ends by a person's word, and never as a success."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import GivingUp, exposure_of, give_up_rollout
from shipline.domain.errors import RefusedError, UsageError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.store.log import read_latest
from shipline.testing.fakes.faults import Fault
from shipline.testing.world import World
from tests.capabilities.events import check_positions, kinds
from tests.capabilities.rollouts.rollout_world import PERSON, RolloutWorld


@pytest.fixture
def place(tmp_path: Path, sqlite_url: str) -> Iterator[RolloutWorld]:
    """An environment that serves 1.0.0."""
    world = World(8, tmp_path, url=sqlite_url)
    made = RolloutWorld(world, instances=1)
    made.shipped("1.0.0")
    yield made
    check_positions(world.store)
    world.close()
    assert made.breaches == []


@pytest.fixture
def stuck(place: RolloutWorld) -> Rollout:
    """The canary of 1.1.0 has traffic, and its way back has failed: the proxy does not answer."""
    rollout = place.deploy("1.1.0")
    place.run_until(rollout, "canary")
    place.say(rollout, "abort")
    place.fake_traffic.fault = Fault.UNAVAILABLE
    place.settle()
    assert place.now(rollout).status is RolloutStatus.FAILED
    return place.now(rollout)


def give_up(place: RolloutWorld, rollout: Rollout, *, reason: str = "no way", accepts: bool = False) -> Rollout:
    exposure = exposure_of(place.ground(place.world.store), rollout)
    said = GivingUp(reason, PERSON, exposure, accepts_exposure=accepts)
    now = place.now(rollout)
    with place.world.store.begin() as tx:
        return give_up_rollout(tx, place.engine(), now, said)


def test_while_users_may_be_on_the_version_nobody_gives_up_by_accident(place: RolloutWorld, stuck: Rollout) -> None:
    """A proxy that does not answer proves nothing, and one that does may say that they are."""
    with pytest.raises(RefusedError, match=r"may be served by 1\.1\.0") as refused:
        give_up(place, stuck)
    assert "cannot say" in refused.value.why
    place.fake_traffic.fault = None
    place.users._catch_up()
    with pytest.raises(RefusedError, match=r"may be served by 1\.1\.0") as refused:
        give_up(place, stuck)
    assert "of the traffic is on 1.1.0" in refused.value.why
    assert place.now(stuck).status is RolloutStatus.FAILED


def test_a_reason_must_be_given(place: RolloutWorld, stuck: Rollout) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        give_up(place, stuck, reason=" ", accepts=True)


def test_accepted_it_ends_in_words_and_the_version_before_can_be_brought_back(
    place: RolloutWorld, stuck: Rollout
) -> None:
    """The event names who and why; nothing says that the rollback succeeded; the next rollout clears everything."""
    ended = give_up(place, stuck, accepts=True)
    assert ended.status is RolloutStatus.GIVEN_UP
    assert "given up by" in ended.reason
    event = read_latest(place.world.store, 1, f"rollout:{stuck.id}")[0].event
    assert (event.kind, event.actor, event.body["reason"]) == ("RolloutGivenUp", PERSON, "no way")
    assert "RolloutRolledBack" not in kinds(place.world.store, f"rollout:{stuck.id}")
    place.fake_traffic.fault = None
    back = place.shipped("1.0.0")
    assert back.status is RolloutStatus.PROMOTED
    assert place.serving() == {"1.0.0": 1.0}
    assert place.alive() == ["1.0.0"]
    assert [one.version for one in place.deployments() if one.ended_us is None] == ["1.0.0"]


def test_where_no_traffic_is_on_it_its_deployment_has_ended(place: RolloutWorld, stuck: Rollout) -> None:
    place.fake_traffic.fault = None
    place.traffic.routes = {
        name: route for name, route in place.traffic.routes.items() if route.version != stuck.version
    }
    assert give_up(place, stuck).status is RolloutStatus.GIVEN_UP
    (canary,) = [one for one in place.deployments() if one.version == "1.1.0"]
    assert (canary.ended_us is not None, canary.failed) == (True, True)


def test_a_rollout_that_has_not_failed_is_aborted_and_not_given_up(place: RolloutWorld) -> None:
    rollout = place.deploy("1.1.0")
    place.run_until(rollout, "canary")
    with pytest.raises(RefusedError, match="nothing to give up"):
        give_up(place, rollout, accepts=True)
    place.say(rollout, "abort")
    place.settle()


def test_what_is_left_after_a_promotion_can_be_given_up_and_the_outcome_stands(place: RolloutWorld) -> None:
    rollout = place.deploy("1.1.0")
    place.run_until(rollout, "promote")
    place.fake_target.fault = Fault.UNAVAILABLE
    place.settle()
    given_up = give_up(place, rollout)
    assert given_up.status is RolloutStatus.PROMOTED
    assert "given up by" in given_up.waiting_for
    place.fake_target.fault = None
    assert place.shipped("1.2.0").status is RolloutStatus.PROMOTED
    assert place.alive() == ["1.2.0"]
