"""Helm charts, packaged as `helm package` and `helm push` do, without Helm: an OCI artifact that Helm pulls.

The package is the chart's folder as it is committed, with one time on everything. Dependencies that are not committed
under `charts/` are fetched by `helm dependency build`, by Chart.lock. Source: https://helm.sh/docs/topics/registries/
and Helm 4, pkg/registry (media types, annotations) and pkg/chart/loader/archive (bounds).
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.clients.oci_artifact import ArtifactFile, OCIArtifact, time_of, write_artifact
from shipline.clients.oci_layout import layout_name
from shipline.clients.programs import run_program, without_secrets
from shipline.clients.yaml_documents import read_documents
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.helm_ignore import HelmIgnore

CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json"
CHART_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
# Helm opens no larger ones.
FILE_BYTES_MAX = 5 * 1024 * 1024
CHART_BYTES_MAX = 100 * 1024 * 1024
MANIFEST = "Chart.yaml"
MANIFEST_BYTES_MAX = 1024 * 1024
FETCH_TIMEOUT_S = 600.0
WHY_CHARACTERS_MAX = 2_000
_ANNOTATION = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class HelmBuilderSettings:
    """The `[builder.helm]` table: nothing to set."""


class HelmBuilder:
    """The Builder port for Helm charts."""

    api_version = 1
    ecosystem = "helm"
    asks_git = False
    kinds: tuple[str, ...] = ("oci",)
    Settings = HelmBuilderSettings

    def __init__(self, _settings: HelmBuilderSettings, _context: ProviderContext) -> None:
        pass

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One layout with the chart. ShiplineError for links, what Helm could not open, and missing dependencies."""
        folder = source / request.package.path
        chart = _stated(folder, request)
        if _missing(chart, folder):
            _fetch(folder, _missing(chart, folder))
        path = output / layout_name(request.package.name, request.version)
        with tempfile.TemporaryDirectory(prefix="shipline-chart-") as name:
            packed = Path(name) / "chart.tgz"
            _pack(folder, packed, top=request.package.name, time_s=request.source_date_epoch_s)
            artifact = OCIArtifact(
                (ArtifactFile(packed, CHART_TYPE, named=False),),
                config=(chart, CONFIG_TYPE),
                annotations=_annotations(chart, request),
            )
            digest = write_artifact(artifact, path, epoch_s=request.source_date_epoch_s)
        return (Artifact(name=path.name, kind="oci", digest=digest, size=path.stat().st_size),)


def _stated(folder: Path, request: BuildRequest) -> dict[str, Any]:
    """What Chart.yaml says, which must be what is released."""
    try:
        (chart,) = read_documents(_content(folder / MANIFEST), what=MANIFEST, limit_bytes=MANIFEST_BYTES_MAX)
    except ValueError:
        raise InvalidValue(f"{MANIFEST} holds none or several documents") from None
    # Helm refuses to read numbers here.
    odd = next((key for key in ("name", "version", "appVersion") if not isinstance(chart.get(key, ""), str)), None)
    if odd is not None:
        raise InvalidValue(f"{MANIFEST} states {odd} without quotes, as a number", todo=f'write {odd}: "…"')
    package, version = request.package.name, request.version
    if (chart.get("name"), chart.get("version")) != (package, version):
        stated = f"{str(chart.get('name'))[:80]} {str(chart.get('version'))[:80]}"
        raise ShiplineError(
            f"{MANIFEST} states {stated}, not {package} {version}",
            todo="let Chart.yaml be edited by the release (`version check`)",
        )
    # YAML knows times, and JSON does not.
    plain: dict[str, Any] = json.loads(json.dumps(chart, default=str))
    return plain


