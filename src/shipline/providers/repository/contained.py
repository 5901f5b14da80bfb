"""What a history contains, whatever the clocks of its commits said.

git walks by the times of commits, and ends a few commits after all that is left is known to be contained (`SLOP` in
git's revision.c, 2.39). So where clocks were wrong for longer, `git for-each-ref --merged` leaves tags out that are
contained, and `git log A..B` shows commits that A contains. The rest of what they say is right. Here all goes by
parents alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.ports.repository import Commit, Tag

TAG_ARGUMENTS_MAX = 1000  # On one command line.
ENDS_MAX = 16  # git compares each with all others; beyond, reading the whole history costs less.


def contained(git: GitCommand, commit: str, tags: Sequence[Tag]) -> frozenset[str]:
    """The commits of those of `tags` that `commit` contains.

    Costs the way back to where they part, and the whole history only where that does not tell: `parting` are the
    newest commits that `commit` and any of the tags have in common. A tag that is contained is one of them, or older
    than one; and a tag that contains the only one of them is not older.
    """
    commits = frozenset(tag.commit for tag in tags)
    if len(tags) > TAG_ARGUMENTS_MAX:
        return commits & history_of(git, commit)
    parting = _parting(git, commit, tags) if tags else ()
    if not parting:
        return frozenset()
    others = [tag for tag in tags if tag.commit not in parting]
    if not others or len(commits) == 1:
        return commits & frozenset(parting)
    newer = _containing(git, parting[0], others) if len(parting) == 1 else frozenset()
    if all(tag.name in newer for tag in others):
        return commits & frozenset(parting)
    return commits & history_of(git, commit)


def without_contained(git: GitCommand, commits: Sequence[Commit], since: Sequence[str]) -> Sequence[Commit]:
    """The commits, newest first, that none of `since` contains; `commits` are what `git log` has shown for that.

    Where it has shown too many, one of those that end the list is contained, since all that a contained commit is made
    of is; and where there is no merge, `since` itself stands in the way.
    """
    if all(len(each.parents) <= 1 for each in commits):
        return commits
    shown = {each.id for each in commits}
    ends = [each.id for each in commits if shown.isdisjoint(each.parents)]
    if len(ends) <= ENDS_MAX:
        left = git.run("compare commits", "merge-base", "--independent", "--end-of-options", *since, *ends)
        if {*ends} <= {*left.decode("ascii").split()}:
            return commits
    known = frozenset[str]().union(*(history_of(git, commit) for commit in since))
    return [each for each in commits if each.id not in known]


def history_of(git: GitCommand, commit: str) -> frozenset[str]:
    """The ids of all that a commit contains, its own too."""
    return frozenset(git.run("read the history", "rev-list", "--end-of-options", commit).decode("ascii").split("\n"))


def _parting(git: GitCommand, commit: str, tags: Sequence[Tag]) -> tuple[str, ...]:
    others = dict.fromkeys(tag.commit for tag in tags)
    try:
        found = git.run("compare commits", "merge-base", "--all", "--end-of-options", commit, *others)
    except GitFailed as failure:
        if failure.complaint:
            raise
        return ()
    return tuple(found.decode("ascii").split())


def _containing(git: GitCommand, commit: str, tags: Sequence[Tag]) -> frozenset[str]:
    """The names of those of `tags` that contain `commit`, with others; unlike `for-each-ref` it looks at none twice."""
    names = [tag.name for tag in tags]
    found = git.run("compare commits", "tag", "--format=%(refname)", f"--contains={commit}", "--list", *names)
    listed = ("\n" + found.decode("utf-8", "replace").removesuffix("\n")).split("\nrefs/tags/")
    return frozenset(listed[1:])
