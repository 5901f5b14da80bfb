"""Taking back what happened between two commits, on top of a third, without a branch, an index or a work tree.

As `git revert` does it, for a whole range at once: what came before is made the child of what came after, and is merged
into the third.
"""

from __future__ import annotations

import os
from pathlib import Path

from shipline.clients.git_command import GitCommand
from shipline.ports.repository import Stretch
from shipline.providers.repository.git_merge import LONG_AGO, Merged, merged_tree

# A file that is larger than this is binary to git, and is not compared line by line.
SMALL_ALONE = ("-c", "core.bigFileThreshold=1m")


def changed_between(git: GitCommand, since: str, until: str) -> dict[str, str]:
    """The paths that differ, each with the index entry (`mode object`) that it has in `since`, of mode 0 for none."""
    options = ("diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", "--end-of-options", until, since)
    fields = git.run("compare two commits", *options).split(b"\0")
    # Each is `:mode mode object object status`, then the path, the second of each pair being that in `since`.
    pairs = zip(fields[0::2], fields[1::2], strict=False)
    entries = ((head.decode("ascii").split(), os.fsdecode(path)) for head, path in pairs)
    return {path: f"{head[1]} {head[3]}" for head, path in entries}


def difference_of(git: GitCommand, since: str, until: str, path: str) -> str:
    """The hunks of one file's unified diff, "" for one that is binary, or large; no program is run for it."""
    options = (
        "--literal-pathspecs",
        *SMALL_ALONE,
        "diff-tree",
        "--patch",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
    )
    asked = (*options, "--no-renames", "--unified=3", "--end-of-options", since, until, "--", path)
    text = git.run("compare a file", *asked).decode("utf-8", "replace")
    hunks = text.find("\n@@ ")
    return "" if hunks < 0 else text[hunks + 1 :]


def reverted_tree(git: GitCommand, base: str, stretch: Stretch, identity: tuple[str, ...]) -> Merged:
    """The tree of `base` without what happened in the stretch. ShiplineError for an old git."""
    before, until = changed_between(git, stretch.since, stretch.until), stretch.until
    lines = "".join(f"{before[path]}\t{path}\0" for path in stretch.paths if path in before)
    import tempfile  # noqa: PLC0415 - see clients.git_command

    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git.run("read the tree", "read-tree", until, environ=index)
        git.run("set files", "update-index", "-z", "--index-info", stdin=os.fsencode(lines), environ=index)
        tree = git.run("write the tree", "write-tree", environ=index).decode("ascii").strip()
    made = (*identity, "commit-tree", tree, "-p", until, "-m", "what was before")
    back = git.run("prepare a revert", *made, environ=LONG_AGO).decode("ascii").strip()
    return merged_tree(git, base, back)
