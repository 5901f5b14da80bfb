"""An environment of a RolloutWorld that is in a cluster, fake or real, and what whole rollouts to one must do.

Only the counts of requests are simulated. What must never happen is watched for on the cluster's own objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

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
    order_adoption,
    restore_recorded,
)
from shipline.clients.kubernetes import KubernetesClient, Operation
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.journal import runs_of
from shipline.ports.traffic import Route
from shipline.providers.traffic.gateway import ANSWER_TIMEOUT_S, GatewayTraffic
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.traffic import TrafficWorld
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PACKAGE, PERSON, PLACE, RolloutWorld
from tests.clusters import Cluster, digests_of, weights_of

IMAGE = "/spec/template/spec/containers/0/image"
REFS = "/spec/rules/0/backendRefs"


class Overtaken(KubernetesClient):
    """A client, right before whose every change of an object `meanwhile` is called."""

    def __init__(self, like: KubernetesClient, meanwhile: Callable[[], None]) -> None:
        super().__init__(like.access, timeout_s=ANSWER_TIMEOUT_S)
        self._meanwhile = meanwhile

    def change(
        self, path: str, read: Mapping[str, Any], operations: tuple[Operation, ...], *, dry_run: bool = False
    ) -> dict[str, Any]:
        self._meanwhile()
        return super().change(path, read, operations, dry_run=dry_run)


class Told(GatewayTraffic):
    """A gateway whose users are simulated: they learn where requests go."""

    def __init__(self, cluster: Cluster, users: TrafficWorld, meanwhile: Callable[[], None]) -> None:
        chosen = {"namespace": cluster.namespace, "kubeconfig": str(cluster.kubeconfig)}
        super().__init__(GatewayTraffic.Settings("quotes", 8080, drain_s=2, **chosen), cluster.context(PLACE))
        self._users = users
        self._meanwhile = meanwhile

    @cached_property
    def _client(self) -> KubernetesClient:
        return Overtaken(super()._client, self._meanwhile)

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        super().apply(routes, revision=revision)
        for tell in self._users.before_change:
            tell()
        self._users.running = True
        self._users.routes = {route.group_id: route for route in self.routes()}


class ClusterPlace(RolloutWorld):
    """An environment that is in a cluster. `meanwhile` is called before each change of the route."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self.cluster = cluster
        self.meanwhile: Callable[[], None] = lambda: None
        super().__init__(world)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        """One process: it knows nothing but what is in the store and in the cluster."""
        target = self.cluster.target(PLACE)
        traffic = Told(self.cluster, self.traffic, self._before_a_change)
        return replace(super().ground(store), target=target, traffic=traffic)

    def _before_a_change(self) -> None:
        self.meanwhile()

    def order(
        self, version: str, kind: StrategyKind = StrategyKind.CANARY, *, back: bool = False, **settings: float
    ) -> Rollout:
        """Order a rollout of the image that the registry has; `back` for a rollback."""
        ground = self.ground(self.world.store)
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=Strategy(kind, **settings),  # type: ignore[arg-type] # numbers
            digests=digests_of(version),
            release_id="rel_x",
            commit="c0ffee",
            rollback=back,
            is_down=not is_serving(ground),
            cannot=impossible(Strategy(kind), ground.traffic),
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

    def restored(self) -> Rollout:
        """What is on record is brought back."""
        with self.world.store.begin() as tx:
            rollout = restore_recorded(tx, self.engine(), PLACE, "it was a test", PERSON)
        self.settle()
        return self.now(rollout)

    def why_not_adopted(self) -> str:
        """What comes of recording what runs, where that is refused."""
        with self.world.store.begin() as tx:
            subject = order_adoption(tx, self.engine(), PLACE, "it was an outage", PERSON)
        self.settle()
        with self.world.store.begin() as tx:
            return runs_of(tx, subject)[-1].state.reason

    def weights(self) -> dict[str, int]:
        """The weights in the route, by Service."""
        return weights_of(self.cluster.read("httproutes", "quotes"))

    def replicas(self) -> dict[str, int]:
        """How many pods each Deployment wants."""
        return {one["metadata"]["name"]: one["spec"]["replicas"] for one in self.cluster.listed("deployments")}

    def set_image(self, name: str, image: str) -> None:
        """As `kubectl set image`, and the end of what comes of it."""
        self.cluster.edit("deployments", name, {"op": "replace", "path": IMAGE, "value": image})
        self.cluster.rolled_out(name)

    def findings(self) -> list[str]:
        """What differs from the record, in words."""
        return [one.words for one in look_for_drift(self.ground(self.world.store), PLACE).findings]

    def group_of(self, version: str, role: str = "canary") -> str:
        """The name of the Deployment of this version, as far as it is the only one."""
        stem = f"s-{PACKAGE}-{version.replace('.', '-')}-a"
        (found,) = (name for name in self.replicas() if name.startswith(stem) and f"-{role}" in name)
        return found


