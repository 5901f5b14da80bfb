"""Rollouts that Argo Rollouts or Flagger carries out, on a real API server. Both controllers are simulated (`living`).

Shipline's account has what the guide about them says that it needs. `make test-k8s` runs this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.rollout import RolloutStatus
from shipline.ports.controller import Controller
from shipline.testing.conformance.controller import BETTER, BROKEN, GOOD
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import KubernetesServer, KubernetesWorld
from shipline.testing.fakes.kubernetes.flagger import FlaggerController
from shipline.testing.world import World
from tests.capabilities.rollouts.driven_rollouts import DrivenRollouts
from tests.capabilities.rollouts.driven_world import DrivenPlace
from tests.cluster.conftest import namespace
from tests.cluster.control_plane import SHIPLINE, ControlPlane
from tests.cluster.living import LivingWorld
from tests.clusters import digests_of, registry_with
from tests.controllers import CANARY, DEPLOYMENT, ROLLOUT, DrivenCluster, canary, deployment, rollout

pytestmark = pytest.mark.cluster


@dataclass
class LivingCluster(DrivenCluster):
    """A namespace of the real one, with one of the two controllers."""

    living: LivingWorld | None = None
    kubeconfig: Path = Path()
    namespace: str = ""

    @property
    def world(self) -> KubernetesWorld:
        assert self.living is not None
        return self.living

    def controller(self, environment: str = "production", **settings: str) -> Controller:
        here = {"kubeconfig": str(self.kubeconfig), "namespace": self.namespace}
        settled: Any = Settled(super().controller(environment, **here | settings), self.world)
        made: Controller = settled
        return made


class Settled:
    """A provider, around whose every call the controller has done what was to do."""

    def __init__(self, inner: Controller, world: KubernetesWorld) -> None:
        self._inner, self._world = inner, world

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._settled(found) if callable(found) else found

    def _settled(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def settled(*args: Any, **kwargs: Any) -> Any:
            self._world.settle()
            try:
                return call(*args, **kwargs)
            finally:
                self._world.settle()

        return settled


@contextmanager
def living_cluster(kind: str, plane: ControlPlane, folder: Path, clock: FakeClock) -> Iterator[LivingCluster]:
    """One where the controller has brought up what was there first, an image that nobody has released."""
    name = namespace(plane, "driving")
    world = LivingWorld(clock, plane.api, name, set(digests_of(BROKEN)))
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    kubeconfig = plane.kubeconfig("shipline", SHIPLINE)
    with KubernetesServer(world) as unasked, registry_with(*images) as host:
        made = LivingCluster(kind, folder, clock, unasked, host, living=world, kubeconfig=kubeconfig, namespace=name)
        if kind == "argo-rollouts":
            world.objects.put(ROLLOUT, rollout(host), now=world.now())
        else:
            made.model = FlaggerController(ask=made.asked)
            world.objects.put(DEPLOYMENT, deployment(host), now=world.now())
            world.objects.put(CANARY, canary(), now=world.now())
        world.controllers.append(partial(made.model, world))
        world.settle()
        yield made


@pytest.fixture(params=["argo-rollouts", "flagger"])
def place(
    request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DrivenPlace]:
    """GOOD serves."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    world = World(7, tmp_path)
    with living_cluster(request.param, plane, tmp_path, world.clock) as cluster:
        made = DrivenPlace(world, cluster)
        assert made.ended(GOOD).status is RolloutStatus.PROMOTED
        yield made
    world.close()


class TestDrivenRollouts(DrivenRollouts):
    """On the real one."""
