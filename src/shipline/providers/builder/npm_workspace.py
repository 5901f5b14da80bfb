"""Read what stands beside an npm package in a tree: other packages and catalogues. Bounded, links not followed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from shipline.clients.yaml_documents import read_documents
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.providers.builder.npm_manifest import DEFAULT, Workspace

MANIFEST = "package.json"
FILE_BYTES_MAX = 1024 * 1024
MEMBERS_MAX = 5_000
LEFT_OUT = frozenset({"node_modules", ".git"})
CATALOG_FILES = ("pnpm-workspace.yaml", ".yarnrc.yml")


def read_manifest(path: Path) -> dict[str, Any] | None:
    """A package.json as a table; None for what is none, which is left to npm to say."""
    try:
        if path.is_symlink() or path.stat().st_size > FILE_BYTES_MAX:
            return None
        document = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def read_workspace(top: Path) -> Workspace:
    """The packages in a tree, and the catalogues at its top. ShiplineError for more than MEMBERS_MAX packages,
    InvalidValue for a catalogue's file that cannot be read."""
    members: dict[str, tuple[str, str]] = {}
    for folder, names, files in os.walk(top):
        names[:] = sorted(set(names) - LEFT_OUT)
        manifest = read_manifest(Path(folder) / MANIFEST) if MANIFEST in files else None
        if manifest is None:
            continue
        name, version = manifest.get("name"), manifest.get("version")
        if isinstance(name, str) and isinstance(version, str):
            place = Path(folder).relative_to(top).as_posix()
            members["" if place == "." else place] = (name, version)
        if len(members) > MEMBERS_MAX:
            raise ShiplineError(f"the repository has more than {MEMBERS_MAX} npm packages")
    return Workspace(members, _catalogs(top))


def _catalogs(top: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    manifest = read_manifest(top / MANIFEST) or {}
    tables = [manifest, manifest.get("workspaces"), *(_yaml(top / name) for name in CATALOG_FILES)]
    for table in tables:
        if not isinstance(table, dict):
            continue
        named = table.get("catalogs")
        listed = {**(named if isinstance(named, dict) else {}), DEFAULT: table.get("catalog")}
        if listed[DEFAULT] is None and isinstance(named, dict):
            listed[DEFAULT] = named.get(DEFAULT)
        for catalog, ranges in listed.items():
            if isinstance(ranges, dict):
                texts = {name: range_ for name, range_ in ranges.items() if isinstance(range_, str)}
                found.setdefault(str(catalog), {}).update(texts)
    return found


def _yaml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidValue(f"{path.name} cannot be read", why=error.strerror or "") from None
    return next(iter(read_documents(data, what=path.name, limit_bytes=FILE_BYTES_MAX)), {})
