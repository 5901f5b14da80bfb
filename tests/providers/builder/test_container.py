"""Images are built by the engines that are here, for real, from scratch and a static program: no base image is fetched.

The tests let the engines isolate by chroot and copy layers, which works without privileges of its own in a container.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.oci_layout import layout_digest, open_layout
from shipline.domain.errors import ConfigurationError, MissingProgram, RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import Builder
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.container import ContainerBuilder, ContainerBuilderSettings
from shipline.providers.builder.container_engines import (
    BUILDKIT,
    ENGINES,
    Engine,
    ImageBuild,
    build_command,
    export_command,
)
from shipline.testing.conformance.builder import COMMIT, EPOCH_S, BuilderConformance, request_for
from shipline.testing.fakes.clock import FakeClock

DOCKERFILE = """\
FROM scratch AS built
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox echo built > /app"]
FROM scratch
ARG MESSAGE=none
COPY --from=built /bin/busybox /bin/busybox
COPY --from=built /app /app
COPY VERSION /VERSION
LABEL message=$MESSAGE
"""
PACKAGE = Package("quotes", path="services/quotes")
IMAGE_TESTS = (("/bin/busybox", "grep", "built", "/app"), ("/bin/busybox", "grep", "1.2.3", "/VERSION"))


def busybox() -> Path | None:
    """A static program with a shell in it (Debian: busybox-static); None also where it is linked to the system's."""
    found = shutil.which("busybox")
    return None if found is None or b"ld-linux" in Path(found).read_bytes()[:8192] else Path(found)


def needs(engine: str) -> pytest.MarkDecorator:
    missing = [] if shutil.which(engine) else [engine]
    missing += [] if busybox() else ["a static busybox"]
    return pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} is not installed")


@pytest.fixture(autouse=True)
def engines_without_privileges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    storage = tmp_path / "storage.conf"
    graph, run = tmp_path / "graph", tmp_path / "run"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{graph}"\nrunroot = "{run}"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(storage))


def builder_in(folder: Path, **settings: Any) -> Builder:
    context = ProviderContext(root=folder, state=folder, clock=FakeClock())
    return ContainerBuilder(ContainerBuilderSettings(**settings), context)


def write_source(folder: Path, version: str = "1.2.3", dockerfile: str = DOCKERFILE) -> None:
    program = busybox()
    assert program is not None
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, folder / "busybox")
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / "VERSION").write_text(f"{version}\n")


def document(path: Path, digest: str) -> Any:
    with tarfile.open(path) as archive:
        stream = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
        assert stream is not None
        return json.load(stream)


class ImageConformance(BuilderConformance):
    """The builders' suite for one engine."""

    engine = ""
    states_version = False

    @pytest.fixture
    def builder(self, tmp_path: Path) -> Builder:
        return builder_in(tmp_path, engine=self.engine)

    def write_source(self, folder: Path, *, name: str, version: str) -> None:
        assert name
        write_source(folder, version)

    def digest(self, path: Path) -> str:
        return layout_digest(path)


@needs("buildah")
class TestBuildah(ImageConformance):
    engine = "buildah"


@needs("podman")
class TestPodman(ImageConformance):
    engine = "podman"


