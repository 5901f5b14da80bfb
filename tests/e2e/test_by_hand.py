"""What somebody changes by hand on a real HAProxy with real processes behind it: found, adopted, and restored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import (
    Ground,
    RolloutOrder,
    Strategy,
    StrategyKind,
    current_deployment,
    look_for_drift,
    open_rollout,
    order_adoption,
    restore_recorded,
)
from shipline.clients.haproxy import HAProxyClient
from shipline.clients.haproxy_files import BACKEND, SOCKET_NAME
from shipline.domain.artifact import Artifact
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role
from shipline.ports.traffic import Route
from shipline.providers.target.process import ProcessTarget
from shipline.providers.traffic.haproxy import SEARCH_PATH, HAProxyTraffic
from shipline.store.database import Store
from shipline.testing.conformance.target import BETTER, GOOD, PACKAGE
from shipline.testing.conformance.traffic import LAST
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE, RolloutWorld
from tests.machine import SystemClock, free_port, get, wait_until
from tests.providers.target.test_process import digests_of, wheel_of

pytestmark = pytest.mark.skipif(
    shutil.which("haproxy") is None and shutil.which("haproxy", path=SEARCH_PATH) is None, reason="needs haproxy"
)


SERVICE = """
import http.server, sys

class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[3].encode())

http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Service).serve_forever()
"""


class RealPlace(RolloutWorld):
    """Its target and its proxy are real; the engine's time is not."""

    def __init__(self, world: World, folder: Path) -> None:
        super().__init__(world, instances=1)
        index = folder / "index" / PACKAGE
        index.mkdir(parents=True)
        for version in (GOOD, BETTER):
            (index / f"{PACKAGE}-{version}-py3-none-any.whl").write_bytes(wheel_of(version))
        links = "".join(f'<a href="{path.name}">{path.name}</a>' for path in index.iterdir())
        (index / "index.html").write_text(links)
        service = folder / "service.py"
        service.write_text(SERVICE)
        command = ("{prefix}/bin/python", str(service), "{host}", "{port}", "{version}")
        self.folder = folder / "state"
        context = ProviderContext(folder, self.folder, SystemClock(), PLACE)
        settings = ProcessTarget.Settings(command, index_url=index.parent.as_uri(), stop_timeout_s=1)
        self.processes = ProcessTarget(settings, context)
        self.haproxy = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port()), context)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        return replace(super().ground(store, countdown), target=self.processes, traffic=self.haproxy)

    def works_until(self, holds: Callable[[], bool], what: str) -> None:
        """A little time passes, and one process works on what is due, until it holds."""

        def held() -> bool:
            self.world.clock.sleep(0.05)
            self.engine().sweep()
            return holds()

        wait_until(held, what)

    def ends(self, rollout: Rollout) -> RolloutStatus:
        """Work until nothing changes the environment any more."""
        self.works_until(lambda: self._is_quiet(rollout), "the rollout ends")
        return self.now(rollout).status

    def _is_quiet(self, rollout: Rollout) -> bool:
        is_over = self.now(rollout).ended_us is not None
        return is_over and not look_for_drift(self.ground(self.world.store), PLACE).why_unknown

    def served(self) -> str:
        """What a user gets."""
        return get(self.haproxy.address(), "/")[1]

    def moved_by_hand(self, weights: dict[str, int]) -> None:
        """Somebody on the proxy's own socket, by version."""
        client = HAProxyClient(self.folder / "haproxy" / SOCKET_NAME)
        for server in client.servers(BACKEND):
            version = server.name.split(":")[1]
            client.order(f"set server {BACKEND}/{server.name} weight {weights[version]}")

    def started_by_hand(self, version: str) -> None:
        """Somebody starts a group, and makes it known to the proxy."""
        (route,) = self.haproxy.routes()
        revision = self.world.clock.now_us() // 1000 + 1
        self.processes.prepare(PACKAGE, version, digests_of(version))
        spec = GroupSpec("by-hand", Role.CANARY, PACKAGE, version, 1, digests_of(version))
        self.processes.run(spec, revision=revision)
        wait_until(lambda: {one.id: one.ready for one in self.processes.groups()}["by-hand"] == 1, "it is ready")
        group = next(one for one in self.processes.groups() if one.id == "by-hand")
        new = Route(group.id, Role.CANARY, version, 0.0, group.endpoints)
        self.haproxy.apply((route, new), revision=revision)
        self.world.clock.sleep(10)

    def findings(self) -> list[tuple[str, str]]:
        return [one.key for one in look_for_drift(self.ground(self.world.store), PLACE).findings]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[RealPlace]:
    world = World(9, tmp_path)
    made = RealPlace(world, tmp_path)
    yield made
    made.haproxy.close(revision=LAST)
    for group in made.processes.groups():
        made.processes.stop(group.id, revision=2**62)
    world.close()


def deployed(place: RealPlace, version: str) -> RolloutStatus:
    order = RolloutOrder(PACKAGE, version, PLACE, Strategy(StrategyKind.ALL_AT_ONCE), digests_of(version))
    with place.world.store.begin() as tx:
        rollout = open_rollout(tx, place.engine(), order, PERSON)
    return place.ends(rollout)


def on_record(place: RealPlace) -> str:
    with place.world.store.begin() as tx:
        found = current_deployment(tx, PLACE, PACKAGE)
    return "" if found is None else found.version


def test_shares_moved_on_the_socket_are_found_adopted_and_restored(place: RealPlace) -> None:
    artifacts = tuple(Artifact(digest[7:15], "wheel", digest, 1) for digest in digests_of(BETTER))
    release = Release("rel_1", PACKAGE, BETTER, f"v{BETTER}", ReleaseStatus.PUBLISHED, 1, 1, artifacts=artifacts)
    with place.world.store.begin() as tx:
        RELEASES.save(tx, release)
    assert deployed(place, GOOD) is RolloutStatus.PROMOTED
    assert place.findings() == []
    place.started_by_hand(BETTER)
    assert place.findings() == [("stray", "by-hand")]
    place.moved_by_hand({GOOD: 192, BETTER: 64})
    assert place.findings() == [("share", BETTER)]
    place.moved_by_hand({GOOD: 0, BETTER: 256})
    assert place.findings()[0] == ("version", BETTER)
    assert place.served() == BETTER
    with place.world.store.begin() as tx:
        order_adoption(tx, place.engine(), PLACE, "the outage", PERSON)
    place.works_until(lambda: [kind for kind, _ in place.findings()] == ["stray"], "it is on record")
    assert on_record(place) == BETTER
    assert place.served() == BETTER
    place.moved_by_hand({GOOD: 256, BETTER: 0})
    assert place.findings()[0] == ("version", GOOD)
    assert place.served() == GOOD
    with place.world.store.begin() as tx:
        rollout = restore_recorded(tx, place.engine(), PLACE, "a slip", PERSON)
    assert place.ends(rollout) is RolloutStatus.PROMOTED
    assert (place.served(), place.findings()) == (BETTER, [])
