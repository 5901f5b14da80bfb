"""What tests of Kubernetes have in common: a manifest, a registry that has images, and the fake cluster."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from shipline.ports.clock import Clock
from shipline.ports.provider import ProviderContext
from shipline.ports.variables import Variables
from shipline.providers.target.kubernetes import KubernetesTarget
from shipline.providers.traffic.gateway import GatewayTraffic
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.kubernetes import KubernetesServer, KubernetesWorld
from shipline.testing.fakes.kubernetes.world import NAMESPACE

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: quotes
  labels: {{app: quotes}}
spec:
  progressDeadlineSeconds: {deadline_s}
  selector:
    matchLabels: {{app: quotes}}
  template:
    metadata:
      labels: {{app: quotes}}
    spec:
      containers:
        - name: web
          image: {host}/team/quotes:latest
          ports: [{{containerPort: 8080, protocol: TCP}}]
          readinessProbe:
            httpGet: {{path: /healthz, port: 8080}}
          lifecycle:
            preStop:
              exec: {{command: [sleep, "5"]}}
"""


ROUTE: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "quotes"},
    "spec": {
        "parentRefs": [{"name": "gateway"}],
        "hostnames": ["quotes.example"],
        "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}], "backendRefs": []}],
    },
}


def digests_of(version: str) -> tuple[str, ...]:
    """The digest of the image of a version, as the registry has it."""
    return (f"sha256:{hashlib.sha256(version.encode()).hexdigest()}",)


@contextmanager
def registry_with(*digests: str) -> Iterator[str]:
    """A registry whose repository `team/quotes` has manifests of these digests; host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Say whether it is there."""
            digest = self.path.removeprefix("/v2/team/quotes/manifests/")
            self.send_response(200 if digest in digests else 404)
            self.send_header("Docker-Content-Digest", digest)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def weights_of(route: dict[str, Any]) -> dict[str, int]:
    """The weights in the first rule of an HTTPRoute, by Service."""
    return {ref["name"]: ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]}


@dataclass(frozen=True)
class Cluster:
    """A place to deploy to, fake or real: what opens a target there."""

    root: Path
    kubeconfig: Path
    clock: Clock
    namespace: str = ""

    def target(
        self, environment: str = "staging", *, variables: Variables | None = None, **settings: object
    ) -> KubernetesTarget:
        """A provider of its own, as another engine would have it."""
        chosen = {"namespace": self.namespace, "kubeconfig": str(self.kubeconfig), **settings}
        made = KubernetesTarget.Settings("deploy/quotes.yaml", 8080, **chosen)  # type: ignore[arg-type] # texts
        return KubernetesTarget(made, replace(self.context(environment), given=variables))

    def traffic(self, environment: str = "staging", **settings: object) -> GatewayTraffic:
        """The same for traffic, by the route `quotes`; a drained group may be forgotten at once."""
        chosen = {"namespace": self.namespace, "kubeconfig": str(self.kubeconfig), "drain_s": 0, **settings}
        chosen = {"preview_header": "X-Preview: yes"} | chosen
        made = GatewayTraffic.Settings("quotes", 8080, **chosen)  # type: ignore[arg-type] # texts and numbers
        return GatewayTraffic(made, self.context(environment))

    def context(self, environment: str = "staging") -> ProviderContext:
        """Where its providers work."""
        return ProviderContext(self.root, self.root / "state", self.clock, environment)

    def read(self, plural: str, name: str) -> dict[str, Any]:
        """An object as it is."""
        raise NotImplementedError

    def listed(self, plural: str) -> list[dict[str, Any]]:
        """All objects of a kind."""
        raise NotImplementedError

    def edit(self, plural: str, name: str, *operations: dict[str, Any]) -> None:
        """What a person does with kubectl."""
        raise NotImplementedError

    def rolled_out(self, name: str) -> None:
        """Return once a Deployment has carried out what it was last told."""
        raise NotImplementedError

    @contextmanager
    def watched(self, breaches: list[str]) -> Iterator[None]:
        """Note it where a Deployment is deleted while its Service has a weight."""
        raise NotImplementedError
        yield

    @contextmanager
    def fewest_copies(self) -> Iterator[Callable[[], int]]:
        """How many copies there were at the least."""
        raise NotImplementedError
        yield

    def write_manifest(self, host: str, *, deadline_s: int = 60, old: str = "", new: str = "") -> None:
        """The manifest, with one text in it changed for another."""
        path = self.root / "deploy" / "quotes.yaml"
        path.parent.mkdir(exist_ok=True)
        text = MANIFEST.format(host=host, deadline_s=deadline_s)
        assert old in text
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")


@dataclass(frozen=True)
class FakeCluster(Cluster):
    """One in memory, whose time is the test's."""

    server: KubernetesServer | None = None

    @property
    def world(self) -> KubernetesWorld:
        """What goes on in it."""
        return self.api.world

    @property
    def api(self) -> KubernetesServer:
        """Its API server."""
        assert self.server is not None
        return self.server

    def read(self, plural: str, name: str) -> dict[str, Any]:
        return self.world.objects.must_get((plural, NAMESPACE, name))

    def listed(self, plural: str) -> list[dict[str, Any]]:
        return self.world.objects.listed(plural, NAMESPACE)

    def edit(self, plural: str, name: str, *operations: dict[str, Any]) -> None:
        self.world.objects.patch((plural, NAMESPACE, name), list(operations), manager="kubectl")

    def rolled_out(self, name: str) -> None:
        self.world.settle()

    @contextmanager
    def watched(self, breaches: list[str]) -> Iterator[None]:
        def watch(method: str, path: str) -> None:
            name = path.rsplit("/", 1)[-1]
            if method == "DELETE" and weights_of(self.read("httproutes", "quotes")).get(name, 0) > 0:
                breaches.append(f"{name} was deleted while it had a weight")

        with self._before_each(watch):
            yield

    @contextmanager
    def fewest_copies(self) -> Iterator[Callable[[], int]]:
        counted = [1000]

        def count(method: str, _path: str) -> None:
            if method != "GET":
                counted.append(sum(one["spec"]["replicas"] for one in self.listed("deployments")))

        with self._before_each(count):
            yield lambda: min(counted)

    @contextmanager
    def _before_each(self, look: Callable[[str, str], None]) -> Iterator[None]:
        """Let it look before each request, beside who does already."""
        others = self.api.before

        def both(method: str, path: str) -> None:
            others(method, path)
            look(method, path)

        self.api.before = both
        yield
        self.api.before = others


@contextmanager
def fake_cluster(folder: Path, clock: FakeClock | None = None) -> Iterator[FakeCluster]:
    """A fake cluster whose nodes can pull the versions of the conformance suite; with a clock of its own, or this."""
    clock = FakeClock() if clock is None else clock
    world = KubernetesWorld(clock, broken=set(digests_of(BROKEN)))
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    with KubernetesServer(world) as server, registry_with(*images) as host:
        cluster = FakeCluster(folder, server.write_kubeconfig(folder / "kubeconfig"), clock, server=server)
        cluster.write_manifest(host)
        world.objects.put(("httproutes", NAMESPACE, "quotes"), ROUTE, now=world.now())
        yield cluster
