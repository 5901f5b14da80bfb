"""The fake target passes the suite that real ones pass."""

from collections.abc import Callable

import pytest

from shipline.domain.errors import UnavailableError
from shipline.ports.target import Target
from shipline.testing.conformance.target import BROKEN, GOOD, MISSING, ONE, PACKAGE, TargetConformance
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

    @pytest.fixture
    def kill_copy(self) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert isinstance(target, FakeTarget)
            target.kill(group_id, 1)

        return kill_copy


def test_faults_are_as_named(clock: FakeClock) -> None:
    """Unavailable raises, slow takes its time, lying does nothing and says it did."""
    target = FakeTarget(clock)
    target.prepare(PACKAGE, GOOD)
    target.fault = Fault.UNAVAILABLE
    with pytest.raises(UnavailableError):
        target.groups()
    before_us, target.fault = clock.now_us(), Fault.SLOW
    target.groups()
    assert clock.now_us() - before_us == SLOW_S * 1_000_000
    target.fault = Fault.LYING
    assert target.run(ONE, revision=1).is_whole
    target.fault = None
    assert target.groups() == ()


def test_copies_may_need_time_or_never_become_healthy(clock: FakeClock) -> None:
    """Which is how most targets are."""
    target = FakeTarget(clock, TargetWorld(slow_s={GOOD: 3.0}))
    target.prepare(PACKAGE, GOOD)
    assert target.run(ONE, revision=1).ready == 0
    clock.sleep(3.0)
    assert target.run(ONE, revision=1).is_whole
    target.world.sick.add("one")
    (group,) = target.groups()
    assert (group.ready, group.lives, group.hopeless) == (0, True, False)
    assert "health check" in group.trouble
