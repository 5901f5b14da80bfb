"""The manifests by which signatures, statements and SBOMs hang on an image in its registry. Pure.

From: https://github.com/sigstore/cosign v2.5 and v3, specs/SIGNATURE_SPEC.md, specs/ATTESTATION_SPEC.md,
specs/SBOM_SPEC.md and specs/BUNDLE_SPEC.md; OCI image specification 1.1, manifest.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from shipline.domain.errors import InvalidValue
from shipline.domain.strict_json import read_json
from shipline.ports.attachments import Subject

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
PREDICATE_TYPE = "predicateType"
BUNDLE_CONTENT, BUNDLE_PREDICATE = "dev.sigstore.bundle.content", "dev.sigstore.bundle.predicateType"
EMPTY = b"{}"
MANIFEST_BYTES_MAX = 4 * 1024 * 1024
LAYERS_MAX = 200
# The older format has no place for a time, and cosign writes Go's zero for one.
NO_TIME = "0001-01-01T00:00:00Z"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that is attached: a blob, and what is said of it. `size` is in bytes."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """A manifest and its config, a blob that has to be there first."""

    manifest: bytes
    config: bytes


def tag_of(digest: str, kind: str) -> str:
    """The tag under which the older format keeps things of a `kind`: `sig`, `att` or `sbom`."""
    return f"{digest.replace(':', '-')}.{kind}"


def layer_of(content: bytes, media_type: str, annotations: dict[str, str]) -> Layer:
    """The layer of a blob."""
    return Layer(media_type, _digest(content), len(content), annotations)


def read_layers(manifest: bytes) -> tuple[Layer, ...]:
    """What a manifest attaches, LAYERS_MAX at most. InvalidValue where it is none, or a layer is no descriptor."""
    document = read_json(manifest, what="the manifest", limit_bytes=MANIFEST_BYTES_MAX)
    listed = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > LAYERS_MAX:
        raise InvalidValue(f"it is no manifest of 1 to {LAYERS_MAX} layers")
    return tuple(_layer(one) for one in listed)


def subject_of(manifest: bytes) -> str:
    """The digest of the image that a manifest refers to, "" where it refers to none."""
    match read_json(manifest, what="the manifest", limit_bytes=MANIFEST_BYTES_MAX):
        case {"subject": {"digest": str(digest)}}:
            return digest
    return ""


def with_layer(manifest: bytes | None, layer: Layer) -> Written:
    """The older format's manifest with one layer more: `manifest`'s own stay as they are, and in their order."""
    before = () if manifest is None else read_layers(manifest)
    if len(before) >= LAYERS_MAX:
        raise InvalidValue(f"{LAYERS_MAX} things are attached to the image already", todo="remove old ones")
    layers = [*before, layer]
    config = _json(
        {
            "architecture": "",
            "config": {},
            "created": NO_TIME,
            "history": [{"created": NO_TIME} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [one.digest for one in layers]},
        }
    )
    described = {"mediaType": CONFIG_TYPE, "digest": _digest(config), "size": len(config)}
    return Written(_manifest(described, layers, {}), config)


def referring(subject: Subject, layer: Layer, *, predicate_type: str) -> Written:
    """A manifest that refers to the image, around a bundle of a statement of that type."""
    described = {"mediaType": EMPTY_TYPE, "digest": _digest(EMPTY), "size": len(EMPTY)}
    more = {
        "artifactType": layer.media_type,
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
        "annotations": {BUNDLE_CONTENT: "dsse-envelope", BUNDLE_PREDICATE: predicate_type},
    }
    return Written(_manifest(described, [layer], more), EMPTY)


def _manifest(config: dict[str, Any], layers: list[Layer], more: dict[str, Any]) -> bytes:
    described = [
        {"mediaType": one.media_type, "digest": one.digest, "size": one.size}
        | ({"annotations": one.annotations} if one.annotations else {})
        for one in layers
    ]
    fixed = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": described}
    return _json(fixed | more)


def _layer(one: object) -> Layer:
    match one:
        case {"mediaType": str(kind), "digest": str(digest), "size": int(size)} if _DIGEST.fullmatch(digest):
            stated = one.get("annotations") if isinstance(one, dict) else None
            annotations = stated if isinstance(stated, dict) else {}
            return Layer(kind, digest, size, {name: str(value) for name, value in annotations.items()})
    raise InvalidValue("a layer has no media type, sha256 digest and size")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
