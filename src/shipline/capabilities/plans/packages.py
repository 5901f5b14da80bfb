"""Finding the packages of a repository in the contents of its files. Pure: the contents are handed in.

A file that cannot be read is left aside with a note, not refused: a plan needs only the tags, and who builds the
package will say what is wrong with it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shipline.domain.package import Package

MANIFESTS = ("pyproject.toml", "package.json")
DUNDER_VERSION = re.compile(
    rb"^(?:__version__|VERSION)[ \t]*(?::[^=\n]*)?=[ \t]*[rub]?[\"']([^\"'\n]{1,255})[\"']", re.MULTILINE
)
# What stands in tags, file names and addresses later; the longest name is npm's.
# From: https://docs.npmjs.com/cli/v10/configuring-npm/package-json#name
NAME = re.compile(r"(?:@[\w.-]+/)?\w[\w.-]{0,213}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """A package and what its files say.

    `version` is what `version_path` states, None where it is not known. Where it is None, the first of
    `version_paths` that has a `__version__` states it. `notes` are sentences about files that could not be read.
    """

    package: Package
    version: str | None = None
    version_path: str = ""
    version_paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_packages(folder: str, contents: Mapping[str, bytes], *, path: str = ".") -> tuple[Found, ...]:
    """The packages of one folder: Python, npm, both, or a plain one that is named after the `folder`.

    `contents` are those of MANIFESTS that are there, by name; `path` is the folder's path from the root.
    """
    notes: list[str] = []
    python = _python(_table(contents, "pyproject.toml", notes), path)
    npm = _npm(_table(contents, "package.json", notes), path)
    # Beside a Python package, a private package.json is a set of development tools.
    publishable = [found for found in (python, npm) if found and found.package.ecosystem != "plain"]
    first, *others = publishable or [npm or _plain(folder, path)]
    return (replace(first, notes=tuple(notes)), *others)


def with_stated_version(found: Found, contents: Mapping[str, bytes]) -> Found:
    """The package with the version that its source files state; `contents` are those of `found.version_paths`."""
    for path in found.version_paths:
        match = DUNDER_VERSION.search(contents.get(path, b""))
        if match is not None:
            return replace(found, version=match[1].decode("utf-8", "replace"), version_path=path)
    return found


def _table(contents: Mapping[str, bytes], name: str, notes: list[str]) -> dict[str, Any]:
    if name not in contents:
        return {}
    try:
        text = contents[name].decode("utf-8-sig")
        table = tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        notes.append(f"{name} could not be read and is left aside.")
        return {}
    return table


def _python(table: dict[str, Any], path: str) -> Found | None:
    tool = _sub(table, "tool")
    project = _sub(table, "project") or _sub(tool, "poetry")
    name = _name(project)
    if name is None:
        return None
    package = Package(name=name, path=path, ecosystem="python", scheme="pep440")
    version = project.get("version")
    if isinstance(version, str):
        return Found(package, version, _joined(path, "pyproject.toml"))
    module = re.sub(r"[-.]+", "_", name).lower()
    hatch = _sub(_sub(tool, "hatch"), "version").get("path")
    named = (hatch,) if isinstance(hatch, str) else ()
    usual = (f"src/{module}/__init__.py", f"{module}/__init__.py", f"src/{module}/__about__.py")
    return Found(package, version_paths=tuple(_joined(path, each) for each in named or usual))


def _npm(table: dict[str, Any], path: str) -> Found | None:
    name = _name(table)
    if name is None:
        return None
    ecosystem = "plain" if table.get("private") is True else "npm"
    version = table.get("version")
    package = Package(name=name, path=path, ecosystem=ecosystem)
    return Found(package, version if isinstance(version, str) else None, _joined(path, "package.json"))


def _plain(folder: str, path: str) -> Found:
    name = re.sub(r"[^\w.-]+", "-", folder, flags=re.ASCII).strip("-.") or "project"
    return Found(Package(name=name[:200], path=path))


def _name(table: dict[str, Any]) -> str | None:
    name = table.get("name")
    return name if isinstance(name, str) and NAME.fullmatch(name) and ".." not in name else None


def _sub(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
