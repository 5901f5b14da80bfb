"""What a lock file has from a registry, although the repository holds it: its new version can be locked by nobody yet.

A workspace, or a path, gives the version that lies in the repository. What comes from a registry is locked with a
digest of files that are not made before the release.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from shipline.capabilities.version_files.json_text import read_json
from shipline.capabilities.version_files.locks.changed import Changed, Rewritten
from shipline.capabilities.version_files.locks.npm import TABLES, answering_ranges, catalogs_with, is_classic
from shipline.capabilities.version_files.locks.yaml_events import scalars_of
from shipline.capabilities.version_files.toml_text import read_toml
from shipline.capabilities.version_files.trees import at, rows, table

Place = tuple[Changed, Rewritten]
_HERE = ("link:", "file:", "workspace:")
_SOURCES = ("editable", "virtual", "directory")


def foreign(path: str, content: bytes, manifests: Sequence[Changed]) -> frozenset[tuple[str, str]]:
    """The manifest and the name of each of the requirements that the lock file answers from a registry."""
    finder = _FINDERS.get(posixpath.basename(path))
    asked = [(manifest, each) for manifest in manifests for each in manifest.requirements]
    found = finder(path, content, asked) if finder is not None else ()
    return frozenset((manifest.path, each.name) for manifest, each in found)


def _npm(path: str, content: bytes, asked: Sequence[Place]) -> Iterator[Place]:
    document = read_json(content)
    packages, older = table(document, "packages"), table(document, "dependencies")
    for manifest, each in asked:
        folder, row = manifest.folder_from(path), None
        while row is None and folder:
            above = "" if folder == "." else f"{folder}/"
            row = packages.get(f"{above}node_modules/{each.name}")
            folder = "" if folder == "." else posixpath.dirname(folder) or "."
        stated = at(older, (each.name, "version")) if not packages else None
        is_old = isinstance(stated, str) and not stated.startswith(_HERE)
        if is_old or (isinstance(row, dict) and row.get("link") is not True):
            yield manifest, each


def _pnpm(path: str, content: bytes, asked: Sequence[Place]) -> Iterator[Place]:
    answers = {each.keys: each.text for each in scalars_of(content) if not each.is_key}
    for manifest, each in asked:
        if manifest.is_catalogs:
            if any(not answer.startswith(_HERE) for answer in _answers_of_catalogs(answers, each)):
                yield manifest, each
            continue
        importer = ("importers", manifest.folder_from(path))
        places = [(*importer, kind, each.name, *more) for kind in TABLES for more in ((), ("version",))]
        found = [answers[place] for place in places if place in answers]
        if any(not answer.startswith(_HERE) for answer in found):
            yield manifest, each


def _answers_of_catalogs(answers: Mapping[tuple[str, ...], str], wanted: Rewritten) -> Iterator[str]:
    """What answers a range that importers take from a catalogue."""
    catalogs = catalogs_with(answers, wanted.name, wanted.before)
    names = {f"catalog:{each}" for each in catalogs} | ({"catalog:"} if "default" in catalogs else set())
    for keys, text in answers.items():
        if keys[:1] == ("importers",) and keys[3:] == (wanted.name, "specifier") and text in names:
            yield answers.get((*keys[:-1], "version"), "")


def _yarn(_path: str, content: bytes, asked: Sequence[Place]) -> Iterator[Place]:
    if is_classic(content):
        text = content.decode("utf-8", "replace")
        for manifest, each in asked:
            if re.search(rf'^(?:.*, )?"?{re.escape(f"{each.name}@{each.before}")}[",:]', text, re.MULTILINE):
                yield manifest, each
        return
    answers = answering_ranges(scalars_of(content))
    for manifest, each in asked:
        if "@workspace:" not in answers.get((each.name, each.before), "@workspace:"):
            yield manifest, each


def _toml(named: Callable[[str], str], here: Callable[[dict[str, Any]], bool]) -> Callable[..., Iterator[Place]]:
    def find(_path: str, content: bytes, asked: Sequence[Place]) -> Iterator[Place]:
        locked: dict[str, list[bool]] = {}
        for _, row in rows(read_toml(content), "package"):
            locked.setdefault(named(str(row.get("name"))), []).append(here(row))
        for manifest, each in asked:
            if not any(locked.get(named(each.name), [True])):
                yield manifest, each

    return find


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_FINDERS: Mapping[str, Callable[[str, bytes, Sequence[Place]], Iterator[Place]]] = MappingProxyType(
    {
        "package-lock.json": _npm,
        "npm-shrinkwrap.json": _npm,
        "pnpm-lock.yaml": _pnpm,
        "yarn.lock": _yarn,
        "poetry.lock": _toml(_normal, lambda row: table(row, "source").get("type") in ("directory", "file")),
        "uv.lock": _toml(_normal, lambda row: any(key in table(row, "source") for key in _SOURCES)),
        "Cargo.lock": _toml(str, lambda row: "source" not in row),
    }
)
