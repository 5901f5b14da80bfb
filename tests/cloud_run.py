"""What tests of Cloud Run have in common: the model of it, the project's template, and providers over both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role
from shipline.providers.target.cloud_run import CloudRunTarget
from shipline.providers.traffic.cloud_run import CloudRunTraffic
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.cloud_run import LOCATION, PROJECT, SERVICE, CloudRunServer, CloudRunWorld
from tests.clusters import digests_of, registry_with


@dataclass(frozen=True)
class CloudRunPlace:
    """A service to deploy to, and what opens providers there."""

    root: Path
    clock: FakeClock
    server: CloudRunServer
    host: str

    @property
    def world(self) -> CloudRunWorld:
        """What goes on in it."""
        return self.server.world

    def write_template(self, **changes: Any) -> None:
        """The project's template."""
        containers = [{"name": "web", "image": f"{self.host}/team/quotes:latest", "ports": [{"containerPort": 8080}]}]
        (self.root / "revision.json").write_text(json.dumps({"containers": containers} | changes), encoding="utf-8")

    def target(self, environment: str = "staging", **settings: Any) -> CloudRunTarget:
        """A provider of its own, as another engine would have it."""
        given: dict[str, Any] = {"url": self.server.url, "ready_timeout_s": 60} | settings
        made = CloudRunTarget.Settings(PROJECT, LOCATION, SERVICE, "revision.json", **given)
        return CloudRunTarget(made, self.context(environment))

    def traffic(self, environment: str = "staging", **settings: Any) -> CloudRunTraffic:
        """The same for traffic; a drained group may be forgotten at once."""
        given: dict[str, Any] = {"url": self.server.url, "drain_s": 0} | settings
        return CloudRunTraffic(CloudRunTraffic.Settings(PROJECT, LOCATION, SERVICE, **given), self.context(environment))

    def context(self, environment: str) -> ProviderContext:
        """Where its providers work."""
        return ProviderContext(self.root, self.root / "state", self.clock, environment)

    def run(self, *group_ids: str) -> None:
        """Let groups of GOOD run."""
        target = self.target()
        target.prepare(PACKAGE, GOOD, digests_of(GOOD))
        for group_id in group_ids:
            target.run(GroupSpec(group_id, Role.STABLE, PACKAGE, GOOD, 1, digests_of(GOOD)), revision=1)


@contextmanager
def cloud_run(folder: Path, clock: FakeClock | None = None) -> Iterator[CloudRunPlace]:
    """A service, and a registry with the versions of the conformance suite; with a clock of its own, or this."""
    clock = FakeClock() if clock is None else clock
    images = [digest for version in (GOOD, BETTER, BROKEN) for digest in digests_of(version)]
    world = CloudRunWorld(clock, broken=set(digests_of(BROKEN)))
    with CloudRunServer(world) as server, registry_with(*images) as host:
        place = CloudRunPlace(folder, clock, server, host)
        place.write_template()
        yield place