class WholeRollouts:
    """What whole rollouts to a cluster must do. `place` is an environment in one."""

    def test_a_good_version_is_promoted_and_the_old_one_drained(self, place: ClusterPlace) -> None:
        """The canary begins small, beside a baseline; at the end one Deployment and one weight are left."""
        assert place.ended(GOOD).status is RolloutStatus.PROMOTED
        rollout = place.order(BETTER)
        place.run_until(rollout, "canary")
        assert sorted(place.replicas().values()) == [1, 1, 2]
        assert len([weight for weight in place.weights().values() if weight > 0]) == 3
        place.settle()
        assert place.now(rollout).status is RolloutStatus.PROMOTED
        assert place.replicas() == {f"s-{PACKAGE}-1-1-0-a1-canary": 2}
        assert list(place.weights().values()) == [100]
        assert place.findings() == []

    def test_a_bad_version_is_rolled_back(self, place: ClusterPlace) -> None:
        """The stable version has all of the traffic again, and never had fewer copies."""
        place.ended(GOOD)
        before = place.replicas()
        place.behave(BETTER, error_rate=0.5)
        assert place.ended(BETTER).status is RolloutStatus.ROLLED_BACK
        assert place.replicas() == before
        assert list(place.weights().values()) == [100]
        assert place.findings() == []

    def test_an_image_that_does_not_run_ends_the_rollout_with_its_last_words(self, place: ClusterPlace) -> None:
        """Users have noticed nothing."""
        place.ended(GOOD)
        before = place.weights()
        ended = place.ended(BROKEN)
        assert ended.status is RolloutStatus.ROLLED_BACK
        assert "CrashLoopBackOff" in ended.reason
        assert "it is broken" in ended.reason
        assert place.weights() == before

    def test_an_environment_is_taken_down_and_comes_back(self, place: ClusterPlace) -> None:
        """Nobody is routed to what is being stopped."""
        place.ended(GOOD)
        place.take_down()
        place.settle()
        assert (place.replicas(), place.weights()) == ({}, {})
        assert place.ended(GOOD).status is RolloutStatus.PROMOTED
        assert list(place.replicas().values()) == [2]

    def test_copies_are_replaced_batch_by_batch(self, place: ClusterPlace) -> None:
        """Kubernetes chooses which old pods go; there are never fewer than before."""
        place.ended(GOOD)
        with place.cluster.fewest_copies() as fewest:
            assert place.ended(BETTER, StrategyKind.ROLLING).status is RolloutStatus.PROMOTED
        assert (list(place.replicas().values()), list(place.weights().values()), fewest()) == ([2], [100], 2)

    def test_blue_green_switches_and_keeps_the_old_version_warm(self, place: ClusterPlace) -> None:
        """And the way back needs no new copies."""
        place.ended(GOOD)
        (old,) = place.replicas()
        assert place.ended(BETTER, StrategyKind.BLUE_GREEN, keep_warm_s=600.0).status is RolloutStatus.PROMOTED
        assert sorted(place.replicas().values()) == [2, 2]
        assert place.weights()[old] == 0
        assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
        assert place.replicas() == {old: 2}

    def test_the_way_back_after_a_promotion_starts_the_old_version_anew(self, place: ClusterPlace) -> None:
        """Nothing of it was kept."""
        for version in (GOOD, BETTER):
            assert place.ended(version, StrategyKind.ALL_AT_ONCE).status is RolloutStatus.PROMOTED
        assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
        assert place.replicas() == {f"s-{PACKAGE}-1-0-0-a2-canary": 2}
        assert list(place.weights().values()) == [100]

    def test_who_edits_the_route_between_reading_and_writing_loses_nothing(self, place: ClusterPlace) -> None:
        """Each change is tried on what was read, fails, and is made on what is there then."""
        tried: list[str] = []
        names = ["quotes.example"]

        def edit() -> None:
            if len(tried) % 2 == 0:
                names.append(f"n{len(tried)}.example")
                added = {"op": "add", "path": "/spec/hostnames/-", "value": names[-1]}
                place.cluster.edit("httproutes", "quotes", added)
            tried.append("once more")

        place.ended(GOOD)
        place.meanwhile = edit
        assert place.ended(BETTER, StrategyKind.BLUE_GREEN).status is RolloutStatus.PROMOTED
        place.meanwhile = lambda: None
        assert place.cluster.read("httproutes", "quotes")["spec"]["hostnames"] == names
        assert len(tried) >= len(names) > 2
        assert list(place.weights().values()) == [100]

    def test_who_leads_requests_elsewhere_meanwhile_does_not_hold_up_the_way_back(self, place: ClusterPlace) -> None:
        """A bad canary loses its share; what a person has led elsewhere stays as it is, and is told."""
        place.ended(GOOD)
        place.behave(BETTER, error_rate=0.5)
        rollout = place.order(BETTER)
        place.run_until(rollout, "canary")
        theirs = {"group": "", "kind": "Service", "name": "maintenance", "port": 80, "weight": 1000}
        place.cluster.edit("httproutes", "quotes", {"op": "add", "path": f"{REFS}/-", "value": theirs})
        place.settle()
        assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
        assert place.weights() == {"maintenance": 1000, place.group_of(GOOD): 1000}
        assert place.findings() == ["50.0% of the traffic goes to what is none of Shipline's"]
        refused = place.ended("1.1.0")
        assert "maintenance has a share of this rule, too" in refused.reason

    @pytest.mark.parametrize("whose", ["canary", "baseline", "stable"])
    def test_an_image_that_is_set_by_hand_during_a_canary_ends_it(self, place: ClusterPlace, whose: str) -> None:
        """Requests to it are no evidence of the version any more; what was set on the stable version is left alone."""
        place.ended(GOOD)
        rollout = place.order(BETTER)
        place.run_until(rollout, "canary")
        stable = f"s-{PACKAGE}-1-0-0-a1-canary"
        names = {"canary": place.group_of(BETTER), "baseline": place.group_of(GOOD, "baseline"), "stable": stable}
        place.set_image(names[whose], "elsewhere/quotes:mine")
        place.settle()
        ended = place.now(rollout)
        assert ended.status is RolloutStatus.ROLLED_BACK
        assert "its image was changed by somebody else: it runs elsewhere/quotes:mine" in ended.reason
        assert place.weights() == {stable: 100}
        assert bool(place.findings()) == (whose == "stable")

    def test_an_image_that_is_set_by_hand_amid_batches_ends_them(self, place: ClusterPlace) -> None:
        """All traffic goes to what is left of the old version: no copy can be added to what somebody has changed."""
        place.ended(GOOD)
        rollout = place.order(BETTER, StrategyKind.ROLLING)
        place.run_until(rollout, "roll")
        place.set_image(place.group_of(GOOD), "elsewhere/quotes:mine")
        place.settle()
        assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
        assert "it runs elsewhere/quotes:mine" in place.now(rollout).reason
        assert place.weights() == {place.group_of(GOOD): 100}

    def test_an_image_that_is_set_by_hand_is_found_and_both_ways_lead_out(self, place: ClusterPlace) -> None:
        """Nothing is built upon it. What is on record comes back, or what was set becomes a version again."""
        for version in (GOOD, BETTER):
            place.ended(version, StrategyKind.ALL_AT_ONCE)
        assert place.findings() == []
        place.set_image(place.group_of(BETTER), f"elsewhere/quotes@{digests_of(GOOD)[0]}")
        (found,) = place.findings()
        assert "its image was changed by somebody else: it runs elsewhere/quotes@sha256:" in found
        refused = place.ended("1.2.0")
        assert refused.status is RolloutStatus.ROLLED_BACK
        assert "bring back what is on record (shipline env restore production" in refused.reason
        assert "bring the version that it runs there by a rollback" in place.why_not_adopted()
        assert place.restored().status is RolloutStatus.PROMOTED
        assert place.findings() == []
        place.set_image(place.group_of(BETTER), f"elsewhere/quotes@{digests_of(GOOD)[0]}")
        assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
        assert (place.findings(), place.weights()) == ([], {place.group_of(GOOD): 100})

    def test_a_version_kept_warm_that_was_changed_by_hand_is_not_gone_back_to(self, place: ClusterPlace) -> None:
        """Another group of it is started."""
        place.ended(GOOD)
        (old,) = place.replicas()
        place.ended(BETTER, StrategyKind.BLUE_GREEN, keep_warm_s=600.0)
        place.set_image(old, "elsewhere/quotes:mine")
        assert place.ended(GOOD, StrategyKind.ALL_AT_ONCE, back=True).status is RolloutStatus.PROMOTED
        assert place.replicas() == {f"s-{PACKAGE}-1-0-0-a2-canary": 2}
        assert place.findings() == []


@contextmanager
def in_cluster(world: World, cluster: Cluster) -> Iterator[ClusterPlace]:
    """The place, of which nothing that must never happen may have been seen at the end."""
    place = ClusterPlace(world, cluster)
    with cluster.watched(place.breaches):
        yield place
    assert place.breaches == [], place.breaches
