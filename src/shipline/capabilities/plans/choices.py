"""Which packages people mean by the tables of their settings: paths and globs, and what the manifests there say.

Reads through the Repository port; what the files mean is decided in `packages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shipline.capabilities.plans.globs import is_glob
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.packages import (
    MANIFESTS,
    Members,
    bare_note,
    check_names,
    is_fixture,
    joined,
    manifest_packages,
    member_folders,
    prefixes,
)
from shipline.capabilities.plans.survey import by_folder
from shipline.capabilities.plans.tags import MONOREPO_FORMAT, used_format
from shipline.domain.errors import ConfigurationError, InvalidValue
from shipline.domain.package import Package
from shipline.ports.repository import Repository


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


def packages_of(
    repository: Repository, choices: Sequence[PackageChoice]
) -> tuple[tuple[tuple[Package, ...], ...], tuple[str, ...]]:
    """The packages that each choice stands for at HEAD, and sentences about folders that were left aside.

    Raises ShiplineError for a repository that cannot be planned, and ConfigurationError for a glob that stands for no
    package, a folder whose package has no name, and for two packages of one name.
    """
    head = checked_head(repository)
    members = [Members(f'path "{each.path}"', (each.path,), MANIFESTS) for each in choices if is_glob(each.path)]
    files = repository.list_files(prefixes(members), head) if members else ()
    notes: list[str] = []
    waiting = iter(members)
    plain = [each.path for each in choices if not is_glob(each.path)]
    folders = [_matched(next(waiting), files, plain, notes) if is_glob(each.path) else (each.path,) for each in choices]
    names = [joined(folder, name) for each in folders for folder in each for name in MANIFESTS]
    # Of the folders that a glob stands for, the files are known already.
    listed, unlisted = frozenset(files), frozenset(plain)
    wanted = [each for each in names if each in listed or (each.rpartition("/")[0] or ".") in unlisted]
    inside = by_folder(repository.read_files(tuple(wanted), head))
    chosen = tuple(
        tuple(package for folder in each for package in _chosen(choice, folder, inside.get(folder, {})))
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
    try:
        found = manifest_packages(contents, path=folder, called=choice.name)
    except InvalidValue:
        if is_glob(choice.path) and is_fixture(folder):
            return ()
        raise
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
