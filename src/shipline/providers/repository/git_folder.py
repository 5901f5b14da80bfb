"""A `.git` for an exported tree, with one commit checked out and one tag: what tools that ask git for a version need.

It is no clone: there is no remote, no branch and no other tag in it, and what is run beside it can move nothing of the
repository's own. Objects are read from there.
"""

from __future__ import annotations

from pathlib import Path

from shipline.clients.git_command import GitCommand


def write_git_folder(git: GitCommand, folder: Path, commit: str, tag: str) -> None:
    """Write `folder/.git`; `git` is the repository's own. GitFailed where it has no such tag."""

    def ask(*arguments: str) -> str:
        return git.run("look into the repository", "rev-parse", *arguments).decode().strip()

    objects = ask("--path-format=absolute", "--git-path", "objects")
    own = GitCommand(folder)
    form = f"--object-format={ask('--show-object-format')}"
    own.run("make a git folder", "init", "--quiet", "--template=", "--initial-branch=exported", form)
    information = folder / ".git" / "objects" / "info"
    information.mkdir(exist_ok=True)
    (information / "alternates").write_text(f"{objects}\n")
    own.run("set HEAD", "update-ref", "--no-deref", "HEAD", commit)
    own.run("set the tag", "update-ref", f"refs/tags/{tag}", ask("--verify", f"refs/tags/{tag}"))
    own.run("read the tree", "read-tree", "HEAD")
