"""Whole rollouts to Amazon ECS and to Cloud Run: the engine, the store and the providers over what stands in for both.

ECS is moto's server with simulated tasks, Cloud Run a model of its API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from shipline.capabilities.rollouts import (
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    impossible,
    is_serving,
    open_rollout,
)
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.ports.target import Target
from shipline.ports.traffic import Route, Traffic
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.cloud_run import TOKEN
from shipline.testing.fakes.traffic import TrafficWorld
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.aws import AWSWorld
from tests.capabilities.rollouts.rollout_world import PACKAGE, PERSON, PLACE, RolloutWorld
from tests.cloud_run import cloud_run
from tests.clusters import digests_of, registry_with
from tests.ecs_states import ECSStates


class Opener(Protocol):
    """What opens the providers of a cloud."""

    def target(self, environment: str) -> Target: ...

    def traffic(self, environment: str) -> Traffic: ...


class Told:
    """A splitter whose users are simulated: they learn where requests go."""

    def __init__(self, inner: Traffic, users: TrafficWorld) -> None:
        self._inner, self._users = inner, users

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Apply them, and let the users know."""
        self._inner.apply(routes, revision=revision)
        for tell in self._users.before_change:
            tell()
        self._users.running = True
        self._users.routes = {route.group_id: route for route in self._inner.routes()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class CloudPlace(RolloutWorld):
    """An environment of a RolloutWorld that is in a cloud."""

    def __init__(self, world: World, opener: Opener) -> None:
        self.opener = opener
        super().__init__(world)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        """One process: it knows nothing but what is in the store and in the cloud."""
        told: Any = Told(self.opener.traffic(PLACE), self.traffic)
        return replace(super().ground(store), target=self.opener.target(PLACE), traffic=told)

    def ended(self, version: str, kind: StrategyKind, *, back: bool = False, keep_warm_s: float = 0.0) -> Rollout:
        """A rollout of the image that the registry has, and its end; `back` for a rollback."""
        strategy = Strategy(kind, keep_warm_s=keep_warm_s)
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=strategy,
            digests=digests_of(version),
            release_id="rel_x",
            commit="c0ffee",
            rollback=back,
            is_down=not is_serving(self.ground(self.world.store)),
            cannot=impossible(strategy, self.opener.traffic(PLACE)),
        )
        with self.world.store.begin() as tx:
            rollout = open_rollout(tx, self.engine(), order, PERSON)
        self.settle()
        return self.now(rollout)

    def shares(self) -> dict[str, float]:
        """Who gets how much, by version."""
        return {route.version: route.share for route in self.opener.traffic(PLACE).routes() if route.share}

    def running(self) -> list[str]:
        """The versions that run."""
        return sorted(group.version for group in self.opener.target(PLACE).groups())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose credentials are made up."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    world = World(7, tmp_path)
    yield world
    world.close()


@pytest.fixture
def ecs(world: World, moto_port: int, tmp_path: Path) -> Iterator[CloudPlace]:
    """An environment in ECS, whose requests have two seconds to end."""
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with ECSStates(moto_port, world.clock) as states, registry_with(*images) as host:
        states.broken.update(digests_of(BROKEN))
        aws = AWSWorld(states, world.clock, tmp_path, host)
        aws.delay(2)
        yield CloudPlace(world, aws)


@pytest.fixture
def run(world: World, tmp_path: Path) -> Iterator[CloudPlace]:
    """An environment on Cloud Run."""
    with cloud_run(tmp_path, world.clock) as service:
        yield CloudPlace(world, service)


@pytest.fixture(params=["ecs", "run"])
def place(request: pytest.FixtureRequest) -> CloudPlace:
    """Each of them."""
    made: CloudPlace = request.getfixturevalue(request.param)
    return made


def test_blue_green_switches_and_the_way_back_needs_no_new_copies(place: CloudPlace) -> None:
    """The old version is kept warm, and serves again; at the end one of them is left."""
    assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE).status is RolloutStatus.PROMOTED
    assert place.shares() == {GOOD: 1.0}
    assert place.ended(BETTER, StrategyKind.BLUE_GREEN, keep_warm_s=600.0).status is RolloutStatus.PROMOTED
    assert (place.shares(), place.running()) == ({BETTER: 1.0}, [GOOD, BETTER])
    assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
    assert (place.shares(), place.running()) == ({GOOD: 1.0}, [GOOD])


def test_a_canary_is_promoted_and_one_that_is_worse_goes_back(run: CloudPlace) -> None:
    """By percentages of the service's own, read back at every step. For ECS see `test_cloud_canary.py`."""
    place = run
    place.ended(GOOD, StrategyKind.ALL_AT_ONCE)
    place.behave(BETTER, error_rate=0.5)
    ended = place.ended(BETTER, StrategyKind.CANARY)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "fails more often" in ended.reason
    assert (place.shares(), place.running()) == ({GOOD: 1.0}, [GOOD])
    place.behave(BETTER, error_rate=0.0)
    ended = place.ended(BETTER, StrategyKind.CANARY)
    assert (ended.status, ended.strategy) == (RolloutStatus.PROMOTED, "canary")
    assert (place.shares(), place.running()) == ({BETTER: 1.0}, [BETTER])


def test_a_version_that_does_not_run_ends_with_the_platform_s_reason(place: CloudPlace) -> None:
    """Users have noticed nothing."""
    place.ended(GOOD, StrategyKind.ALL_AT_ONCE)
    ended = place.ended(BROKEN, StrategyKind.BLUE_GREEN)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "it is broken" in ended.reason
    assert (place.shares(), place.running()) == ({GOOD: 1.0}, [GOOD])


def test_batches_follow_each_other(place: CloudPlace) -> None:
    """A rolling deployment ends with the new version alone."""
    place.ended(GOOD, StrategyKind.ALL_AT_ONCE)
    assert place.ended(BETTER, StrategyKind.ROLLING).status is RolloutStatus.PROMOTED
    assert (place.shares(), place.running()) == ({BETTER: 1.0}, [BETTER])


def test_an_environment_is_taken_down_and_comes_back(place: CloudPlace) -> None:
    """Nobody is served in between."""
    place.ended(GOOD, StrategyKind.ALL_AT_ONCE)
    place.take_down()
    place.settle()
    assert place.running() == []
    assert place.ended(BETTER, StrategyKind.ALL_AT_ONCE).status is RolloutStatus.PROMOTED
    assert (place.shares(), place.running()) == ({BETTER: 1.0}, [BETTER])
