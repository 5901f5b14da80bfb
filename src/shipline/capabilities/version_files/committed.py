"""The version that a package's files state at a commit, for who plans a first release: no tag says one yet.

Goes by the same names, places and manifests as the finder for the work tree, so that a release edits what was read
here; but it reads what is handed in, and leaves aside what it cannot read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from shipline.capabilities.version_files.dynamic import Content, named_by_manifests
from shipline.capabilities.version_files.editing import read_version
from shipline.capabilities.version_files.finding import MODULES_MAX, belongs
from shipline.capabilities.version_files.kinds import KINDS, kind_by_name, kind_of
from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.domain.version_file import VERSION_FILE_KINDS, VersionFile

LOCKS = frozenset(kind for kind in KINDS if kind.endswith("-lock"))  # They repeat what a manifest says.


def stated_at(
    package: Package, paths: Sequence[str], content: Content, others: frozenset[str]
) -> list[tuple[str, str]]:
    """Path and version of each file that states one plainly, the manifests first.

    `paths` are all files of the commit below the package's folder, from the root; `others` as in `find_version_files`.
    """
    seen: dict[str, VersionFile] = {}
    for file in (*named_by_manifests(package, content), *_by_name(package, paths)):
        seen.setdefault(file.path, file)
    files = [file for file in seen.values() if belongs(package, file, others, content)]
    return _stated(sorted(files, key=lambda file: VERSION_FILE_KINDS.index(file.kind)), package, content)


def chosen_at(package: Package, chosen: Sequence[VersionFile], content: Content) -> list[tuple[str, str]]:
    """The same of the files that the settings name, relative to the package; what is wrong with one a release says."""
    files = []
    for each in chosen:
        path = posixpath.normpath(posixpath.join(package.path, each.path))
        try:
            kind = each.kind or ("pattern" if each.pattern else kind_of(path, content(path) or b""))
        except ShiplineError:
            continue
        files.append(VersionFile(path, kind, each.pattern))
    return _stated(files, package, content)


def names_to_read(package: Package, paths: Sequence[str]) -> tuple[str, ...]:
    """The paths that are worth reading before anything is known of them, for who can read many at once."""
    manifests = (posixpath.normpath(posixpath.join(package.path, name)) for name in ("pyproject.toml", "package.json"))
    return tuple(dict.fromkeys((*manifests, *(file.path for file in _by_name(package, paths)))))


def _by_name(package: Package, paths: Sequence[str]) -> Iterator[VersionFile]:
    """Files in the package's folder, modules one folder deeper, and a gem's version.rb."""
    start = "" if package.path == "." else f"{package.path}/"
    inside = sorted(path.removeprefix(start) for path in paths if path.startswith(start))
    modules = KINDS["python-module"].names
    gem = any("/" not in path and path.endswith(".gemspec") for path in inside)
    found: list[VersionFile] = []
    deeper: list[VersionFile] = []
    for path in inside:
        parts = path.split("/")
        kind = kind_by_name(path) if len(parts) == 1 else None
        if kind is not None and kind not in LOCKS:
            found.append(VersionFile(start + path, kind))
        elif parts[-1] in modules and (len(parts) == 2 or (len(parts) == 3 and parts[0] == "src")):
            deeper.append(VersionFile(start + path, "python-module", names=("__version__",)))
        elif gem and parts[0] == "lib" and parts[-1] == "version.rb":
            deeper.append(VersionFile(start + path, "ruby-module"))
    yield from found
    yield from islice(deeper, MODULES_MAX)


def _stated(files: Sequence[VersionFile], package: Package, content: Content) -> list[tuple[str, str]]:
    found = []
    for file in files:
        data = content(file.path)
        names = (package.name,) if file.kind == "kustomize" else file.names
        try:
            if data is not None:
                found.append((file.path, read_version(replace(file, names=names), data)))
        except ShiplineError:
            continue  # It states none, or the release says what is wrong with it.
    return found
