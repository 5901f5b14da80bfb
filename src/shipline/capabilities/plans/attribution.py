"""Which packages a commit is about: by the paths that it changed, else by its scope. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from shipline.capabilities.plans.globs import matches
from shipline.domain.package import Package

ROOT = frozenset({"."})
NOBODY: frozenset[str] = frozenset()


class Attribution:
    """Which package a path belongs to: the one in the deepest folder above it. Remembers folders that it has seen."""

    def __init__(self, packages: Iterable[Package]) -> None:
        listed = tuple(packages)
        self._owners: dict[str, frozenset[str]] = {}
        self._named: dict[str, set[str]] = {}
        for package in listed:
            self._owners["" if package.path == "." else package.path.strip("/")] = frozenset({package.path})
            for name in _short_names(package):
                self._named.setdefault(name, set()).add(package.path)
        self._owners.setdefault("", NOBODY)
        self._choosy = [package for package in listed if package.include or package.exclude]
        self._chosen: dict[str, frozenset[str]] = {}

    def owners(self, paths: Sequence[str]) -> frozenset[str]:
        """The `path` of each package that one of `paths` belongs to."""
        if self._choosy:
            return NOBODY.union(*map(self._chosen_owners, paths))
        if len(paths) == 1:
            return self._owner(paths[0].rpartition("/")[0])
        return NOBODY.union(*[self._owner(path.rpartition("/")[0]) for path in paths])

    def named(self, scope: str | None) -> frozenset[str]:
        """The `path` of each package that a scope names; several stand behind commas. A name of two is none."""
        if scope is None:
            return NOBODY
        found = [self._named.get(name.strip().lower(), NOBODY) for name in scope.split(",")]
        return frozenset(path for paths in found if len(paths) == 1 for path in paths)

    def _owner(self, folder: str) -> frozenset[str]:
        known = self._owners.get(folder)
        if known is None:
            known = self._owners[folder] = self._owner(folder.rpartition("/")[0])
        return known

    def _chosen_owners(self, path: str) -> frozenset[str]:
        """The owners, of which `exclude` takes away and to which `include` adds."""
        known = self._chosen.get(path)
        if known is None:
            owner = self._owner(path.rpartition("/")[0])
            fits = partial(_any_matches, path=path)
            out = {each.path for each in self._choosy if each.path in owner and fits(each.exclude)}
            known = (owner - out) | {each.path for each in self._choosy if fits(each.include)}
            self._chosen[path] = known
        return known


def _any_matches(patterns: Sequence[str], *, path: str) -> bool:
    return any(matches(pattern, path) for pattern in patterns)


def _short_names(package: Package) -> set[str]:
    """What people call a package in a scope: its name, that without its organisation, its folder."""
    names = {package.name, package.name.rpartition("/")[2], package.path, package.path.rpartition("/")[2]}
    return {name.lower() for name in names if name not in {".", ""}}
