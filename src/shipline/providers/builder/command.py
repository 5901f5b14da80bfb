"""Whatever a command of the project's own builds: every file that it leaves in a folder is an artifact.

The command is code of the repository: it gets no credentials from the environment, and a time limit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.programs import run_program, without_secrets
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.archives import artifact

WHY_CHARACTERS_MAX = 2_000
FILES_MAX = 200


@dataclass(frozen=True, slots=True)
class CommandBuilderSettings:
    """A `[[build]]` by a command.

    `command` is a list, run in the package's folder without a shell. In it `{output}` is the folder to leave the
    artifacts in, `{version}`, `{commit}` and `{package}` are those of the release. SOURCE_DATE_EPOCH is set.
    `timeout_s` bounds it, in seconds.
    """

    command: tuple[str, ...]
    timeout_s: int = 3600

    def __post_init__(self) -> None:
        """Refuse to build with nothing."""
        if not self.command:
            raise ConfigurationError("command: needs 1 or more entries")


class CommandBuilder:
    """The Builder port over a command."""

    api_version = 1
    ecosystem = ""
    asks_git = False
    kinds: tuple[str, ...] = ("file",)
    Settings = CommandBuilderSettings

    def __init__(self, settings: CommandBuilderSettings, _context: ProviderContext) -> None:
        self._settings = settings

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """The plain files in the output, sorted by name. Refuses links, folders, more than FILES_MAX, and none."""
        command, timeout_s = self._settings.command, self._settings.timeout_s
        run_build_command(command, request, source=source, output=output, timeout_s=timeout_s)
        return tuple(artifact(path, "file") for path in files_left(output))


def files_left(output: Path) -> tuple[Path, ...]:
    """What a command left in a folder, sorted by name. ShiplineError for links, folders, more than FILES_MAX, none."""
    left = sorted(output.iterdir())
    if not 0 < len(left) <= FILES_MAX:
        raise ShiplineError(
            f"the build command left {len(left)} files, and 1 to {FILES_MAX} are expected",
            todo="let it write the artifacts into the folder that {output} stands for",
        )
    odd = next((path for path in left if path.is_symlink() or not path.is_file()), None)
    if odd is not None:
        raise ShiplineError(f"the build command left {odd.name[:80]!r}, which is no plain file")
    return tuple(left)


def run_build_command(
    command: tuple[str, ...], request: BuildRequest, *, source: Path, output: Path, timeout_s: int
) -> None:
    """Run a command of the project's own in the package's folder, its placeholders filled in. ShiplineError, with the
    end of what it said, where it fails."""
    outcome = run_program(
        _filled(command, request, output),
        folder=source / request.package.path,
        environment={**without_secrets(os.environ), "SOURCE_DATE_EPOCH": str(request.source_date_epoch_s)},
        timeout_s=timeout_s,
        package=command[0],
    )
    if outcome.code != 0:
        raise ShiplineError(
            f"the build command {command[0]!r} ended with exit code {outcome.code}",
            why=outcome.output[-WHY_CHARACTERS_MAX:],
            todo="run it in the package's folder, mend what it says, commit, then run this again",
        )


def _filled(command: tuple[str, ...], request: BuildRequest, output: Path) -> list[str]:
    values = {
        "{output}": str(output.absolute()),
        "{version}": request.version,
        "{commit}": request.commit,
        "{package}": request.package.name,
    }
    arguments = []
    for argument in command:
        for placeholder, value in values.items():
            argument = argument.replace(placeholder, value)  # noqa: PLW2901 - filled in place after place
        arguments.append(argument)
    return arguments
