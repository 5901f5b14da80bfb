"""Traffic behind a real HAProxy: the suite, and what only real processes and requests can show."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.ports.load import LoadPlan
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Endpoint, Role
from shipline.ports.traffic import InjectedFault, Route, Traffic
from shipline.providers.load.http import HTTPLoad
from shipline.providers.signals.haproxy import HAProxySignals
from shipline.providers.traffic.haproxy import SEARCH_PATH, HAProxyTraffic
from shipline.providers.traffic.haproxy_faults import RULES
from shipline.testing.conformance.traffic import LAST, OLD, TrafficConformance, shares, split
from tests.machine import Backend, SystemClock, free_port, get, running_backend, wait_until

pytestmark = pytest.mark.skipif(
    shutil.which("haproxy") is None and shutil.which("haproxy", path=SEARCH_PATH) is None, reason="needs haproxy"
)


@pytest.fixture
def open_haproxy(tmp_path: Path) -> Iterator[Callable[[], HAProxyTraffic]]:
    """Providers over one state folder; the proxy ends with the test."""
    settings = HAProxyTraffic.Settings(port=free_port(), preview_header="X-Preview: yes")
    context = ProviderContext(root=tmp_path, state=tmp_path / "state", clock=SystemClock())
    yield lambda: HAProxyTraffic(settings, context)
    HAProxyTraffic(settings, context).close(revision=LAST)


@pytest.fixture
def haproxy(open_haproxy: Callable[[], HAProxyTraffic]) -> HAProxyTraffic:
    """An open splitter."""
    traffic = open_haproxy()
    traffic.open(revision=0)
    return traffic


@pytest.fixture
def old() -> Iterator[Backend]:
    """The instance of the stable version."""
    with running_backend("old") as backend:
        yield backend


@pytest.fixture
def new() -> Iterator[Backend]:
    """The instance of the canary."""
    with running_backend("new") as backend:
        yield backend


def routes_to(old: Backend, new: Backend, canary: float) -> tuple[Route, ...]:
    """A split between two real backends."""
    ends = (to(old), to(new))
    return tuple(replace(route, endpoints=end) for route, end in zip(split(canary), ends, strict=True))


def to(*backends: Backend) -> tuple[Endpoint, ...]:
    """The backends as copies of one group."""
    return tuple(Endpoint(str(number), backend.address) for number, backend in enumerate(backends, start=1))


def kill(traffic: HAProxyTraffic) -> None:
    """End the proxy as a power cut would."""
    pid = traffic._process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: traffic._process.pid() is None, "the proxy's end")


class TestHAProxyTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, open_haproxy: Callable[[], HAProxyTraffic]) -> Callable[[], Traffic]:
        return open_haproxy


def test_requests_are_split_exactly(haproxy: HAProxyTraffic, old: Backend, new: Backend) -> None:
    """A whole round of 256 requests meets the weights to the request."""
    haproxy.apply(routes_to(old, new, 16 / 256), revision=1)
    bodies = [get(haproxy.address(), "/ok")[1] for _ in range(256)]
    assert (bodies.count("old"), bodies.count("new")) == (240, 16)


def test_who_asks_for_the_preview_gets_it_and_nobody_else(
    haproxy: HAProxyTraffic, old: Backend, new: Backend, tmp_path: Path
) -> None:
    """While there is one, also after a restart of the proxy; its requests count for no role."""
    asking = {"X-Preview": "yes"}
    old_route, new_route = routes_to(old, new, 0.0)
    haproxy.apply((old_route,), revision=1)
    assert get(haproxy.address(), "/ok", asking)[1] == "old"
    haproxy.apply((old_route, replace(new_route, preview=True)), revision=2)
    kill(haproxy)
    haproxy.open(revision=2)
    assert [get(haproxy.address(), "/ok", asking)[1] for _ in range(3)] == ["new"] * 3
    assert [get(haproxy.address(), "/ok", {"X-Preview": "no"})[1] for _ in range(3)] == ["old"] * 3
    haproxy.apply(routes_to(old, new, 0.0), revision=3)
    assert get(haproxy.address(), "/ok", asking)[1] == "old"
    signals = HAProxySignals(HAProxySignals.Settings(), ProviderContext(tmp_path, tmp_path / "state", SystemClock()))
    wait_until(lambda: signals.read("0:0", ()).roles[Role.STABLE].requests == 5, "the log")
    assert signals.read("0:0", ()).roles[Role.CANARY].requests == 0


def test_open_requests_are_told_by_copy(haproxy: HAProxyTraffic, old: Backend, new: Backend) -> None:
    """So that one copy of a group can leave while another is busy."""
    haproxy.apply((replace(OLD, endpoints=to(old, new)),), revision=1)
    held = threading.Thread(target=get, args=(haproxy.address(), "/hold"))
    held.start()
    wait_until(lambda: haproxy.open_requests("old") == 1, "the request")
    by_copy = {copy: haproxy.open_requests("old", copy) for copy in ("1", "2", "9")}
    assert sorted(by_copy.values()) == [0, 0, 1]
    for backend in (old, new):
        get(backend.address, "/go")
    held.join()


def test_load_on_purpose_asks_every_version_for_every_path(
    haproxy: HAProxyTraffic, old: Backend, new: Backend, tmp_path: Path
) -> None:
    """The proxy gives out its turns strictly; at 8 to 1 to 1 paths in turn would go by the version."""
    stable, canary = routes_to(old, new, 0.1)
    baseline = Route("base", Role.BASELINE, "1.0.0", 0.1, to(old))
    haproxy.apply((replace(stable, share=0.8), baseline, canary), revision=1)
    context = ProviderContext(tmp_path, tmp_path / "state", SystemClock())
    plan = LoadPlan(haproxy.address(), ("/ok", "/fail"), rate_per_s=300, seconds=1, concurrency_max=256)
    sent = HTTPLoad(HTTPLoad.Settings(), context).send(plan, is_over=lambda _: False).sent
    signals = HAProxySignals(HAProxySignals.Settings(), context)
    wait_until(lambda: counted(signals) == sent, "the log")
    for counts in signals.read("0:0", ()).roles.values():
        assert 0 < counts.errors < counts.requests


async def _user(address: str, requests: int, lost: list[str], served: list[str]) -> None:
    """One client on one kept connection; anything but a 200 is lost."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for _ in range(requests):
        writer.write(b"GET /ok HTTP/1.1\r\nHost: users\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(3)
        (served if head.startswith(b"HTTP/1.1 200") else lost).append(body.decode(errors="replace"))
    writer.close()
    await writer.wait_closed()


def counted(signals: HAProxySignals) -> int:
    """All requests that the access log holds."""
    return sum(counts.requests for counts in signals.read("0:0", ()).roles.values())


def test_no_request_is_lost_by_switching_under_load(
    haproxy: HAProxyTraffic, old: Backend, new: Backend, tmp_path: Path
) -> None:
    """20,000 requests of 16 users, while the canary comes, goes up, down and away, over and over.

    Each is answered with 200, and each stands in the access log.
    """
    haproxy.apply((replace(OLD, endpoints=to(old)),), revision=1)
    done, rounds, failures = threading.Event(), list[int](), list[BaseException]()

    def switch() -> None:
        revision = 1
        try:
            while not done.is_set():
                for share in (0.01, 0.5, 1.0, 0.25, 0.0):
                    revision += 1
                    haproxy.apply(routes_to(old, new, share), revision=revision)
                wait_until(lambda: haproxy.open_requests("new") == 0, "the canary to drain")
                haproxy.forget("new", revision=revision)
                rounds.append(revision)
        except BaseException as failure:  # noqa: BLE001 - handed to the test below
            failures.append(failure)

    async def users() -> tuple[list[str], list[str]]:
        lost, served = list[str](), list[str]()
        await asyncio.gather(*(_user(haproxy.address(), 1250, lost, served) for _ in range(16)))
        return lost, served

    switching = threading.Thread(target=switch)
    switching.start()
    try:
        lost, served = asyncio.run(users())
    finally:
        done.set()
        switching.join()
    assert failures == []
    assert lost == []
    assert len(served) == 20_000
    assert {"old", "new"} == set(served)
    assert len(rounds) >= 3
    context = ProviderContext(root=tmp_path, state=tmp_path / "state", clock=SystemClock())
    signals = HAProxySignals(HAProxySignals.Settings(), context)
    wait_until(lambda: counted(signals) == 20_000, "all requests in the log")


def test_a_killed_proxy_comes_back_with_its_routes(
    haproxy: HAProxyTraffic, open_haproxy: Callable[[], HAProxyTraffic], old: Backend, new: Backend
) -> None:
    """The very first request after the restart is split as before; the fence holds too."""
    haproxy.apply(routes_to(old, new, 1.0), revision=5)
    kill(haproxy)
    with pytest.raises(UnavailableError):
        haproxy.routes()
    again = open_haproxy()
    again.open(revision=5)
    assert get(again.address(), "/ok") == (200, "new")
    assert shares(again) == {"old": 0.0, "new": 1.0}
    with pytest.raises(RefusedError):
        again.apply(routes_to(old, new, 0.5), revision=4)


def test_a_recycled_pid_is_not_taken_for_the_proxy(haproxy: HAProxyTraffic) -> None:
    """A record whose pid now belongs to another process names nobody, and nobody is killed."""
    kill(haproxy)
    record = haproxy._process.folder / "process.json"
    record.write_text(
        record.read_text().replace(record.read_text().split('"pid": ')[1].split(",")[0], str(os.getpid()))
    )
    assert haproxy._process.pid() is None
    haproxy.close(revision=1)
    haproxy.open(revision=1)
    assert haproxy.routes() == ()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """With the setting to change; nothing is left running."""
    context = ProviderContext(root=tmp_path, state=tmp_path / "state", clock=SystemClock())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=port), context)
        with pytest.raises(ShiplineError, match=f"port {port} .* in use") as failure:
            traffic.open(revision=0)
        assert "`port`" in failure.value.todo
        assert traffic._process.pid() is None


