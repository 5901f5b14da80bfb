"""What tests of controllers have in common: a Rollout or a Canary in the fake cluster, and the provider for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from shipline.ports.controller import Content, Controller, Verb
from shipline.ports.provider import ProviderContext
from shipline.providers.controller.argo import ArgoRollouts
from shipline.providers.controller.flagger import Flagger
from shipline.testing.conformance.controller import BETTER, BROKEN, GOOD
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import KubernetesServer, KubernetesWorld
from shipline.testing.fakes.kubernetes.argo import ArgoController
from shipline.testing.fakes.kubernetes.flagger import FlaggerController
from shipline.testing.fakes.kubernetes.world import NAMESPACE
from tests.clusters import digests_of, registry_with

ROLLOUT, CANARY, DEPLOYMENT = (
    ("rollouts", NAMESPACE, "quotes"),
    ("canaries", NAMESPACE, "quotes"),
    ("deployments", NAMESPACE, "quotes"),
)
STEPS: list[dict[str, Any]] = [
    {"setWeight": 20},
    {"pause": {"duration": "30s"}},
    {"setWeight": 50},
    {"pause": {}},
]
HOOKS = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "rollout")


@dataclass
class DrivenCluster:
    """A cluster with one of the two controllers. `said` is what Flagger hears, by the type of its webhook."""

    kind: str
    folder: Path
    clock: FakeClock
    server: KubernetesServer
    host: str
    said: dict[str, bool] = field(default_factory=dict)
    model: ArgoController | FlaggerController = field(default_factory=ArgoController)

    @property
    def world(self) -> KubernetesWorld:
        """What goes on in it."""
        return self.server.world

    def controller(self, environment: str = "production", **settings: str) -> Controller:
        """A provider of its own, as another engine would have it."""
        chosen = {"kubeconfig": str(self.folder / "kubeconfig"), **settings}
        context = ProviderContext(self.folder, self.folder / "state", self.clock, environment)
        if self.kind == "argo-rollouts":
            return ArgoRollouts(ArgoRollouts.Settings(**{"rollout": "quotes", **chosen}), context)
        return Flagger(Flagger.Settings(**{"canary": "quotes", **chosen}), context)

    def content(self, version: str, package: str = "conforming") -> Content:
        """A version as it is named there."""
        digests = digests_of(version)
        return Content(f"{self.host}/team/quotes@{digests[0]}", package, version, digests)

    def hear(self, verb: Verb) -> None:
        """What Flagger hears from now on."""
        going = verb in (Verb.RESUME, Verb.PROMOTE)
        self.said = dict.fromkeys(HOOKS, going) | {"rollback": verb is Verb.ABORT, "confirm-rollout": True}

    def asked(self, url: str, _payload: dict[str, Any]) -> int:
        """Flagger's webhook: what was set, by the last word of the address."""
        return 200 if self.said.get(url.rpartition("/")[2], False) else 409

    def change(self, key: tuple[str, str, str], **parts: Any) -> None:
        """As a person would, with kubectl: parts of an object's spec."""
        found = self.world.objects.must_get(key)
        self.world.objects.put(key, found | {"spec": found["spec"] | parts}, now=self.world.now())

    def set_by_hand(self, image: str) -> None:
        """Somebody else names another image."""
        template = self._template()
        template["spec"]["containers"][0]["image"] = image
        self.change(self._key, template=template)

    def wanted_image(self) -> str:
        """The image that the controller is told to run."""
        return str(self._template()["spec"]["containers"][0]["image"])

    @property
    def _key(self) -> tuple[str, str, str]:
        return ROLLOUT if self.kind == "argo-rollouts" else DEPLOYMENT

    def _template(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world.objects.must_get(self._key)["spec"]["template"]
        return found


def template(host: str) -> dict[str, Any]:
    """A pod template with two containers."""
    containers = [{"name": "web", "image": f"{host}/team/quotes:first"}, {"name": "proxy", "image": "sidecar:1"}]
    return {"metadata": {"labels": {"app": "quotes"}}, "spec": {"containers": containers}}


def rollout(host: str, **strategy: Any) -> dict[str, Any]:
    """A Rollout; a canary with STEPS by default."""
    spec = {
        "replicas": 4,
        "selector": {"matchLabels": {"app": "quotes"}},
        "strategy": strategy or {"canary": {"trafficRouting": {"plugins": {}}, "steps": STEPS}},
        "template": template(host),
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "quotes"}, "spec": spec}


def canary(environment: str = "production", address: str = "http://shipline.example") -> dict[str, Any]:
    """A Canary that asks about everything."""
    hooks = [{"name": kind, "type": kind, "url": f"{address}/api/v1/verdicts/{environment}/{kind}"} for kind in HOOKS]
    analysis = {"interval": "10s", "threshold": 3, "maxWeight": 50, "stepWeight": 10, "webhooks": hooks}
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "quotes"}
    spec = {"targetRef": ref, "service": {"port": 80}, "analysis": analysis}
    return {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": "quotes"}, "spec": spec}


def deployment(host: str) -> dict[str, Any]:
    """The Deployment that a Canary is about."""
    spec = {
        "replicas": 2,
        "progressDeadlineSeconds": 60,
        "selector": {"matchLabels": {"app": "quotes"}},
        "template": template(host),
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "quotes"}, "spec": spec}


@contextmanager
def driven_cluster(kind: str, folder: Path, clock: FakeClock | None = None) -> Iterator[DrivenCluster]:
    """A cluster where the controller has brought up what was there first, an image that nobody has released."""
    clock = FakeClock() if clock is None else clock
    world = KubernetesWorld(clock, broken=set(digests_of(BROKEN)))
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with KubernetesServer(world) as server, registry_with(*images) as host:
        server.write_kubeconfig(folder / "kubeconfig")
        cluster = DrivenCluster(kind, folder, clock, server, host)
        if kind == "argo-rollouts":
            world.objects.put(ROLLOUT, rollout(host), now=world.now())
        else:
            cluster.model = FlaggerController(ask=cluster.asked)
            world.objects.put(DEPLOYMENT, deployment(host), now=world.now())
            world.objects.put(CANARY, canary(), now=world.now())
        world.controllers.append(partial(cluster.model, world))
        world.settle()
        yield cluster
