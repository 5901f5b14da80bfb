"""A real control plane for each run of these tests, a simulated node in it, and a namespace for each test."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.clients.kubernetes import HTTP_ROUTES
from shipline.clients.kubernetes_drivers import CANARIES, ROLLOUTS
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from tests.cluster.control_plane import SHIPLINE, ControlPlane, ControlPlaneMissing, control_plane
from tests.cluster.definitions import DEFINITIONS
from tests.cluster.node import ROUTES, Node
from tests.cluster.real_cluster import RealCluster
from tests.clusters import ROUTE, digests_of, registry_with
from tests.machine import SystemClock, wait_until

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "deploy-to-kubernetes.md"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# What the guide about Argo Rollouts and Flagger says that the account needs there.
DRIVING = [
    {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["get", "list", "patch"]},
    {"apiGroups": ["argoproj.io"], "resources": ["rollouts/status"], "verbs": ["get", "patch"]},
    {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list"]},
    {"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": ["get", "list"]},
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "patch"]},
]
COUNTER = itertools.count(1)


def namespace(plane: ControlPlane, role: str) -> str:
    """A new one, where Shipline has this role."""
    name = f"test-{next(COUNTER)}"
    plane.create("/api/v1/namespaces", {"metadata": {"name": name}})
    binding = {
        "metadata": {"name": "shipline"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "shipline"}],
    }
    plane.create(f"{RBAC}/namespaces/{name}/rolebindings", binding)
    return name


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    try:
        with control_plane(tmp_path_factory.mktemp("plane")) as running:
            for definition in DEFINITIONS:
                running.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
            for resource in (HTTP_ROUTES, ROLLOUTS, CANARIES):
                served = f"/apis/{resource.api}/{resource.plural}"
                wait_until(lambda path=served: running.api.get(path).is_success, f"the definition of {served}")  # type: ignore[misc]
            (role,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", GUIDE.read_text(), re.DOTALL)
            for name, rules in {"shipline": yaml.safe_load(role)["rules"], "driving": DRIVING}.items():
                body = {"kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
                running.create(f"{RBAC}/clusterroles", {"apiVersion": "rbac.authorization.k8s.io/v1"} | body)
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
    name = namespace(plane, "shipline")
    plane.create(f"{ROUTES}/namespaces/{name}/httproutes", ROUTE)
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with registry_with(*images) as host:
        kubeconfig = plane.kubeconfig("shipline", SHIPLINE)
        made = RealCluster(tmp_path, kubeconfig, SystemClock(), name, plane.api)
        made.write_manifest(host, deadline_s=3)
        yield made
