"""What images consist of: by Syft or Trivy where they are installed (here: programs in their place), else by what the
build has put in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.evidence import components_in, image_bill
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.command import Call, Ending, FakeCommands, Program
from tests.images import INDEX, MANIFEST, blob, make_layout, manifest

BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "components": [{"type": "library", "name": "zlib", "version": "1.3", "purl": "pkg:deb/debian/zlib@1.3"}],
}
SPDX = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [{"name": "zlib", "versionInfo": "1.3"}]}


def commands(**programs: Program) -> FakeCommands:
    return FakeCommands(FakeClock(), programs)


def writing(content: str, exit_code: int = 0) -> Program:
    """A program that writes its SBOM where it is told to, as both do."""

    def program(call: Call) -> Ending:
        place = next(part for part in call.arguments if part.endswith("sbom.json")).rpartition("=")[2]
        return Ending(exit_code, "it said so", files={Path(place): content})

    return program


def layout_with(folder: Path, statement: Any) -> Path:
    """An image as BuildKit leaves it: beside it in the index lies a manifest of in-toto statements about it."""
    folder.mkdir()
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    image = manifest(folder, b"layer", "amd64")
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(folder, b"{}", "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(folder, json.dumps(statement).encode(), "application/vnd.in-toto+json")],
    }
    attestation = blob(folder, json.dumps(document).encode(), MANIFEST) | {
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"}
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [image, attestation]}
    (folder / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "manifests": [blob(folder, json.dumps(index).encode(), INDEX)]})
    )
    return folder


def test_syft_comes_before_trivy_and_both_before_what_was_put_in(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "image")
    both = commands(syft=writing(json.dumps(BILL)), trivy=writing("{}"))
    made = image_bill(layout, both, tmp_path)
    assert made is not None
    assert (json.loads(made.document), made.source) == (BILL, "syft")
    assert both.calls[0].arguments[:2] == ("scan", f"oci-dir:{layout}")
    made = image_bill(layout, commands(trivy=writing(json.dumps(BILL))), tmp_path)
    assert made is not None
    assert made.source == "trivy"


@pytest.mark.parametrize("program", [writing("", 1), writing("{}"), writing("not JSON"), lambda _call: Ending(0)])
def test_a_program_that_fails_is_no_image_without_contents(tmp_path: Path, program: Program) -> None:
    with pytest.raises(ShiplineError, match="syft could not say"):
        image_bill(make_layout(tmp_path / "image"), commands(syft=program), tmp_path)


@pytest.mark.parametrize(
    ("kind", "predicate"), [("https://spdx.dev/Document", SPDX), ("https://cyclonedx.org/bom", BILL)]
)
def test_what_the_build_has_put_in_is_found(tmp_path: Path, kind: str, predicate: Any) -> None:
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "predicate": predicate}
    made = image_bill(layout_with(tmp_path / "image", statement), commands(), tmp_path)
    assert made is not None
    assert (json.loads(made.document), made.source) == (predicate, "the image's own build")
    assert [one.name for one in components_in(made.document)][-1].endswith("zlib")


def test_without_all_that_nobody_knows(tmp_path: Path) -> None:
    """A statement of another kind is no SBOM; an empty one is refused; a chart is no image, and no program is asked."""
    other = {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {}}
    assert image_bill(layout_with(tmp_path / "a", other), commands(), tmp_path) is None
    empty = {"predicateType": "https://spdx.dev/Document", "predicate": SPDX | {"packages": []}}
    with pytest.raises(InvalidValue):
        image_bill(layout_with(tmp_path / "b", empty), commands(), tmp_path)
    chart = make_layout(tmp_path / "c", platforms=("amd64",))
    described = json.loads((chart / "index.json").read_text())["manifests"][0]
    place = chart / "blobs" / described["digest"].replace(":", "/")
    document = json.loads(place.read_text())
    document["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    root = blob(chart, json.dumps(document).encode(), MANIFEST)
    (chart / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    assert image_bill(chart, commands(syft=writing("", 1)), tmp_path) is None
