"""Which commits belong to which release, by reachability alone; dates decide nothing. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Protocol, TypeVar

Parents = Mapping[str, tuple[str, ...]]
Node = TypeVar("Node")


class Shape(Protocol[Node]):
    """The parents of each commit: `Parents` by ids, or a Graph by places."""

    def __contains__(self, commit: object, /) -> bool: ...
    def __getitem__(self, commit: Node, /) -> tuple[Node, ...]: ...


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


class Graph:
    """The shape of a whole history, small: commits are numbers, their places in a log, and so are their parents.

    A commit's parents are awaited until the log comes to them. A log shows children first, unless a clock was wrong:
    what is still `awaited` at its end came before a child, and its place has to be told by `came`. Only the commits
    that are `marked` are kept by their ids.
    """

    def __init__(self, marked: Iterable[str]) -> None:
        self.places: dict[str, int] = {}
        """Of the marked commits that the log has shown."""
        self._marked = frozenset(marked)
        self._first = array("i")  # The place of each commit's first parent, -1 for none.
        self._others: dict[int, list[int]] = {}  # Those of the other parents that merges have.
        self._next = ""  # The first parent of the latest commit, which mostly is the next one; "" for none.
        self._awaited: dict[str, list[int]] = {}
        self._awaited_by_merges: dict[str, list[int]] = {}

    def add(self, commit: str, parents: str) -> int:
        """The place of the next commit of the log; `parents` are ids with spaces between them."""
        first = self._first
        place = len(first)
        if commit == self._next:
            first[-1] = place
        else:
            self._await_next()
        first.append(-1)
        if self._awaited:
            for child in self._awaited.pop(commit, ()):
                first[child] = place
        if self._awaited_by_merges:
            self._came_in(commit, place)
        if commit in self._marked:
            self.places[commit] = place
        if " " in parents:
            parents, *others = parents.split()
            for parent in others:
                self._awaited_by_merges.setdefault(parent, []).append(place)
        self._next = parents
        return place

    def _await_next(self) -> None:
        """The parent of the latest commit is not the next one: it comes later."""
        if self._next:
            self._awaited.setdefault(self._next, []).append(len(self._first) - 1)
            self._next = ""

    @property
    def awaited(self) -> frozenset[str]:
        """The parents that were shown before a child, or that the log does not have."""
        self._await_next()
        return frozenset(self._awaited) | frozenset(self._awaited_by_merges)

    def came(self, commit: str, place: int) -> None:
        """Say where an awaited commit was."""
        self._await_next()
        for child in self._awaited.pop(commit, ()):
            self._first[child] = place
        self._came_in(commit, place)

    def _came_in(self, commit: str, place: int) -> None:
        for child in self._awaited_by_merges.pop(commit, ()):
            self._others.setdefault(child, []).append(place)

    def __contains__(self, place: object) -> bool:
        return isinstance(place, int) and 0 <= place < len(self._first)

    def __getitem__(self, place: int) -> tuple[int, ...]:
        """The parents of a commit, the first one first."""
        first = self._first[place]
        return (first, *self._others.get(place, ())) if first >= 0 else tuple(self._others.get(place, ()))

    def release_of_each(self, releases: Sequence[int]) -> array[int]:
        """For each commit the index of the first of `releases` (places, lowest version first) that contains it.

        What no release contains has their number.
        """
        none, first = len(releases), self._first
        found = array("i", [none]) * len(first)
        for index, release in enumerate(releases):
            waiting = [release]
            while waiting:
                place = waiting.pop()
                while place >= 0 and found[place] == none:
                    found[place] = index
                    waiting += self._others.get(place, ())
                    place = first[place]
        return found


def brought_in(parents: Shape[Node], head: Node, merges: Sequence[Node]) -> dict[Node, list[Node]]:
    """For each of `merges`, oldest first, the commits that came with it: those beside the line of first parents."""
    line: set[Node] = set()
    commit: Node | None = head
    while commit is not None and commit in parents and commit not in line:
        line.add(commit)
        commit = next(iter(parents[commit]), None)
    seen = set(line)
    found: dict[Node, list[Node]] = {}
    for merge in merges:
        inside: list[Node] = []
        waiting = list(parents[merge][1:])
        while waiting:
            each = waiting.pop()
            if each in parents and each not in seen:
                seen.add(each)
                inside.append(each)
                waiting += parents[each]
        found[merge] = inside
    return found


def brought_by(parents: Shape[Node], merge: Node, mainline: Node, place: Callable[[Node], int]) -> tuple[Node, ...]:
    """The merge, and what it contains and its parent `mainline` does not, in the order of `place`.

    `place` is where a commit stands in a log, which shows children first. So the two sides are walked side by side, and
    no further back than the branch goes, as git does; where clocks were so wrong that a commit stands long before its
    children, that may be too far.
    """
    stays = {merge: False, mainline: True}
    waiting = [(place(merge), merge), (place(mainline), mainline)] if mainline in parents else [(place(merge), merge)]
    found: dict[Node, None] = {}
    open_ones = 1  # Those that wait and, as far as is known, do not stay.
    while open_ones:
        _, commit = heappop(waiting)
        staying = stays[commit]
        if not staying:
            open_ones -= 1
            found[commit] = None
        for parent in parents[commit]:
            known = stays.get(parent)
            if parent not in parents or known is True or known is staying:
                continue
            stays[parent] = staying
            if known is None or parent in found:  # The second is for wrong clocks.
                heappush(waiting, (place(parent), parent))
                open_ones += not staying
            else:
                open_ones -= 1
    return tuple(commit for commit in found if not stays[commit])


def contained_in(parents: Parents, releases: Sequence[str]) -> dict[str, int]:
    """For each commit the set of `releases` (commits) that contain it, as the bits of a number; none: left out.

    One pass for all of them: `parents` come newest first, as in a log. Where a clock was wrong and a commit comes
    before its child, it is looked at again.
    """
    masks: dict[str, int] = {}
    for index, release in enumerate(releases):
        masks[release] = masks.get(release, 0) | 1 << index
    passed: set[str] = set()
    for commit, above in parents.items():
        passed.add(commit)
        waiting = [(above, masks[commit])] if commit in masks else []
        while waiting:
            commits, mask = waiting.pop()
            for each in commits:
                before = masks.get(each, 0)
                if before | mask != before:
                    masks[each] = before | mask
                    if each in passed:
                        waiting.append((parents[each], before | mask))
    return masks
