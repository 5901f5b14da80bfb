"""Container images: a Dockerfile in, one OCI image layout out, built by the engine that is there.

The engine runs what the Dockerfile says, which is code of the repository: it gets no credentials from the environment
and a time limit. Tests run in the built image before anything leaves the builder. The image's identity is the digest of
its manifest, or of the index over several platforms.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.oci_artifact import time_of
from shipline.clients.oci_assembly import assemble, platform_of
from shipline.clients.oci_layout import layout_name
from shipline.clients.programs import run_program, without_secrets
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError, MissingProgram, RefusedError, ShiplineError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.container_engines import ENGINES, Engine, ImageBuild, build_command, export_command
from shipline.providers.builder.dockerfile import TEST_STAGE, with_tests

WHY_CHARACTERS_MAX = 2_000
DOCKERFILE_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class ContainerBuilderSettings:
    """A `[[build]]` of images.

    `dockerfile` and `context` are paths in the package's folder. `platforms` are as `linux/arm64`; several become one
    index. `stage` is the stage to build, "" for the last. `arguments` and `labels` may hold `{version}`, `{commit}` and
    `{package}`. `test` lists commands, without a shell, that run in the image of the first platform, each of which must
    end with 0. `engine` is buildkit, buildah or podman, "" for the first that is there. Without `cache` nothing that
    was built before is used. `cache_repository` is a repository that layers are taken from and put into. `timeout_s`
    bounds each image, in seconds.
    """

    dockerfile: str = "Dockerfile"
    context: str = "."
    platforms: tuple[str, ...] = ("linux/amd64",)
    stage: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    test: tuple[tuple[str, ...], ...] = ()
    engine: str = ""
    cache: bool = True
    cache_repository: str = ""
    timeout_s: int = 3600

    def __post_init__(self) -> None:
        """Refuse what no engine would take."""
        known = [engine.name for engine in ENGINES]
        if self.engine not in ("", *known):
            raise ConfigurationError(f"there is no engine {self.engine[:60]!r}", todo=f"known ones: {', '.join(known)}")
        if not self.platforms or len(set(self.platforms)) != len(self.platforms):
            raise ConfigurationError("platforms lists one or more platforms, each once")
        for platform in self.platforms:
            if not 2 <= len(platform.split("/")) <= 3 or not platform.replace("/", "").isalnum():
                raise ConfigurationError(f"{platform[:60]!r} is no platform", todo="write it as linux/amd64")
        if any(not command for command in self.test):
            raise ConfigurationError("test lists commands, and one of them is empty")


class ContainerBuilder:
    """The Builder port for container images."""

    api_version = 1
    ecosystem = ""
    asks_git = False
    kinds: tuple[str, ...] = ("oci",)
    Settings = ContainerBuilderSettings

    def __init__(self, settings: ContainerBuilderSettings, _context: ProviderContext) -> None:
        self._settings = settings

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One layout, of one image or of an index over all platforms."""
        engine = self._engine()
        folder = source / request.package.path
        with tempfile.TemporaryDirectory(prefix="shipline-image-") as name:
            scratch = Path(name)
            build = self._build_of(request, folder, scratch)
            if self._settings.test:
                self._test(engine, build, scratch)
            images = {platform: self._image(engine, build, platform, scratch) for platform in self._settings.platforms}
            path = output / layout_name(request.package.name, request.version)
            digest = assemble(images, path, epoch_s=request.source_date_epoch_s)
        return (Artifact(name=path.name, kind="oci", digest=digest, size=path.stat().st_size),)

    def _engine(self) -> Engine:
        wanted = [engine for engine in ENGINES if self._settings.engine in ("", engine.name)]
        for engine in wanted:
            if shutil.which(engine.program) is not None:
                return engine
        names = " or ".join(engine.program for engine in wanted)
        raise MissingProgram(names, package=" or ".join(engine.package for engine in wanted))

    def _build_of(self, request: BuildRequest, folder: Path, scratch: Path) -> ImageBuild:
        filled = {"{version}": request.version, "{commit}": request.commit, "{package}": request.package.name}
        created = time_of(request.source_date_epoch_s)
        # From: OCI image specification 1.1, annotations.md, "Pre-Defined Annotation Keys".
        labels = {
            "org.opencontainers.image.title": request.package.name,
            "org.opencontainers.image.version": request.version,
            "org.opencontainers.image.revision": request.commit,
            "org.opencontainers.image.created": created,
        }
        return ImageBuild(
            platform=self._settings.platforms[0],
            dockerfile=_inside(folder, self._settings.dockerfile, is_file=True),
            context=_inside(folder, self._settings.context, is_file=False),
            stage=self._settings.stage,
            arguments=_filled(self._settings.arguments, filled),
            labels=_filled(labels | self._settings.labels, filled),
            epoch_s=request.source_date_epoch_s,
            cache=self._settings.cache,
            cache_repository=self._settings.cache_repository,
            layout=None,
            identity=scratch / "identity",
        )

    def _image(self, engine: Engine, build: ImageBuild, platform: str, scratch: Path) -> Path:
        """The layout for one platform. Buildah 1.28 takes layers of one platform for another, so what came is read."""
        for cache in (True, False) if build.cache else (False,):
            layout = scratch / f"{platform.replace('/', '-')}-{cache}"
            asked = replace(build, platform=platform, layout=layout, cache=cache)
            self._run(engine, asked, f"the image for {platform}")
            if platform_of(layout) == platform.split("/")[:2]:
                return layout
        raise ShiplineError(
            f"the image that was built for {platform} says that it is for {'/'.join(platform_of(layout))}",
            todo=f"take the --platform out of the last FROM of {self._settings.dockerfile}",
        )

    def _test(self, engine: Engine, build: ImageBuild, scratch: Path) -> None:
        """Build one stage more, in which the tests are run; it goes nowhere."""
        content = build.dockerfile.read_bytes()[:DOCKERFILE_BYTES_MAX].decode("utf-8", "replace")
        dockerfile = scratch / "Dockerfile"
        try:
            dockerfile.write_text(with_tests(content, build.stage, self._settings.test))
        except ValueError as error:
            raise ShiplineError(f"{self._settings.dockerfile} cannot be tested", why=str(error)) from None
        self._run(engine, replace(build, dockerfile=dockerfile, stage=TEST_STAGE), "the tests in the image")

    def _run(self, engine: Engine, build: ImageBuild, what: str) -> None:
        command: list[str] | None = build_command(engine, build)
        while command is not None:
            outcome = run_program(
                command,
                folder=build.context,
                environment=without_secrets(os.environ),
                timeout_s=self._settings.timeout_s,
                package=engine.package,
            )
            if outcome.code != 0:
                raise ShiplineError(
                    f"{what} failed, built by {engine.name}",
                    why=outcome.output[-WHY_CHARACTERS_MAX:],
                    todo=f"build {self._settings.dockerfile} with {engine.program} by hand, mend what it says, commit, "
                    "then run this again",
                )
            command = export_command(engine, build) if command[1] == "build" else None


def _inside(folder: Path, name: str, *, is_file: bool) -> Path:
    """A path of the package. RefusedError where a link leads out of what is released."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise RefusedError(f"{name} lies outside of the package", todo="move it into the package's folder")
    if not (path.is_file() if is_file else path.is_dir()):
        kind = "file" if is_file else "folder"
        raise ShiplineError(
            f"the package has no {kind} {name}", why="it is looked for in what is committed", todo="commit it"
        )
    return path


def _filled(table: dict[str, str], values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    filled = []
    for name, text in sorted(table.items()):
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)  # noqa: PLW2901 - filled in place after place
        filled.append((name, text))
    return tuple(filled)
