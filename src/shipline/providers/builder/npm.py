"""npm packages: the tarball that `npm pack` makes of what is committed.

Life-cycle scripts are not run: what is published is what is in the repository. npm gives every file in the tarball
one fixed time, so the bytes repeat for the same npm; SOURCE_DATE_EPOCH changes nothing. Ranges that only a workspace
understands are written out in the tarball's package.json, and stay as they are in the repository's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from shipline.clients.programs import run_program, without_secrets
from shipline.domain.artifact import Artifact
from shipline.domain.errors import ShiplineError
from shipline.ports.builder import BuildRequest
from shipline.ports.provider import ProviderContext
from shipline.providers.builder.archives import artifact, npm_identity
from shipline.providers.builder.npm_manifest import needs_rewriting, published
from shipline.providers.builder.npm_workspace import MANIFEST, read_manifest, read_workspace

PACK_TIMEOUT_S = 300.0
WHY_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class NPMBuilderSettings:
    """The `[builder.npm]` table: nothing to set."""


class NPMBuilder:
    """The Builder port for npm packages."""

    api_version = 1
    ecosystem = "npm"
    asks_git = False
    kinds: tuple[str, ...] = ("npm",)
    Settings = NPMBuilderSettings

    def __init__(self, _settings: NPMBuilderSettings, _context: ProviderContext) -> None:
        pass

    def build(self, request: BuildRequest, *, source: Path, output: Path) -> tuple[Artifact, ...]:
        """One tarball."""
        _write_ranges_out(source, request.package.path)
        outcome = run_program(
            ["npm", "pack", "--ignore-scripts", "--pack-destination", str(output.absolute())],
            folder=source / request.package.path,
            environment={
                **without_secrets(os.environ),
                "SOURCE_DATE_EPOCH": str(request.source_date_epoch_s),
                "NPM_CONFIG_UPDATE_NOTIFIER": "false",
            },
            timeout_s=PACK_TIMEOUT_S,
            package="npm",
        )
        built = tuple(output.iterdir())
        if outcome.code != 0 or len(built) != 1:
            raise ShiplineError(
                "the npm package cannot be packed",
                why=outcome.output[-WHY_CHARACTERS_MAX:],
                todo="run `npm pack --dry-run` in the package's folder, mend what it says, commit, then run this again",
            )
        stated = npm_identity(built[0])
        package, version = request.package, request.version
        if stated != (package.name, version):
            raise ShiplineError(
                f"{built[0].name} states {stated[0][:80]} {stated[1][:80]}, not {package.name} {version}",
                todo="let package.json be edited by the release (`version check`)",
            )
        return (artifact(built[0], "npm"),)


def _write_ranges_out(source: Path, folder: str) -> None:
    """Change package.json in `source`, which is a tree made for this build alone."""
    path = source / folder / MANIFEST
    manifest = read_manifest(path)
    if manifest is None or not needs_rewriting(manifest):
        return
    place = path.parent.relative_to(source).as_posix()
    told = published(manifest, read_workspace(source), folder="" if place == "." else place)
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
