"""What the manifest of a package says of it. Values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shipline.domain.package import Package

CATALOG = "catalog:"
DEFAULT_CATALOG = "default"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a package requires of another one.

    `name` is the other package as the manifest at `path` writes it, `range` the versions that it wants in the words of
    `dialect`: npm, cargo, poetry, pep440 or helm. A `peer` is required of whoever uses the package; what
    is required for `development` alone is in no published package. A `shared` range stands in a file of the workspace,
    where others may take it as well.
    """

    name: str
    range: str
    dialect: Literal["npm", "cargo", "poetry", "pep440", "helm"]
    path: str
    peer: bool = False
    development: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class CargoWorkspace:
    """What the manifest at `path` gives to the crates of its workspace: `version`, and `dependencies` as it has them.

    From: https://doc.rust-lang.org/cargo/reference/workspaces.html#the-dependencies-table
    """

    path: str
    version: str | None
    dependencies: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The ranges that the pnpm-workspace.yaml at `path` gives to the packages of its workspace, by catalogue and name.

    From: https://pnpm.io/catalogs
    """

    path: str
    ranges: Mapping[str, Mapping[str, str]]

    def range_of(self, name: str, written: str) -> str | None:
        """What `catalog:` or `catalog:NAME` stands for; None for what is none, and for no range."""
        if not written.startswith(CATALOG):
            return None
        catalog = written.removeprefix(CATALOG).strip() or DEFAULT_CATALOG
        return self.ranges.get(catalog, {}).get(name)


@dataclass(frozen=True, slots=True)
class Found:
    """A package and what its files say.

    `version` is what `version_path` states, None where it is not known. Where it is None, the first of
    `version_paths` that has a `__version__` states it.
    `shares_version` says that the version is the workspace's own, which all such members have in common.
    """

    package: Package
    version: str | None = None
    version_path: str = ""
    version_paths: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    shares_version: bool = False
