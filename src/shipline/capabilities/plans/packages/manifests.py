"""Finding the packages of one folder in the contents of its manifests. Pure: the contents are handed in.

A file that cannot be read is left aside with a note, not refused: a plan needs only the tags, and who builds the
package will say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from shipline.capabilities.plans.packages.documents import read_document, strings, sub
from shipline.capabilities.plans.packages.found import Found, Requirement
from shipline.domain.package import Package

MANIFESTS = ("pyproject.toml", "package.json", "Cargo.toml", "Chart.yaml")
# What a module calls its version, the usual name first, alone or with other names for it.
ASSIGNED_VERSIONS = tuple(
    re.compile(
        rb"^" + name + rb"[ \t]*(?::[^=\n]*)?=[ \t]*(?:\w+[ \t]*=[ \t]*)*[ru]?[\"']([^\"'\n]{1,255})[\"']", re.MULTILINE
    )
    for name in (b"__version__", b"VERSION")
)
# What stands in tags, file names and addresses later; the longest name is npm's.
# From: https://docs.npmjs.com/cli/v10/configuring-npm/package-json#name
NAME = re.compile(r"(?:@[\w.-]+/)?\w[\w.-]{0,213}", re.ASCII)
# Name, extras and versions of PEP 508; a marker behind `;` and an address behind `@` are no versions.
# From: https://packaging.python.org/en/latest/specifications/dependency-specifiers/
PEP508 = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;@()]*)\)?\s*(?:;.*)?", re.ASCII | re.DOTALL)


def find_packages(
    folder: str, contents: Mapping[str, bytes], *, path: str = ".", shared_version: str | None = None
) -> tuple[Found, ...]:
    """The packages of one folder: Python, npm, Cargo, Helm, or a plain one that is named after the `folder`.

    `contents` are those of MANIFESTS that are there, by name; `path` is the folder's path from the root.
    `shared_version` is that of the Cargo workspace that the folder belongs to.
    """
    found, notes = manifest_packages(contents, path=path, shared_version=shared_version)
    first, *others = found or (_plain(folder, path),)
    return (replace(first, notes=notes), *others)


def manifest_packages(
    contents: Mapping[str, bytes], *, path: str, shared_version: str | None = None
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The packages that manifests name, and sentences about those that could not be read."""
    notes: list[str] = []
    python = _python(_table(contents, "pyproject.toml", notes), path)
    npm = _npm(_table(contents, "package.json", notes), path)
    cargo = _cargo(_table(contents, "Cargo.toml", notes), path, shared_version)
    helm = _helm(_table(contents, "Chart.yaml", notes), path)
    # Beside another package, a private package.json is a set of development tools.
    publishable = [each for each in (python, npm, cargo, helm) if each and each.package.ecosystem != "plain"]
    return tuple(publishable or ([npm] if npm else [])), tuple(notes)


def with_stated_version(found: Found, contents: Mapping[str, bytes]) -> Found:
    """The package with the version that its source files state; `contents` are those of `found.version_paths`."""
    for path in found.version_paths:
        matches = (pattern.search(contents.get(path, b"")) for pattern in ASSIGNED_VERSIONS)
        match = next((each for each in matches if each is not None), None)
        if match is not None:
            return replace(found, version=match[1].decode("utf-8", "replace"), version_path=path)
    return found


def joined(folder: str, name: str) -> str:
    """The path of a file in a folder."""
    return name if folder == "." else f"{folder}/{name}"


def _table(contents: Mapping[str, bytes], name: str, notes: list[str]) -> dict[str, Any]:
    if name not in contents:
        return {}
    table = read_document(name, contents[name])
    if table is None:
        notes.append(f"{name} could not be read and is left aside.")
    return table or {}


def _python(table: dict[str, Any], path: str) -> Found | None:
    project = sub(table, "project") or sub(table, "tool", "poetry")
    name = _name(project)
    if name is None:
        return None
    package = Package(name=name, path=path, ecosystem="python", scheme="pep440")
    manifest = joined(path, "pyproject.toml")
    requirements = (*_pep508(project, manifest), *_poetry(table, manifest))
    # Poetry's own table may state what a project declares to be dynamic.
    stated = (each.get("version") for each in (project, sub(table, "tool", "poetry")))
    version = next((each for each in stated if isinstance(each, str)), None)
    if version is not None:
        return Found(package, version, manifest, requirements=requirements)
    module = re.sub(r"[-.]+", "_", name).lower()
    hatch = sub(table, "tool", "hatch", "version").get("path")
    named = (hatch,) if isinstance(hatch, str) else ()
    usual = (f"src/{module}/__init__.py", f"{module}/__init__.py", f"src/{module}/__about__.py")
    sources = tuple(joined(path, each) for each in named or usual)
    return Found(package, version_paths=sources, requirements=requirements)


