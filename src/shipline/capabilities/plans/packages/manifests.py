"""Finding the packages of one folder in the contents of its manifests. Pure: the contents are handed in.

A file that cannot be read is an error, and so is a name that cannot stand in a tag: a package that is left aside
would not be released, and nobody would notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.plans.packages.documents import ELSE_NO_PACKAGE, read_document, strings, sub
from shipline.capabilities.plans.packages.found import DEFAULT_CATALOG, CargoWorkspace, Catalogs, Found, Requirement
from shipline.domain.errors import InvalidValue
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
    folder: str, contents: Mapping[str, bytes], *, path: str = ".", workspace: CargoWorkspace | None = None
) -> tuple[Found, ...]:
    """The packages of one folder: Python, npm, Cargo, Helm, or a plain one that is named after the `folder`.

    `contents` are those of MANIFESTS that are there, by name; `path` is the folder's path from the root.
    `workspace` is the Cargo workspace that the folder belongs to. Raises InvalidValue as below.
    """
    found = manifest_packages(contents, path=path, workspace=workspace)
    return found or (_plain(folder, path),)


def manifest_packages(
    contents: Mapping[str, bytes],
    *,
    path: str,
    workspace: CargoWorkspace | None = None,
    catalogs: Catalogs | None = None,
    called: str = "",
) -> tuple[Found, ...]:
    """The packages that manifests name. `called` is the name that people gave to what is in the folder.

    `workspace` and `catalogs` are what crates and npm packages take from the workspace that they are in.

    Raises InvalidValue for a manifest that cannot be read, and for a name that is none where nobody gave another.
    """
    python = _python(_manifest(contents, "pyproject.toml", path, called), path)
    npm = _npm(_manifest(contents, "package.json", path, called), path, catalogs)
    cargo = _cargo(_manifest(contents, "Cargo.toml", path, called), path, workspace)
    helm = _helm(_manifest(contents, "Chart.yaml", path, called), path)
    # Beside another package, a private package.json is a set of development tools.
    publishable = [each for each in (python, npm, cargo, helm) if each and each.package.ecosystem != "plain"]
    return tuple(publishable or ([npm] if npm else []))


def cargo_workspace(content: bytes, path: str) -> CargoWorkspace | None:
    """The workspace that the Cargo.toml at `path` is the top of; None where it is of none. InvalidValue as above."""
    return _workspace(read_document(path, content), path)


def catalogs_of(content: bytes, path: str) -> Catalogs | None:
    """The catalogues of the pnpm-workspace.yaml at `path`; None where it has none. InvalidValue as above."""
    table = read_document(path, content)
    named = {name: sub(table, "catalogs", name) for name in sub(table, "catalogs")}
    listed = {**named, DEFAULT_CATALOG: {**named.get(DEFAULT_CATALOG, {}), **sub(table, "catalog")}}
    texts = {
        catalog: {name: range_ for name, range_ in ranges.items() if isinstance(range_, str)}
        for catalog, ranges in listed.items()
    }
    return Catalogs(path, texts) if any(texts.values()) else None


def _workspace(table: dict[str, Any], path: str) -> CargoWorkspace | None:
    if not isinstance(table.get("workspace"), dict):
        return None
    version = sub(table, "workspace", "package").get("version")
    stated = version if isinstance(version, str) else None
    return CargoWorkspace(path, stated, sub(table, "workspace", "dependencies"))


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


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What a manifest holds, where it is, and what people call the package whatever it says."""

    path: str
    table: dict[str, Any]
    called: str

    def name(self, table: dict[str, Any], *, private: bool = False) -> str | None:
        """The name that `table` states, None for none: of what is private any name is as good as none."""
        name = table.get("name")
        if name is None or (isinstance(name, str) and NAME.fullmatch(name) and ".." not in name):
            return name
        if not self.called and not private:
            raise InvalidValue(
                f"{self.path}: {str(name)[:60]!r} is no name for a package",
                why="names stand in tags, file names and addresses: letters from a to z, digits, points, - and _",
                todo=f'rename it, or give it a name in shipline.toml: [[package]] name = "..."{ELSE_NO_PACKAGE}',
            )
        return self.called or None


def _manifest(contents: Mapping[str, bytes], name: str, path: str, called: str) -> _Manifest:
    place = joined(path, name)
    return _Manifest(place, read_document(place, contents[name]) if name in contents else {}, called)


def _python(file: _Manifest, path: str) -> Found | None:
    table = file.table
    project = sub(table, "project") or sub(table, "tool", "poetry")
    name = file.name(project)
    if name is None:
        return None
    package = Package(name=name, path=path, ecosystem="python", scheme="pep440")
    manifest = file.path
    requirements = (*_pep508(project, table, manifest), *_poetry(table, manifest))
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


