"""A real control plane for each run of these tests, a simulated node in it, and a namespace for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from tests.cluster.control_plane import SHIPLINE, ControlPlane, ControlPlaneMissing, control_plane
from tests.cluster.node import ROUTES, Node
from tests.cluster.real_cluster import RealCluster
from tests.cluster.route_definition import DEFINITION
from tests.clusters import ROUTE, digests_of, registry_with
from tests.machine import SystemClock, wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "deploy-to-kubernetes.md"
COUNTER = itertools.count(1)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    try:
        with control_plane(tmp_path_factory.mktemp("plane")) as running:
            definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            running.create(definitions, DEFINITION)
            wait_until(lambda: running.api.get(f"{ROUTES}/httproutes").is_success, "the definition of routes")
            (role,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", GUIDE.read_text(), re.DOTALL)
            body = yaml.safe_load(role) | {"kind": "ClusterRole", "metadata": {"name": "shipline"}}
            running.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", body)
            yield running
    except ControlPlaneMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session", autouse=True)
def node(plane: ControlPlane) -> Iterator[Node]:
    with Node(plane.api, plane.pem) as running:
        yield running


@pytest.fixture
def cluster(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealCluster]:
    """A namespace with a route, where Shipline has its role."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    name = f"test-{next(COUNTER)}"
    plane.create("/api/v1/namespaces", {"metadata": {"name": name}})
    binding = {
        "metadata": {"name": "shipline"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "shipline"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "shipline"}],
    }
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings"
    plane.create(bindings, binding)
    plane.create(f"{ROUTES}/namespaces/{name}/httproutes", ROUTE)
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with registry_with(*images) as host:
        kubeconfig = plane.kubeconfig("shipline", SHIPLINE)
        made = RealCluster(tmp_path, kubeconfig, SystemClock(), name, plane.api)
        made.write_manifest(host, deadline_s=3)
        yield made
