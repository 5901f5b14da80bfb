"""Merging two commits without a branch, an index or a work tree: the tree that comes of it, or what they disagree on.

Needs git 2.38 (`git merge-tree --write-tree`, https://git-scm.com/docs/git-merge-tree).
"""

from __future__ import annotations

from typing import NamedTuple

from shipline.clients.git_command import OWN_COMMIT, PLAIN_LOG, GitCommand, GitFailed
from shipline.domain.errors import ShiplineError, UsageError
from shipline.ports.repository import Merged as Result
from shipline.providers.repository.own_commit import check_identity, dates

# Helper commits are named by nobody; a fixed time makes them the same each time.
LONG_AGO = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
# Who merges where nobody is configured: what is only looked at must not fail for that.
NOBODY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Shipline"), ("EMAIL", "shipline@localhost"))
}
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


def merged(git: GitCommand, base: str, head: str, message: str, *, squash: bool) -> Result:
    """Merge two commits in a third; see Repository.merge_beside. Ids alone."""
    if _contains(git, base, head):
        return Result(base)
    found = merged_tree(git, base, head)
    if found.conflicts:
        return Result(None, found.conflicts)
    parents = ("-p", base) if squash else ("-p", base, "-p", head)
    # After both, whatever their clocks said: who reads the newest first must meet it first.
    time_us = max(_time_s(git, base), _time_s(git, head)) * 1_000_000
    options = (*OWN_COMMIT, "commit-tree", found.tree, *parents)
    said = message.rstrip().encode() + b"\n"
    made = git.run("commit a merge", *options, stdin=said, environ=dates(time_us) | _identity(git))
    return Result(made.decode("ascii").strip())


def _contains(git: GitCommand, base: str, head: str) -> bool:
    try:
        git.run("compare commits", "merge-base", "--is-ancestor", head, base)
    except GitFailed as failure:
        if failure.complaint:
            raise
        return False
    return True


def _time_s(git: GitCommand, commit: str) -> int:
    said = git.run("read a commit", *PLAIN_LOG, "--max-count=1", "--format=%ct", "--end-of-options", commit, "--")
    return int(said.strip(b"\0 \n") or 0)


def _identity(git: GitCommand) -> dict[str, str]:
    try:
        check_identity(git)
    except UsageError:
        return NOBODY
    return {}
