"""Whole rollouts to a cluster: the engine, the store and both providers over a model of Kubernetes.

Only the counts of requests are simulated. What must never happen is watched for on the cluster's own objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import (
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    impossible,
    is_serving,
    look_for_drift,
    open_rollout,
    restore_recorded,
)
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.ports.traffic import Route
from shipline.providers.traffic.gateway import GatewayTraffic
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.traffic import TrafficWorld
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PACKAGE, PERSON, PLACE, RolloutWorld
from tests.clusters import FakeCluster, digests_of, fake_cluster

ROUTE = ("httproutes", "default", "quotes")


class Told(GatewayTraffic):
    """A gateway whose users are simulated: they learn where requests go."""

    def __init__(self, cluster: FakeCluster, users: TrafficWorld) -> None:
        settings = GatewayTraffic.Settings("quotes", 8080, kubeconfig=str(cluster.kubeconfig), drain_s=2)
        super().__init__(settings, cluster.context(PLACE))
        self._users = users

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        super().apply(routes, revision=revision)
        for tell in self._users.before_change:
            tell()
        self._users.running = True
        self._users.routes = {route.group_id: route for route in self.routes()}


class ClusterPlace(RolloutWorld):
    """An environment of a RolloutWorld that is in a cluster."""

    def __init__(self, world: World, cluster: FakeCluster) -> None:
        self.cluster = cluster
        super().__init__(world)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        """One process: it knows nothing but what is in the store and in the cluster."""
        target, traffic = self.cluster.target(PLACE), Told(self.cluster, self.traffic)
        return replace(super().ground(store), target=target, traffic=traffic)

    def order(
        self, version: str, kind: StrategyKind = StrategyKind.CANARY, *, back: bool = False, **settings: float
    ) -> Rollout:
        """Order a rollout of the image that the registry has; `back` for a rollback."""
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=Strategy(kind, **settings),  # type: ignore[arg-type] # numbers
            digests=digests_of(version),
            release_id="rel_x",
            commit="c0ffee",
            rollback=back,
            is_down=not is_serving(self.ground(self.world.store)),
            cannot=impossible(Strategy(kind), Told(self.cluster, self.traffic)),
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine(), order, PERSON)

    def ended(
        self, version: str, kind: StrategyKind = StrategyKind.CANARY, *, back: bool = False, **settings: float
    ) -> Rollout:
        """A rollout, and its end."""
        rollout = self.order(version, kind, back=back, **settings)
        self.settle()
        return self.now(rollout)

    def weights(self) -> dict[str, int]:
        """The weights in the route, by Service."""
        (rule,) = self.cluster.world.objects.must_get(ROUTE)["spec"]["rules"]
        return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}

    def replicas(self) -> dict[str, int]:
        """How many pods each Deployment wants."""
        found = self.cluster.world.objects.listed("deployments", "default")
        return {one["metadata"]["name"]: one["spec"]["replicas"] for one in found}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterPlace]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    world = World(7, tmp_path)
    with fake_cluster(tmp_path, world.clock) as cluster:
        made = ClusterPlace(world, cluster)

        def watch(method: str, path: str) -> None:
            name = path.rsplit("/", 1)[-1]
            if method == "DELETE" and made.weights().get(name, 0) > 0:
                made.breaches.append(f"{name} was deleted while it had a weight")

        assert cluster.server is not None
        cluster.server.before = watch
        yield made
    world.close()


def test_a_good_version_is_promoted_and_the_old_one_drained(place: ClusterPlace) -> None:
    """The canary begins small, beside a baseline; at the end one Deployment and one weight are left."""
    assert place.ended(GOOD).status is RolloutStatus.PROMOTED
    rollout = place.order(BETTER)
    place.run_until(rollout, "canary")
    assert sorted(place.replicas().values()) == [1, 1, 2]
    assert len([weight for weight in place.weights().values() if weight > 0]) == 3
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    assert place.replicas() == {"s-conforming-1-1-0-a1-canary".replace("conforming", PACKAGE): 2}
    assert list(place.weights().values()) == [100]
    assert place.breaches == []


def test_a_bad_version_is_rolled_back(place: ClusterPlace) -> None:
    """The stable version has all of the traffic again, and never had fewer copies."""
    place.ended(GOOD)
    before = place.replicas()
    place.behave(BETTER, error_rate=0.5)
    assert place.ended(BETTER).status is RolloutStatus.ROLLED_BACK
    assert place.replicas() == before
    assert list(place.weights().values()) == [100]
    assert place.breaches == []


def test_an_image_that_does_not_run_ends_the_rollout_with_its_last_words(place: ClusterPlace) -> None:
    """Users have noticed nothing."""
    place.ended(GOOD)
    before = place.weights()
    ended = place.ended(BROKEN)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "CrashLoopBackOff" in ended.reason
    assert "it is broken" in ended.reason
    assert place.weights() == before


def test_an_environment_is_taken_down_and_comes_back(place: ClusterPlace) -> None:
    """Nobody is routed to what is being stopped."""
    place.ended(GOOD)
    place.take_down()
    place.settle()
    assert (place.replicas(), place.weights()) == ({}, {})
    assert place.ended(GOOD).status is RolloutStatus.PROMOTED
    assert list(place.replicas().values()) == [2]
    assert place.breaches == []


def test_answers_that_are_lost_cost_time_and_nothing_else(place: ClusterPlace) -> None:
    """Every eighth change is carried out without the engine being told: it looks, and goes on from there."""
    place.ended(GOOD)
    server = place.cluster.server
    assert server is not None
    watch, changes = server.before, 0

    def lose(method: str, path: str) -> None:
        nonlocal changes
        watch(method, path)
        if method != "GET":
            changes += 1
            server.lost_answers = int(changes % 8 == 0)

    server.before = lose
    assert place.ended(BETTER).status is RolloutStatus.PROMOTED
    server.lost_answers = 0
    assert list(place.replicas().values()) == [2]
    assert list(place.weights().values()) == [100]
    assert changes > 20
    assert place.breaches == []


def test_copies_are_replaced_batch_by_batch(place: ClusterPlace) -> None:
    """Kubernetes chooses which old pods go; there are never fewer than before."""
    place.ended(GOOD)
    fewest = 2

    def watch(method: str, _path: str) -> None:
        nonlocal fewest
        if method != "GET":
            fewest = min(fewest, sum(place.replicas().values()))

    assert place.cluster.server is not None
    place.cluster.server.before = watch
    assert place.ended(BETTER, StrategyKind.ROLLING).status is RolloutStatus.PROMOTED
    assert (list(place.replicas().values()), list(place.weights().values()), fewest) == ([2], [100], 2)


def test_blue_green_switches_and_keeps_the_old_version_warm(place: ClusterPlace) -> None:
    """And the way back needs no new copies."""
    place.ended(GOOD)
    (old,) = place.replicas()
    assert place.ended(BETTER, StrategyKind.BLUE_GREEN, keep_warm_s=600.0).status is RolloutStatus.PROMOTED
    assert sorted(place.replicas().values()) == [2, 2]
    assert place.weights()[old] == 0
    assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
    assert place.replicas() == {old: 2}


def findings(place: ClusterPlace) -> list[str]:
    return [one.words for one in look_for_drift(place.ground(place.world.store), PLACE).findings]


def test_what_is_changed_by_kubectl_is_found_and_restored(place: ClusterPlace) -> None:
    """An image of one's own, and weights of one's own: both end with what is on record."""
    place.ended(GOOD)
    assert findings(place) == []
    objects = place.cluster.world.objects
    (deployment,) = objects.listed("deployments", "default")
    key = ("deployments", "default", deployment["metadata"]["name"])
    path = "/spec/template/spec/containers/0/image"
    objects.patch(key, [{"op": "replace", "path": path, "value": "elsewhere/quotes:mine"}], manager="kubectl")
    assert [words for words in findings(place) if "image was changed by somebody else: it runs elsewhere" in words]
    with place.world.store.begin() as tx:
        rollout = restore_recorded(tx, place.engine(), PLACE, "it was a test", PERSON)
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    assert findings(place) == []
    refs = [{"name": "elsewhere", "port": 80, "weight": 50}]
    before = objects.must_get(ROUTE)["spec"]["rules"][0]["backendRefs"]
    moved = [{**before[0], "weight": 50}, *refs]
    objects.patch(ROUTE, [{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": moved}], manager="kubectl")
    assert findings(place) == ["50.0% of the traffic goes to what is none of Shipline's"]
