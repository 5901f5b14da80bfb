"""Whole rollouts to a cluster: the engine, the store and both providers over a model of Kubernetes.

`tests/cluster/test_rollouts.py` has the same over a real API server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shipline.domain.rollout import RolloutStatus
from shipline.testing.conformance.target import BETTER, GOOD
from shipline.testing.world import World
from tests.cluster_place import ClusterPlace, WholeRollouts, in_cluster
from tests.clusters import FakeCluster, fake_cluster


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterPlace]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    world = World(7, tmp_path)
    with fake_cluster(tmp_path, world.clock) as cluster, in_cluster(world, cluster) as made:
        yield made
    world.close()


class TestWholeRollouts(WholeRollouts):
    """On the model."""


def test_answers_that_are_lost_cost_time_and_nothing_else(place: ClusterPlace) -> None:
    """Every eighth change is carried out without the engine being told: it looks, and goes on from there."""
    place.ended(GOOD)
    assert isinstance(place.cluster, FakeCluster)
    server = place.cluster.api
    watch, changes = server.before, 0

    def lose(method: str, path: str) -> None:
        nonlocal changes
        watch(method, path)
        if method != "GET":
            changes += 1
            server.lost_answers = int(changes % 8 == 0)

    server.before = lose
    assert place.ended(BETTER).status is RolloutStatus.PROMOTED
    server.lost_answers, server.before = 0, watch
    assert list(place.replicas().values()) == [2]
    assert list(place.weights().values()) == [100]
    assert changes > 20


def test_weights_that_are_changed_by_kubectl_are_found(place: ClusterPlace) -> None:
    """Somebody leads a half of the traffic elsewhere."""
    place.ended(GOOD)
    (before,) = place.cluster.read("httproutes", "quotes")["spec"]["rules"][0]["backendRefs"]
    moved = [{**before, "weight": 50}, {"name": "elsewhere", "port": 80, "weight": 50}]
    place.cluster.edit("httproutes", "quotes", {"op": "replace", "path": "/spec/rules/0/backendRefs", "value": moved})
    assert place.findings() == ["50.0% of the traffic goes to what is none of Shipline's"]
