"""What is to be carried over to a branch, what the branch has already, and how that is told. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shipline.capabilities.plans import safe_line
from shipline.capabilities.releases.footing import KEY_TRAILER
from shipline.capabilities.releases.mentions import without_calls
from shipline.ports.repository import Commit

# Written by `git cherry-pick -x` and by `git revert`; a squashed pull request may have several of the first.
PICKED_FROM = re.compile(r"\(cherry picked from commit ([0-9a-f]{40,64})\)")
REVERTED = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
OWN_KEY = f"{KEY_TRAILER}: release:"
SHORT = 12
TITLE_MAX = 200


@dataclass(frozen=True, slots=True)
class SortedOut:
    """The wanted commits, the oldest first. `there` are those whose change the branch has, each with the commit that
    has it there; `own` are those that a release made for itself, which belong to its version and nowhere else."""

    to_pick: tuple[Commit, ...] = ()
    there: tuple[tuple[Commit, str], ...] = ()
    own: tuple[Commit, ...] = ()


def branch_for(name: str, target: str) -> str:
    """The branch on which `name` is brought to `target`: always the same."""
    return f"shipline/backport-{name.replace('/', '-')}-to-{target.replace('/', '-')}"


def oldest_first(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    """Without merges, since what they brought comes by itself; parents before their children, whatever clocks say."""
    known = {commit.id: commit for commit in commits}
    done: dict[str, Commit] = {}
    for newest in reversed(commits):
        waiting = [newest]
        while waiting:
            commit = waiting[-1]
            before = [known[each] for each in commit.parents if each in known and each not in done]
            if before:
                waiting += before
                continue
            done[commit.id] = waiting.pop()
    return tuple(commit for commit in done.values() if len(commit.parents) < 2)


def alike(wanted: Sequence[Commit], known: Sequence[Commit]) -> tuple[str, ...]:
    """The commits whose patches have to be compared: only what changes the same paths can be the same."""
    paths = {commit.paths for commit in wanted} & {commit.paths for commit in known if len(commit.parents) < 2}
    return tuple(commit.id for commit in (*wanted, *known) if commit.paths in paths and len(commit.parents) < 2)


def standing(known: Sequence[Commit]) -> tuple[Commit, ...]:
    """The commits of a branch, newest first, without those that a later one has reverted."""
    undone: set[str] = set()
    kept = []
    for commit in known:
        if commit.id in undone:
            continue
        kept.append(commit)
        for name in REVERTED.findall(commit.message):
            undone |= {each.id for each in known if each.id.startswith(name)}
    return tuple(kept)


def sort_out(
    wanted: Sequence[Commit], known: Sequence[Commit], contained: Collection[str], patches: Mapping[str, str]
) -> SortedOut:
    """Which of `wanted` a branch lacks.

    `known` are the branch's commits that the wanted ones do not stand on, newest first; `contained` are those of
    `wanted` that it holds itself. A change is there too by its line `cherry picked from`, which also stays where a
    person has settled conflicts, or by its patch-id; `patches` has those of the commits that may be the same.
    """
    has = standing(known)
    by_name = {name: one.id for one in has for name in (*PICKED_FROM.findall(one.message), one.id)}
    by_patch = {patches[one.id]: one.id for one in has if one.id in patches}
    to_pick, there, own = [], [], []
    for commit in wanted:
        names = (commit.id, *PICKED_FROM.findall(commit.message))
        same = commit.id if commit.id in contained else next((by_name[each] for each in names if each in by_name), None)
        same = same or by_patch.get(patches.get(commit.id, ""))
        if is_own(commit):
            own.append(commit)
        elif same is not None:
            there.append((commit, same))
        else:
            to_pick.append(commit)
    return SortedOut(tuple(to_pick), tuple(there), tuple(own))


def is_own(commit: Commit) -> bool:
    """True for the commit that a release made of version files and changelog."""
    return any(line.startswith(OWN_KEY) for line in commit.message.splitlines())


def named_commit(commit: Commit) -> str:
    """A commit for people: the beginning of its id, and its subject."""
    return f"{commit.id[:SHORT]} {safe_line(commit.message.partition(chr(10))[0][:TITLE_MAX])}".rstrip()


def title_of(name: str, target: str, picked: Sequence[Commit]) -> str:
    """The pull request's title: that of the only commit, since a squash makes it the commit's."""
    subject = safe_line(picked[0].message.partition("\n")[0][:TITLE_MAX]) if len(picked) == 1 else ""
    return subject or f"chore: bring {name} to {target}"


def text_of(name: str, target: str, found: SortedOut) -> str:
    """What the pull request says."""
    lines = [f"Brings to {target} what {name} has:", "", *(f"- {named_commit(one)}" for one in found.to_pick)]
    if found.there:
        lines += ["", f"There already: {', '.join(one.id[:SHORT] for one, _ in found.there)}."]
    lines += ["", "Each commit says whose change it is. Merge it without squashing, so that this stays."]
    return without_calls("\n".join(lines))


def todo_by_hand(branch: str, tip: str, picked: Sequence[Commit]) -> str:
    """How a person carries over what conflicts; the branch is then taken as it is."""
    ids = " ".join(one.id[:SHORT] for one in picked)
    return (
        f"git switch -c {branch} {tip[:SHORT]}, then git cherry-pick -x {ids}, and settle what it stops at;"
        " then run this again"
    )
