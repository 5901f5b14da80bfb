"""Which files of a package state its version: those that the settings name, or those that are found by their names."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from shipline.capabilities.version_files.cargo import crate_names, own_names, workspace_manifest
from shipline.capabilities.version_files.disk import content_of
from shipline.capabilities.version_files.dynamic import Content, named_by_manifests
from shipline.capabilities.version_files.editing import find_sites
from shipline.capabilities.version_files.folders import matching_folders
from shipline.capabilities.version_files.json_text import read_json
from shipline.capabilities.version_files.kinds import KINDS, kind_by_name, kind_of
from shipline.capabilities.version_files.marked import checked_pattern
from shipline.capabilities.version_files.maven import maven_modules
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.version_file import VERSION_FILE_KINDS, VersionFile

MODULES_MAX = 20
ENTRIES_MAX = 10_000
_SHARED = ("npm-lock", "uv-lock", "cargo-lock", "yarn-lock", "pnpm-lock")
"""Kinds of files that a folder further up may hold for a whole workspace."""
_LOCKS = {"npm-package": "npm-lock", "python-project": "uv-lock", "cargo-package": "cargo-lock"}
"""The lock file that states a version again once the manifest does."""
_LOCK_OF = {"npm": "npm-lock", "plain": "npm-lock", "python": "uv-lock", "cargo": "cargo-lock"}
"""The lock file that states the version of a package of an ecosystem where another one requires it by its path."""


@dataclass(frozen=True, slots=True)
class Found:
    """The files that state a package's version, the manifests first, and sentences about those that state none."""

    files: tuple[VersionFile, ...]
    notes: tuple[str, ...] = ()


def check_choice(file: VersionFile) -> None:
    """Refuse (ConfigurationError) what the settings say about a file where that cannot be."""
    if file.pattern and file.kind not in ("", "pattern"):
        raise ConfigurationError(f"{file.path} has a pattern and the kind {file.kind}", todo="leave out one of them")
    if file.pattern or file.kind == "pattern":
        checked_pattern(file.pattern)


def choose_version_files(
    root: Path,
    package: Package,
    chosen: Sequence[VersionFile],
    *,
    tracked: Callable[[str], bool],
    apart: frozenset[str] = frozenset(),
) -> Found:
    """The files that the settings name, relative to the package; a kind of "" is found out.

    Lock files of a workspace lie where no path from the package's folder leads: they follow the manifest unnamed. So do
    Maven's modules, which nothing builds otherwise. `apart` are the folders of other packages. Raises ShiplineError
    for a file that is not there, InvalidValue for one of no known kind; see also `check_choice`.
    """
    files = []
    for each in chosen:
        check_choice(each)
        path = posixpath.normpath(posixpath.join(package.path, each.path))
        kind = each.kind or ("pattern" if each.pattern else kind_of(path, content_of(root, path)))
        files.append(_owned(root, package, VersionFile(path, kind, each.pattern)))
    locks = {_LOCKS[file.kind] for file in files if file.kind in _LOCKS}
    above = [_owned(root, package, file) for file in _above(root, package) if file.kind in locks]
    above += [file for file in _beside(root, package, apart) if file.kind in locks]
    modules = [module for file in files for module in _maven(root, file, apart)]
    files += [file for file in (*modules, *above) if tracked(file.path) and _states(root, file)]
    return _sorted_out(files)


def _maven(root: Path, file: VersionFile, apart: frozenset[str]) -> tuple[VersionFile, ...]:
    return maven_modules(root, file.path, apart) if file.kind == "maven" else ()


def find_version_files(
    root: Path,
    package: Package,
    *,
    tracked: Callable[[str], bool],
    others: frozenset[str] = frozenset(),
    apart: frozenset[str] = frozenset(),
) -> Found:
    """The files that state the package's version: in its folder, its modules, and the lock files of its workspace.

    `tracked` says whether git tracks a path: what is generated is not edited. `others` are the ecosystems of other
    packages in the same folder, to which their own manifests are left; `apart` are the folders of packages in others. A
    file that cannot be read is among them,
    unless nothing in it looks like a version.
    """
    named = list(_candidates(root, package))
    named += [module for file in named for module in _maven(root, file, apart)]
    seen: dict[str, VersionFile] = {}
    for file in named:
        seen.setdefault(file.path, file)
    wanted = [
        file
        for file in seen.values()
        if belongs(package, file, others, partial(_readable, root)) and tracked(file.path)
    ]
    locks = [file for file in _beside(root, package, apart) if file.path not in seen and tracked(file.path)]
    found = _sorted_out([*(_owned(root, package, file) for file in wanted), *locks])
    stating = tuple(file for file in found.files if _states(root, file))
    return replace(found, files=tuple(sorted(stating, key=lambda file: VERSION_FILE_KINDS.index(file.kind))))


def _sorted_out(files: Sequence[VersionFile]) -> Found:
    """The files that may state a version, and why the others never do."""
    notes = [f"{file.path}: nothing to keep in step, {KINDS[file.kind].silent}" for file in files if _silent(file)]
    return Found(tuple(file for file in files if not _silent(file)), tuple(notes))


