"""The package.json that is published: without `workspace:` and `catalog:`, which npm packs as they stand and nobody can
install. Pure.

They become what pnpm and Yarn publish: `workspace:^` the caret range of the version that the other package has in the
same commit, `workspace:~` the tilde range, `workspace:*` that very version, any other range itself, and `catalog:` what
the catalogue says.

From: https://pnpm.io/workspaces#publishing-workspace-packages, https://pnpm.io/catalogs and
https://yarnpkg.com/features/workspaces#publishing-workspaces.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shipline.domain.errors import ShiplineError

WORKSPACE, CATALOG = "workspace:", "catalog:"
FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
DEFAULT = "default"
_OR = re.compile(r"\s*\|\|\s*")


@dataclass(frozen=True, slots=True)
class Workspace:
    """What stands beside a package: `members` are name and version by folder (from the top, "" for it), `catalogs` the
    ranges by dependency, by catalogue."""

    members: Mapping[str, tuple[str, str]]
    catalogs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def version_of(self, name: str) -> str | None:
        """The version of the package of this name: of the one nearest to the top, since tests bring others."""
        folders = sorted((path for path, (held, _) in self.members.items() if held == name), key=_depth)
        nearest = {self.members[path][1] for path in folders if _depth(path) == _depth(folders[0])}
        if len(nearest) > 1:
            raise ShiplineError(
                f"two folders are the package {name[:80]}, with different versions",
                why=", ".join(folders)[:200],
                todo="give one of them another name",
            )
        return next(iter(nearest), None)


def needs_rewriting(manifest: Mapping[str, Any]) -> bool:
    """True if a range in it is one that no registry's client understands."""
    return any(
        isinstance(wanted, str) and (WORKSPACE in wanted or wanted.startswith(CATALOG))
        for ranges in _tables(manifest).values()
        for wanted in ranges.values()
    )


def published(manifest: Mapping[str, Any], workspace: Workspace, *, folder: str) -> dict[str, Any]:
    """The same with ranges that can be installed. `folder` is the package's, from the top.

    ShiplineError where a package or an entry of a catalogue is not there.
    """
    tables = {
        name: {
            other: _range(other, wanted, workspace, folder) if isinstance(wanted, str) else wanted
            for other, wanted in ranges.items()
        }
        for name, ranges in _tables(manifest).items()
    }
    return {**manifest, **tables}


def _tables(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: manifest[name] for name in FIELDS if isinstance(manifest.get(name), dict)}


def _range(name: str, wanted: str, workspace: Workspace, folder: str) -> str:
    if wanted.startswith(CATALOG):
        catalog = wanted.removeprefix(CATALOG).strip() or DEFAULT
        listed = workspace.catalogs.get(catalog, {}).get(name)
        if listed is None:
            raise ShiplineError(
                f"the range {wanted[:80]!r} of {name[:80]} is in no catalogue",
                why="catalogues stand in pnpm-workspace.yaml, .yarnrc.yml, or package.json at the top",
                todo=f"add {name[:80]} to the catalogue {catalog[:80]!r}, commit, then run this again",
            )
        wanted = listed
    if WORKSPACE not in wanted:
        return wanted
    return " || ".join(_alternative(name, one, workspace, folder) for one in _OR.split(wanted))


def _alternative(name: str, wanted: str, workspace: Workspace, folder: str) -> str:
    if not wanted.startswith(WORKSPACE):
        return wanted
    given = wanted.removeprefix(WORKSPACE).strip()
    place = posixpath.normpath(posixpath.join(folder, given)) if given.startswith(".") else given
    place = "" if place == "." else place
    if place in workspace.members and (given.startswith(".") or "/" in given):
        held, version = workspace.members[place]
        return version if held == name else f"npm:{held}@{version}"
    alias, at, range_ = given.rpartition("@")
    if at and alias:
        return f"npm:{alias}@{_written(alias, range_, workspace)}"
    return _written(name, given, workspace)


def _written(name: str, range_: str, workspace: Workspace) -> str:
    if range_ not in ("", "*", "^", "~"):
        if range_.startswith((".", "/")):
            raise _missing(range_)
        return range_
    version = workspace.version_of(name)
    if version is None:
        raise _missing(name)
    return f"{range_.removeprefix('*')}{version}"


def _missing(name: str) -> ShiplineError:
    return ShiplineError(
        f"the package needs {name[:80]} out of this repository, and no package.json there is of that name",
        why="a range with workspace: is published as the version which that package has",
        todo="correct the name, or give it a range of its own, commit, then run this again",
    )


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0
