"""Which packages a repository has at a commit, as its own files show; `choices` has those that people chose.

Reads through the Repository port; what the files mean is decided in `packages`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from shipline.capabilities.plans.packages import (
    CATALOG,
    MANIFESTS,
    ROOT_FILES,
    CargoWorkspace,
    Catalogs,
    Found,
    Members,
    Requirement,
    bare_note,
    cargo_workspace,
    catalogs_of,
    check_names,
    find_packages,
    is_fixture,
    joined,
    manifest_packages,
    member_folders,
    prefixes,
    requirements_of_tools,
    with_stated_version,
    workspaces_of,
)
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.tags import MONOREPO_FORMAT, used_format, with_detected_format
from shipline.domain.errors import InvalidValue
from shipline.domain.package import Group, Package
from shipline.ports.repository import Repository, Tag

SHARED_GROUP = "version of the Cargo workspace"
UNNAMED_SHOWN_MAX = 5
NPM_FILES = ("package.json", "pnpm-workspace.yaml")
CATALOG_FILE = "pnpm-workspace.yaml"
NPM_ECOSYSTEMS = frozenset({"npm", "plain"})  # A private npm package is a plain one.
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Survey:
    """The packages of a repository, each with what its files say; None where no manifest speaks of it.

    `groups` are those that the files themselves make. `notes` are sentences about what was left aside. `tools` is what
    the package.json at the top and in other folders of a workspace require, where they are no package's.
    """

    found: tuple[tuple[Package, Found | None], ...]
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = ()
    tools: tuple[Requirement, ...] = ()


def survey_repository(repository: Repository, head: str, tags: Sequence[Tag]) -> Survey:
    """The packages that the files of `head` show, with the tag formats that `tags` show."""
    contents = repository.read_files(ROOT_FILES, head)
    declared = workspaces_of(contents)
    files = repository.list_files(prefixes(declared), head) if declared else ()
    sorted_out = [(members, *member_folders(members, files)) for members in declared]
    folders = {folder: members.manifests for members, chosen, _ in reversed(sorted_out) for folder in chosen}
    if not folders:
        alone = _with_versions(repository, head, find_packages(repository.root().name, contents))
        return Survey(tuple((with_detected_format(each.package, tags), each) for each in alone))
    notes = [bare_note(members, bare) for members, _, bare in sorted_out if bare]
    names = [joined(folder, name) for folder, manifests in folders.items() for name in manifests]
    there = frozenset(files)
    inside = by_folder(repository.read_files(tuple(name for name in names if name in there), head))
    crates = cargo_workspace(contents["Cargo.toml"], "Cargo.toml") if "Cargo.toml" in contents else None
    catalogs = catalogs_of(contents[CATALOG_FILE], CATALOG_FILE) if CATALOG_FILE in contents else None
    members = _members(inside, crates, catalogs, notes)
    root = _root(contents, catalogs)
    found = _with_versions(repository, head, (*root, *members))
    check_names([each.package for each in found])
    packages = [each.package for each in found]
    usual = (
        used_format([package.name for package in packages if package.path != "."], [tag.name for tag in tags])
        or MONOREPO_FORMAT
    )
    pairs = [
        (with_detected_format(each.package, tags) if each in root else replace(each.package, tag_format=usual), each)
        for each in found
    ]
    shared = [each.package.name for each in found if each.shares_version]
    tools = _tools({".": contents} | inside, packages, catalogs)
    return Survey(tuple(pairs), _shared_group(shared), tuple(notes), tools)


def survey_packages(repository: Repository, head: str, packages: Sequence[Package]) -> Survey:
    """What the files of `head` say of `packages`."""
    check_names(packages)
    names = {joined(package.path, name): None for package in packages for name in MANIFESTS}
    contents = repository.read_files((*names, *(name for name in NPM_FILES if name not in names)), head)
    contained = by_folder(contents)
    workspaces, catalogs = _workspaces(repository, head, packages), _catalogs(repository, head, packages, contained)
    found: list[Found | None] = []
    for package in packages:
        inside = manifest_packages(
            contained.get(package.path, {}),
            path=package.path,
            workspace=workspaces.get(package.path),
            catalogs=catalogs.get(package.path),
            called=package.name,
        )
        found.append(next((each for each in inside if each.package.ecosystem == package.ecosystem), None))
    stated = iter(_with_versions(repository, head, [each for each in found if each is not None]))
    pairs = tuple(
        (package, None if each is None else next(stated)) for package, each in zip(packages, found, strict=True)
    )
    shared = [package.name for package, each in pairs if each is not None and each.shares_version]
    return Survey(pairs, _shared_group(shared), tools=_tools_beside(repository, head, packages, contained))


def _tools_beside(
    repository: Repository, head: str, packages: Sequence[Package], contained: Mapping[str, Mapping[str, bytes]]
) -> tuple[Requirement, ...]:
    """Those of the workspace that the top declares, of whose packages people have chosen some.

    None where one cannot be read: it is nothing that they have chosen.
    """
    if all(package.ecosystem not in NPM_ECOSYSTEMS for package in packages):
        return ()
    top = {name: content for name, content in contained.get(".", {}).items() if name in NPM_FILES}
    chosen = {package.path for package in packages}
    try:
        declared = [each for each in workspaces_of(top) if "package.json" in each.manifests]
        folders = [folder for folder in _folders(repository, head, declared) if folder not in chosen]
        names = tuple(joined(folder, "package.json") for folder in folders)
        inside = by_folder(repository.read_files(names, head)) if names else {}
        catalogs = catalogs_of(top[CATALOG_FILE], CATALOG_FILE) if CATALOG_FILE in top else None
        return _tools({".": top} | inside, packages, catalogs)
    except InvalidValue:
        return ()


def _folders(repository: Repository, head: str, declared: Sequence[Members]) -> list[str]:
    files = repository.list_files(prefixes(declared), head) if declared else ()
    return [folder for each in declared for folder in member_folders(each, files)[0]]


def _tools(
    contained: Mapping[str, Mapping[str, bytes]], packages: Sequence[Package], catalogs: Catalogs | None
) -> tuple[Requirement, ...]:
    """What each package.json requires that is no package's; what only serves tests may be broken on purpose."""
    own = {package.path for package in packages if package.ecosystem in NPM_ECOSYSTEMS}
    found: list[Requirement] = []
    for folder, files in contained.items():
        if "package.json" in files and folder not in own and not is_fixture(folder):
            found += requirements_of_tools(files["package.json"], joined(folder, "package.json"), catalogs)
    return tuple(found)


