"""A canary behind a real HAProxy whose requests are counted by a real Prometheus alone."""

from __future__ import annotations

import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipline.capabilities.rollouts import AnalysisSettings
from shipline.domain.rollout import RolloutStatus
from shipline.ports.provider import ProviderContext
from shipline.providers.signals.prometheus import PrometheusSignals, PrometheusSignalsSettings
from shipline.providers.traffic.haproxy import SEARCH_PATH, HAProxyTraffic
from shipline.testing.conformance.traffic import LAST
from shipline.testing.fakes.target import FakeCopy, FakeGroup, FakeTarget
from tests.capabilities.rollouts.rollout_world import RolloutWorld, catalogue_of
from tests.exporter import SCRAPE_S, scraped
from tests.kills.child import RealWorld
from tests.machine import SystemClock, free_port, get
from tests.prometheus import PROGRAM

pytestmark = pytest.mark.skipif(
    PROGRAM is None or not (shutil.which("haproxy") or shutil.which("haproxy", path=SEARCH_PATH)),
    reason="needs Prometheus and HAProxy",
)
BROKEN = "1.1.0"
SETTINGS = AnalysisSettings(
    promote_after_s=60.0, deadline_s=90.0, tick_s=0.3, react_s=1.0, first_requests=40.0, weight_min=0.2
)


class Mesh:
    """The copies of all groups, and one place that tells how many requests each group has answered, by status."""

    def __init__(self, stack: ExitStack) -> None:
        self.answered: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()
        self._stack = stack
        self.address = self._served(lambda: (200, self._told()))

    def copy(self, group: str, version: str) -> str:
        """Start a copy; of the broken version two of three requests fail. Its address."""
        chance = random.Random(1)  # noqa: S311 - a test is repeatable

        def answer() -> tuple[int, str]:
            with self._lock:
                status = 500 if version == BROKEN and chance.random() < 2 / 3 else 200
                self.answered[group, status] += 1
            return status, version

        return self._served(answer)

    def _told(self) -> str:
        with self._lock:
            answered = sorted(self.answered.items())
        return "".join(f'r_total{{group="{name}",code="{status}"}} {n}\n' for (name, status), n in answered)

    def _served(self, answer: Callable[[], tuple[int, str]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, text = answer()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self._stack.callback(server.server_close)
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)
        return f"127.0.0.1:{server.server_port}"


class MeshTarget(FakeTarget):
    """A target whose copies answer."""

    def __init__(self, mesh: Mesh) -> None:
        super().__init__(SystemClock())
        self._mesh = mesh

    def _start_missing(self, group: FakeGroup) -> None:
        before = set(group.copies)
        super()._start_missing(group)
        for number in set(group.copies) - before:
            address = self._mesh.copy(group.spec.id, group.spec.version)
            group.copies[number] = FakeCopy(address, group.copies[number].ready_us)


@contextmanager
def users(address: str) -> Iterator[None]:
    """Requests, one after the other, about a hundred a second."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.008):
            get(address, "/")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_broken_version_is_found_by_what_a_prometheus_has_scraped(tmp_path: Path) -> None:
    """And turned back, by counts that name each group, and of nothing else."""
    with ExitStack() as stack:
        world = RealWorld(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
        stack.callback(world.close)
        mesh = Mesh(stack)
        context = ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "production")
        traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port()), context)
        stack.callback(traffic.close, revision=LAST)
        url = stack.enter_context(scraped(tmp_path / "prometheus", {"mesh": mesh.address}))
        place = RolloutWorld(world, instances=1)
        place.fake_target = MeshTarget(mesh)  # type: ignore[assignment]  # as far as a rollout knows
        place.fake_traffic = traffic  # type: ignore[assignment]  # the same
        place.fake_signals = PrometheusSignals(  # type: ignore[assignment]  # the same
            PrometheusSignalsSettings(
                url=url,
                requests='r_total{exported_group="{group}"}',
                errors='r_total{exported_group="{group}", code=~"5.."}',
                lag_s=2 * SCRAPE_S,
                window_s=2 * SCRAPE_S,
            ),
            context,
        )
        engine = world.engine(catalogue_of(place.ground(world.store), settings=SETTINGS))
        place.deploy("1.0.0")
        world.run_until_quiet(engine)
        with users(traffic.address()):
            SystemClock().sleep(3 * SCRAPE_S)  # What serves has to be in Prometheus before a canary may begin.
            rollout = place.deploy(BROKEN)
            world.run_until_quiet(engine)
        ended = place.now(rollout)
        assert (ended.status, "fail" in ended.reason) == (RolloutStatus.ROLLED_BACK, True), ended.reason
        assert ended.failed_requests > 0
        assert {route.version for route in traffic.routes() if route.share} == {"1.0.0"}