def test_a_changed_port_is_not_taken_silently(haproxy: HAProxyTraffic, tmp_path: Path) -> None:
    """The proxy goes on serving where it did, and the user is told."""
    context = ProviderContext(root=tmp_path, state=tmp_path / "state", clock=SystemClock())
    moved = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port()), context)
    with pytest.raises(ConfigurationError, match="still serves on"):
        moved.open(revision=0)
    assert haproxy.routes() == ()


def test_a_group_drains_before_it_is_forgotten(haproxy: HAProxyTraffic, old: Backend, new: Backend) -> None:
    """A slow request counts as open, through a change of role too, until it is answered; then all can go."""
    haproxy.apply(routes_to(old, new, 1.0), revision=1)
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(get(haproxy.address(), "/hold")))
    slow.start()
    wait_until(lambda: haproxy.open_requests("new") == 1, "the slow request")
    promoted = replace(routes_to(old, new, 1.0)[1], role=Role.STABLE)
    haproxy.apply((promoted,), revision=2)
    assert haproxy.open_requests("new") == 1
    haproxy.apply((replace(OLD, endpoints=to(old)),), revision=3)
    with pytest.raises(RefusedError):
        haproxy.forget("new", revision=4)
    assert get(haproxy.address(), "/ok") == (200, "old")
    get(new.address, "/go")
    slow.join()
    assert answers == [(200, "new")]
    wait_until(lambda: haproxy.open_requests("new") == 0, "the instance to drain")
    haproxy.forget("new", revision=4)
    assert shares(haproxy) == {"old": 1.0}


