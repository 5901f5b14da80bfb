"""SBOMs of container images: by Syft or Trivy where one of them is installed, else the one that the build has put in.

Neither asks another machine for that. What a build puts in are in-toto statements in the image's own index, as BuildKit
writes them with `--sbom=true`: https://docs.docker.com/build/metadata/attestations/attestation-storage/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.capabilities.evidence.bills.components import DOCUMENT_BYTES_MAX, components_in
from shipline.clients.oci_layout import Descriptor, Layout, open_layout
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.domain.strict_json import read_json
from shipline.ports.command import Commands

STATEMENT = "application/vnd.in-toto+json"
PREDICATES = ("https://cyclonedx.org/bom", "https://spdx.dev/Document")
# From: the OCI image specification 1.1 (media-types.md), and what Docker wrote before it.
CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
TIMEOUT_S = 900
# From: https://github.com/anchore/syft/wiki (1.38) and https://trivy.dev/latest/docs/supply-chain/sbom/ (0.66).
_ENVIRONMENT = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "NO_COLOR": "1", "CI": "true"}
_WHY_CHARACTERS_MAX = 1000


@dataclass(frozen=True, slots=True)
class ImageBill:
    """An SBOM as its maker wrote it, CycloneDX or SPDX 2 in JSON. `source` says who that was."""

    document: bytes
    source: str


def image_bill(layout: Path, commands: Commands, work: Path) -> ImageBill | None:
    """The SBOM of the image in an OCI layout; None where nothing here can make one, and none was put in.

    `work` is a folder for what is written meanwhile. ShiplineError where the program that is installed for it fails:
    an image of which nobody knows what is in it must not pass for one that nobody has looked at.
    """
    with open_layout(layout) as opened:
        if not _is_image(opened):
            return None  # A chart, or any other artifact in the form of an image.
    output = work / "sbom.json"
    for program, arguments in _programs(layout, output):
        found = commands.find(program)
        if found is not None:
            output.unlink(missing_ok=True)
            ended = commands.run((found, *arguments), folder=work, environment=_ENVIRONMENT, timeout_s=TIMEOUT_S)
            if ended.exit_code != 0 or not output.is_file():
                raise _failed(program, f"exit code {ended.exit_code}: {ended.output_tail.strip()}")
            return ImageBill(_checked(output, program), program)
    with open_layout(layout) as opened:
        document = _put_in(opened)
    return None if document is None else ImageBill(document, "the image's own build")


def _is_image(layout: Layout) -> bool:
    return any(one.blobs and one.blobs[0].media_type in CONFIGS for one in layout.manifests())


def _programs(layout: Path, output: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    kind = "oci-dir" if layout.is_dir() else "oci-archive"
    return (
        ("syft", ("scan", f"{kind}:{layout}", "--quiet", "--output", f"cyclonedx-json@1.6={output}")),
        (
            "trivy",
            (
                *("image", "--input", str(layout), "--format", "cyclonedx", "--output", str(output), "--quiet"),
                *("--offline-scan", "--skip-java-db-update"),
            ),
        ),
    )


def _failed(program: str, why: str) -> ShiplineError:
    return ShiplineError(
        f"{program} could not say what the image consists of",
        why=why[:_WHY_CHARACTERS_MAX],
        todo=f"run {program} on the image yourself; where it is not wanted, take it off the path",
    )


def _checked(output: Path, program: str) -> bytes:
    with output.open("rb") as file:
        document = file.read(DOCUMENT_BYTES_MAX + 1)
    try:
        components_in(document)
    except InvalidValue as error:
        raise _failed(program, error.sentence()) from None
    return document


def _put_in(layout: Layout) -> bytes | None:
    """The first SBOM among the image's statements; those of other platforms differ in little."""
    blobs = [blob for one in layout.manifests() for blob in one.blobs if blob.media_type == STATEMENT]
    for blob in blobs:
        predicate = _predicate(layout, blob)
        if predicate is not None:
            document = json.dumps(predicate, ensure_ascii=False, sort_keys=True).encode()
            components_in(document)
            return document
    return None


def _predicate(layout: Layout, blob: Descriptor) -> Any:
    """What an in-toto statement says, None where it is no SBOM."""
    if blob.size > DOCUMENT_BYTES_MAX:
        raise InvalidValue(f"a statement in the image is larger than {DOCUMENT_BYTES_MAX} bytes")
    content = b"".join(layout.chunks(blob))
    statement = read_json(content, what="a statement in the image", limit_bytes=DOCUMENT_BYTES_MAX)
    if not isinstance(statement, dict) or statement.get("predicateType") not in PREDICATES:
        return None
    return statement.get("predicate")
