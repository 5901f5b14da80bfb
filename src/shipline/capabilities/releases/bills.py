"""The SBOMs of a release: of its Python and npm packages, and of its images where something here can tell."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipline.capabilities.evidence import (
    Bill,
    components_in,
    components_of_bill,
    cyclonedx_of,
    find_npm_lock,
    find_python_lock,
    image_bill,
    npm_bill,
    python_bill,
    spdx_of,
    without_repeats,
)
from shipline.capabilities.releases.ground import ReleaseGround, exported
from shipline.domain.artifact import Artifact
from shipline.domain.component import Component
from shipline.domain.release import Release

# Serial numbers of SBOMs are derived from what they describe, so that the same release gives the same document.
SERIALS = uuid.UUID("5f0c6f0e-6f0b-5c55-9f6d-0a5c3a6f2b11")
CYCLONEDX, SPDX = ".cdx.json", ".spdx.json"


@dataclass(frozen=True, slots=True)
class Listed:
    """One SBOM: of which artifacts it is, its document, what that lists, and what names its statement and its file."""

    name: str
    file: str
    artifacts: tuple[Artifact, ...]
    document: bytes
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """The documents of one bill, by the ending of their files, the fuller one first."""

    artifacts: tuple[Artifact, ...]
    documents: dict[str, bytes]
    components: tuple[Component, ...]


def bills_of(
    ground: ReleaseGround, release: Release, *, commit: str, place: str, created_us: int
) -> tuple[Listed, ...]:
    """The SBOMs of what was built from `commit`, of the package in the folder `place`.

    The first is `sbom`, others have a number behind that; one in both forms is two. Raises InvalidValue and
    ShiplineError where one cannot be made that should be.
    """
    listed = []
    for number, made in enumerate(_made(ground, release, commit=commit, place=place, created_us=created_us), start=1):
        base = "sbom" if number == 1 else f"sbom-{number}"
        for ending, document in made.documents.items():
            name = base if ending == CYCLONEDX else f"{base}-spdx"
            listed.append(Listed(name, f"{base}{ending}", made.artifacts, document, made.components))
    return tuple(listed)


def components_of_release(listed: tuple[Listed, ...]) -> tuple[Component, ...]:
    """All that they list, each once."""
    return without_repeats(each for one in listed for each in one.components)


def _made(ground: ReleaseGround, release: Release, *, commit: str, place: str, created_us: int) -> Iterator[_Made]:
    dist = ground.folder_of(release) / "dist"
    python = tuple(one for one in release.artifacts if one.kind in ("wheel", "sdist"))
    if python:
        with exported(ground, commit) as source:
            versions = find_python_lock(source, place)
        files = [dist / one.name for one in python]
        yield _both(python, python_bill(files, versions, serial=_serial(release.artifacts), created_us=created_us))
    packages = [one for one in release.artifacts if one.kind == "npm"]
    if packages:
        with exported(ground, commit) as source:
            lock = find_npm_lock(source, place)
        for one in packages:
            yield _both((one,), npm_bill(dist / one.name, lock, serial=_serial((one,)), created_us=created_us))
    for one in release.artifacts:
        if one.kind == "oci" and (made := _of_image(ground, dist / one.name, one)) is not None:
            yield made


def _serial(artifacts: tuple[Artifact, ...]) -> uuid.UUID:
    return uuid.uuid5(SERIALS, " ".join(artifact.digest for artifact in artifacts))


def _both(artifacts: tuple[Artifact, ...], bill: Bill) -> _Made:
    return _Made(artifacts, {CYCLONEDX: cyclonedx_of(bill), SPDX: spdx_of(bill)}, components_of_bill(bill))


def _of_image(ground: ReleaseGround, layout: Path, artifact: Artifact) -> _Made | None:
    with tempfile.TemporaryDirectory(prefix="shipline-sbom-") as work:
        found = image_bill(layout, ground.commands, Path(work))
    if found is None:
        return None
    ending = CYCLONEDX if b'"bomFormat"' in found.document else SPDX
    return _Made((artifact,), {ending: found.document}, components_in(found.document))
