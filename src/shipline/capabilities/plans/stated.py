"""What the files of a package that was never released say its version is, where its manifest does not.

One rule for all of them: what a file states is the first version, so no release lowers a file that it edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from shipline.capabilities.plans.rules import Lineage, stated_version
from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.ports.repository import Repository

if TYPE_CHECKING:
    from shipline.domain.version_file import VersionFile

# Beside a scheme's own form: numbers, as Gradle and plain files have them, and what Python puts behind them.
NUMBERS = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){0,2})(?:(?:a|b|rc|\.dev|\.post|\.rc)\d*)?", re.ASCII)


def with_stated_versions(
    repository: Repository,
    head: str,
    lineages: Sequence[Lineage],
    chosen: Mapping[str, Sequence[VersionFile]],
) -> tuple[Lineage, ...]:
    """The lineages, those without a final release and without a version with what their files at `head` state.

    `chosen` are the version files that the settings name, by package: the first of them that states a version holds.
    """
    waiting = [each for each in lineages if each.last_stable is None and _has_none(each, chosen)]
    if not waiting:
        return tuple(lineages)
    everyone = [each.package for each in lineages]
    said = files_stating(repository, head, [each.package for each in waiting], everyone, chosen)
    found = {each.package.name: _with_first(each, said[each.package.name]) for each in waiting}
    return tuple(found.get(each.package.name, each) for each in lineages)


def files_stating(
    repository: Repository,
    head: str,
    wanted: Sequence[Package],
    everyone: Sequence[Package],
    chosen: Mapping[str, Sequence[VersionFile]],
) -> dict[str, list[tuple[str, str]]]:
    """For each name of the `wanted` packages: path and version of each of its files at `head` that states one."""
    # Both are for what is rare, and may take its time.
    from shipline.capabilities.version_files import chosen_at, names_to_read, stated_at  # noqa: PLC0415 - see above

    folders = {"" if package.path == "." else package.path for package in wanted}
    paths = [path for path in repository.list_files(tuple(sorted(folders)), head) if "\n" not in path]
    there = frozenset(paths)
    likely = {path for package in wanted for path in names_to_read(package, paths)}
    known = _contents(repository, tuple(sorted(likely & there)), head)

    @cache
    def content(path: str) -> bytes | None:
        if path in known or path not in there:
            return known.get(path)
        return _contents(repository, (path,), head).get(path)

    def said(package: Package) -> list[tuple[str, str]]:
        if named := chosen.get(package.name, ()):
            return chosen_at(package, named, content)
        return stated_at(package, paths, content, _ecosystems_beside(package, everyone))

    return {package.name: said(package) for package in wanted}


def _has_none(lineage: Lineage, chosen: Mapping[str, Sequence[VersionFile]]) -> bool:
    return lineage.package.name in chosen or stated_version(lineage) is None


def _with_first(lineage: Lineage, said: Iterable[tuple[str, str]]) -> Lineage:
    """The lineage with the first version that its scheme can hold."""
    for path, text in said:
        numbers = NUMBERS.fullmatch(text)
        padded = ".".join([*numbers[1].split("."), "0", "0"][:3]) if numbers is not None else text
        for each in (text, padded):
            found = replace(lineage, stated=each, stated_in=path)
            if stated_version(found) is not None:
                return found
    return lineage


def _ecosystems_beside(package: Package, everyone: Sequence[Package]) -> frozenset[str]:
    return frozenset(each.ecosystem for each in everyone if each.path == package.path and each.name != package.name)


def _contents(repository: Repository, paths: tuple[str, ...], head: str) -> dict[str, bytes]:
    """The files, without one too large to be what states a version."""
    try:
        return repository.read_files(paths, head) if paths else {}
    except ShiplineError:
        alone = [_contents(repository, (path,), head) for path in paths] if len(paths) > 1 else []
        return {path: data for each in alone for path, data in each.items()}
