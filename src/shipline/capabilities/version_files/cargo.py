"""Cargo's workspaces: where a shared version stands, and which crates have it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shipline.capabilities.version_files.disk import content_of
from shipline.capabilities.version_files.folders import matching_folders
from shipline.capabilities.version_files.toml_text import read_toml
from shipline.capabilities.version_files.trees import at
from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package

MANIFEST = "Cargo.toml"
MEMBERS_MAX = 500
_SHARED = ("workspace", "package", "version")


def workspace_manifest(root: Path, package: Package) -> str | None:
    """The path of the manifest further up whose `[workspace.package]` states the package's version; None if none."""
    own = _manifest(root, package.path)
    if at(own, ("package", "version", "workspace")) is not True:
        return None
    folder = package.path
    while folder not in ("", "."):
        folder = posixpath.dirname(folder) or "."
        if isinstance(at(_manifest(root, folder), _SHARED), str):
            return posixpath.normpath(posixpath.join(folder, MANIFEST))
    return None


def crate_names(root: Path, package: Package) -> tuple[str, ...]:
    """The crates whose version is the package's: its own, and with a shared version all that take that."""
    own = _manifest(root, package.path)
    name = at(own, ("package", "name"))
    names = {name} if isinstance(name, str) else set()
    shared = workspace_manifest(root, package)
    if shared is None and not isinstance(at(own, ("package", "version")), str) and at(own, _SHARED) is not None:
        shared = posixpath.normpath(posixpath.join(package.path, MANIFEST))
    return tuple(sorted(names | set(_members(root, posixpath.dirname(shared) or ".") if shared is not None else ())))


def own_names(root: Path, folder: str) -> frozenset[str]:
    """The name of the crate in a folder: an entry of that name in its lock file is not another package's."""
    name = at(_manifest(root, folder), ("package", "name"))
    return frozenset({name} if isinstance(name, str) else ())


def _members(root: Path, folder: str) -> Iterator[str]:
    """The names of the workspace's crates that take its version."""
    patterns = at(_manifest(root, folder), ("workspace", "members"))
    for pattern in [".", *(patterns if isinstance(patterns, list) else [])]:
        for path in matching_folders(root / folder, pattern)[:MEMBERS_MAX] if isinstance(pattern, str) else ():
            manifest = _manifest(root, path.relative_to(root).as_posix())
            name = at(manifest, ("package", "name"))
            if isinstance(name, str) and at(manifest, ("package", "version", "workspace")) is True:
                yield name


def _manifest(root: Path, folder: str) -> dict[str, Any]:
    """A folder's manifest; an empty one where there is none that can be read, which editing it will tell."""
    path = posixpath.normpath(posixpath.join(folder, MANIFEST))
    if not (root / path).is_file():
        return {}
    try:
        return read_toml(content_of(root, path))
    except (ShiplineError, ValueError, RecursionError):
        return {}
