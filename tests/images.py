"""Small images and artifacts as OCI layouts, for tests."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def blob(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    """Put a blob into a layout; returns its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    place = folder / "blobs" / "sha256" / digest
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def manifest(folder: Path, layer: bytes, architecture: str) -> dict[str, Any]:
    """An image of one layer."""
    config = json.dumps({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(folder, config.encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(folder, layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    described = blob(folder, json.dumps(document).encode(), MANIFEST)
    return described | {"platform": {"architecture": architecture, "os": "linux"}}


def make_layout(folder: Path, *, content: str = "one", platforms: tuple[str, ...] = ("amd64", "arm64")) -> Path:
    """A layout with one image, for several platforms under one index."""
    folder.mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    made = [manifest(folder, f"{content} {platform}".encode(), platform) for platform in platforms]
    root = made[0]
    if len(made) > 1:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": made}
        root = blob(folder, json.dumps(index).encode(), INDEX)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    return folder


def packed(layout: Path) -> Path:
    """The same layout as one tar, of the same name."""
    place = layout.with_name("packed") / layout.name
    place.parent.mkdir()
    with tarfile.open(place, "w") as archive:
        archive.add(layout, arcname=".")
    return place
