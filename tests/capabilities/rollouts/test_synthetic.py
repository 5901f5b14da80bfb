"""A canary that too few users meet is judged by requests made on purpose, and it is told that it was."""

from __future__ import annotations

import pytest

from shipline.capabilities.rollouts import Synthetic, analysis_of
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.testing.fakes.signals import Users
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import RolloutWorld

USERS_PER_S = 2.0
WANTED_PER_S = 2_000.0


class MoreUsers:
    """Sends by adding to the users' requests, as long as it is told to."""

    def __init__(self, users: Users, world: World) -> None:
        self.users, self.world = users, world
        self.rate_per_s, self.since_us, self.until_us = 0.0, 0, 0

    def keep(self, rate_per_s: float, for_s: float) -> int:
        now_us = self.world.clock.now_us()
        sent = int(self.rate_per_s * (min(now_us, self.until_us) - self.since_us) / 1_000_000)
        self.users.served()
        self.users.requests_per_s = USERS_PER_S + rate_per_s
        self.rate_per_s, self.since_us, self.until_us = rate_per_s, now_us, now_us + int(for_s * 1_000_000)
        return max(0, sent)


@pytest.fixture
def thin(serving: RolloutWorld) -> RolloutWorld:
    """An environment that hardly anybody uses."""
    serving.users.requests_per_s = USERS_PER_S
    return serving


def filled(place: RolloutWorld, *, seconds_max: float = 600.0) -> MoreUsers:
    sender = MoreUsers(place.users, place.world)
    place.synthetic = Synthetic(sender, WANTED_PER_S, seconds_max)
    return sender


def watched_to_its_end(place: RolloutWorld, version: str) -> Rollout:
    rollout = place.deploy(version)
    place.look(place.engine(), 70.0)
    return place.now(rollout)


def test_without_it_nothing_is_decided_and_a_way_out_is_named(thin: RolloutWorld) -> None:
    rollout = watched_to_its_end(thin, "1.1.0")
    assert rollout.status is RolloutStatus.PAUSED
    assert "Insufficient evidence" in rollout.waiting_for
    assert "`synthetic_rate` in [environment.rehearsal]" in rollout.waiting_for


@pytest.mark.parametrize(("version", "status"), [("1.1.0", "promoted"), ("1.2.0", "rolled_back")])
def test_with_it_both_ways_are_decided(thin: RolloutWorld, version: str, status: str) -> None:
    """How many requests were synthetic is in each look, on the page, and with the end; none are sent afterwards."""
    sender = filled(thin)
    rollout = watched_to_its_end(thin, version)
    assert (rollout.status.value, sender.rate_per_s) == (status, 0.0)
    with thin.world.store.begin() as tx:
        points = analysis_of(tx, rollout.id)
    assert points[-1].synthetic_requests > points[0].synthetic_requests > 0
    assert f"Of the requests to all versions {points[-1].synthetic_requests:,} were synthetic." in points[-1].reason
    kind = "RolloutPromoted" if status == "promoted" else "RolloutRolledBack"
    assert bodies(thin.world.store, kind)[-1]["synthetic_requests"] == points[-1].synthetic_requests


def test_it_is_not_sent_for_longer_than_it_may_be(thin: RolloutWorld) -> None:
    """Nor where users make enough requests by themselves."""
    sender = filled(thin, seconds_max=4.0)
    assert watched_to_its_end(thin, "1.1.0").status is RolloutStatus.PAUSED
    assert sender.rate_per_s == 0.0
    assert thin.synthetic.missing_per_s(WANTED_PER_S + 1) == 0.0
