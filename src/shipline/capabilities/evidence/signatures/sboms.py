"""SBOMs in cosign's older form: documents under an image's tag `.sbom`, which nobody signs.

From: https://github.com/sigstore/cosign v2.5, specs/SBOM_SPEC.md, and pkg/types/media.go for the media types.
"""

from __future__ import annotations

from dataclasses import dataclass

import rfc8785

from shipline.capabilities.evidence.dsse import Envelope
from shipline.capabilities.evidence.signatures.attached import Layer, layer_of, read_layers, tag_of
from shipline.capabilities.evidence.signatures.claims import PREDICATE_BYTES_MAX, SPDX
from shipline.capabilities.evidence.signatures.signing import attach
from shipline.capabilities.evidence.statements import CYCLONEDX, read_statement
from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json
from shipline.ports.attachments import Attachments, Subject

KINDS = ("text/spdx", "application/vnd.cyclonedx", "application/vnd.syft")


@dataclass(frozen=True, slots=True)
class AttachedSBOM:
    """A document beside an image, and what it is said to be."""

    media_type: str
    document: bytes


def media_type_of(document: bytes) -> str:
    """What an SBOM is, by its content. InvalidValue where it is neither CycloneDX nor SPDX."""
    text = document[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    if text.startswith(b"SPDXVersion:"):
        return "text/spdx"
    if text.startswith(b"<") and b"http://cyclonedx.org/schema/bom/" in text:
        return "application/vnd.cyclonedx+xml"
    if text.startswith(b"{"):
        match read_json(document, what="the SBOM", limit_bytes=PREDICATE_BYTES_MAX):
            case {"bomFormat": "CycloneDX"}:
                return "application/vnd.cyclonedx+json"
            case {"spdxVersion": str()}:
                return "text/spdx+json"
    raise InvalidValue("the file is no SBOM", todo="give CycloneDX in JSON or XML, or SPDX 2 in JSON or tag-value form")


def sbom_in(envelope: Envelope) -> AttachedSBOM | None:
    """The SBOM that a statement states; None where it states something else."""
    statement = read_statement(envelope.payload)
    if statement.predicate_type not in (CYCLONEDX, SPDX):
        return None
    document = rfc8785.dumps(statement.predicate)
    return AttachedSBOM(media_type_of(document), document)


def attach_sbom(attachments: Attachments, subject: Subject, sbom: AttachedSBOM) -> bool:
    """Put an SBOM beside an image; False where it was there already."""
    layer = layer_of(sbom.document, sbom.media_type, {})

    def add(manifest: bytes | None) -> tuple[Layer, bytes] | None:
        there = manifest is not None and layer.digest in (one.digest for one in read_layers(manifest))
        return None if there else (layer, sbom.document)

    return attach(attachments, tag_of(subject.digest, "sbom"), add)


def attached_sboms(attachments: Attachments, subject: Subject) -> tuple[AttachedSBOM, ...]:
    """The SBOMs beside an image. InvalidValue where what lies there is of another form."""
    manifest = attachments.tagged(tag_of(subject.digest, "sbom"))
    layers = () if manifest is None else read_layers(manifest)
    return tuple(
        AttachedSBOM(one.media_type, attachments.blob(one.digest, bytes_max=PREDICATE_BYTES_MAX))
        for one in layers
        if one.media_type.startswith(KINDS)
    )
