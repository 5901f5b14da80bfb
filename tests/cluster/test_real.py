"""Both providers against a real kube-apiserver with its controllers; pods, logs and the gateway are simulated.

Shipline's account has the role that the documentation gives it, and nothing more. `make test-k8s` runs this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.domain.errors import ConflictError, RefusedError
from shipline.ports.target import GroupSpec, Role, Target
from shipline.ports.traffic import Route, Traffic
from shipline.testing.conformance.target import BETTER, GOOD, PACKAGE, TargetConformance, found
from shipline.testing.conformance.traffic import TrafficConformance, shares
from tests.cluster.control_plane import ControlPlane
from tests.cluster.node import Node
from tests.clusters import Cluster, digests_of
from tests.machine import wait_until

pytestmark = pytest.mark.cluster


class TestRealTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, cluster: Cluster) -> Callable[[], Target]:
        return cluster.target

    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        return wait_until

    @pytest.fixture
    def kill_copy(self, cluster: Cluster, node: Node) -> Callable[[Target, str], None]:
        return lambda _target, group_id: node.crash(cluster.namespace, group_id)


class TestRealTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, cluster: Cluster) -> Callable[[], Traffic]:
        return cluster.traffic


def test_a_version_follows_another_and_gives_way_again(cluster: Cluster, plane: ControlPlane) -> None:
    """A canary beside the stable version, all traffic switched and switched back, and nothing left of the stopped."""
    target, traffic = cluster.target(), cluster.traffic()
    old = GroupSpec("old", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))
    new = GroupSpec("new", Role.CANARY, PACKAGE, BETTER, 1, digests_of(BETTER))
    for spec in (old, new):
        target.prepare(spec.package, spec.version, spec.digests)
        target.run(spec, revision=1)
    wait_until(lambda: all(group.is_whole for group in target.groups()), "both versions")
    for revision, share in enumerate((0.05, 0.5, 1.0, 0.0), start=2):
        routes = (Route("old", Role.STABLE, GOOD, 1 - share, ()), Route("new", Role.CANARY, BETTER, share, ()))
        traffic.apply(routes, revision=revision)
        assert shares(traffic)["new"] == pytest.approx(share)
    traffic.forget("new", revision=9)
    target.stop("new", revision=9)
    left = f"/api/v1/namespaces/{cluster.namespace}"
    wait_until(lambda: len(plane.api.get(f"{left}/pods").json()["items"]) == 2, "the end of its pods")
    wait_until(lambda: plane.api.get(f"{left}/services/s-new").status_code == 404, "the end of its Service")
    assert [group.id for group in target.groups()] == ["old"]


def test_a_late_apply_of_the_beginning_meets_who_owns_the_size(cluster: Cluster) -> None:
    """Server-side apply refuses to take the copies away again: the size is another operation's field."""
    target = cluster.target()
    spec = GroupSpec("old", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))
    target.prepare(spec.package, spec.version, spec.digests)
    target.run(spec, revision=1)
    wait_until(lambda: found(target, "old").is_whole, "the copies")
    client, path = target._client, target._deployment("old")
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "s-old"}, "spec": {"replicas": 0}}
    with pytest.raises(ConflictError, match="somebody else"):
        client.apply(path, body)
    with pytest.raises(RefusedError):
        target.run(replace(spec, size=3), revision=0)
    assert found(target, "old").size == 2
