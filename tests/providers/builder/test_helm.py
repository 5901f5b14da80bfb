"""Charts as OCI artifacts: what Helm would read out of them, and what it could not."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from shipline.clients.oci_layout import layout_digest, open_layout
from shipline.domain.artifact import Artifact
from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.domain.package import Package
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder import helm
from shipline.providers.builder.helm import HelmBuilder, HelmBuilderSettings
from shipline.testing.fakes.clock import FakeClock

REQUEST = BuildRequest(Package("quotes", "charts/quotes", "helm"), "1.2.0", "c" * 40, 1_700_000_000)
CHART = """apiVersion: v2
name: quotes
version: 1.2.0
appVersion: "3.4"
description: Says quotes
home: https://example.com/quotes
sources: [https://example.com/source]
maintainers:
  - {name: Ann, email: ann@example.com}
  - {name: Bo}
annotations:
  example.com/team: words
  org.opencontainers.image.title: something else
  since: 2024-01-02
"""
FETCHING = """#!/bin/sh
test "$1 $2" = "dependency build" || exit 9
test -z "$INDEX_TOKEN" || exit 8
mkdir -p "$3/charts" && echo packed > "$3/charts/common-1.0.0.tgz"
"""


def chart_in(tmp_path: Path, manifest: str = CHART) -> Path:
    folder = tmp_path / "source" / "charts" / "quotes"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(manifest)
    (folder / "values.yaml").write_text("replicas: 2\n")
    (folder / "templates" / "service.yaml").write_text("kind: Service\n")
    (folder / "templates" / ".service.yaml.swp").write_text("rubbish")
    (folder / ".helmignore").write_text("ci/\n*.md\n")
    (folder / "ci").mkdir()
    (folder / "ci" / "values.yaml").write_text("replicas: 1\n")
    (folder / "NOTES.md").write_text("notes")
    return folder


def built(tmp_path: Path, name: str = "out") -> tuple[Artifact, Path]:
    output = tmp_path / name
    output.mkdir()
    builder = HelmBuilder(HelmBuilderSettings(), ProviderContext(tmp_path, tmp_path, FakeClock()))
    (artifact,) = builder.build(REQUEST, source=tmp_path / "source", output=output)
    return artifact, output / artifact.name


def opened(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, bytes]]:
    """The manifest, the config and the files of the chart."""
    with open_layout(path) as layout:
        (manifest,) = layout.manifests()
        config, packed = (b"".join(layout.chunks(blob)) for blob in manifest.blobs)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        files = {}
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            assert (member.mtime, member.mode, member.uname) == (1_700_000_000, 0o644, "")
            files[member.name] = content.read()
    return json.loads(manifest.content), json.loads(config), files


def test_helm_finds_what_helm_push_would_have_sent(tmp_path: Path) -> None:
    folder = chart_in(tmp_path)
    artifact, path = built(tmp_path)
    assert (artifact.name, artifact.kind, artifact.digest) == ("quotes-1.2.0.oci", "oci", layout_digest(path))
    manifest, config, files = opened(path)
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    assert "annotations" not in layer
    assert "artifactType" not in manifest
    assert (config["name"], config["version"], config["appVersion"]) == ("quotes", "1.2.0", "3.4")
    assert list(files) == [
        "quotes/Chart.yaml",
        "quotes/.helmignore",
        "quotes/templates/service.yaml",
        "quotes/values.yaml",
    ]
    assert files["quotes/Chart.yaml"] == (folder / "Chart.yaml").read_bytes()
    assert manifest["annotations"] == {
        "org.opencontainers.image.title": "quotes",
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.description": "Says quotes",
        "org.opencontainers.image.url": "https://example.com/quotes",
        "org.opencontainers.image.source": "https://example.com/source",
        "org.opencontainers.image.authors": "Ann (ann@example.com), Bo",
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
        "org.opencontainers.image.revision": "c" * 40,
        "example.com/team": "words",
        "since": "2024-01-02",
    }


def test_the_same_commit_is_the_same_chart(tmp_path: Path) -> None:
    folder = chart_in(tmp_path)
    first, _ = built(tmp_path)
    for path in folder.rglob("*"):
        path.touch()
    assert built(tmp_path, "again")[0] == first


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("version: 1.2.0", "version: 1.1.0", "states quotes 1.1.0, not quotes 1.2.0"),
        ("name: quotes", "name: others", "states others 1.2.0"),
        ('appVersion: "3.4"', "appVersion: 3.4", "appVersion without quotes"),
        ("apiVersion: v2", "a: &a [1]\nb: *a", "cannot be read as YAML"),
        ("apiVersion: v2", "---\na: 1\n---", "none or several"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    chart_in(tmp_path, CHART.replace(before, after))
    with pytest.raises(ShiplineError, match=said):
        built(tmp_path)


@pytest.mark.parametrize("link", ["values.yaml", "templates/evil.yaml", "Chart.yaml", ".helmignore", "charts"])
def test_links_lead_nowhere(tmp_path: Path, link: str) -> None:
    folder = chart_in(tmp_path)
    (folder / link).unlink(missing_ok=True)
    (folder / link).symlink_to("/etc")
    with pytest.raises(ShiplineError, match=r"link|plain file"):
        built(tmp_path)


def test_a_chart_that_helm_would_not_open_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = chart_in(tmp_path)
    with (folder / "large.bin").open("wb") as stream:
        stream.truncate(5 * 1024 * 1024 + 1)
    with pytest.raises(ShiplineError, match="more than 5 MiB") as caught:
        built(tmp_path)
    assert ".helmignore" in caught.value.todo
    (folder / "large.bin").unlink()
    monkeypatch.setattr(helm, "CHART_BYTES_MAX", 300)
    with pytest.raises(ShiplineError, match="Helm opens no such chart"):
        built(tmp_path, "again")


WITH_DEPENDENCY = CHART + "dependencies:\n  - {name: common, version: 1.0.0, repository: https://example.com/charts}\n"


@pytest.mark.parametrize("there", ["common", "common-1.0.0.tgz"])
def test_committed_dependencies_are_packed_as_they_are(tmp_path: Path, there: str) -> None:
    folder = chart_in(tmp_path, WITH_DEPENDENCY)
    place = folder / "charts" / there
    if there.endswith(".tgz"):
        place.parent.mkdir()
        place.write_bytes(b"packed")
    else:
        place.mkdir(parents=True)
        (place / "Chart.yaml").write_text("name: common\n")
    assert any(name.startswith(f"quotes/charts/{there}") for name in opened(built(tmp_path)[1])[2])


def test_others_are_fetched_by_helm_which_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart_in(tmp_path, WITH_DEPENDENCY)
    monkeypatch.setenv("INDEX_TOKEN", "a secret")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingProgram, match="helm"):
        built(tmp_path)
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    program.write_text(FETCHING)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    assert "quotes/charts/common-1.0.0.tgz" in opened(built(tmp_path, "again")[1])[2]


def test_helm_s_own_words_are_shown_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart_in(tmp_path, WITH_DEPENDENCY)
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\necho 'no repository definition for https://example.com/charts' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ShiplineError, match="common") as caught:
        built(tmp_path)
    assert "no repository definition" in caught.value.why
