"""Which packages a repository has at a commit: those that people chose, or those that its own files show.

Reads through the Repository port; what the files mean is decided in `packages`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.plans.globs import is_glob
from shipline.capabilities.plans.packages import (
    MANIFESTS,
    ROOT_FILES,
    Found,
    Members,
    bare_note,
    check_names,
    find_packages,
    joined,
    manifest_packages,
    member_folders,
    prefixes,
    shared_version,
    with_stated_version,
    workspaces_of,
)
from shipline.capabilities.plans.tags import MONOREPO_FORMAT, used_format, with_detected_format
from shipline.domain.errors import ConfigurationError
from shipline.domain.package import Group, Package
from shipline.ports.repository import Repository, Tag

SHARED_GROUP = "version of the Cargo workspace"
UNNAMED_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class PackageChoice:
    """What people said of one package, or of all that the glob `path` stands for; "" where they said nothing."""

    path: str = "."
    name: str = ""
    ecosystem: str = ""
    scheme: str = ""
    tag_format: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The packages of a repository, each with what its files say; None where no manifest speaks of it.

    `groups` are those that the files themselves make. `notes` are sentences about what was left aside.
    """

    found: tuple[tuple[Package, Found | None], ...]
    groups: tuple[Group, ...] = ()
    notes: tuple[str, ...] = ()


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
    members = _members(repository, head, folders, shared_version(contents), notes)
    root = _root(contents)
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
    shared = tuple(each.package.name for each in found if each.shares_version)
    groups = (Group(SHARED_GROUP, shared, fixed=True),) if len(shared) > 1 else ()
    return Survey(tuple(pairs), groups, tuple(notes))


def survey_packages(repository: Repository, head: str, packages: Sequence[Package]) -> Survey:
    """What the files of `head` say of `packages`."""
    check_names(packages)
    names = {joined(package.path, name): None for package in packages for name in MANIFESTS}
    contents = repository.read_files(tuple(names), head)
    by_folder = _by_folder(contents)
    version = shared_version(repository.read_files(("Cargo.toml",), head))
    found: list[Found | None] = []
    for package in packages:
        inside = find_packages(package.name, by_folder.get(package.path, {}), path=package.path, shared_version=version)
        found.append(next((each for each in inside if each.package.ecosystem == package.ecosystem), None))
    stated = iter(_with_versions(repository, head, [each for each in found if each is not None]))
    return Survey(
        tuple((package, None if each is None else next(stated)) for package, each in zip(packages, found, strict=True))
    )


def choose_packages(
    repository: Repository, head: str, choices: Sequence[PackageChoice]
) -> tuple[tuple[tuple[Package, ...], ...], tuple[str, ...]]:
    """The packages that each choice stands for, and sentences about folders that were left aside.

    Raises ConfigurationError for a glob that stands for no package, a folder whose package has no name, and for two
    packages of one name.
    """
    members = [Members(f'path "{each.path}"', (each.path,), MANIFESTS) for each in choices if is_glob(each.path)]
    files = repository.list_files(prefixes(members), head) if members else ()
    notes: list[str] = []
    waiting = iter(members)
    plain = [each.path for each in choices if not is_glob(each.path)]
    folders = [_matched(next(waiting), files, plain, notes) if is_glob(each.path) else (each.path,) for each in choices]
    manifests = repository.read_files(
        tuple(joined(folder, name) for each in folders for folder in each for name in MANIFESTS), head
    )
    by_folder = _by_folder(manifests)
    chosen = tuple(
        tuple(package for folder in each for package in _chosen(choice, folder, by_folder.get(folder, {})))
        for choice, each in zip(choices, folders, strict=True)
    )
    everything = [package for each in chosen for package in each]
    check_names(everything)
    return _with_formats(repository, chosen), tuple(notes)


def _matched(members: Members, files: Sequence[str], plain: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    """The folders of a glob; those that have a [[package]] of their own belong to that one."""
    folders, bare = member_folders(members, files)
    bare = tuple(folder for folder in bare if folder not in plain)
    if bare:
        notes.append(bare_note(members, bare))
    if not folders:
        raise ConfigurationError(
            f"shipline.toml: no package lies where [[package]] {members.source} points to",
            why=f"no folder there has a {' or '.join(MANIFESTS)} at HEAD",
            todo="mend the path, or commit the manifests",
        )
    return tuple(folder for folder in folders if folder not in plain)


def _chosen(choice: PackageChoice, folder: str, contents: Mapping[str, bytes]) -> tuple[Package, ...]:
    found, _ = manifest_packages(contents, path=folder)
    fitting = [each.package for each in found if choice.ecosystem in ("", each.package.ecosystem)]
    if not fitting and not choice.name:
        raise ConfigurationError(
            f"shipline.toml: the package in {folder} has no name",
            why="no manifest there names it",
            todo='give it one: [[package]] name = "..."',
        )
    named = Package(choice.name or fitting[0].name, folder, choice.ecosystem or "plain")
    kinds = [replace(each, name=choice.name or each.name) for each in fitting[: 1 if choice.name else None]] or [named]
    return tuple(
        replace(
            each,
            scheme=choice.scheme or ("pep440" if each.ecosystem == "python" else "semver"),
            tag_format=choice.tag_format,
            include=choice.include,
            exclude=choice.exclude,
        )
        for each in kinds
    )


def _with_formats(repository: Repository, chosen: tuple[tuple[Package, ...], ...]) -> tuple[tuple[Package, ...], ...]:
    """Where nobody said a tag format: `v{version}` for one package or the top, else what the tags show."""
    unsaid = [each for some in chosen for each in some if not each.tag_format and each.path != "."]
    several = sum(map(len, chosen)) > 1
    usual = Package("").tag_format
    if unsaid and several:
        shown = used_format([each.name for each in unsaid], repository.tag_names()) or MONOREPO_FORMAT
    else:
        shown = usual
    return tuple(
        tuple(replace(each, tag_format=each.tag_format or (usual if each.path == "." else shown)) for each in some)
        for some in chosen
    )


def _members(
    repository: Repository,
    head: str,
    folders: Mapping[str, tuple[str, ...]],
    version: str | None,
    notes: list[str],
) -> list[Found]:
    """The packages in the members' folders. A private one that states no version is never released: a tool, say."""
    names = [joined(folder, name) for folder, manifests in folders.items() for name in manifests]
    by_folder = _by_folder(repository.read_files(tuple(names), head))
    found: list[Found] = []
    aside: list[str] = []
    for folder in sorted(by_folder):
        packages, said = manifest_packages(by_folder[folder], path=folder, shared_version=version)
        released = [each for each in packages if each.package.ecosystem != "plain" or each.version is not None]
        notes += [f"{folder}/{sentence}" for sentence in said]
        found += released
        if not released:
            aside.append(folder)
    if aside:
        more = f" and {len(aside) - UNNAMED_SHOWN_MAX} more" if len(aside) > UNNAMED_SHOWN_MAX else ""
        notes.append(f"Left aside for want of a name or version: {', '.join(aside[:UNNAMED_SHOWN_MAX])}{more}.")
    return found


def _root(contents: Mapping[str, bytes]) -> tuple[Found, ...]:
    """The package at the top of a workspace, where there is one: private manifests and virtual ones only hold it."""
    packages, _ = manifest_packages(contents, path=".", shared_version=shared_version(contents))
    return tuple(each for each in packages if each.package.ecosystem != "plain")


def _by_folder(contents: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
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
