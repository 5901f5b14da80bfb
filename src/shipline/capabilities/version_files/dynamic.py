"""Python's dynamic versions: the file that a manifest says the version is read from.

From: https://hatch.pypa.io/latest/version/ , https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html and
https://pdm-project.org/latest/reference/build/
"""

from __future__ import annotations

import configparser
import posixpath
from collections.abc import Callable, Iterator
from typing import Any

from shipline.capabilities.version_files.toml_text import read_toml
from shipline.capabilities.version_files.trees import at
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile

Content = Callable[[str], bytes | None]
"""The content of a file by its path from the root, None where there is none that can be read."""


def named_by_manifests(package: Package, content: Content) -> Iterator[VersionFile]:
    """The files that pyproject.toml and setup.cfg name as the places of the version; those that are there."""
    project, setup = _pyproject(package, content), _setup(package, content)
    for keys in (("tool", "hatch", "version", "path"), ("tool", "pdm", "version", "path")):
        path = at(project, keys)
        if isinstance(path, str):
            yield from _existing(package, content, (path,), "python-module")
    dynamic = at(project, ("tool", "setuptools", "dynamic", "version"))
    attribute = at(dynamic, ("attr",)) or _after(setup, "attr:")
    if isinstance(attribute, str):
        module, _, name = attribute.rpartition(".")
        yield from _existing(package, content, _module_paths(module), "python-module", names=(name,))
    files = at(dynamic, ("file",)) or _after(setup, "file:")
    for path in files if isinstance(files, list) else [files]:
        if isinstance(path, str):
            yield from _existing(package, content, (path,), "plain")


def _module_paths(module: str) -> tuple[str, ...]:
    path = module.replace(".", "/")
    return tuple(f"{above}{path}{ending}" for above in ("src/", "") for ending in (".py", "/__init__.py"))


def _existing(
    package: Package, content: Content, paths: tuple[str, ...], kind: str, names: tuple[str, ...] = ()
) -> Iterator[VersionFile]:
    """The first of the paths, relative to the package, that is a file of the repository."""
    for path in paths:
        full = posixpath.normpath(posixpath.join(package.path, path))
        if not full.startswith(("/", "../")) and content(full) is not None:
            yield VersionFile(full, kind, names=names)
            return


def _pyproject(package: Package, content: Content) -> dict[str, Any]:
    try:
        return read_toml(_beside(package, content, "pyproject.toml"))
    except (ValueError, RecursionError):
        return {}


def _setup(package: Package, content: Content) -> str:
    """What setup.cfg says as the version."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(_beside(package, content, "setup.cfg").decode("latin-1"))
    except configparser.Error:
        return ""
    return parser.get("metadata", "version", fallback="")


def _after(text: str, word: str) -> str | None:
    return text.removeprefix(word).strip() if text.startswith(word) else None


def _beside(package: Package, content: Content, name: str) -> bytes:
    return content(posixpath.normpath(posixpath.join(package.path, name))) or b""
