"""Counts from a real HAProxy's access log: the suite, hostile lines, and what happens to the log on disk."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipline.clients.log_keeper import generation_path
from shipline.domain.errors import UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import Counts, Signals
from shipline.ports.target import Endpoint, Role
from shipline.ports.traffic import Route
from shipline.providers.signals import haproxy as signals_haproxy
from shipline.providers.signals.haproxy import HAProxySignals
from shipline.providers.traffic.haproxy import SEARCH_PATH, HAProxyTraffic
from shipline.testing.conformance.signals import GROUPS, VERSIONS, Serve, SignalsConformance
from shipline.testing.conformance.traffic import LAST
from tests.machine import Backend, SystemClock, free_port, get, running_backend, wait_until

needs_haproxy = pytest.mark.skipif(
    shutil.which("haproxy") is None and shutil.which("haproxy", path=SEARCH_PATH) is None, reason="needs haproxy"
)


@dataclass
class Site:
    """A proxy with one backend a role, and the signals of it."""

    context: ProviderContext
    traffic: HAProxyTraffic
    backends: dict[Role, Backend]
    revision: int = field(default=0)

    def signals(self) -> HAProxySignals:
        """A new provider object."""
        return HAProxySignals(HAProxySignals.Settings(), self.context)

    def send_all_to(self, role: Role) -> None:
        """Route everything to the role's group."""
        self.revision += 1
        route = Route(role.value, role, VERSIONS[role], 1.0, (Endpoint("1", self.backends[role].address),))
        self.traffic.apply((route,), revision=self.revision)

    def request(self, role: Role, *paths: str, headers: dict[str, str] | None = None) -> Counts:
        """Make requests to a role's group and return what they counted, once all are written down."""
        signals = self.signals()
        start = signals.cursor()
        self.send_all_to(role)
        for path in paths:
            get(self.traffic.address(), path, headers)
        wait_until(lambda: signals.read(start, GROUPS).roles[role].requests >= len(paths), "the log")
        return signals.read(start, GROUPS).roles[role]


def open_site(folder: Path, stack: ExitStack, client_header: str = "") -> Site:
    """A site that ends with the stack."""
    context = ProviderContext(root=folder, state=folder / "state", clock=SystemClock())
    traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port(), client_header=client_header), context)
    backends = {role: stack.enter_context(running_backend(role.value)) for role in Role}
    stack.callback(traffic.close, revision=LAST)
    traffic.open(revision=0)
    return Site(context, traffic, backends)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running site."""
    with ExitStack() as stack:
        yield open_site(tmp_path, stack)


@needs_haproxy
class TestHAProxySignals(SignalsConformance):
    @pytest.fixture
    def open_signals(self, site: Site) -> Callable[[], Signals]:
        return site.signals

    @pytest.fixture
    def serve(self, site: Site) -> Serve:
        def serve(role: Role, *, requests: int, errors: int) -> None:
            site.request(role, *["/fail"] * errors, *["/ok"] * (requests - errors))

        return serve


@needs_haproxy
def test_requests_without_an_answer_are_errors(site: Site) -> None:
    """The instance drops the connection, or is dead."""
    assert site.request(Role.CANARY, "/ok", "/drop", "/fail").errors == 2
    site.backends[Role.CANARY].process.kill()
    site.backends[Role.CANARY].process.wait()
    dead = site.request(Role.CANARY, "/ok", "/ok")
    assert (dead.requests, dead.errors, dead.error_clients) == (2, 2, 1)


@needs_haproxy
def test_clients_behind_another_proxy_are_told_apart_by_its_header(tmp_path: Path) -> None:
    """The last address counts, which the other proxy itself has put there; rubbish falls back to the peer."""
    with ExitStack() as stack:
        site = open_site(tmp_path, stack, client_header="X-Forwarded-For")
        for number, value in enumerate(("1.2.3.4", "6.6.6.6, 5.6.7.8", "not an address\tat all")):
            counts = site.request(Role.CANARY, "/fail", "/fail", headers={"X-Forwarded-For": value})
            assert (counts.errors, counts.error_clients) == (2, 1), number
        signals = site.signals()
        assert signals.read("0:0", GROUPS).roles[Role.CANARY].error_clients == 3


@needs_haproxy
def test_a_promoted_group_counts_for_each_request_by_its_role_then(site: Site) -> None:
    """One group, first canary, then stable: no line changes sides afterwards."""
    signals = site.signals()
    start = signals.cursor()
    ends = (Endpoint("1", site.backends[Role.CANARY].address),)
    for revision, role in ((1, Role.CANARY), (2, Role.STABLE)):
        site.traffic.apply((Route("one", role, "1.1.0", 1.0, ends),), revision=revision)
        for _ in range(revision):
            get(site.traffic.address(), "/ok")
    wait_until(lambda: sum(counts.requests for counts in signals.read(start, GROUPS).roles.values()) == 3, "the log")
    reading = signals.read(start, GROUPS)
    assert reading.roles[Role.CANARY].requests == 1
    assert reading.roles[Role.STABLE].requests == 2
    assert reading.versions["1.1.0"].requests == 3


@needs_haproxy
def test_counts_survive_the_proxy_and_whoever_writes_the_log(site: Site) -> None:
    """A killed keeper is an error until `open` brings it back; what the pipe held meanwhile is written then."""
    signals = site.signals()
    start = signals.cursor()
    site.request(Role.STABLE, "/ok")
    keeper = site.traffic._process.keeper_pid()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: site.traffic._process.keeper_pid() is None, "the keeper's end")
    get(site.traffic.address(), "/fail")
    with pytest.raises(UnavailableError, match="not being written"):
        signals.read(start, GROUPS)
    site.traffic.open(revision=LAST)
    wait_until(lambda: signals.read(start, GROUPS).roles[Role.STABLE].requests == 2, "the held line")
    proxy = site.traffic._process.pid()
    assert proxy is not None
    os.kill(proxy, signal.SIGKILL)
    wait_until(lambda: site.traffic._process.pid() is None, "the proxy's end")
    site.traffic.open(revision=LAST)
    get(site.traffic.address(), "/ok")
    wait_until(lambda: signals.read(start, GROUPS).roles[Role.STABLE].requests == 3, "the log of the new proxy")
    assert signals.read(start, GROUPS).roles[Role.STABLE].errors == 1


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The folder of a log that no proxy writes."""
    folder = tmp_path / "haproxy" / "log"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def offline(tmp_path: Path) -> HAProxySignals:
    """Signals over that log."""
    return HAProxySignals(
        HAProxySignals.Settings(), ProviderContext(root=tmp_path, state=tmp_path, clock=SystemClock())
    )


