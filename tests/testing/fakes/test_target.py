"""The fake target passes the suite that real ones pass."""

from collections.abc import Callable

import pytest

from shipline.domain.errors import UnavailableError
from shipline.ports.target import Target
from shipline.testing.conformance.target import BROKEN, GOOD, MISSING, PACKAGE, TargetConformance
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.faults import SLOW_S, Fault
from shipline.testing.fakes.target import FakeTarget, TargetWorld


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


class TestFakeTarget(TargetConformance):
    @pytest.fixture
    def open_target(self, clock: FakeClock) -> Callable[[], Target]:
        world = TargetWorld(missing={MISSING}, broken={BROKEN})
        return lambda: FakeTarget(clock, world)


def test_faults_are_as_named(clock: FakeClock) -> None:
    """Unavailable raises, slow takes its time, lying does nothing and says it did."""
    target = FakeTarget(clock)
    target.prepare(PACKAGE, GOOD)
    target.fault = Fault.UNAVAILABLE
    with pytest.raises(UnavailableError):
        target.instances()
    before_us, target.fault = clock.now_us(), Fault.SLOW
    target.instances()
    assert clock.now_us() - before_us == SLOW_S * 1_000_000
    target.fault = Fault.LYING
    assert target.start("one", PACKAGE, GOOD, revision=1).id == "one"
    assert not target.is_healthy("one")
