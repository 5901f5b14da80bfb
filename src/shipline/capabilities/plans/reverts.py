"""What reverts take back beyond their words: all that a merge had brought in, and requests of a repository. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shipline.capabilities.plans import history
from shipline.capabilities.plans.conventional import REVERSING
from shipline.capabilities.plans.entries import Told
from shipline.domain.change import Change
from shipline.ports.repository import Commit

ADDRESS_END = re.compile(r"[/:]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$")
ADDRESS_LENGTH_MAX = 1000


def names_others(change: Told) -> bool:
    """True where a revert names a request by its repository, which need not be this one."""
    return any("/" in name for name in change.reverts)


def with_own_numbers(reverts: tuple[str, ...], address: str | None) -> tuple[str, ...]:
    """What is reverted, with the requests of the repository at `address` by their numbers alone."""
    found = ADDRESS_END.search(address) if address is not None and len(address) < ADDRESS_LENGTH_MAX else None
    if found is None:
        return reverts
    own = f"{found[1]}/{found[2]}#".lower()
    return tuple(name[len(own) - 1 :] if name.lower().startswith(own) else name for name in reverts)


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
