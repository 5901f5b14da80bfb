"""The command lines of what builds images: BuildKit, Buildah and Podman. Data; nothing is run here.

Each makes one image for one platform and leaves it as an OCI image layout. Where an engine keeps images, how it
isolates and where it takes base images from is its own configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """One image for one platform.

    `dockerfile` and `context` are paths; `stage` is the stage to build, "" for the last. `arguments` and `labels` are
    as they go into the image. `epoch_s` is the time that the image and the files of its new layers carry.
    Without `cache` nothing that was built before is used. `cache_repository` is a repository that layers are taken from
    and put into, "" for none; it is left alone without `cache`. `layout` is where the image goes, None where it is
    only built to see that it can be.
    """

    platform: str
    dockerfile: Path
    context: Path
    stage: str
    arguments: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    epoch_s: int
    cache: bool
    cache_repository: str
    layout: Path | None
    identity: Path


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine: the program that it is, the Debian package that brings it, and whether it speaks of BuildKit."""

    name: str
    program: str
    package: str


BUILDKIT = Engine("buildkit", "buildctl", "buildkit (and a buildkitd that it reaches)")
BUILDAH = Engine("buildah", "buildah", "buildah")
PODMAN = Engine("podman", "podman", "podman")
ENGINES = (BUILDKIT, BUILDAH, PODMAN)


def build_command(engine: Engine, build: ImageBuild) -> list[str]:
    """What builds the image. Buildah and Podman write its id to `identity`, BuildKit the layout at once."""
    return list(_buildkit(build) if engine is BUILDKIT else _buildah(engine, build))


def export_command(engine: Engine, build: ImageBuild) -> list[str] | None:
    """What writes the built image as a layout; None where the build has done it, or nothing is wanted."""
    if engine is BUILDKIT or build.layout is None:
        return None
    image = build.identity.read_text().strip()
    return [engine.program, "push", "--quiet", "--format", "oci", image, f"oci:{build.layout}"]


def _buildah(engine: Engine, build: ImageBuild) -> Iterator[str]:
    """See buildah-build(1); Podman takes the same. The image gets no name: it would be written into later ones."""
    yield from (engine.program, "build", "--quiet", "--format", "oci", "--layers", "--timestamp", str(build.epoch_s))
    yield from ("--platform", build.platform, "--file", str(build.dockerfile), "--iidfile", str(build.identity))
    if not build.cache:
        yield "--no-cache"
    if build.cache and build.cache_repository:
        yield from ("--cache-from", build.cache_repository, "--cache-to", build.cache_repository)
    if build.stage:
        yield from ("--target", build.stage)
    for name, value in build.arguments:
        yield from ("--build-arg", f"{name}={value}")
    for name, value in build.labels:
        yield from ("--label", f"{name}={value}")
    yield str(build.context)


def _buildkit(build: ImageBuild) -> Iterator[str]:
    """See BuildKit's docs/reference/buildctl.md and docs/build-repro.md."""
    yield from ("buildctl", "build", "--progress", "plain", "--frontend", "dockerfile.v0")
    yield from ("--local", f"context={build.context}", "--local", f"dockerfile={build.dockerfile.parent}")
    yield from ("--opt", f"filename={build.dockerfile.name}", "--opt", f"platform={build.platform}")
    yield from ("--opt", f"build-arg:SOURCE_DATE_EPOCH={build.epoch_s}")
    if not build.cache:
        yield "--no-cache"
    if build.cache and build.cache_repository:
        where = f"type=registry,ref={build.cache_repository}"
        yield from ("--import-cache", where, "--export-cache", f"{where},mode=max")
    if build.stage:
        yield from ("--opt", f"target={build.stage}")
    for name, value in build.arguments:
        yield from ("--opt", f"build-arg:{name}={value}")
    for name, value in build.labels:
        yield from ("--opt", f"label:{name}={value}")
    if build.layout is not None:
        yield from ("--output", f"type=oci,rewrite-timestamp=true,dest={build.layout}")