def _missing(chart: dict[str, Any], folder: Path) -> tuple[str, ...]:
    """The dependencies that are not under `charts/`, neither as a folder nor packed."""
    listed = chart.get("dependencies")
    names = [str(each.get("name")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    there = {path.name for path in (folder / "charts").glob("*")}
    return tuple(
        name
        for name in names
        if name not in there and not any(one.startswith(f"{name}-") and one.endswith(".tgz") for one in there)
    )


def _fetch(folder: Path, missing: tuple[str, ...]) -> None:
    """Let Helm put what Chart.lock names under `charts/`."""
    outcome = run_program(
        ["helm", "dependency", "build", str(folder)],
        folder=folder,
        environment=without_secrets(os.environ),
        timeout_s=FETCH_TIMEOUT_S,
        package="helm",
    )
    if outcome.code != 0:
        raise ShiplineError(
            f"the chart's dependencies cannot be fetched: {', '.join(missing)[:200]}",
            why=outcome.output[-WHY_CHARACTERS_MAX:],
            todo="run `helm dependency update` in the chart's folder and commit Chart.lock, or commit `charts/`",
        )


def _pack(folder: Path, destination: Path, *, top: str, time_s: int) -> None:
    """One folder called `top` as a tar.gz, Chart.yaml first."""
    ignored = HelmIgnore(_content(folder / ".helmignore").decode("utf-8", "replace"))
    paths = sorted(_files(folder, "", ignored), key=lambda path: (path != MANIFEST, path))
    with (
        destination.open("wb") as stream,
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=time_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        left = CHART_BYTES_MAX
        for path in paths:
            content = _content(folder / path)
            left -= len(content)
            if left < 0:
                raise ShiplineError(
                    f"the chart holds more than {CHART_BYTES_MAX >> 20} MiB, and Helm opens no such chart",
                    todo="keep what is no part of it out by .helmignore",
                )
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size, member.mtime, member.mode = len(content), time_s, 0o644
            archive.addfile(member, io.BytesIO(content))


def _files(folder: Path, inside: str, ignored: HelmIgnore) -> Iterator[str]:
    """The paths of what is packed, from the chart's folder on."""
    for path in sorted((folder / inside).iterdir()):
        name = f"{inside}{path.name}"
        is_folder = path.is_dir() and not path.is_symlink()
        if ignored.leaves_out(name, is_folder=is_folder):
            continue
        if is_folder:
            yield from _files(folder, f"{name}/", ignored)
        elif path.is_symlink() or not path.is_file():
            raise ShiplineError(f"the chart holds {name[:80]!r}, which is no plain file")
        else:
            yield name


def _content(path: Path) -> bytes:
    """A file's bytes; none where there is no file."""
    if path.is_symlink():
        raise ShiplineError(f"the chart's {path.name[:80]!r} is a link")
    if not path.exists():
        return b""
    with path.open("rb") as stream:
        content = stream.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise ShiplineError(
            f"{path.name[:80]} holds more than {FILE_BYTES_MAX >> 20} MiB, and Helm opens no chart with such a file",
            todo="keep it out by .helmignore",
        )
    return content


def _annotations(chart: dict[str, Any], request: BuildRequest) -> dict[str, str]:
    """Those that `helm push` makes of Chart.yaml, and the commit."""
    maintainers = [one for one in _listed(chart, "maintainers") if isinstance(one, dict)]
    named = [
        f"{one.get('name', '')} ({one['email']})" if one.get("email") else one.get("name", "") for one in maintainers
    ]
    made = {
        "description": chart.get("description"),
        "url": chart.get("home"),
        "source": next(iter(_listed(chart, "sources")), None),
        "authors": ", ".join(str(name).strip() for name in named),
        "created": time_of(request.source_date_epoch_s),
        "revision": request.commit,
    }
    own = chart.get("annotations")
    return {
        **{f"{_ANNOTATION}{key}": value for key, value in made.items() if isinstance(value, str) and value.strip()},
        **({key: str(value) for key, value in own.items()} if isinstance(own, dict) else {}),
        f"{_ANNOTATION}title": request.package.name,
        f"{_ANNOTATION}version": request.version,
    }


def _listed(chart: dict[str, Any], key: str) -> list[Any]:
    value = chart.get(key)
    return value if isinstance(value, list) else []