def _pep508(project: dict[str, Any], manifest: str) -> Iterator[Requirement]:
    optional = project.get("optional-dependencies")
    lists = [project.get("dependencies"), *(optional.values() if isinstance(optional, dict) else ())]
    for text in (text for each in lists for text in strings(each)):
        match = PEP508.fullmatch(text[:1000])
        if match is not None:
            yield Requirement(match[1], match[2].strip(), "pep440", manifest)


def _poetry(table: dict[str, Any], manifest: str) -> Iterator[Requirement]:
    for name, wanted in sub(table, "tool", "poetry", "dependencies").items():
        written = wanted.get("version") if isinstance(wanted, dict) else wanted
        if isinstance(written, str) and name != "python":
            yield Requirement(name, written, "poetry", manifest)


def _npm(table: dict[str, Any], path: str) -> Found | None:
    name = _name(table)
    if name is None:
        return None
    ecosystem = "plain" if table.get("private") is True else "npm"
    version = table.get("version")
    manifest = joined(path, "package.json")
    requirements = tuple(
        Requirement(other, written, "npm", manifest, peer=kind == "peerDependencies")
        for kind in ("dependencies", "optionalDependencies", "peerDependencies")
        for other, written in sub(table, kind).items()
        if isinstance(written, str)
    )
    package = Package(name=name, path=path, ecosystem=ecosystem)
    return Found(package, version if isinstance(version, str) else None, manifest, requirements=requirements)


def _cargo(table: dict[str, Any], path: str, shared: str | None) -> Found | None:
    name = _name(sub(table, "package"))
    if name is None:
        return None
    manifest = joined(path, "Cargo.toml")
    version = sub(table, "package").get("version")
    shares = isinstance(version, dict) and version.get("workspace") is True
    top = sub(table, "workspace", "package").get("version")
    at_top = shares and isinstance(top, str)  # The manifest is that of the workspace too.
    stated = (top if at_top else shared) if shares else version
    targets = sub(table, "target").values()
    places = [table, *(each for each in targets if isinstance(each, dict))]
    return Found(
        Package(name=name, path=path, ecosystem="cargo"),
        stated if isinstance(stated, str) else None,
        "Cargo.toml" if shares and not at_top else manifest,
        requirements=tuple(each for place in places for each in _crates(place, manifest)),
        shares_version=shares,
    )


def _crates(place: dict[str, Any], manifest: str) -> Iterator[Requirement]:
    """Those with a version; a path alone takes whatever lies there."""
    for kind in ("dependencies", "build-dependencies"):
        for name, wanted in sub(place, kind).items():
            detailed = wanted if isinstance(wanted, dict) else {"version": wanted}
            written, renamed = detailed.get("version"), detailed.get("package")
            if isinstance(written, str):
                yield Requirement(renamed if isinstance(renamed, str) else name, written, "cargo", manifest)


def _helm(table: dict[str, Any], path: str) -> Found | None:
    name = _name(table)
    if name is None:
        return None
    version, listed = table.get("version"), table.get("dependencies")
    manifest = joined(path, "Chart.yaml")
    wanted = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    requirements = tuple(
        Requirement(each["name"], each["version"], "helm", manifest)
        for each in wanted
        if isinstance(each.get("name"), str) and isinstance(each.get("version"), str)
    )
    package = Package(name=name, path=path, ecosystem="helm")
    return Found(package, version if isinstance(version, str) else None, manifest, requirements=requirements)


def _plain(folder: str, path: str) -> Found:
    name = re.sub(r"[^\w.-]+", "-", folder, flags=re.ASCII).strip("-.") or "project"
    return Found(Package(name=name[:200], path=path))


def _name(table: dict[str, Any]) -> str | None:
    name = table.get("name")
    return name if isinstance(name, str) and NAME.fullmatch(name) and ".." not in name else None
