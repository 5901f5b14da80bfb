"""A canary that too few users meet is judged by requests made on purpose, and it is told that it was."""

from __future__ import annotations

import pytest

from shipline.capabilities.rollouts import Synthetic, analysis_of
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.testing.fakes.signals import Users
from shipline.testing.world import World
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import SETTINGS, RolloutWorld

USERS_PER_S = 2.0
WANTED_PER_S = 2_000.0


class MoreUsers:
    """Sends by adding to the users' requests, as long as it is told to."""

    def __init__(self, users: Users, world: World) -> None:
        self.users, self.world = users, world
        self.rate_per_s, self.since_us, self.until_us = 0.0, 0, 0
        self.own_per_s, self.asked = USERS_PER_S, list[tuple[float, float]]()

    def keep(self, rate_per_s: float, for_s: float) -> int:
        now_us = self.world.clock.now_us()
        sent = int(self.rate_per_s * (min(now_us, self.until_us) - self.since_us) / 1_000_000)
        self.users.served()
        self.users.requests_per_s = self.own_per_s + rate_per_s
        self.asked.append((rate_per_s, for_s))
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
    assert points[-1].synthetic_requests > points[1].synthetic_requests > 0
    assert f"Of the requests to all versions {points[-1].synthetic_requests:,} were synthetic." in points[-1].reason
    kind = "RolloutPromoted" if status == "promoted" else "RolloutRolledBack"
    assert bodies(thin.world.store, kind)[-1]["synthetic_requests"] == points[-1].synthetic_requests


def test_it_is_not_sent_for_longer_than_it_may_be(thin: RolloutWorld) -> None:
    """Nor where users make enough requests by themselves."""
    sender = filled(thin, seconds_max=4.0)
    assert watched_to_its_end(thin, "1.1.0").status is RolloutStatus.PAUSED
    assert sender.rate_per_s == 0.0
    assert thin.synthetic.missing_per_s(WANTED_PER_S + 1) == 0.0


def test_it_ends_when_users_come(thin: RolloutWorld) -> None:
    """What is missing is counted anew with each look, less what was made on purpose, whoever has made it."""
    sender = filled(thin)
    thin.deploy("1.1.0")
    engine = thin.engine()
    thin.look(engine, 3.0)
    assert sender.asked[-1][0] == pytest.approx(WANTED_PER_S - USERS_PER_S, rel=0.01)
    sender.own_per_s = WANTED_PER_S / 2
    sender.keep(sender.rate_per_s, 2.0)
    thin.look(engine, 2 * SETTINGS.tick_s)
    assert sender.asked[-1][0] == pytest.approx(WANTED_PER_S / 2, rel=0.3)


def test_who_looks_is_who_sends(thin: RolloutWorld) -> None:
    """Until the next look and no longer, which may be another process's."""
    sender = filled(thin)
    watched_to_its_end(thin, "1.1.0")
    assert {for_s for rate_per_s, for_s in sender.asked if rate_per_s > 0} == {SETTINGS.tick_s}


def test_nothing_is_sent_before_late_counts_tell_what_users_make(thin: RolloutWorld) -> None:
    """They make enough by themselves."""
    sender = filled(thin)
    thin.fake_signals.delay_s = 6.0
    sender.own_per_s = thin.users.requests_per_s = WANTED_PER_S * 1.5
    assert watched_to_its_end(thin, "1.1.0").status is RolloutStatus.PROMOTED
    assert {rate_per_s for rate_per_s, _ in sender.asked} == {0.0}
