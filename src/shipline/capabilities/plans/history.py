"""Which commits belong to which release, by reachability alone; dates decide nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
        waiting = _marked(above, masks[commit], masks, passed) if commit in masks else []
        while waiting:
            each = waiting.pop()
            waiting += _marked(parents[each], masks[each], masks, passed)
    return masks


def _marked(commits: Iterable[str], mask: int, masks: dict[str, int], passed: set[str]) -> list[str]:
    """Add `mask` to those of `commits`; the ones that were `passed` before they had it."""
    again = []
    for commit in commits:
        before = masks.get(commit, 0)
        if before | mask != before:
            masks[commit] = before | mask
            if commit in passed:
                again.append(commit)
    return again
