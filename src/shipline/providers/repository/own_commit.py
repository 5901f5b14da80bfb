"""What a commit that Shipline makes says beside its files: the key that it is known by, and its instant."""

from __future__ import annotations

import re

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.domain.errors import InvalidValue, UsageError

KEY_TRAILER = "Shipline-Key"
# A line among those at a message's end that git takes for trailers (git-interpret-trailers(1)), or that of a pick.
TRAILER = re.compile(r"[A-Za-z0-9-]+[ \t]*:[ \t]|\(cherry picked from commit |[ \t]+\S")


def check_commit(paths: tuple[str, ...], key: str) -> None:
    """InvalidValue for a commit of nothing, or without a key of one line."""
    if not key.isprintable() or not key.strip() or not paths:
        raise InvalidValue("a release commit needs paths and a key of one line")


def with_key(message: str, key: str) -> bytes:
    """The message with the key as a trailer, beside others of its kind: git reads trailers of one paragraph."""
    text = message.rstrip()
    gap = "\n" if text.rpartition("\n")[2].startswith(f"{KEY_TRAILER}: ") else "\n\n"
    return f"{text}{gap}{KEY_TRAILER}: {key}\n".encode()


def dates(time_us: int) -> dict[str, str]:
    """The environment in which git commits at this instant."""
    date = f"@{time_us // 1_000_000} +0000"
    return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def with_origin(message: str, commit: str) -> bytes:
    """The message with the line that `git cherry-pick -x` writes: among the trailers, where it ends with such."""
    text = message.rstrip()
    before, _, last = text.rpartition("\n\n")
    lines = last.splitlines()
    is_trailers = bool(before.strip()) and all(map(TRAILER.match, lines)) and not lines[0][:1].isspace()
    gap = "" if not text else "\n" if is_trailers else "\n\n"
    return f"{text}{gap}(cherry picked from commit {commit})\n".encode()


def check_identity(git: GitCommand) -> None:
    """UsageError where git does not know who commits here."""
    for variable in ("GIT_COMMITTER_IDENT", "GIT_AUTHOR_IDENT"):
        try:
            git.run("read the identity", "-c", "user.useConfigOnly=true", "var", variable)
        except GitFailed:
            raise UsageError(
                "git does not know who commits here",
                why="user.name or user.email is not configured",
                todo='run `git config user.name "Your Name"` and `git config user.email you@example.com`',
            ) from None