GOOD_LINE = b"1795240494 canary:1.1.0:one:1 200 -- 3 127.0.0.1\n"


def test_hostile_lines_count_nowhere(log: Path, offline: HAProxySignals) -> None:
    """Whatever is not exactly a request's line is passed over, and the lines around it count."""
    hostile = [
        b"",
        b"\x00\xff" * 50_000,
        b"[WARNING] (1) : something",
        b"1795240494 <NOSRV> 503 SC 0 127.0.0.1",
        b"1795240494 canary:1.1.0:one:1 200 -- 3 127.0.0.1 and more",
        b"1795240494 canary:1.1.0:one:1 200 -- 99999999999999999999 127.0.0.1",
        b"1795240494 admin:1.1.0:one:1 200 -- 3 127.0.0.1",
        b"1795240494 canary:1.1.0:one:1 200 -- 3 127.0.0.1\r",
    ]
    generation_path(log, 5).write_bytes(GOOD_LINE + b"\n".join(hostile) + b"\n" + GOOD_LINE)
    reading = offline.read("0:0", GROUPS)
    assert reading.roles[Role.CANARY].requests == 2
    assert sum(counts.requests for counts in reading.roles.values()) == 2


@pytest.mark.parametrize(
    ("state", "status", "failed"),
    [
        ("--", 200, False),
        ("--", 500, True),
        ("--", 404, False),
        ("SH", 502, True),
        ("sH", 504, True),
        ("SC", 503, True),
        ("SD", 200, True),
        ("PH", 502, True),
        ("CC", 503, False),
        ("CH", -1, False),
        ("CD", 200, False),
        ("CD", 500, True),
    ],
)
def test_failures_are_the_servers_and_not_the_clients(
    log: Path, offline: HAProxySignals, state: str, status: int, *, failed: bool
) -> None:
    """By status and by HAProxy's termination state (2.6 configuration manual, section 8.5)."""
    generation_path(log, 5).write_bytes(b"1 canary:1:one:1 %d %b 3 127.0.0.1\n" % (status, state.encode()))
    assert offline.read("0:0", GROUPS).roles[Role.CANARY].errors == int(failed)


def test_only_whole_lines_are_read(log: Path, offline: HAProxySignals) -> None:
    """The cursor stays before a line that is still being written."""
    path = generation_path(log, 5)
    path.write_bytes(GOOD_LINE + GOOD_LINE[:20])
    first = offline.read("0:0", GROUPS)
    assert (first.cursor, first.roles[Role.CANARY].requests) == (f"5:{len(GOOD_LINE)}", 1)
    path.write_bytes(GOOD_LINE + GOOD_LINE)
    assert offline.read(first.cursor, GROUPS).roles[Role.CANARY].requests == 1


def test_a_cursor_survives_generations_that_roll(log: Path, offline: HAProxySignals) -> None:
    """Reading goes on in the next one; where the cursor's own is gone, in the oldest that is kept."""
    generation_path(log, 5).write_bytes(GOOD_LINE * 2)
    cursor = offline.cursor()
    generation_path(log, 6).write_bytes(GOOD_LINE * 3)
    generation_path(log, 7).write_bytes(GOOD_LINE * 4)
    assert offline.read(cursor, GROUPS).roles[Role.CANARY].requests == 7
    generation_path(log, 5).unlink()
    generation_path(log, 6).unlink()
    assert offline.read(cursor, GROUPS).roles[Role.CANARY].requests == 4


def test_a_reading_is_bounded_and_the_next_one_goes_on(log: Path, offline: HAProxySignals) -> None:
    """No line is skipped or counted twice at the bound, nor between generations."""
    lines = signals_haproxy.READ_BYTES_MAX // len(GOOD_LINE) // 2 + 10
    for number in (5, 6, 7):
        generation_path(log, number).write_bytes(GOOD_LINE * lines)
    cursor, counted, readings = "0:0", 0, 0
    while (reading := offline.read(cursor, GROUPS)).roles[Role.CANARY].requests:
        cursor, counted, readings = reading.cursor, counted + reading.roles[Role.CANARY].requests, readings + 1
    assert (counted, readings) == (3 * lines, 2)