@needs("buildah")
class TestImages:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        write_source(tmp_path / "source" / PACKAGE.path)
        return tmp_path / "source"

    @pytest.fixture
    def output(self, tmp_path: Path) -> Path:
        folder = tmp_path / "out"
        folder.mkdir()
        return folder

    def test_two_platforms_become_one_index(self, source: Path, output: Path, tmp_path: Path) -> None:
        dockerfile = "FROM scratch\nCOPY VERSION /VERSION\n"
        (source / PACKAGE.path / "Dockerfile").write_text(dockerfile)
        builder = builder_in(tmp_path, platforms=("linux/amd64", "linux/arm64"))
        (artifact,) = builder.build(request_for(PACKAGE, "1.2.3"), source=source, output=output)
        index = document(output / artifact.name, artifact.digest)
        assert [entry["platform"] for entry in index["manifests"]] == [
            {"os": "linux", "architecture": "amd64"},
            {"os": "linux", "architecture": "arm64"},
        ]
        with open_layout(output / artifact.name) as layout:
            layout.check()
        for entry in index["manifests"]:
            manifest = document(output / artifact.name, entry["digest"])
            config = document(output / artifact.name, manifest["config"]["digest"])
            assert config["architecture"] == entry["platform"]["architecture"]

    def test_labels_say_what_it_is_and_arguments_are_filled(self, source: Path, output: Path, tmp_path: Path) -> None:
        builder = builder_in(tmp_path, arguments={"MESSAGE": "{package} {version}"}, labels={"maintainer": "ann"})
        (artifact,) = builder.build(request_for(PACKAGE, "1.2.3"), source=source, output=output)
        manifest = document(output / artifact.name, artifact.digest)
        config = document(output / artifact.name, manifest["config"]["digest"])
        assert config["created"] == "2026-09-21T14:13:20Z"
        labels = {name: value for name, value in config["config"]["Labels"].items() if "buildah" not in name}
        assert labels == {
            "maintainer": "ann",
            "message": "quotes 1.2.3",
            "org.opencontainers.image.created": "2026-09-21T14:13:20Z",
            "org.opencontainers.image.revision": COMMIT,
            "org.opencontainers.image.title": "quotes",
            "org.opencontainers.image.version": "1.2.3",
        }

    def test_what_is_tested_is_what_is_built(self, source: Path, output: Path, tmp_path: Path) -> None:
        """The tests run in the image, and are no part of it."""
        request = request_for(PACKAGE, "1.2.3")
        (tested,) = builder_in(tmp_path, test=IMAGE_TESTS).build(request, source=source, output=output)
        (tmp_path / "other").mkdir()
        (plain,) = builder_in(tmp_path).build(request, source=source, output=tmp_path / "other")
        assert tested == plain

    def test_tests_that_fail_in_the_image_stop_it(self, source: Path, output: Path, tmp_path: Path) -> None:
        tests = (("/bin/busybox", "grep", "other", "/app"),)
        with pytest.raises(ShiplineError, match="the tests in the image failed"):
            builder_in(tmp_path, test=tests).build(request_for(PACKAGE, "1.2.3"), source=source, output=output)
        assert list(output.iterdir()) == []

    def test_a_stage_can_be_named(self, source: Path, output: Path, tmp_path: Path) -> None:
        (artifact,) = builder_in(tmp_path, stage="built").build(
            request_for(PACKAGE, "1.2.3"), source=source, output=output
        )
        assert len(document(output / artifact.name, artifact.digest)["layers"]) == 2

    def test_the_image_sees_no_credentials(
        self, source: Path, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An argument without a value is taken from the engine's environment."""
        monkeypatch.setenv("APP_TOKEN", "s3cr3t")
        builder_in(tmp_path, arguments={"APP_TOKEN": ""}).build(
            request_for(PACKAGE, "1.2.3"), source=source, output=output
        )
        assert all(b"s3cr3t" not in path.read_bytes() for path in output.iterdir())

    def test_a_dockerfile_that_fails_is_quoted(self, source: Path, output: Path, tmp_path: Path) -> None:
        (source / PACKAGE.path / "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
        with pytest.raises(ShiplineError, match="linux/amd64 failed") as caught:
            builder_in(tmp_path).build(request_for(PACKAGE, "1.2.3"), source=source, output=output)
        assert "nothing" in caught.value.why

    def test_a_dockerfile_that_is_not_there_or_elsewhere_is_refused(
        self, source: Path, output: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ShiplineError, match="no file Other"):
            builder_in(tmp_path, dockerfile="Other").build(request_for(PACKAGE, "1.2.3"), source=source, output=output)
        with pytest.raises(RefusedError, match="outside"):
            builder_in(tmp_path, context="../..").build(request_for(PACKAGE, "1.2.3"), source=source, output=output)


def test_an_engine_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgram, match="buildctl or buildah or podman"):
        builder_in(tmp_path).build(request_for(PACKAGE, "1.2.3"), source=tmp_path, output=tmp_path)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"engine": "kaniko"}, "kaniko"),
        ({"platforms": ()}, "one or more"),
        ({"platforms": ("linux/amd64", "linux/amd64")}, "each once"),
        ({"platforms": ("--privileged/x",)}, "is no platform"),
        ({"test": ((),)}, "is empty"),
    ],
)
def test_settings_that_no_engine_takes_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        ContainerBuilderSettings(**settings)


def test_buildkit_is_asked_for_a_layout_with_one_time(tmp_path: Path) -> None:
    """No BuildKit runs where these tests do, so what it would be told is compared."""
    build = ImageBuild(
        platform="linux/arm64",
        dockerfile=tmp_path / "Dockerfile",
        context=tmp_path,
        stage="web",
        arguments=(("A", "1"),),
        labels=(("b", "2"),),
        epoch_s=EPOCH_S,
        cache=False,
        cache_repository="",
        layout=tmp_path / "image",
        identity=tmp_path / "identity",
    )
    words = " ".join(build_command(BUILDKIT, build)).replace(str(tmp_path), "HERE")
    assert words == (
        "buildctl build --progress plain --frontend dockerfile.v0 --local context=HERE --local dockerfile=HERE "
        "--opt filename=Dockerfile --opt platform=linux/arm64 --opt build-arg:SOURCE_DATE_EPOCH=1790000000 --no-cache "
        "--opt target=web --opt build-arg:A=1 --opt label:b=2 --output type=oci,rewrite-timestamp=true,dest=HERE/image"
    )
    assert export_command(BUILDKIT, build) is None


@pytest.mark.parametrize("engine", ENGINES, ids=[engine.name for engine in ENGINES])
def test_layers_are_shared_through_a_repository_unless_nothing_is_to_be_used_again(
    engine: Engine, tmp_path: Path
) -> None:
    build = ImageBuild(
        platform="linux/arm64",
        dockerfile=tmp_path / "Dockerfile",
        context=tmp_path,
        stage="",
        arguments=(),
        labels=(),
        epoch_s=EPOCH_S,
        cache=True,
        cache_repository="registry.example.com/layers",
        layout=None,
        identity=tmp_path / "identity",
    )
    shared = [word for word in build_command(engine, build) if "registry.example.com" in word]
    assert len(shared) == 2
    alone = build_command(engine, replace(build, cache=False))
    assert "--no-cache" in alone
    assert not any("registry.example.com" in word or "cache-" in word for word in alone)
