"""The fake registry passes the suite that the real one passes, and fails as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.registry import Registry
from shipline.testing.conformance.registry import PACKAGE, RegistryConformance, make_distributions
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.registry import FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry(FakeClock())


class TestFakeRegistry(RegistryConformance):
    @pytest.fixture
    def registry(self) -> Registry:
        return FakeRegistry(FakeClock())

    @pytest.fixture
    def break_registry(self, registry: FakeRegistry) -> Callable[[], None]:
        def down() -> None:
            registry.faults.down = True

        return down


def test_failing_midway_leaves_the_first_files_and_a_later_call_adds_the_rest(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    files = make_distributions(tmp_path, "1.0.0")
    registry.faults.fails_after_files = 1
    with pytest.raises(UnavailableError):
        registry.publish(PACKAGE, "1.0.0", files)
    assert len(registry.uploads) == 1
    registry.faults.fails_after_files = None
    registry.publish(PACKAGE, "1.0.0", files)
    assert registry.uploads == [path.name for path in files]


def test_a_lost_answer_is_no_lost_upload(registry: FakeRegistry, tmp_path: Path) -> None:
    files = make_distributions(tmp_path, "1.0.0")
    registry.faults.loses_answer = True
    with pytest.raises(UnavailableError):
        registry.publish(PACKAGE, "1.0.0", files)
    registry.publish(PACKAGE, "1.0.0", files)
    assert registry.uploads == [path.name for path in files]


def test_hanging_costs_time_on_the_clock_up_to_the_limit() -> None:
    clock = FakeClock()
    registry = FakeRegistry(clock)
    registry.faults.hangs_s = 3600.0
    before_us = clock.now_us()
    with pytest.raises(UnavailableError):
        registry.find(PACKAGE, "1.0.0")
    assert clock.now_us() - before_us == int(registry.timeout_s * 1_000_000)


def test_refused_credentials_are_not_retried(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.faults.refuses = True
    with pytest.raises(RefusedError) as caught:
        registry.publish(PACKAGE, "1.0.0", make_distributions(tmp_path, "1.0.0"))
    assert not caught.value.retryable
