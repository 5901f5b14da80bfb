"""Merging two commits without a branch, an index or a work tree: the tree that comes of it, or what they disagree on.

Needs git 2.38 (`git merge-tree --write-tree`, https://git-scm.com/docs/git-merge-tree).
"""

from __future__ import annotations

from typing import NamedTuple

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.domain.errors import ShiplineError

# Helper commits are named by nobody; a fixed time makes them the same each time.
LONG_AGO = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
UNKNOWN_OPTION = ("unknown option", "usage: git merge-tree", "unknown rev --write-tree")


class Merged(NamedTuple):
    """The merged tree, or the paths on which both sides disagree. A tuple, since every plan comes by here."""

    tree: str
    conflicts: tuple[str, ...] = ()


def merged_tree(git: GitCommand, ours: str, theirs: str) -> Merged:
    """Merge two commits. ShiplineError for an old git."""
    try:
        merge = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
        return Merged(git.run("merge two commits", *merge).split(b"\0")[0].decode("ascii").strip())
    except GitFailed as failure:
        if any(words in failure.complaint for words in UNKNOWN_OPTION):
            raise ShiplineError(
                "this git cannot merge without a work tree", why="git 2.38 is the first that can", todo="update git"
            ) from None
        tree, *names = failure.output.split("\0")
        if failure.complaint or not names:
            raise
        return Merged(tree, tuple(sorted({name for name in names if name})))


def tree_of(git: GitCommand, commit: str) -> str:
    """The tree of a commit."""
    return git.run("read a commit", "rev-parse", f"{commit}^{{tree}}").decode("ascii").strip()