def _workspaces(repository: Repository, head: str, packages: Sequence[Package]) -> dict[str, CargoWorkspace]:
    """The Cargo workspace of each folder with a crate that is in one: the next one further up."""
    crates = (package.path for package in packages if package.ecosystem == "cargo")
    above = {path: [joined(folder, "Cargo.toml") for folder in _further_up(path)] for path in crates}
    return _nearest(repository, head, above, cargo_workspace)


def _catalogs(
    repository: Repository, head: str, packages: Sequence[Package], contained: Mapping[str, Mapping[str, bytes]]
) -> dict[str, Catalogs]:
    """The catalogues of each folder with a package that takes a range from one: in it, or the next ones further up."""
    named = [package.path for package in packages if package.ecosystem in NPM_ECOSYSTEMS]
    taking = [path for path in named if CATALOG.encode() in contained.get(path, {}).get("package.json", b"")]
    above = {path: [joined(folder, CATALOG_FILE) for folder in (path, *_further_up(path))] for path in taking}
    return _nearest(repository, head, above, catalogs_of)


def _further_up(folder: str) -> Iterator[str]:
    while folder not in ("", "."):
        folder = posixpath.dirname(folder) or "."
        yield folder


def _nearest(
    repository: Repository, head: str, above: Mapping[str, Sequence[str]], read: Callable[[bytes, str], T | None]
) -> dict[str, T]:
    """For each key the first of its paths that is a file with something in it, read; none where there is none."""
    paths = tuple(dict.fromkeys(path for each in above.values() for path in each))
    contents = repository.read_files(paths, head) if paths else {}
    tops = {path: read(content, path) for path, content in contents.items()}
    found = {key: next((top for path in each if (top := tops.get(path))), None) for key, each in above.items()}
    return {key: top for key, top in found.items() if top is not None}