def test_a_proxy_that_is_stopped_lets_open_requests_end(haproxy: HAProxyTraffic, old: Backend) -> None:
    """New connections are refused at once; the user who waits for an answer gets it, and then the proxy has ended."""
    haproxy.apply((replace(OLD, endpoints=to(old)),), revision=1)
    answers: list[tuple[int, str]] = []
    slow = threading.Thread(target=lambda: answers.append(get(haproxy.address(), "/hold")))
    slow.start()
    wait_until(lambda: haproxy.open_requests("old") == 1, "the slow request")
    closing = threading.Thread(target=haproxy.close, kwargs={"revision": 2})
    closing.start()
    wait_until(lambda: is_refused(haproxy.address()), "the proxy to refuse new connections")
    assert closing.is_alive()
    get(old.address, "/go")
    slow.join()
    closing.join()
    assert answers == [(200, "old")]


def is_refused(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def test_a_dead_instance_fails_its_own_requests(haproxy: HAProxyTraffic, old: Backend, new: Backend) -> None:
    """No other instance answers for it: its failures are evidence."""
    haproxy.apply(routes_to(old, new, 0.5), revision=1)
    new.process.kill()
    new.process.wait()
    statuses = [get(haproxy.address(), "/ok")[0] for _ in range(10)]
    assert (statuses.count(200), statuses.count(503)) == (5, 5)


ENGINE = """
    import sys
    from pathlib import Path
    from tests.machine import SystemClock
    from shipline.ports.provider import ProviderContext
    from shipline.providers.traffic.haproxy import HAProxyTraffic
    from shipline.testing.conformance.traffic import split

    state = Path(sys.argv[1])
    context = ProviderContext(root=state, state=state, clock=SystemClock())
    traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=int(sys.argv[2])), context)
    print("go", flush=True)
    traffic.open(revision=0)
    for revision in range(1, 1000):
        traffic.apply(split(revision % 3 / 4), revision=revision)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.06, 0.09, 0.12, 0.18, 0.25])
def test_an_engine_killed_while_it_opens_or_applies_is_followed_by_the_next(
    open_haproxy: Callable[[], HAProxyTraffic], tmp_path: Path, delay_s: float
) -> None:
    """Kill -9 at several moments: the next one finds the proxy, or starts it, and its routes hold."""
    traffic = open_haproxy()
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENGINE), str(tmp_path / "state"), traffic.address().split(":")[1]],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"go\n"
        SystemClock().sleep(delay_s)
        engine.kill()
    traffic.open(revision=1000)
    traffic.apply(split(0.5), revision=1001)
    assert set(traffic.routes()) == set(split(0.5))


@pytest.mark.parametrize(
    "settings",
    [{"port": 0}, {"port": 70000}, {"port": 80, "host": "a b"}, {"port": 80, "client_header": "X\nbind :1"}],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object]) -> None:
    """Nothing of them reaches the proxy's configuration."""
    with pytest.raises((InvalidValue, ConfigurationError)):
        HAProxyTraffic.Settings(**settings)  # type: ignore[arg-type] # wrong on purpose


def test_a_long_state_path_is_no_obstacle(tmp_path: Path) -> None:
    """A socket's path is bounded by the kernel, a project's folder is not."""
    state = tmp_path / ("d" * 100) / ("e" * 100)
    context = ProviderContext(root=tmp_path, state=state, clock=SystemClock())
    traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port()), context)
    traffic.open(revision=0)
    try:
        traffic.apply((OLD,), revision=1)
        assert traffic.routes() == (OLD,)
    finally:
        traffic.close(revision=2)


