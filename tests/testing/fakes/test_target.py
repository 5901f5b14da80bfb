"""The fake target passes the suite that real ones pass."""

import hashlib
from collections.abc import Callable

import pytest

from shipline.domain.errors import UnavailableError
from shipline.ports.target import GroupSpec, Role, Target
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, MISSING, PACKAGE, TargetConformance
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.faults import SLOW_S, Fault
from shipline.testing.fakes.target import FakeTarget, TargetWorld


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


def digests_of(version: str) -> tuple[str, ...]:
    """What the registry has."""
    return (f"sha256:{hashlib.sha256(version.encode()).hexdigest()}",)


@pytest.fixture
def one() -> GroupSpec:
    """Two copies."""
    return GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 2, digests_of(GOOD))


class TestFakeTarget(TargetConformance):
    @pytest.fixture
    def digests_of(self) -> Callable[[str], tuple[str, ...]]:
        return digests_of

    @pytest.fixture
    def open_target(self, clock: FakeClock) -> Callable[[], Target]:
        registry = {(PACKAGE, version): digests_of(version) for version in (GOOD, BETTER, BROKEN)}
        world = TargetWorld(registry=registry, missing={MISSING}, broken={BROKEN})
        return lambda: FakeTarget(clock, world)

    @pytest.fixture
    def kill_copy(self) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert isinstance(target, FakeTarget)
            target.kill(group_id, 1)

        return kill_copy


def test_faults_are_as_named(clock: FakeClock, one: GroupSpec) -> None:
    """Unavailable raises, slow takes its time, lying does nothing and says it did."""
    target = FakeTarget(clock)
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    target.fault = Fault.UNAVAILABLE
    with pytest.raises(UnavailableError):
        target.groups()
    before_us, target.fault = clock.now_us(), Fault.SLOW
    target.groups()
    assert clock.now_us() - before_us == SLOW_S * 1_000_000
    target.fault = Fault.LYING
    assert target.run(one, revision=1).is_whole
    target.fault = None
    assert target.groups() == ()


def test_copies_may_need_time_or_never_become_healthy(clock: FakeClock, one: GroupSpec) -> None:
    """Which is how most targets are."""
    target = FakeTarget(clock, TargetWorld(slow_s={GOOD: 3.0}))
    target.prepare(PACKAGE, GOOD, digests_of(GOOD))
    assert target.run(one, revision=1).ready == 0
    clock.sleep(3.0)
    assert target.run(one, revision=1).is_whole
    target.world.sick.add("one")
    (group,) = target.groups()
    assert (group.ready, group.lives, group.hopeless) == (0, True, False)
    assert "health check" in group.trouble
