"""Branches of this repository that are made or moved where nothing is to be checked out."""

from __future__ import annotations

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.repository import Repository


def attach(repository: Repository, git: GitCommand, branch: str) -> None:
    """Put HEAD on `branch`; see Repository.attach. `git` runs in the repository."""
    head, ref = repository.head(), _checked(git, branch)
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


def start_branch(repository: Repository, git: GitCommand, branch: str, commit: str) -> None:
    """Make a branch that stands on `commit`; see Repository.start_branch. `git` runs in the repository."""
    ref = _checked(git, branch)
    before = repository.find_commit(ref)
    if before is None:
        try:
            git.run(f"make the branch {branch}", "update-ref", ref, commit, "")  # Only if it is not there.
        except GitFailed:
            before = repository.find_commit(ref)
            if before is None:
                raise
    if before not in (None, commit):
        raise ConflictError(
            f"there is a branch {branch} here, on {str(before)[:12]} and not on {commit[:12]}",
            todo=f"look at it, and delete it if nobody needs it: git branch -D {branch}",
        )


def _checked(git: GitCommand, branch: str) -> str:
    """The whole name of a branch; InvalidValue for what is none."""
    try:
        git.run("check a branch's name", "check-ref-format", f"refs/heads/{branch}")
    except GitFailed:
        raise InvalidValue(f"{branch[:80]!r} cannot be the name of a branch") from None
    return f"refs/heads/{branch}"
