"""Putting a detached HEAD on its branch, as `git switch` does where nothing is to be checked out."""

from __future__ import annotations

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError
from shipline.ports.repository import Repository


def attach(repository: Repository, git: GitCommand, branch: str) -> None:
    """Put HEAD on `branch`; see Repository.attach. `git` runs in the repository."""
    head, ref = repository.head(), f"refs/heads/{branch}"
    try:
        git.run("check a branch's name", "check-ref-format", ref)
    except GitFailed:
        raise InvalidValue(f"{branch[:80]!r} cannot be the name of a branch") from None
    if head is None:
        raise ShiplineError("this repository has no commits yet", todo="commit something, then run this again")
    before = repository.find_commit(ref)
    if before is not None and any(repository.log((head,), before, limit=1)):
        raise RefusedError(
            f"the branch {branch} has commits here that HEAD ({head[:12]}) has not",
            why="HEAD is detached, and putting it on the branch would lose them",
            todo=f"git switch {branch}, and bring it where the release is to be made from",
        )
    # Compare and swap: whoever moves the branch meanwhile keeps what they did.
    git.run(f"move {branch} to HEAD", "update-ref", ref, head, before or "")
    git.run(f"put HEAD on {branch}", "symbolic-ref", "HEAD", ref)
