"""What tests of Kubernetes have in common: a manifest, a registry that has images, and the fake cluster."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
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
        assert self.server is not None
        return self.server.world


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
