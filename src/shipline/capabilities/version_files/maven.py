"""Maven's modules: which of them have the version of the project at their top, and name it as that of their parent."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from shipline.capabilities.version_files.disk import content_of
from shipline.capabilities.version_files.xml_text import OWN, Project, read_project
from shipline.domain.errors import ShiplineError
from shipline.domain.version_file import VersionFile

MANIFEST = "pom.xml"
MODULES_MAX = 1000


def maven_modules(root: Path, manifest: str, apart: frozenset[str] = frozenset()) -> tuple[VersionFile, ...]:
    """The modules below the project `manifest` that take its version, each with the parents that have it.

    A parent may be a module itself, and a module deeper than one folder. `apart` are folders of other packages: what
    their own version is, is theirs to say, and their parent's version is not.
    """
    top = _project(root, manifest)
    if top is None:
        return ()
    projects = dict(_below(root, manifest, top))
    moving, grown = {top.name}, True
    while grown:
        found = {
            each.name
            for path, each in projects.items()
            if each.parent in moving and each.keeps and posixpath.dirname(path) not in apart
        }
        grown = not found <= moving
        moving |= found
    names = tuple(sorted(moving))
    return tuple(
        VersionFile(path, "maven", names=names if posixpath.dirname(path) in apart else (OWN, *names))
        for path, each in projects.items()
        if each.parent in moving
    )


def _below(root: Path, manifest: str, project: Project) -> Iterator[tuple[str, Project]]:
    """The projects of all modules, by their paths; one that cannot be read is left to Maven, which will say so."""
    seen, left = {manifest}, [(manifest, project)]
    while left and len(seen) <= MODULES_MAX:
        above, current = left.pop(0)
        for name in current.modules:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(above), name))
            path = path if path.endswith(".xml") else posixpath.join(path, MANIFEST)
            found = None if path.startswith(("/", "../")) or path in seen else _project(root, path)
            seen.add(path)
            if found is not None:
                left.append((path, found))
                yield path, found


def _project(root: Path, path: str) -> Project | None:
    try:
        return read_project(content_of(root, path)) if (root / path).is_file() else None
    except (ShiplineError, ValueError):
        return None
