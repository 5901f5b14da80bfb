"""Whole rollouts on a real API server, with the real controllers of Deployments and ReplicaSets, in real time.

Pods, the gateway and the counts of requests are simulated. `make test-k8s` runs this.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.real_cluster import RealCluster
from tests.cluster_place import ClusterPlace, WholeRollouts, in_cluster
from tests.kills.child import RealWorld

pytestmark = pytest.mark.cluster


@pytest.fixture
def place(cluster: RealCluster, tmp_path: Path) -> Iterator[ClusterPlace]:
    world = RealWorld(tmp_path, f"sqlite:///{tmp_path / 'world.db'}")
    with in_cluster(world, cluster) as made:
        yield made
    world.close()


class TestWholeRollouts(WholeRollouts):
    """On the real one."""