def test_a_fault_is_one_group_s_and_ends_by_itself(
    haproxy: HAProxyTraffic, old: Backend, new: Backend, tmp_path: Path
) -> None:
    """Nobody takes it away: the proxy keeps to its deadline. What was failed counts for the group."""
    haproxy.apply(routes_to(old, new, 0.5), revision=1)
    until_us = (SystemClock().now_us() // 1_000_000 + 4) * 1_000_000
    haproxy.inject((InjectedFault("new", Role.CANARY, until_us, errors=1.0, latency_ms=150),))
    began = time.monotonic()
    assert sorted(get(haproxy.address(), "/ok")[0] for _ in range(4)) == [200, 200, 500, 500]
    assert time.monotonic() - began >= 0.3
    wait_until(lambda: SystemClock().now_us() >= until_us, "the deadline")
    assert {get(haproxy.address(), "/ok") for _ in range(4)} == {(200, "old"), (200, "new")}
    signals = HAProxySignals(HAProxySignals.Settings(), ProviderContext(tmp_path, tmp_path / "state", SystemClock()))
    wait_until(lambda: signals.read("0:0", ()).roles[Role.CANARY].requests == 4, "the log")
    roles = signals.read("0:0", ()).roles
    assert (roles[Role.CANARY].errors, roles[Role.STABLE].errors) == (2, 0)


def test_a_part_of_the_answers_fails(haproxy: HAProxyTraffic, old: Backend) -> None:
    """As large a part as was asked for: at a half, 100 answers have 20 to 80 failures but once in ten million times."""
    haproxy.apply((replace(OLD, endpoints=to(old)),), revision=1)
    haproxy.inject((InjectedFault("old", Role.STABLE, SystemClock().now_us() + 60_000_000, errors=0.5),))
    assert 20 <= [get(haproxy.address(), "/ok")[0] for _ in range(100)].count(500) <= 80
    haproxy.inject(())
    assert {get(haproxy.address(), "/ok")[0] for _ in range(10)} == {200}


def test_a_canary_s_fault_ends_with_its_role(haproxy: HAProxyTraffic, old: Backend, new: Backend) -> None:
    """Promoted in the middle of it, the version fails nobody, and is not slow."""
    haproxy.apply(routes_to(old, new, 0.5), revision=1)
    fault = InjectedFault("new", Role.CANARY, SystemClock().now_us() + 60_000_000, errors=1.0, latency_ms=100)
    haproxy.inject((fault,))
    assert sorted(get(haproxy.address(), "/ok")[0] for _ in range(2)) == [200, 500]
    haproxy.apply((replace(routes_to(old, new, 1.0)[1], role=Role.STABLE),), revision=2)
    assert [get(haproxy.address(), "/ok") for _ in range(5)] == [(200, "new")] * 5


def test_what_the_proxy_can_do_in_part_only_is_not_begun(
    open_haproxy: Callable[[], HAProxyTraffic], old: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built without Lua it could fail answers and not delay them: asked for both it does neither."""
    monkeypatch.setattr("shipline.providers.traffic.haproxy.LOADS", "")
    monkeypatch.setattr("shipline.providers.traffic.haproxy.RULES", RULES.replace("feature(LUA)", "feature(NONE)"))
    traffic = open_haproxy()
    traffic.open(revision=0)
    traffic.apply((replace(OLD, endpoints=to(old)),), revision=1)
    now_us = SystemClock().now_us()
    with pytest.raises(InvalidValue, match="cannot do that"):
        traffic.inject((InjectedFault("old", Role.STABLE, now_us + 60_000_000, errors=1.0, latency_ms=10),))
    assert traffic.injected(now_us) == ()
