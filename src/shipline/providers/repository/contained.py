"""Which tags a history contains, whatever the clocks of its commits said.

`git for-each-ref --merged` walks by the times of commits, and ends a few commits after all that is left is known to be
contained (`SLOP` in git's revision.c, 2.39). So where clocks were wrong for longer, it leaves tags out that are
contained; what it names is right. Both ways here go by parents alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.ports.repository import Tag


def contained(git: GitCommand, commit: str, tags: Sequence[Tag]) -> frozenset[str]:
    """The commits of those of `tags` that `commit` contains. Few enough to stand on one command line.

    Costs the way back to where they part, and the whole history only where that does not tell: `parting` are the
    newest commits that `commit` and any of the tags have in common. A tag that is contained is one of them, or older
    than one; and a tag that contains the only one of them is not older.
    """
    parting = _parting(git, commit, tags)
    if not parting:
        return frozenset()
    commits = frozenset(tag.commit for tag in tags)
    others = [tag for tag in tags if tag.commit not in parting]
    if not others or len(commits) == 1:
        return commits & frozenset(parting)
    newer = _containing(git, parting[0], others) if len(parting) == 1 else frozenset()
    if all(tag.name in newer for tag in others):
        return commits & frozenset(parting)
    return commits & history_of(git, commit)


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
