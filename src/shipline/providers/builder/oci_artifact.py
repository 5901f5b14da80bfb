"""Files that a command of the project's own leaves, as one OCI artifact: policies, models, bundles, plugins.

The command is code of the repository: it gets no credentials from the environment, and a time limit.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from shipline.clients.oci_artifact import ArtifactFile, OCIArtifact, time_of, write_artifact
from shipline.clients.oci_layout import layout_name
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.command import files_left, run_build_command

ANY_BYTES = "application/octet-stream"
# RFC 6838, 4.2.
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}")


@dataclass(frozen=True, slots=True)
class OCIArtifactBuilderSettings:
    """A `[[build]]` of an OCI artifact.

    `command` is a list, run in the package's folder without a shell. In it `{output}` is the folder to leave the files
    in, `{version}`, `{commit}` and `{package}` are those of the release. SOURCE_DATE_EPOCH is set. `artifact_type` is
    the media type that says what it is. `media_types` are those of its files, by patterns of their names, of which the
    first that fits counts; application/octet-stream for the rest. `timeout_s` bounds the command, in seconds.
    """

    command: tuple[str, ...]
    artifact_type: str
    media_types: dict[str, str] = field(default_factory=dict)
    timeout_s: int = 3600

    def __post_init__(self) -> None:
        """Refuse what cannot be an artifact."""
        if not any("{output}" in argument for argument in self.command):
            raise ConfigurationError("command: none of its entries holds {output}, where the files go")
        for media_type in (self.artifact_type, *self.media_types.values()):
            if not _MEDIA_TYPE.fullmatch(media_type):
                raise ConfigurationError(
                    f"{media_type[:80]!r} is no media type", todo="write it as application/vnd.example.policy.v1+tar"
                )


class OCIArtifactBuilder:
    """The Builder port over a command whose files a container registry keeps."""

    api_version = 1
    ecosystem = ""
    asks_git = False
    kinds: tuple[str, ...] = ("oci",)
    Settings = OCIArtifactBuilderSettings

    def __init__(self, settings: OCIArtifactBuilderSettings, _context: ProviderContext) -> None:
        self._settings = settings

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One layout with each file that the command left, sorted by name. ShiplineError for links and for none."""
        command, timeout_s = self._settings.command, self._settings.timeout_s
        path = output / layout_name(request.package.name, request.version)
        with tempfile.TemporaryDirectory(prefix="shipline-artifact-") as name:
            left = Path(name)
            run_build_command(command, request, source=source, output=left, timeout_s=timeout_s)
            files = tuple(ArtifactFile(each, self._type_of(each.name)) for each in files_left(left))
            # From: OCI image specification 1.1, annotations.md, "Pre-Defined Annotation Keys".
            annotations = {
                "org.opencontainers.image.title": request.package.name,
                "org.opencontainers.image.version": request.version,
                "org.opencontainers.image.revision": request.commit,
                "org.opencontainers.image.created": time_of(request.source_date_epoch_s),
            }
            artifact = OCIArtifact(files, self._settings.artifact_type, annotations=annotations)
            digest = write_artifact(artifact, path, epoch_s=request.source_date_epoch_s)
        return (Artifact(name=path.name, kind="oci", digest=digest, size=path.stat().st_size),)

    def _type_of(self, name: str) -> str:
        fits = (kind for pattern, kind in self._settings.media_types.items() if fnmatchcase(name, pattern))
        return next(fits, ANY_BYTES)