def _shared_group(names: Sequence[str]) -> tuple[Group, ...]:
    """The group of those that have their version from one place; none where nobody shares it."""
    return (Group(SHARED_GROUP, tuple(names), fixed=True),) if len(names) > 1 else ()


def _members(
    contained: Mapping[str, Mapping[str, bytes]],
    workspace: CargoWorkspace | None,
    catalogs: Catalogs | None,
    notes: list[str],
) -> list[Found]:
    """The packages in the members' folders. A private one that states no version is never released: a tool, say."""
    found: list[Found] = []
    aside: list[str] = []
    for folder in sorted(contained):
        try:
            packages = manifest_packages(contained[folder], path=folder, workspace=workspace, catalogs=catalogs)
        except InvalidValue as error:
            if not is_fixture(folder):
                raise
            notes.append(f"Left aside, as it only serves tests: {error.what}.")
            continue
        released = [each for each in packages if each.package.ecosystem != "plain" or each.version is not None]
        found += released
        if not released:
            aside.append(folder)
    if aside:
        more = f" and {len(aside) - UNNAMED_SHOWN_MAX} more" if len(aside) > UNNAMED_SHOWN_MAX else ""
        notes.append(f"Left aside for want of a name or version: {', '.join(aside[:UNNAMED_SHOWN_MAX])}{more}.")
    return found


def _root(contents: Mapping[str, bytes], catalogs: Catalogs | None) -> tuple[Found, ...]:
    """The package at the top of a workspace, where there is one: private manifests and virtual ones only hold it."""
    packages = manifest_packages(contents, path=".", catalogs=catalogs)
    return tuple(each for each in packages if each.package.ecosystem != "plain")


def by_folder(contents: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The contents of each folder, by the names in it."""
    found: dict[str, dict[str, bytes]] = {}
    for path, content in contents.items():
        folder, name = posixpath.split(path)
        found.setdefault(folder or ".", {})[name] = content
    return found


def _with_versions(repository: Repository, head: str, found: Iterable[Found]) -> tuple[Found, ...]:
    """The packages with the versions that their source files state."""
    listed = tuple(found)
    sources = tuple(dict.fromkeys(source for each in listed for source in each.version_paths))
    contents = repository.read_files(sources, head) if sources else {}
    return tuple(with_stated_version(each, contents) for each in listed)


def former_range(repository: Repository, lineage: Lineage, requirement: Requirement) -> str | None:
    """The range that a package took from its workspace when it was last released; None where that is not known."""
    last, package = lineage.last_stable, lineage.package
    if last is None:
        return None
    manifest = "Cargo.toml" if requirement.dialect == "cargo" else "package.json"
    own = joined(package.path, manifest)
    contents = repository.read_files(tuple(dict.fromkeys((own, requirement.path))), last.tag.commit)
    if own not in contents or requirement.path not in contents:
        return None
    try:
        above = contents[requirement.path], requirement.path
        inside = manifest_packages(
            {manifest: contents[own]},
            path=package.path,
            workspace=cargo_workspace(*above) if manifest == "Cargo.toml" else None,
            catalogs=catalogs_of(*above) if manifest == "package.json" else None,
            called=package.name,
        )
    except InvalidValue:
        return None  # It was released all the same, and nobody can mend it any more.
    known = (each for found in inside for each in found.requirements if not each.development)
    return next((one.range for one in known if (one.name, one.peer) == (requirement.name, requirement.peer)), None)
