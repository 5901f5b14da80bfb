"""Whose a commit is: as it says itself, and as `.mailmap` says, which anybody may write who may commit.

From: https://git-scm.com/docs/gitmailmap
"""

from __future__ import annotations

from shipline.clients.git_command import GitCommand

LOG_FORMAT = "%H%x00%P%x00%aN%x00%aE%x00%ct%x00%B"
ENTRY_FORMAT = "%H%x00%P%x00%aN%x00%B"
UNMAPPED_FORMAT = LOG_FORMAT.replace("%aN", "%an").replace("%aE", "%ae")


def mapped(git: GitCommand, mails: frozenset[str]) -> frozenset[str]:
    """The addresses as `.mailmap` has them. What git would not read as one is returned as it is."""
    asked = sorted(mail for mail in mails if mail.isprintable() and not set(mail) & set("<> "))
    lines = "".join(f"<{mail}>\n" for mail in asked)
    told = (
        git.run("read .mailmap", "check-mailmap", "--stdin", stdin=lines.encode("utf-8", "replace")) if asked else b""
    )
    found = (line.rpartition("<")[2].removesuffix(">") for line in told.decode("utf-8", "replace").splitlines())
    return mails.difference(asked) | frozenset(found)
