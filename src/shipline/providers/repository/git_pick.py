"""Carrying changes over to another commit, as `git cherry-pick -x` does, without a branch, an index or a work tree.

Each is a merge whose base is the parent of what is carried over. `git merge-tree` takes no base before git 2.40, so
what it comes upon is dressed up as another child of that parent.
"""

from __future__ import annotations

from typing import NamedTuple

from shipline.clients.git_command import OWN_COMMIT, PLAIN_LOG, GitCommand
from shipline.domain.errors import InvalidValue
from shipline.ports.repository import Picked
from shipline.providers.repository.git_merge import LONG_AGO, Merged, merged_tree, tree_of
from shipline.providers.repository.own_commit import with_origin

FIELDS = ("--date=raw", "--format=%T%x00%P%x00%an%x00%ae%x00%ad%x00%ct%x00%B")


class Original(NamedTuple):
    """What is carried over. `time_s` is the committer's, `author` and `mail` are as they stand in the commit."""

    id: str
    tree: str
    parent: str
    author: str
    mail: str
    date: str
    time_s: int
    message: str


def picked(git: GitCommand, base: str, commits: tuple[str, ...]) -> Picked:
    """Carry these over to `base`; see Repository.pick_beside. Ids alone."""
    tip, time_s = base, _read(git, base).time_s
    made: list[tuple[str, str]] = []
    for commit in commits:
        original = _read(git, commit)
        time_s = max(time_s, original.time_s)
        merged = _merged(git, tip, original)
        if merged.conflicts:
            return Picked(None, (), commit, merged.conflicts)
        if merged.tree != tree_of(git, tip):
            tip = _commit(git, merged.tree, tip, original, time_s)
            made.append((commit, tip))
    return Picked(tip, tuple(made))


def _read(git: GitCommand, commit: str) -> Original:
    said = git.run("read a commit", *PLAIN_LOG, "--max-count=1", *FIELDS, "--end-of-options", commit, "--")
    tree, parents, author, mail, date, time_s, message = said.decode("utf-8", "replace").split("\0", 6)
    return Original(commit, tree, parents, author, mail, date, int(time_s or 0), message.removesuffix("\0"))


def _merged(git: GitCommand, tip: str, original: Original) -> Merged:
    if " " in original.parent:
        raise InvalidValue(f"{original.id[:12]} is a merge, and has no change of its own")
    before, theirs = original.parent, original.id
    if not before:
        before = _dressed(git, git.run("make an empty tree", "mktree").decode("ascii").strip())
        theirs = _dressed(git, original.tree, before)
    return merged_tree(git, _dressed(git, tree_of(git, tip), before), theirs)


def _dressed(git: GitCommand, tree: str, *parents: str) -> str:
    """A commit that nobody names: a tree as if it had come after these."""
    upon = (part for parent in parents for part in ("-p", parent))
    made = git.run("prepare a merge", *OWN_COMMIT, "commit-tree", tree, *upon, "-m", "as if", environ=LONG_AGO)
    return made.decode("ascii").strip()


def _commit(git: GitCommand, tree: str, parent: str, original: Original, time_s: int) -> str:
    who = {
        "GIT_AUTHOR_NAME": original.author,
        "GIT_AUTHOR_EMAIL": original.mail,
        "GIT_AUTHOR_DATE": original.date,
        "GIT_COMMITTER_DATE": f"@{time_s} +0000",
    }
    message = with_origin(original.message, original.id)
    made = git.run("commit a change", *OWN_COMMIT, "commit-tree", tree, "-p", parent, stdin=message, environ=who)
    return made.decode("ascii").strip()
