"""The SBOMs of a release: signed, in the bundle in both forms, and on record so that they can be looked through."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import read_bundle, read_statement
from shipline.capabilities.releases import ReleaseGround, release_components
from shipline.domain.artifact import Artifact
from shipline.domain.gate import Gate
from shipline.domain.release import ReleaseStatus
from shipline.ports.builder import BuildRequest
from shipline.store.database import Store
from shipline.testing.fakes.builder import FakeBuilder
from shipline.testing.fakes.command import Call, Ending
from shipline.testing.kills import Countdown
from shipline.testing.world import World
from tests.capabilities.releases.release_world import GATES, ReleaseWorld, digest
from tests.images import make_layout, packed

LOCK = {
    "lockfileVersion": 3,
    "packages": {"": {}, "node_modules/left": {"version": "1.5.0", "license": "MIT"}},
}
BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [{"type": "library", "name": "zlib", "version": "1.3", "purl": "pkg:deb/debian/zlib@1.3"}],
}


class NPMAndImageBuilder(FakeBuilder):
    """A tarball as npm packs one, and a small image."""

    kinds = ("npm", "oci")

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        manifest = {"name": "quotes", "version": request.version, "dependencies": {"left": "^1.0.0"}}
        path = output / f"quotes-{request.version}.tgz"
        with tarfile.open(path, "w:gz") as archive:
            data = json.dumps(manifest).encode()
            member = tarfile.TarInfo("package/package.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        image = packed(make_layout(output.parent / "layouts" / "quotes.oci"))
        index = json.loads((output.parent / "layouts" / "quotes.oci" / "index.json").read_text())
        image.rename(output / "quotes.oci")
        return (
            Artifact(path.name, "npm", digest(path), path.stat().st_size),
            Artifact("quotes.oci", "oci", index["manifests"][0]["digest"], (output / "quotes.oci").stat().st_size),
        )


class BuiltWorld(ReleaseWorld):
    def ground(self, store: Store, countdown: Countdown | None = None) -> ReleaseGround:
        ground = super().ground(store, countdown)
        builder: Any = NPMAndImageBuilder()  # As the fake is given everywhere: its class attributes may differ.
        return replace(ground, builders=lambda _package: (builder,), outlets=())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[BuiltWorld]:
    sbom = Gate("sbom", "sbom.present && artifacts.distributions == 1")
    made = BuiltWorld(World(5, tmp_path), tmp_path, gates=(*GATES, sbom))
    made.history.commit("feat: lock", {"package-lock.json": json.dumps(LOCK)})
    yield made
    made.world.close()


def test_each_sbom_is_signed_bundled_and_on_record(world: BuiltWorld) -> None:
    """Of the npm package by its lock, of the image by the program that is installed for that."""

    def syft(call: Call) -> Ending:
        place = call.arguments[-1].rpartition("=")[2]
        return Ending(files={Path(place): json.dumps(BILL)})

    world.commands.programs["syft"] = syft
    release = world.released()
    assert release.status is ReleaseStatus.PUBLISHED
    (path,) = (world.folder / "releases").rglob("bundle.tar")
    bundle = read_bundle(path.read_bytes())
    assert {"sbom.cdx.json", "documents/sbom.spdx.json", "documents/sbom-2.cdx.json"} <= set(bundle.files)
    assert json.loads(bundle.files["documents/sbom-2.cdx.json"]) == BILL
    envelope = json.loads(bundle.in_folder("envelopes")["sbom-2.dsse.json"])

    assert list(read_statement(base64.b64decode(envelope["payload"])).subjects) == ["quotes.oci"]
    with world.world.store.begin() as tx:
        found = {(one.identity, one.version, one.licence) for one in release_components(tx, release.id)}
    assert found == {("npm:left", "1.5.0", "MIT"), ("deb:debian/zlib", "1.3", "")}


def test_an_image_of_which_nobody_can_tell_holds_nothing_up(world: BuiltWorld) -> None:
    release = world.released()
    assert release.status is ReleaseStatus.PUBLISHED
    with world.world.store.begin() as tx:
        assert [one.identity for one in release_components(tx, release.id)] == ["npm:left"]
