"""Python packages: an sdist, and a wheel built from it, by the `build` front end and the project's own back end.

The back end is code of the repository: it gets no credentials from the environment, a time limit, and what it makes
is believed only after its own metadata was read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from shipline.clients.programs import run_program, without_secrets
from shipline.domain.artifact import Artifact
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.archives import artifact, sdist_identity, wheel_identity

BUILD_TIMEOUT_S = 1_800.0
WHY_CHARACTERS_MAX = 2_000
_KINDS: tuple[tuple[str, str, Callable[[Path], tuple[str, str]]], ...] = (
    (".whl", "wheel", wheel_identity),
    (".tar.gz", "sdist", sdist_identity),
)


@dataclass(frozen=True, slots=True)
class PythonBuilderSettings:
    """The `[builder.python]` table.

    `python` is the interpreter that has `build` ("": the one that runs Shipline). With `isolation` the back end is
    installed from where pip's own configuration says; without it, what the interpreter has is used.
    """

    python: str = ""
    isolation: bool = True


class PythonBuilder:
    """The Builder port for Python packages."""

    api_version = 1
    ecosystem = "python"
    asks_git = True
    kinds: tuple[str, ...] = ("wheel", "sdist")
    Settings = PythonBuilderSettings

    def __init__(self, settings: PythonBuilderSettings, _context: ProviderContext) -> None:
        self._settings = settings

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One sdist and its wheels, sorted by name; the bytes repeat where the back end honours SOURCE_DATE_EPOCH."""
        package, wanted = request.package, _version(request.version)
        self._run(source / package.path, output, request.source_date_epoch_s)
        built = tuple(sorted(output.iterdir()))
        kinds = sorted({kind for path in built for suffix, kind, _ in _KINDS if path.name.endswith(suffix)})
        if kinds != ["sdist", "wheel"]:
            raise ShiplineError(f"building {package.name} made {', '.join(kinds) or 'nothing'}, not sdist and wheel")
        return tuple(_checked(path, package.name, wanted) for path in built)

    def _run(self, source: Path, output: Path, source_date_epoch_s: int) -> None:
        # `python -m` looks for modules where it is started first: in `output`, which is empty, no file of the
        # repository can stand in for `build`.
        arguments = [self._settings.python or sys.executable, "-m", "build", "--outdir", str(output.absolute())]
        if not self._settings.isolation:
            arguments.append("--no-isolation")
        outcome = run_program(
            [*arguments, str(source.absolute())],
            folder=output,
            environment={
                **without_secrets(os.environ),
                "SOURCE_DATE_EPOCH": str(source_date_epoch_s),
                "NO_COLOR": "1",
            },
            timeout_s=BUILD_TIMEOUT_S,
            package="python3",
        )
        if outcome.code != 0:
            raise _failed(outcome.output)


def _failed(output: str) -> ShiplineError:
    if "No module named build" in output:
        return ShiplineError("the interpreter that builds has no `build`", todo="install the package `build` into it")
    return ShiplineError(
        "the Python package cannot be built",
        why=output[-WHY_CHARACTERS_MAX:],
        todo="run `python -m build` in the package's folder, mend what it says, commit, then run this again",
    )


def _checked(path: Path, name: str, wanted: Version) -> Artifact:
    """The artifact, once its own metadata states the name and version asked for."""
    for suffix, kind, identity in _KINDS:
        if path.name.endswith(suffix) and path.is_file() and not path.is_symlink():
            stated_name, stated_version = identity(path)
            if canonicalize_name(stated_name) != canonicalize_name(name):
                raise ShiplineError(f"{path.name} is of the package {stated_name[:80]!r}, not of {name!r}")
            if _version(stated_version) != wanted:
                raise ShiplineError(
                    f"{path.name} states version {stated_version[:80]}, not {wanted}",
                    why="the version that is released and the one in the package's own files differ",
                    todo="let the version file that the back end reads be edited by the release (`version check`)",
                )
            return artifact(path, kind)
    raise ShiplineError(f"the build made {path.name[:80]!r}, which is neither sdist nor wheel")


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise InvalidValue(f"{text[:80]!r} is not a version by PEP 440") from None
