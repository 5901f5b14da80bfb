"""Traffic by an HTTPRoute of a cluster's model: the suite, and what only a route shared with others shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.kubernetes_drivers import CANARIES, ROLLOUTS
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.target import Role
from shipline.ports.traffic import Traffic
from shipline.providers.traffic.gateway import GatewayTraffic
from shipline.testing.conformance.traffic import NEW, OLD, TrafficConformance, shares, split
from shipline.testing.fakes.clock import FakeClock
from tests.clusters import FakeCluster, fake_cluster

ROUTE = ("httproutes", "default", "quotes")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    with fake_cluster(tmp_path) as made:
        yield made


@pytest.fixture
def clock(cluster: FakeCluster) -> FakeClock:
    assert isinstance(cluster.clock, FakeClock)
    return cluster.clock


@pytest.fixture
def traffic(cluster: FakeCluster) -> GatewayTraffic:
    traffic = cluster.traffic()
    traffic.open(revision=0)
    return traffic


class TestGatewayTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, cluster: FakeCluster) -> Callable[[], Traffic]:
        return cluster.traffic


def rules(cluster: FakeCluster) -> list[dict[str, Any]]:
    """What stands in the route."""
    found: list[dict[str, Any]] = cluster.world.objects.must_get(ROUTE)["spec"]["rules"]
    return found


def edit(cluster: FakeCluster, *operations: dict[str, Any]) -> None:
    """What a person does with kubectl."""
    cluster.world.objects.patch(ROUTE, list(operations), manager="kubectl")
    cluster.world.settle()


def test_a_split_is_whole_numbers_in_the_rule(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """And nothing else of it changes."""
    before = rules(cluster)[0]
    traffic.apply(split(0.05), revision=1)
    (rule,) = rules(cluster)
    assert rule | {"backendRefs": []} == before
    assert rule["backendRefs"] == [
        {"group": "", "kind": "Service", "name": "s-old", "port": 8080, "weight": 95},
        {"group": "", "kind": "Service", "name": "s-new", "port": 8080, "weight": 5},
    ]
    traffic.apply(split(1e-9), revision=2)
    assert rules(cluster)[0]["backendRefs"][1]["weight"] == 1


def test_a_preview_is_a_rule_of_its_own(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """It matches what the other one does, and the header; it goes when the preview does."""
    edit(cluster, {"op": "add", "path": "/spec/rules/0/filters", "value": [{"type": "URLRewrite"}]})
    traffic.apply((OLD, replace(NEW, preview=True)), revision=1)
    plain, preview = rules(cluster)
    (match,) = preview["matches"]
    assert match == plain["matches"][0] | {"headers": [{"type": "Exact", "name": "X-Preview", "value": "yes"}]}
    assert [ref["name"] for ref in preview["backendRefs"]] == ["s-new"]
    assert preview["filters"] == [{"type": "URLRewrite"}]
    traffic.apply((OLD, NEW), revision=2)
    assert len(rules(cluster)) == 1


def test_a_mirror_is_a_filter_beside_those_of_the_owner(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """A mirror of somebody else's is left alone; the preview's requests are not copied."""
    theirs = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "audit", "port": 80}}}
    edit(cluster, {"op": "add", "path": "/spec/rules/0/filters", "value": [theirs]})
    traffic.apply((replace(OLD, preview=True), replace(NEW, mirror=True)), revision=1)
    plain, preview = rules(cluster)
    assert [one["requestMirror"]["backendRef"]["name"] for one in plain["filters"]] == ["audit", "s-new"]
    assert preview["filters"] == [theirs]
    traffic.apply((OLD,), revision=2)
    assert rules(cluster)[0]["filters"] == [theirs]


def test_only_the_named_rule_is_touched(cluster: FakeCluster) -> None:
    """Others may lead to whom they like."""
    others = {"name": "admin", "backendRefs": [{"name": "admin", "port": 80}]}
    edit(
        cluster,
        {"op": "add", "path": "/spec/rules/0/name", "value": "users"},
        {"op": "add", "path": "/spec/rules/0", "value": others},
    )
    unnamed, named = cluster.traffic(), cluster.traffic(rule="users")
    with pytest.raises(ConfigurationError, match="2 rules that could be meant") as caught:
        unnamed.open(revision=0)
    assert "admin, users" in caught.value.todo
    named.apply((OLD, replace(NEW, preview=True)), revision=1)
    assert rules(cluster)[0] == others
    assert shares(named) == {"old": 1.0, "new": 0.0}
    with pytest.raises(ConfigurationError):
        cluster.traffic(rule="nobody").open(revision=0)


def test_a_rule_that_somebody_else_has_a_share_of_is_refused(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """With weight 0 it may stay."""
    before = [{"name": "quotes", "port": 80}]
    edit(cluster, {"op": "replace", "path": "/spec/rules/0/backendRefs", "value": before})
    with pytest.raises(RefusedError, match="quotes has a share of this rule"):
        traffic.apply((OLD,), revision=1)
    assert rules(cluster)[0]["backendRefs"] == before
    edit(cluster, {"op": "add", "path": "/spec/rules/0/backendRefs/0/weight", "value": 0})
    traffic.apply((OLD,), revision=1)
    assert [ref["name"] for ref in rules(cluster)[0]["backendRefs"]] == ["quotes", "s-old"]
    assert shares(traffic) == {"old": 1.0}


def test_the_way_back_is_not_held_up_by_who_has_a_share_of_the_rule_meanwhile(
    cluster: FakeCluster, traffic: GatewayTraffic
) -> None:
    """What somebody has led elsewhere stays as much as it is; nobody but the stable version gets a share beside it."""
    traffic.apply((OLD,), revision=1)
    traffic.apply(split(0.005), revision=2)
    theirs = {"name": "maintenance", "port": 80, "weight": 50}
    edit(cluster, {"op": "add", "path": "/spec/rules/0/backendRefs/-", "value": theirs})
    with pytest.raises(RefusedError, match="maintenance has a share"):
        traffic.apply(split(0.01), revision=3)
    traffic.apply((OLD,), revision=4)
    traffic.forget("new", revision=5)
    weights = {ref["name"]: ref["weight"] for ref in rules(cluster)[0]["backendRefs"]}
    assert weights == {"maintenance": 50, "s-old": 1000}
    assert shares(traffic) == {"old": pytest.approx(1000 / 1050)}
    traffic.close(revision=6)
    assert rules(cluster)[0]["backendRefs"] == [theirs]


def test_weights_that_a_person_wrote_are_told(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """The route is read, not memory; the next apply sets them right."""
    traffic.apply(split(0.5), revision=1)
    edit(cluster, {"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 0})
    assert shares(traffic) == {"old": 1.0, "new": 0.0}
    traffic.apply(split(0.5), revision=2)
    assert shares(traffic) == {"old": 0.5, "new": 0.5}


def test_a_group_is_drained_when_its_time_is_over(cluster: FakeCluster, clock: FakeClock) -> None:
    """Counted from when it lost its share, by whichever engine looks; a second apply does not begin it anew."""
    traffic = cluster.traffic(drain_s=30)
    traffic.apply(split(0.5), revision=1)
    assert traffic.open_requests("new") == 1
    traffic.apply((OLD, NEW), revision=2)
    clock.sleep(20)
    traffic.apply((OLD,), revision=3)
    with pytest.raises(RefusedError, match="may still have open requests"):
        traffic.forget("new", revision=4)
    clock.sleep(10)
    again = cluster.traffic(drain_s=30)
    assert (again.open_requests("new"), again.open_requests("old"), again.open_requests("nobody")) == (0, 1, 0)
    again.forget("new", revision=5)


def test_a_gateway_that_is_behind_is_waited_for_when_a_group_is_forgotten(
    cluster: FakeCluster, traffic: GatewayTraffic
) -> None:
    """Somebody has edited the route a moment ago: that is no open request, and no refusal."""
    traffic.apply(split(0.5), revision=1)
    traffic.apply((OLD,), revision=2)
    cluster.world.gateway_lag_s = 5
    edit(cluster, {"op": "add", "path": "/spec/hostnames/-", "value": "more.example"})
    traffic.forget("new", revision=3)
    assert shares(traffic) == {"old": 1.0}


def test_a_group_that_never_served_has_nothing_to_drain(cluster: FakeCluster) -> None:
    """A canary that never became ready is stopped at once."""
    traffic = cluster.traffic(drain_s=30)
    traffic.apply((OLD, NEW), revision=1)
    assert traffic.open_requests("new") == 0
    traffic.apply((OLD, replace(NEW, mirror=True)), revision=2)
    traffic.apply((OLD, NEW), revision=3)
    assert traffic.open_requests("new") == 1


def test_applied_is_what_the_gateway_serves(cluster: FakeCluster, clock: FakeClock, traffic: GatewayTraffic) -> None:
    """One that takes its time is waited for, and one that does not take it at all is an error that may pass."""
    cluster.world.gateway_lag_s = 5
    began_us = clock.now_us()
    traffic.apply((OLD,), revision=1)
    assert clock.now_us() - began_us >= 5_000_000
    cluster.world.gateway_lag_s = 3600
    with pytest.raises(UnavailableError, match="does not serve") as caught:
        traffic.apply(split(0.5), revision=2)
    assert "has not taken the newest change yet" in caught.value.why
    with pytest.raises(UnavailableError):
        traffic.routes()
    assert traffic.open_requests("new") == 1
    cluster.world.gateway_lag_s = 0
    traffic.apply(split(0.5), revision=2)
    assert shares(traffic) == {"old": 0.5, "new": 0.5}


def test_a_gateway_that_refuses_is_quoted(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """And one that there is not is no gateway that serves."""
    cluster.world.gateway_refuses = "no listener has this host"
    with pytest.raises(UnavailableError) as caught:
        traffic.apply((OLD,), revision=1)
    assert "no listener has this host" in caught.value.why


def test_a_late_patch_is_refused_wherever_it_was_held_up(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """A newer engine has acted between what was read and what is written."""
    traffic.apply((OLD,), revision=1)
    newer = cluster.traffic()
    seen: list[str] = []

    def interrupt(method: str, path: str) -> None:
        if method == "PATCH" and not seen:
            seen.append(path)
            newer.apply(split(0.25), revision=9)

    assert cluster.server is not None
    cluster.server.before = interrupt
    with pytest.raises(RefusedError, match="older than 9"):
        traffic.apply(split(0.5), revision=8)
    assert shares(newer) == {"old": 0.75, "new": 0.25}


@pytest.mark.parametrize(
    "mark",
    [
        {"ownerReferences": [{"kind": "Canary", "name": "quotes", "uid": "elsewhere"}]},
        {"labels": {"rollouts.argoproj.io/gatewayapi-canary": "in-progress"}},
    ],
)
def test_weights_that_another_engine_writes_are_left_to_it(
    cluster: FakeCluster, traffic: GatewayTraffic, mark: dict[str, Any]
) -> None:
    """In words that name it."""
    cluster.world.settle = lambda: None  # type: ignore[method-assign] # the owner of the first case is not here
    found = cluster.world.objects.must_get(ROUTE)
    found["metadata"] |= mark
    cluster.world.objects.put(ROUTE, found, now=cluster.world.now())
    with pytest.raises(RefusedError, match=r"Flagger|Argo Rollouts"):
        traffic.apply((OLD,), revision=1)
    assert rules(cluster)[0]["backendRefs"] == []


PLUGIN = {"argoproj-labs/gatewayAPI": {"httpRoutes": [{"name": "quotes"}], "namespace": "default"}}


@pytest.mark.parametrize(
    ("plural", "spec"),
    [
        ("canaries", {"targetRef": {"name": "quotes"}}),
        ("canaries", {"targetRef": {"name": "q"}, "service": {"name": "quotes"}}),
        ("rollouts", {"strategy": {"canary": {"trafficRouting": {"plugins": PLUGIN}}}}),
    ],
)
def test_an_engine_that_is_set_up_for_the_route_has_it(
    cluster: FakeCluster, traffic: GatewayTraffic, plural: str, spec: dict[str, Any]
) -> None:
    """Also before it has begun its work. One for another route does not matter."""
    resource = next(each for each in (ROLLOUTS, CANARIES) if each.plural == plural)
    assert cluster.server is not None
    cluster.server.apis.add(resource.api)
    body = {"apiVersion": resource.api, "kind": resource.kind, "metadata": {}, "spec": spec}
    cluster.world.objects.put((plural, "default", "theirs"), body, now=cluster.world.now())
    with pytest.raises(RefusedError, match=r"(Flagger|Argo Rollouts) writes the weights"):
        traffic.apply((OLD,), revision=1)
    body["spec"] = {"targetRef": {"name": "other"}, "strategy": {"canary": {}}}
    cluster.world.objects.put((plural, "default", "theirs"), body, now=cluster.world.now())
    traffic.apply((OLD,), revision=1)


def test_a_route_is_one_environment_s(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """Another one does not read its own groups out of it."""
    traffic.apply((OLD,), revision=1)
    other = cluster.traffic("production")
    for call in (other.routes, lambda: other.open(revision=2), lambda: other.apply((OLD,), revision=2)):
        with pytest.raises(ConflictError, match="belongs to the environment staging"):
            call()


def test_a_closed_route_leads_nowhere(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """Nobody is sent to what is being stopped. Opened again it has what it had."""
    traffic.apply((replace(OLD, preview=True), replace(NEW, mirror=True)), revision=1)
    before = rules(cluster)
    traffic.close(revision=2)
    (rule,) = rules(cluster)
    assert (rule["backendRefs"], rule["filters"]) == ([], [])
    with pytest.raises(UnavailableError, match="closed"):
        traffic.apply((OLD,), revision=2)
    traffic.open(revision=3)
    assert rules(cluster) == before


def test_what_is_not_there_is_named(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """A missing route, and notes that somebody has changed."""
    traffic.apply((OLD,), revision=1)
    edit(cluster, {"op": "replace", "path": "/metadata/annotations/shipline.dev~1traffic", "value": "{}"})
    with pytest.raises(ShiplineError, match="not what Shipline wrote"):
        traffic.routes()
    cluster.world.objects.delete(ROUTE, {})
    with pytest.raises(ConfigurationError, match="no HTTPRoute quotes"):
        traffic.open(revision=2)
    traffic.close(revision=2)


def test_users_are_served_at_the_first_host(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """Unless the settings know better."""
    assert traffic.address() == "quotes.example:443"
    assert cluster.traffic(address="10.0.0.1:80").address() == "10.0.0.1:80"


@pytest.mark.parametrize(
    "settings",
    [
        {"route": "../x"},
        {"route": ""},
        {"port": 0},
        {"drain_s": -1},
        {"drain_s": 3601},
        {"preview_header": "a: b; c"},
        {"preview_header": "a"},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    """Before anything is done."""
    with pytest.raises(ConfigurationError):
        GatewayTraffic.Settings(**{"route": "quotes", "port": 8080, **settings})


def test_a_group_that_becomes_stable_keeps_its_refs(cluster: FakeCluster, traffic: GatewayTraffic) -> None:
    """Only its role is noted anew."""
    traffic.apply(split(0.5), revision=1)
    traffic.apply((replace(NEW, role=Role.STABLE, share=1.0),), revision=2)
    assert [ref["weight"] for ref in rules(cluster)[0]["backendRefs"]] == [0, 100]
