"""Layers that were built before are used again: on the same machine, on another one through a repository, or not."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from shipline.clients.oci_layout import open_layout
from shipline.testing.conformance.builder import request_for
from tests.providers.builder.test_container import PACKAGE, builder_in, needs, write_source
from tests.registries import RegistryMissing, docker_registry_in

# What the first RUN leaves is another each time it really runs.
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox head -c 16 /dev/urandom | /bin/busybox md5sum > /made"]
COPY VERSION /VERSION
"""


@pytest.fixture(autouse=True)
def engine_without_privileges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    machine(tmp_path, monkeypatch, "one")


def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A machine whose engine has nothing yet."""
    storage = tmp_path / f"{name}.conf"
    graph, run = tmp_path / name / "graph", tmp_path / name / "run"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{graph}"\nrunroot = "{run}"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))


def made_by_the_first_run(tmp_path: Path, version: str, **settings: object) -> str:
    """Build a version and look into the image's layers."""
    source, output = tmp_path / "source", tmp_path / f"out-{version}"
    write_source(source / PACKAGE.path, version, DOCKERFILE)
    output.mkdir()
    (artifact,) = builder_in(tmp_path, engine="buildah", **settings).build(
        request_for(PACKAGE, version), source=source, output=output
    )
    found: dict[str, str] = {}
    with open_layout(output / artifact.name) as layout:
        (manifest,) = layout.manifests()
        for described in manifest.blobs[1:]:
            layer = io.BytesIO(b"".join(layout.chunks(described)))
            with tarfile.open(fileobj=layer) as archive:
                for name in ("made", "VERSION"):
                    if name in archive.getnames():
                        content = archive.extractfile(name)
                        assert content is not None
                        found[name] = content.read().decode().strip()
    assert found["VERSION"] == version
    return found["made"]


@needs("buildah")
def test_a_machine_uses_its_own_layers_again_unless_told_not_to(tmp_path: Path) -> None:
    first = made_by_the_first_run(tmp_path, "1.0.0")
    assert made_by_the_first_run(tmp_path, "1.1.0") == first
    assert made_by_the_first_run(tmp_path, "1.2.0", cache=False) != first


@needs("buildah")
def test_another_machine_takes_them_from_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with docker_registry_in(tmp_path / "registry") as server:
            registries = tmp_path / "registries.conf"
            registries.write_text(f'[[registry]]\nlocation = "127.0.0.1:{server.port}"\ninsecure = true\n')
            monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(registries))
            shared = {"cache_repository": f"127.0.0.1:{server.port}/layers"}
            first = made_by_the_first_run(tmp_path, "1.0.0", **shared)
            machine(tmp_path, monkeypatch, "two")
            assert made_by_the_first_run(tmp_path, "1.1.0", **shared) == first
            machine(tmp_path, monkeypatch, "three")
            assert made_by_the_first_run(tmp_path, "1.2.0") != first
    except RegistryMissing as missing:
        pytest.skip(str(missing))
