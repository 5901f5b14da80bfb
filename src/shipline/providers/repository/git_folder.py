"""A `.git` for an exported tree, with one commit checked out and one tag: what tools that ask git for a version need.

It is no clone: there is no remote, no branch and no other tag in it, and what is run beside it can move nothing of the
repository's own. Objects are read from there.
"""

from __future__ import annotations

from pathlib import Path

from shipline.clients.git_command import GitCommand


def write_git_folder(git: GitCommand, folder: Path, commit: str, tag: str) -> None:
    """Write `folder/.git`; `git` is the repository's own. GitFailed where it has no such tag."""
    asked = ("--path-format=absolute", "--git-path", "objects", "--show-object-format")
    told = git.run("look into the repository", "rev-parse", *asked, f"refs/tags/{tag}", "--").decode()
    objects, form, own_tag = told.removesuffix("\n--\n").rsplit("\n", 2)
    own = GitCommand(folder)
    start = ("init", "--quiet", "--template=", "--initial-branch=exported", f"--object-format={form}")
    own.run("make a git folder", *start)
    information = folder / ".git" / "objects" / "info"
    information.mkdir(exist_ok=True)
    (information / "alternates").write_text(f"{objects}\n")
    refs = f"option no-deref\nupdate HEAD {commit}\nupdate refs/tags/{tag} {own_tag}\n"
    own.run("set HEAD and the tag", "update-ref", "--stdin", stdin=refs.encode())
    own.run("read the tree", "read-tree", "HEAD")
