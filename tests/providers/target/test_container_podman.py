"""Containers on a real Podman, alone and behind a real HAProxy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shipline.ports.provider import ProviderContext
from shipline.ports.target import GroupSpec, Role, Target
from shipline.ports.traffic import Route
from shipline.providers.target.container import ContainerTarget
from shipline.providers.target.container_settings import ContainerSettings
from shipline.providers.traffic.haproxy import HAProxyTraffic
from shipline.testing.conformance.target import BETTER, BROKEN, GOOD, PACKAGE, TargetConformance, found
from tests.machine import SystemClock, free_port, get, wait_until
from tests.podman import Podman, missing, running_podman

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{missing()} is not installed")
REPOSITORY = "localhost/conforming"
# The first process of a container takes SIGTERM only if it says so.
SERVE = """\
echo serving {version}
trap 'exit 0' TERM
/bin/busybox httpd -f -p 127.0.0.1:"$PORT" -h /www &
wait
"""


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """Not below the tests' own folder: a socket's path has 107 characters at most."""
    with (
        tempfile.TemporaryDirectory(prefix="podman-", ignore_cleanup_errors=True) as folder,
        running_podman(Path(folder)) as podman,
    ):
        yield podman


@pytest.fixture(scope="module")
def digests(podman: Podman) -> dict[str, tuple[str, ...]]:
    """The images by version."""
    scripts = {version: SERVE.format(version=version) for version in (GOOD, BETTER)}
    scripts[BROKEN] = "echo it is broken; exit 1\n"
    return {version: (podman.image(REPOSITORY, version, script),) for version, script in scripts.items()}


@pytest.fixture
def settings(podman: Podman) -> ContainerSettings:
    return ContainerSettings(
        image=REPOSITORY,
        port=8080,
        engine=f"unix://{podman.socket}",
        network="host",
        environment={"PORT": "{port}"},
        stop_timeout_s=5,
    )


@pytest.fixture
def context(tmp_path: Path, settings: ContainerSettings) -> Iterator[ProviderContext]:
    """What runs in it ends with the test."""
    context = ProviderContext(tmp_path, tmp_path / "state", SystemClock(), "production")
    yield context
    target = ContainerTarget(settings, context)
    for group in target.groups():
        target.stop(group.id, revision=1_000_000)


class TestContainerTargetOnPodman(TargetConformance):
    @pytest.fixture
    def digests_of(self, digests: dict[str, tuple[str, ...]]) -> Callable[[str], tuple[str, ...]]:
        return digests.__getitem__

    @pytest.fixture
    def open_target(self, settings: ContainerSettings, context: ProviderContext) -> Callable[[], Target]:
        return lambda: ContainerTarget(settings, context)

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool], str], None]:
        return wait_until

    @pytest.fixture
    def kill_copy(self, podman: Podman) -> Callable[[Target, str], None]:
        def kill_copy(target: Target, group_id: str) -> None:
            assert isinstance(target, ContainerTarget)
            podman("podman", "kill", "--signal", "KILL", target._name(group_id, "1"))
            wait_until(lambda: len(found(target, group_id).endpoints) == 1, "the copy's end")

        return kill_copy


COMPOSE = """\
services:
  quotes:
    image: localhost/conforming
    environment: {COLOUR: blue}
    expose: ["8080"]
    labels: {team: quotes}
    healthcheck:
      test: ["CMD", "/bin/busybox", "test", "!", "-e", "/ill"]
      interval: 1h
      retries: 1
"""


def test_a_compose_service_s_labels_and_health_check_are_the_container_s(
    podman: Podman, settings: ContainerSettings, context: ProviderContext, digests: dict[str, tuple[str, ...]]
) -> None:
    """The check is carried out by the engine: here by hand, since it lets systemd do so elsewhere."""
    (context.root / "compose.yaml").write_text(COMPOSE)
    target = ContainerTarget(replace(settings, image="", compose_file="compose.yaml", service="quotes"), context)
    target.prepare(PACKAGE, GOOD, digests[GOOD])
    target.run(GroupSpec("one", Role.STABLE, PACKAGE, GOOD, 1, digests[GOOD]), revision=1)
    wait_until(lambda: found(target, "one").is_whole, "the copy")
    name = target._name("one", "1")
    assert podman("podman", "inspect", "--format", '{{index .Config.Labels "team"}}', name) == "quotes"
    assert "COLOUR=blue" in podman("podman", "inspect", "--format", "{{.Config.Env}}", name)
    podman("podman", "healthcheck", "run", name)
    assert found(target, "one").is_whole
    podman("podman", "exec", name, "/bin/busybox", "touch", "/ill")
    podman("sh", "-c", f"podman healthcheck run {name} || true")
    assert found(target, "one").ready == 0


@pytest.mark.skipif(shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None, reason="no haproxy")
def test_containers_serve_behind_haproxy_and_are_switched(
    settings: ContainerSettings, context: ProviderContext, digests: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    """The addresses that the target tells are those that the proxy routes to."""
    target = ContainerTarget(settings, context)
    proxy = ProviderContext(tmp_path, tmp_path / "traffic", SystemClock(), "production")
    traffic = HAProxyTraffic(HAProxyTraffic.Settings(port=free_port()), proxy)
    traffic.open(revision=0)
    try:
        for revision, version in enumerate((GOOD, BETTER), start=1):
            spec = GroupSpec(f"v{revision}", Role.STABLE, PACKAGE, version, 1, digests[version])
            target.prepare(PACKAGE, version, spec.digests)
            target.run(spec, revision=revision)
            wait_until(lambda name=spec.id: found(target, name).is_whole, "the copy")  # type: ignore[misc] # bound now
            endpoints = found(target, spec.id).endpoints
            traffic.apply((Route(spec.id, Role.STABLE, version, 1.0, endpoints),), revision=revision)
            assert get(traffic.address(), "/healthz") == (200, version)
    finally:
        traffic.close(revision=3)
