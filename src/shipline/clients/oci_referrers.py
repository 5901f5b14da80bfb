"""The index that lists what refers to an image where a registry has no such list. Pure.

From: OCI distribution specification 1.1, "Referrers Tag Schema" and "Pushing Manifests with Subject".
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from shipline.domain.errors import ConflictError, InvalidValue
from shipline.domain.strict_json import read_json

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_BYTES_MAX = 4 * 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def referrers_tag(digest: str) -> str:
    """The tag of the index of an image's referrers."""
    return digest.replace(":", "-")


def entry_of(manifest: bytes) -> dict[str, Any]:
    """The descriptor that lists a manifest: with its artifact type (or its config's) and its annotations."""
    document = read_json(manifest, what="the manifest", limit_bytes=INDEX_BYTES_MAX)
    if not isinstance(document, dict):
        raise InvalidValue("a manifest is a JSON object")
    config = document.get("config")
    kind = document.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    described = {
        "mediaType": MANIFEST_TYPE,
        "digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        "size": len(manifest),
        "artifactType": kind,
        "annotations": document.get("annotations"),
    }
    return {name: value for name, value in described.items() if value is not None}


def with_entry(index: bytes | None, entry: dict[str, Any]) -> bytes | None:
    """The index that lists `entry` beside what `index` lists, in the same order; None where it does already.

    ConflictError where what lies under the tag is no index: it is somebody's image.
    """
    listed = [] if index is None else _listed(index)
    if any(isinstance(one, dict) and one.get("digest") == entry["digest"] for one in listed):
        return None
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [*listed, entry]}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def digests_in(listed: object) -> tuple[str, ...]:
    """The digests that an index lists, each once; what is no descriptor is passed over."""
    entries = listed if isinstance(listed, list | tuple) else ()
    stated = [one.get("digest") for one in entries if isinstance(one, dict)]
    return tuple(dict.fromkeys(one for one in stated if isinstance(one, str) and _DIGEST.fullmatch(one)))


def digests_in_index(index: bytes) -> tuple[str, ...]:
    """The digests that the index of referrers lists; none where it is none."""
    try:
        return digests_in(_listed(index))
    except (InvalidValue, ConflictError):
        return ()


def _listed(index: bytes) -> list[Any]:
    document = read_json(index, what="the index of referrers", limit_bytes=INDEX_BYTES_MAX)
    listed = document.get("manifests") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ConflictError(
            "something else lies under the tag that lists what refers to the image",
            why="registries without a list of referrers have that tag for it",
            todo="move that tag away",
        )
    return listed
