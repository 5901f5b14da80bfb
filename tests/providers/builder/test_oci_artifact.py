"""Files of a command as one OCI artifact."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipline.clients.oci_layout import layout_digest, open_layout
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.oci_artifact import OCIArtifactBuilder, OCIArtifactBuilderSettings
from shipline.testing.fakes.clock import FakeClock

REQUEST = BuildRequest(Package("@acme/policies"), "1.2.0", "c" * 40, 1_700_000_000)
KIND = "application/vnd.acme.policies.v1"
WRITES = 'echo "$1" > "$0/version.txt"; printf "{}" > "$0/rules.json"; printf "{}" > "$0/again.json"'


def built(tmp_path: Path, script: str = WRITES, name: str = "out") -> tuple[Artifact, Path]:
    source, output = tmp_path / "source", tmp_path / name
    for folder in (source, output):
        folder.mkdir(exist_ok=True)
    settings = OCIArtifactBuilderSettings(
        ("sh", "-c", script, "{output}", "{version}"), KIND, {"rules.*": "application/json", "*.json": "text/plain"}
    )
    builder = OCIArtifactBuilder(settings, ProviderContext(tmp_path, tmp_path, FakeClock()))
    (artifact,) = builder.build(REQUEST, source=source, output=output)
    return artifact, output / artifact.name


def test_each_file_is_a_layer_with_its_name_and_type(tmp_path: Path) -> None:
    artifact, path = built(tmp_path)
    assert (artifact.name, artifact.kind, artifact.digest) == ("_acme_policies-1.2.0.oci", "oci", layout_digest(path))
    assert built(tmp_path, name="again")[0] == artifact
    with open_layout(path) as layout:
        (manifest,) = layout.manifests()
        contents = [b"".join(layout.chunks(blob)) for blob in manifest.blobs]
    document = json.loads(manifest.content)
    assert document["artifactType"] == KIND
    # The specification gives this descriptor ("Guidance for an Empty Descriptor").
    assert document["config"] == {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "size": 2,
    }
    layers = [(one["annotations"]["org.opencontainers.image.title"], one["mediaType"]) for one in document["layers"]]
    assert layers == [
        ("again.json", "text/plain"),
        ("rules.json", "application/json"),
        ("version.txt", "application/octet-stream"),
    ]
    assert contents == [b"{}", b"{}", b"{}", b"1.2.0\n"]
    assert document["annotations"]["org.opencontainers.image.revision"] == "c" * 40


@pytest.mark.parametrize(
    ("script", "said"),
    [("true", "left 0 files"), ('ln -s /etc/hostname "$0/a"', "no plain file"), ("exit 3", "exit code 3")],
)
def test_what_is_no_artifact_is_refused(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(ShiplineError, match=said):
        built(tmp_path, script)


@pytest.mark.parametrize(
    ("command", "kind", "media_types", "said"),
    [
        (("make", "policies"), KIND, {}, "output"),
        (("make", "{output}"), "policies", {}, "no media type"),
        (("make", "{output}"), KIND, {"*": "a/b\r\nc"}, "no media type"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(
    command: tuple[str, ...], kind: str, media_types: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        OCIArtifactBuilderSettings(command, kind, media_types)
