"""Files that are no image as an OCI artifact, which a container registry keeps like one.

Source: OCI image specification 1.1, manifest.md, "Guidelines for Artifact Usage", and annotations.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipline.clients.oci_writer import entry, new_layout

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file and its media type. It is pulled under its own name where it is `named`."""

    path: Path
    media_type: str
    named: bool = True


@dataclass(frozen=True, slots=True)
class OCIArtifact:
    """What is to be written. `artifact_type` says what it is to those who pull it; "" leaves that to the type of
    `config`, a JSON document with its media type. `annotations` are those of the manifest."""

    files: tuple[ArtifactFile, ...]
    artifact_type: str = ""
    config: tuple[Mapping[str, Any], str] = field(default_factory=lambda: ({}, EMPTY_TYPE))
    annotations: Mapping[str, str] = field(default_factory=dict)


def write_artifact(artifact: OCIArtifact, destination: Path, *, epoch_s: int) -> str:
    """Write the artifact's layout, a tar; returns the digest of its manifest. The entries carry `epoch_s`."""
    with new_layout(destination, epoch_s=epoch_s) as writer:
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": entry(writer.document(*artifact.config)),
            "layers": [
                entry(writer.file(file.path, file.media_type))
                | ({"annotations": {TITLE: file.path.name}} if file.named else {})
                for file in artifact.files
            ],
            "annotations": dict(artifact.annotations),
        }
        if artifact.artifact_type != "":
            manifest["artifactType"] = artifact.artifact_type
        root = writer.document(manifest, MANIFEST_TYPE)
        writer.list_root(root)
    return root.digest


def time_of(epoch_s: int) -> str:
    """A time as annotations hold it (RFC 3339)."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