def _silent(file: VersionFile) -> bool:
    return bool(KINDS[file.kind].silent)


def _candidates(root: Path, package: Package) -> Iterator[VersionFile]:
    """What may be a version file of the package, what its manifests name first."""
    yield from named_by_manifests(package, partial(_readable, root))
    for path in _files_in(root, package.path):
        kind = kind_by_name(path)
        if kind is not None:
            yield VersionFile(path, kind)
    yield from _modules(root, package)
    if package.path != ".":
        yield from _above(root, package)


def _files_in(root: Path, folder: str) -> list[str]:
    """The paths of the files in a folder, by name."""
    try:
        entries = sorted(entry.name for entry in (root / folder).iterdir() if entry.is_file())
    except OSError as error:
        raise ShiplineError(
            f"the folder {folder} cannot be read", why=error.strerror or "", todo="check `path` in shipline.toml"
        ) from None
    return [posixpath.normpath(posixpath.join(folder, name)) for name in entries[:ENTRIES_MAX]]


def _modules(root: Path, package: Package) -> Iterator[VersionFile]:
    """Modules that assign `__version__`, and a gem's version.rb."""
    folder = root / package.path
    names = KINDS["python-module"].names
    paths = [path for above in ("*", "src/*") for name in names for path in sorted(folder.glob(f"{above}/{name}"))]
    for path in _within(root, paths):
        if b"__version__" in content_of(root, path):
            yield VersionFile(path, "python-module", names=("__version__",))
    if next(folder.glob("*.gemspec"), None) is not None:
        modules = (each / "version.rb" for each in matching_folders(folder, "lib/**"))
        for path in _within(root, [module for module in modules if module.is_file()]):
            yield VersionFile(path, "ruby-module")


def _within(root: Path, paths: Sequence[Path]) -> list[str]:
    """The first of the paths that are files and no links, relative to `root`."""
    plain = (path for path in paths if path.is_file() and path.resolve() == root.resolve() / path.relative_to(root))
    return [path.relative_to(root).as_posix() for path, _ in zip(plain, range(MODULES_MAX), strict=False)]


def _above(root: Path, package: Package) -> Iterator[VersionFile]:
    """What a workspace keeps for its packages in folders further up: lock files, and Cargo's shared version."""
    shared = workspace_manifest(root, package)
    if shared is not None:
        yield VersionFile(shared, "cargo-package")
    folder = package.path
    while folder not in ("", "."):
        folder = posixpath.dirname(folder) or "."
        for kind in _SHARED:
            for name in KINDS[kind].names:
                path = posixpath.normpath(posixpath.join(folder, name))
                if (root / path).is_file():
                    yield VersionFile(path, kind)


def _beside(root: Path, package: Package, apart: frozenset[str]) -> Iterator[VersionFile]:
    """The lock files of other packages that may have taken this one in by its path.

    Each package asks for those of all others, so that the text must name it before anything is parsed.
    """
    kind = _LOCK_OF.get(package.ecosystem, "")
    for folder in sorted(apart) if kind else ():
        for name in KINDS[kind].names:
            path = posixpath.normpath(posixpath.join(folder, name))
            if not os.path.isfile(os.path.join(root, path)):  # noqa: PTH113, PTH118 - asked very often, and much faster
                continue
            file = _owned(root, package, VersionFile(path, kind))
            if kind == "cargo-lock":
                file = replace(file, names=tuple(each for each in file.names if each not in own_names(root, folder)))
            content = _readable(root, path) or b""
            if any(each.encode() in content for each in (file.names if kind == "cargo-lock" else (file.folder,))):
                yield file


def belongs(package: Package, file: VersionFile, others: frozenset[str], content: Content) -> bool:
    """False for the manifests of another package in the same folder, and for a private set of development tools."""
    ecosystem = KINDS[file.kind].ecosystem
    if ecosystem == package.ecosystem or not ecosystem:
        return True
    return ecosystem not in others and not (
        ecosystem == "npm" and package.ecosystem == "python" and _private(file, content)
    )


def _private(file: VersionFile, content: Content) -> bool:
    path = posixpath.join(posixpath.dirname(file.path), "package.json")
    try:
        document = read_json(content(path) or b"")
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("private") is True


def _readable(root: Path, path: str) -> bytes | None:
    try:
        return content_of(root, path) if (root / path).is_file() else None
    except ShiplineError:
        return None


def _owned(root: Path, package: Package, file: VersionFile) -> VersionFile:
    """The file with the names and the folder by which the package goes in it."""
    folder = posixpath.relpath(package.path, posixpath.dirname(file.path) or ".")
    names = file.names
    if file.kind == "cargo-lock":
        names = crate_names(root, package)
    elif file.kind == "kustomize":
        names = (package.name, posixpath.basename(package.path)) if package.path != "." else (package.name,)
    return replace(file, names=names, folder=folder)


def _states(root: Path, file: VersionFile) -> bool:
    """True for a file that states a version, and for one that cannot be read: that is said where it is edited."""
    try:
        return bool(find_sites(file, content_of(root, file.path)))
    except ShiplineError:
        return True
