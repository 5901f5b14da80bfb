"""The fake signals pass the suite that real ones pass, and simulate what they are told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shipline.ports.signals import EDGES_S, Signals
from shipline.ports.target import Role
from shipline.testing.conformance.signals import GROUPS, VERSIONS, Serve, SignalsConformance
from shipline.testing.conformance.traffic import NEW, OLD, split
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.signals import Behaviour, FakeSignals, Users
from shipline.testing.fakes.traffic import FakeTraffic, TrafficWorld


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


class TestFakeSignals(SignalsConformance):
    @pytest.fixture
    def users(self, clock: FakeClock) -> Users:
        return Users(TrafficWorld(), clock, seed=1)

    @pytest.fixture
    def open_signals(self, clock: FakeClock, users: Users) -> Callable[[], Signals]:
        return lambda: FakeSignals(users, clock)

    @pytest.fixture
    def serve(self, users: Users) -> Serve:
        def serve(role: Role, *, requests: int, errors: int) -> None:
            users.serve(role, VERSIONS[role], requests=requests, errors=errors)

        return serve


def simulated(clock: FakeClock, seed: int) -> tuple[FakeTraffic, Users, FakeSignals]:
    """All traffic on the old version, of which the new one will fail a tenth."""
    traffic = FakeTraffic(clock)
    traffic.open(revision=0)
    traffic.apply((OLD,), revision=1)
    users = Users(traffic.world, clock, seed=seed, requests_per_s=100)
    users.behaviours[NEW.version] = Behaviour(error_rate=0.1, latency_s=0.2)
    return traffic, users, FakeSignals(users, clock)


def test_requests_follow_the_routes_of_their_time(clock: FakeClock) -> None:
    """A minute before a switch counts by the old routes, a minute after it by the new ones."""
    traffic, _, signals = simulated(clock, 7)
    start = signals.cursor()
    clock.sleep(60)
    traffic.apply(split(0.25), revision=2)
    clock.sleep(60)
    reading = signals.read(start, GROUPS)
    assert reading.roles[Role.STABLE].requests == 6000 + 4500
    assert reading.roles[Role.CANARY].requests == 1500
    assert 100 < reading.roles[Role.CANARY].errors < 200
    assert reading.roles[Role.STABLE].errors == 0


def test_the_same_seed_gives_the_same_counts(clock: FakeClock) -> None:
    """And another one others."""
    figures = []
    for seed in (1, 1, 2):
        traffic, _, signals = simulated(clock, seed)
        start = signals.cursor()
        traffic.apply((replace(NEW, share=1.0),), revision=2)
        clock.sleep(300)
        figures.append(signals.read(start, GROUPS).roles[Role.CANARY])
    assert figures[0] == figures[1] != figures[2]


def test_latency_lies_around_the_median(clock: FakeClock) -> None:
    """Half of the requests are below it, and none is lost in rounding."""
    _, users, signals = simulated(clock, 1)
    start = signals.cursor()
    users.serve(Role.CANARY, NEW.version, requests=1001, errors=0)
    histogram = signals.read(start, GROUPS).roles[Role.CANARY].histogram
    below = sum(count for count, edge in zip(histogram, EDGES_S, strict=False) if edge <= 0.2)
    assert sum(histogram) == 1001
    assert 400 <= below <= 600


def test_lying_signals_hide_failures(clock: FakeClock) -> None:
    """The requests are there, the errors are not."""
    _, users, signals = simulated(clock, 1)
    start = signals.cursor()
    users.serve(Role.CANARY, NEW.version, requests=10, errors=10)
    signals.fault = Fault.LYING
    assert signals.read(start, GROUPS).roles[Role.CANARY].errors == 0