def _pep508(project: dict[str, Any], table: dict[str, Any], manifest: str) -> Iterator[Requirement]:
    """What is published, extras among it, and the groups for development (PEP 735)."""
    published = [project.get("dependencies"), *sub(project, "optional-dependencies").values()]
    groups = sub(table, "dependency-groups").values()
    for development, lists in ((False, published), (True, groups)):
        for text in (text for each in lists for text in strings(each)):
            match = PEP508.fullmatch(text[:1000])
            if match is not None:
                yield Requirement(match[1], match[2].strip(), "pep440", manifest, development=development)


def _poetry(table: dict[str, Any], manifest: str) -> Iterator[Requirement]:
    poetry = sub(table, "tool", "poetry")
    groups = [sub(poetry, "group", name, "dependencies") for name in sub(poetry, "group")]
    for group in (sub(poetry, "dependencies"), sub(poetry, "dev-dependencies"), *groups):
        development = group is not poetry.get("dependencies")
        for name, wanted in group.items():
            written = wanted.get("version") if isinstance(wanted, dict) else wanted
            if isinstance(written, str) and name != "python":
                yield Requirement(name, written, "poetry", manifest, development=development)


def _npm(file: _Manifest, path: str, catalogs: Catalogs | None) -> Found | None:
    table, manifest = file.table, file.path
    private = table.get("private") is True
    name = file.name(table, private=private)
    if name is None:
        return None
    ecosystem = "plain" if private else "npm"
    version = table.get("version")
    package = Package(name=name, path=path, ecosystem=ecosystem)
    requirements = tuple(_npm_requirements(table, manifest, catalogs))
    return Found(package, version if isinstance(version, str) else None, manifest, requirements=requirements)


def _npm_requirements(table: dict[str, Any], manifest: str, catalogs: Catalogs | None) -> Iterator[Requirement]:
    """In the manifest, or in a catalogue of the workspace."""
    for kind in ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies"):
        for other, written in sub(table, kind).items():
            if not isinstance(written, str):
                continue
            given = None if catalogs is None else catalogs.range_of(other, written)
            peer, development = kind == "peerDependencies", kind == "devDependencies"
            if catalogs is None or given is None:
                yield Requirement(other, written, "npm", manifest, peer, development)
            else:
                yield Requirement(other, given, "npm", catalogs.path, peer, development, shared=True)


def requirements_of_tools(content: bytes, path: str, catalogs: Catalogs | None = None) -> tuple[Requirement, ...]:
    """What a package.json at `path` requires that is no package's: all of it for development, since nobody gets it.

    InvalidValue for one that cannot be read.
    """
    table = read_document(path, content)
    return tuple(replace(each, peer=False, development=True) for each in _npm_requirements(table, path, catalogs))


def _cargo(file: _Manifest, path: str, workspace: CargoWorkspace | None) -> Found | None:
    table, manifest = file.table, file.path
    name = file.name(sub(table, "package"))
    if name is None:
        return None
    version = sub(table, "package").get("version")
    shares = isinstance(version, dict) and version.get("workspace") is True
    workspace = _workspace(table, manifest) or workspace  # The manifest may be that of the workspace too.
    shared = workspace.version if workspace is not None else None
    stated = shared if shares else version
    targets = sub(table, "target").values()
    places = [table, *(each for each in targets if isinstance(each, dict))]
    return Found(
        Package(name=name, path=path, ecosystem="cargo"),
        stated if isinstance(stated, str) else None,
        workspace.path if shares and workspace is not None else manifest,
        requirements=tuple(each for place in places for each in _crates(place, manifest, workspace)),
        shares_version=shares,
    )


def _crates(place: dict[str, Any], manifest: str, workspace: CargoWorkspace | None) -> Iterator[Requirement]:
    """Those with a version, in the manifest or in the workspace's; a path alone takes whatever lies there."""
    for kind in ("dependencies", "build-dependencies", "dev-dependencies"):
        for name, own in sub(place, kind).items():
            wanted, path = own, manifest
            if workspace is not None and isinstance(own, dict) and own.get("workspace") is True:
                wanted, path = workspace.dependencies.get(name), workspace.path
            detailed = wanted if isinstance(wanted, dict) else {"version": wanted}
            written, renamed = detailed.get("version"), detailed.get("package")
            if isinstance(written, str):
                called = renamed if isinstance(renamed, str) else name
                development, shared = kind == "dev-dependencies", wanted is not own
                yield Requirement(called, written, "cargo", path, development=development, shared=shared)


def _helm(file: _Manifest, path: str) -> Found | None:
    table, manifest = file.table, file.path
    name = file.name(table)
    if name is None:
        return None
    version, listed = table.get("version"), table.get("dependencies")
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
