"""A site that a command of the project's own builds, such as its documentation: all files as one artifact.

The command is code of the repository: it gets no credentials from the environment, and a time limit.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.site_archive import KIND, pack_site, site_name
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.archives import artifact
from shipline.providers.builder.command import run_build_command


@dataclass(frozen=True, slots=True)
class SiteBuilderSettings:
    """A `[[build]]` of a site.

    `command` is a list, run in the package's folder without a shell. In it `{output}` is the folder to leave the site
    in, `{version}`, `{commit}` and `{package}` are those of the release. SOURCE_DATE_EPOCH is set. `timeout_s` bounds
    it, in seconds.
    """

    command: tuple[str, ...]
    timeout_s: int = 3600

    def __post_init__(self) -> None:
        """Refuse a command that cannot know where the site goes."""
        if not any("{output}" in argument for argument in self.command):
            raise ConfigurationError("command: none of its entries holds {output}, where the site goes")


class SiteBuilder:
    """The Builder port over a command that leaves a folder."""

    api_version = 1
    ecosystem = ""
    asks_git = False
    kinds: tuple[str, ...] = (KIND,)
    Settings = SiteBuilderSettings

    def __init__(self, settings: SiteBuilderSettings, _context: ProviderContext) -> None:
        self._settings = settings

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One tar of the folder that the command leaves. ShiplineError where it leaves none, or links."""
        destination = output / site_name(request.package.name, request.version)
        with tempfile.TemporaryDirectory(prefix="shipline-site-") as name:
            site = Path(name) / "site"
            site.mkdir()
            command, timeout_s = self._settings.command, self._settings.timeout_s
            run_build_command(command, request, source=source, output=site, timeout_s=timeout_s)
            pack_site(site, destination, time_s=request.source_date_epoch_s)
        return (artifact(destination, KIND),)
