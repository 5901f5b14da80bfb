"""Imported settings -> settings that hold in this repository: what a plan would refuse is left out, and said. Pure.

A tool's file says little of the packages themselves. What they are, and which of their files state a version, is found
out here, in the repository, and handed in.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.plans import matches
from shipline.capabilities.scaffold.answers import Answer, Imported, Key
from shipline.capabilities.scaffold.places import Entry, assigned
from shipline.capabilities.version_files import kind_by_name
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile


@dataclass(frozen=True, slots=True)
class Present:
    """A package as it is in the repository, and the files that are found to state its version."""

    package: Package
    files: tuple[VersionFile, ...] = ()


def fitted(imported: Imported, present: Sequence[Present], *, exists: Callable[[str], bool]) -> Imported:
    """The import as this repository can have it.

    `present` are its packages by these settings; none: not known. `exists` says whether a path from the top is a file.
    """
    if not present:
        return imported
    settings, gone = dict(imported.settings), list[Key]()
    if "package" in settings:
        tables = [_there(table, imported, exists, gone) for table in settings["package"]]
        settings["package"] = [_with_found(table, imported, present) for table in tables]
    kept, keys = _groups(imported, settings.pop("group", []), [each.package for each in present])
    if kept:
        settings["group"] = kept
    return replace(imported, settings=settings, keys=(*imported.keys, *gone, *keys))


def _there(table: dict[str, Any], imported: Imported, exists: Callable[[str], bool], gone: list[Key]) -> dict[str, Any]:
    """The table without version files that there are not, which every plan would refuse; they are told in `gone`."""
    kept: list[Entry] = []
    for entry in table.get("version_files", []):
        path = entry if isinstance(entry, str) else entry["path"]
        if exists(posixpath.normpath(posixpath.join(table.get("path", "."), path))):
            kept.append(entry)
        else:
            key = f"(as version_files, {path})"
            gone.append(_no_equal(imported, key, "there is no such file here", mark="version_files"))
    rest = {name: value for name, value in table.items() if name != "version_files"}
    return (table | {"version_files": kept}) if kept else rest


def _with_found(table: dict[str, Any], imported: Imported, present: Sequence[Present]) -> dict[str, Any]:
    """The table, in which the files that are found come before those that the tool names beside its manifest."""
    path = table.get("path", ".")
    if path not in imported.beside or not table.get("version_files"):
        return table
    files = [file for each in present if each.package.path == path for file in each.files]
    found = [_entry(file, path) for file in files if not _is_above(file, path)]
    named = [entry for entry in table["version_files"] if entry not in found]
    return table | {"version_files": [*found, *named]}


def _is_above(file: VersionFile, folder: str) -> bool:
    """True for what lies outside of the package's folder: no path from there names it, and it follows the manifest."""
    return folder != "." and not file.path.startswith(f"{folder}/")


def _entry(file: VersionFile, folder: str) -> Entry:
    path = posixpath.relpath(file.path, folder)
    if kind_by_name(path) == file.kind:
        return path
    if file.kind == "python-module" and file.names:
        return assigned(path, file.names[0])
    return {"path": path, "kind": file.kind}


def _groups(
    imported: Imported, groups: Sequence[dict[str, Any]], packages: Sequence[Package]
) -> tuple[list[dict[str, Any]], list[Key]]:
    """The groups that can be, and why the others, or some of their members, cannot."""
    kept: list[dict[str, Any]] = []
    keys: list[Key] = []
    taken: dict[str, str] = {}
    for group in groups:
        name, members = group["name"], []
        for pattern in group["packages"]:
            trouble = _trouble(pattern, packages, taken)
            if trouble:
                keys.append(_no_equal(imported, f"(as group {name}, {pattern})", trouble))
            else:
                members.append(pattern)
        chosen = [each for each in packages if any(matches(pattern, each.name) for pattern in members)]
        other = next((each for each in chosen if each.scheme != chosen[0].scheme), None)
        if other is not None:
            words = f"{chosen[0].name} has {chosen[0].scheme} versions and {other.name} {other.scheme} ones, and one "
            words += "version needs one scheme: give each [[package]] of it the same `scheme`, then write the [[group]]"
            keys.append(_no_equal(imported, f"(as group {name})", words))
        elif members:
            kept.append(group | {"packages": members})
            taken |= dict.fromkeys((each.name for each in chosen), name)
    return kept, keys


def _trouble(pattern: str, packages: Sequence[Package], taken: dict[str, str]) -> str:
    """Why a member of a group cannot be one; "" where it can."""
    found = [each.name for each in packages if matches(pattern, each.name)]
    if not found:
        return "there is no such package here"
    double = next((name for name in found if name in taken), None)
    return "" if double is None else f"{double} is in the group {taken[double]} already, and each may be in one"


def _no_equal(imported: Imported, key: str, words: str, *, mark: str = "[[group]]") -> Key:
    """The line for what was taken and cannot be, of the tool that it came from: `mark` is in the words for it."""
    source = next(each for each in imported.keys if mark in each.words)
    return Key(source.tool, source.file, key[:80], Answer.NO_EQUAL, words)
