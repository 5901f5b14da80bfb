"""The fake splitter passes the suite that real ones pass."""

from collections.abc import Callable

import pytest

from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.ports.traffic import Traffic
from shipline.testing.conformance.switch import SwitchConformance
from shipline.testing.conformance.traffic import NEW, OLD, TrafficConformance, shares, split
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.traffic import FakeTraffic, TrafficWorld


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


class TestFakeTraffic(TrafficConformance):
    @pytest.fixture
    def open_traffic(self, clock: FakeClock) -> Callable[[], Traffic]:
        world = TrafficWorld()
        return lambda: FakeTraffic(clock, world)


class TestFakeSwitch(SwitchConformance):
    @pytest.fixture
    def open_traffic(self, clock: FakeClock) -> Callable[[], Traffic]:
        world = TrafficWorld()
        return lambda: FakeTraffic(clock, world, splits=False, previews=False, mirrors=False)


@pytest.fixture
def traffic(clock: FakeClock) -> FakeTraffic:
    """An open splitter, all traffic on one instance."""
    traffic = FakeTraffic(clock)
    traffic.open(revision=0)
    traffic.apply((OLD,), revision=1)
    return traffic


def test_a_lying_proxy_keeps_the_old_routes(traffic: FakeTraffic) -> None:
    """And `routes` tells on it."""
    traffic.fault = Fault.LYING
    traffic.apply(split(0.5), revision=2)
    assert shares(traffic) == {"old": 1.0}


def test_a_group_with_open_requests_is_not_forgotten(traffic: FakeTraffic) -> None:
    """Also with share 0."""
    traffic.apply(split(0.5), revision=2)
    traffic.apply((OLD,), revision=3)
    traffic.world.open_requests[NEW.group_id] = 1
    with pytest.raises(RefusedError):
        traffic.forget(NEW.group_id, revision=4)
    assert traffic.open_requests(NEW.group_id) == 1


def test_trouble_is_an_error(traffic: FakeTraffic) -> None:
    """A proxy that does not answer, and a port that is taken."""
    traffic.fault = Fault.UNAVAILABLE
    with pytest.raises(UnavailableError):
        traffic.routes()
    traffic.fault = None
    traffic.kill()
    traffic.world.port_in_use = True
    with pytest.raises(ShiplineError, match="port 8080"):
        traffic.open(revision=1)


def test_a_switch_refuses_what_is_neither_all_nor_nothing(clock: FakeClock) -> None:
    """It can be told in words what it is; nothing changes."""
    switch = FakeTraffic(clock, splits=False)
    switch.open(revision=0)
    switch.apply((OLD,), revision=1)
    assert not switch.splits
    with pytest.raises(InvalidValue, match="switches"):
        switch.apply(split(0.5), revision=2)
    switch.apply(split(1.0), revision=2)
    assert shares(switch) == {"old": 0.0, "new": 1.0}
