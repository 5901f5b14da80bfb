"""What stands in a `.git` folder. From: gitrepository-layout(5)."""

from __future__ import annotations

from pathlib import Path

from shipline.clients.git_command import GitCommand

CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
# From: git-config(1), extensions.objectFormat.
OTHER_CONFIGURATION = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectFormat = {form}\n"
ON_BRANCH = b"ref: refs/heads/"
ASKED_OF_HEAD = ("symbolic-ref", "--quiet", "--short", "HEAD")


def branch_of_head(folder: Path) -> bytes | None:
    """The branch that HEAD is on, by its file in the `.git` folder: it is asked for a dozen times in a release.

    None where only git can tell, by ASKED_OF_HEAD: HEAD is detached or a link, or references are kept in tables
    (reftable).
    """
    head = folder / "HEAD"
    try:
        content = b"" if head.is_symlink() else head.read_bytes()
    except OSError:
        return None
    branch = content.removeprefix(ON_BRANCH).removesuffix(b"\n")
    return branch if content.startswith(ON_BRANCH) and branch not in (b"", b".invalid") else None


def write_git_folder(git: GitCommand, folder: Path, commit: str, tag: str) -> None:
    """Write `folder/.git` for an exported tree, with one commit checked out and one tag: what tools that ask git for a
    version need. `git` is the repository's own. GitFailed where it has no such tag.

    It is no clone: there is no remote, no branch and no other tag in it, and what is run beside it can move nothing of
    the repository's own. Objects are read from there.
    """
    asked = ("--path-format=absolute", "--git-path", "objects", "--show-object-format")
    told = git.run("look into the repository", "rev-parse", *asked, f"refs/tags/{tag}", "--").decode()
    objects, form, own_tag = told.removesuffix("\n--\n").rsplit("\n", 2)
    files = {
        "HEAD": f"{commit}\n",
        "config": CONFIGURATION if form == "sha1" else OTHER_CONFIGURATION.format(form=form),
        "objects/info/alternates": f"{objects}\n",
        f"refs/tags/{tag}": f"{own_tag}\n",
    }
    for name, text in files.items():
        path = folder / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    GitCommand(folder).run("read the tree", "read-tree", "HEAD")
