"""The fake registry passes the suite that the real one passes, and fails as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.clients.oci_layout import layout_digest, layout_name
from shipline.domain.errors import RefusedError, UnavailableError
from shipline.ports.registry import Registry
from shipline.testing.conformance.registry import (
    PACKAGE,
    ImageRegistry,
    ImageStoreConformance,
    RegistryConformance,
    make_distributions,
)
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.registry import FakeImageRegistry, FakeRegistry
from tests.images import make_layout


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


class TestFakeImageRegistry(RegistryConformance):
    @pytest.fixture
    def registry(self) -> Registry:
        return FakeImageRegistry(FakeClock())

    @pytest.fixture
    def break_registry(self, registry: FakeImageRegistry) -> Callable[[], None]:
        def down() -> None:
            registry.faults.down = True

        return down

    @pytest.fixture
    def files(self, tmp_path: Path) -> Callable[..., tuple[Path, ...]]:
        def make(version: str, content: str = "one") -> tuple[Path, ...]:
            made = tmp_path / f"{version}-{content}" / layout_name(PACKAGE, version)
            return (made if made.exists() else make_layout(made, content=content + version),)

        return make

    @pytest.fixture
    def identity(self) -> Callable[[Path], str]:
        return layout_digest


class TestFakeImageStore(ImageStoreConformance):
    @pytest.fixture
    def registry(self) -> ImageRegistry:
        return FakeImageRegistry(FakeClock())

    @pytest.fixture
    def image(self, tmp_path: Path) -> Callable[[str], Path]:
        made = make_layout(tmp_path / layout_name(PACKAGE, "1.0.0"), platforms=("amd64",))
        return lambda _version: made


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
