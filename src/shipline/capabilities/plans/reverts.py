"""What a revert of a merge takes back: all that the merge had brought in, which its message does not name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shipline.capabilities.plans import history
from shipline.capabilities.plans.conventional import REVERSING
from shipline.domain.change import Change
from shipline.ports.repository import Commit


def mainline_in(message: str, parents: Sequence[str]) -> int:
    """Which of a merge's parents stays, by the message of its revert: the first one, where it does not say."""
    said = REVERSING.search(message)
    named = (place for place, parent in enumerate(parents) if said is not None and parent.startswith(said[1]))
    return next(named, 0)


def with_undone(
    commits: Sequence[Commit], changes: Mapping[str, tuple[Change, ...]]
) -> Mapping[str, tuple[Change, ...]]:
    """The changes by commit, those that revert merges with what these had brought in. `commits`: newest first."""
    reverting = {
        commit: names
        for commit, each in changes.items()
        if (names := [name for change in each if change.reverts for name in change.reverts if name[:1] != "#"])
    }
    if not reverting:
        return changes
    known = {commit.id: commit for commit in commits}
    parents = {commit.id: commit.parents for commit in commits}
    order = {commit.id: place for place, commit in enumerate(commits)}
    found = dict(changes)
    for commit, names in reverting.items():
        undone: list[str] = []
        for merge in _merges(names, parents):
            mainline = parents[merge][mainline_in(known[commit].message, parents[merge])]
            undone += history.brought_by(parents, merge, mainline, order.__getitem__)
        if undone:
            found[commit] = tuple(
                replace(change, undone=tuple(undone)) if change.reverts else change for change in found[commit]
            )
    return found


def _merges(names: Iterable[str], parents: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The merges among the commits that the names begin."""
    whole = (
        name if name in parents else next((each for each in parents if each.startswith(name)), "") for name in names
    )
    return [name for name in whole if len(parents.get(name, ())) > 1]
