"""Which commits belong to which release, by reachability alone; dates decide nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shipline.domain.package import Package

Parents = Mapping[str, tuple[str, ...]]


def ancestors(commits: Iterable[str], parents: Parents, *, known: frozenset[str] | set[str] = frozenset()) -> set[str]:
    """`commits` and all that they are made of, as far as `parents` reaches and without what is `known`."""
    reached: set[str] = set()
    waiting = list(commits)
    while waiting:
        commit = waiting.pop()
        if commit in parents and commit not in reached and commit not in known:
            reached.add(commit)
            waiting += parents[commit]
    return reached


def release_of_each(parents: Parents, releases: Sequence[str]) -> dict[str, int]:
    """For each commit the index of the first of `releases` (commits, lowest version first) that contains it.

    Commits that no release contains are left out.
    """
    found: dict[str, int] = {}
    for index, release in enumerate(releases):
        waiting = [release]
        while waiting:
            commit = waiting.pop()
            if commit in parents and commit not in found:
                found[commit] = index
                waiting += parents[commit]
    return found


def brought_in(parents: Parents, head: str, merges: Sequence[str]) -> dict[str, list[str]]:
    """For each of `merges`, oldest first, the commits that came with it: those beside the line of first parents."""
    line: set[str] = set()
    commit: str | None = head
    while commit is not None and commit in parents and commit not in line:
        line.add(commit)
        commit = next(iter(parents[commit]), None)
    seen = set(line)
    found: dict[str, list[str]] = {}
    for merge in merges:
        inside: list[str] = []
        waiting = list(parents[merge][1:])
        while waiting:
            each = waiting.pop()
            if each in parents and each not in seen:
                seen.add(each)
                inside.append(each)
                waiting += parents[each]
        found[merge] = inside
    return found


class Attribution:
    """Which package a path belongs to: the one in the deepest folder above it. Remembers folders that it has seen."""

    def __init__(self, packages: Iterable[Package]) -> None:
        self._owners: dict[str, str | None] = {}
        for package in packages:
            self._owners["" if package.path == "." else package.path.strip("/")] = package.path
        self._owners.setdefault("", None)

    def owners(self, paths: Iterable[str]) -> set[str]:
        """The `path` of each package that one of `paths` belongs to."""
        found = {self._owner(path.rpartition("/")[0]) for path in paths}
        return {owner for owner in found if owner is not None}

    def _owner(self, folder: str) -> str | None:
        if folder not in self._owners:
            self._owners[folder] = self._owner(folder.rpartition("/")[0])
        return self._owners[folder]
