"""Where the own version stands in the tables of each format; in a lock file, in the entries of the package alone."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from shipline.capabilities.version_files.trees import Keys, Place, Places, at, rows, table
from shipline.domain.version_file import VersionFile


def fixed(*places: Keys) -> Places:
    """Places that are the same in every file."""
    return lambda _document, _file: [Place(keys) for keys in places]


def cargo_package(document: Any, _file: VersionFile) -> list[Place]:
    """The package's own; the workspace's where the package takes that, or where the file holds no package."""
    own = at(document, ("package", "version"))
    return [Place(("package", "version") if isinstance(own, str) else ("workspace", "package", "version"))]


def npm_lock(_document: Any, file: VersionFile) -> list[Place]:
    """Version 1 of the format has the first place alone, 2 and 3 have both; a workspace's package goes by its folder.

    From: https://docs.npmjs.com/cli/v10/configuring-npm/package-lock-json
    """
    if file.folder == ".":
        return [Place(("version",)), Place(("packages", "", "version"))]
    return [Place(("packages", file.folder, "version"))]


def uv_lock(document: Any, file: VersionFile) -> list[Place]:
    """The entries whose source is the package's folder; one with a dynamic version states none."""
    return [
        Place(("package", number, "version"))
        for number, row in rows(document, "package")
        if _source(table(row, "source")) == file.folder
    ]


def _source(source: dict[str, Any]) -> str | None:
    paths = [source.get(key) for key in ("editable", "virtual", "directory")]
    return next((posixpath.normpath(path) for path in paths if isinstance(path, str)), None)


def cargo_lock(document: Any, file: VersionFile) -> Iterator[Place]:
    """The entries of the names without a source, and what names them with their version among the dependencies."""
    packages = rows(document, "package")
    own = [(number, row) for number, row in packages if row.get("name") in file.names and "source" not in row]
    named = {f"{row.get('name')} {row.get('version')}": f"{row.get('name')} " for _, row in own}
    yield from (Place(("package", number, "version")) for number, _ in own)
    for number, row in packages:
        dependencies = row.get("dependencies")
        for index, each in enumerate(dependencies if isinstance(dependencies, list) else []):
            if isinstance(each, str) and each in named:
                yield Place(("package", number, "dependencies", index), named[each])


def kustomize(document: Any, file: VersionFile) -> Iterator[Place]:
    """The tags of the images that go by one of the names, with or without the registry and folders before it."""
    names = {name.rpartition("/")[2] for name in file.names}
    for number, row in rows(document, "images"):
        called = [str(row[key]).rpartition("/")[2] for key in ("name", "newName") if isinstance(row.get(key), str)]
        tag = row.get("newTag")
        if names & set(called) and isinstance(tag, str):
            yield Place(("images", number, "newTag"), "v" if tag[:1] == "v" and tag[1:2].isdigit() else "")
