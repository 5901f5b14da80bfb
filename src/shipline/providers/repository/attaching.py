"""Branches of this repository that are made, or moved to where others have them, where nothing is lost by that."""

from __future__ import annotations

import os

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.clients.git_errors import push_error
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.repository import Repository

TAGS_AT_ONCE = 200
# Nobody's hooks run, and no merge is made.
FORWARDS = ("-c", f"core.hooksPath={os.devnull}", "merge", "--ff-only", "--quiet", "--no-autostash")


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


def catch_up(repository: Repository, git: GitCommand, remote: str, branch: str) -> str:
    """See Repository.catch_up. `git` runs in the repository."""
    if repository.branch() != branch:
        raise RefusedError(
            f"this work tree is on {repository.branch() or 'no branch'}, and not on {branch}",
            todo=f"git switch {branch}, and leave this copy of the repository to Shipline",
        )
    tip, head = repository.fetch_branch(remote, branch), repository.head()
    if tip is None or head is None:
        raise RefusedError(f"{remote} has no branch {branch}" if tip is None else f"{branch} has no commits here")
    _fetch_tags(repository, git, remote)
    if repository.merge_base((head, tip)) == tip:
        return head
    if repository.merge_base((head, tip)) != head:
        raise RefusedError(
            f"{branch} has commits here that {remote} has not, and the other way round",
            why=f"it is at {head[:12]} here and at {tip[:12]} there",
            todo=f"merge them by hand, and push {branch}",
        )
    try:
        git.run(f"bring {branch} to {tip[:12]}", *FORWARDS, tip)
    except GitFailed as failure:
        raise RefusedError(
            f"the work tree cannot be brought to where {remote} has {branch}",
            why=failure.complaint,
            todo="commit or take back what was changed there by hand",
        ) from None
    return tip


def _fetch_tags(repository: Repository, git: GitCommand, remote: str) -> None:
    """Those that are not here; one that is elsewhere here stays: it may be a release."""
    here = frozenset(repository.tag_names())
    missing = [f"refs/tags/{name}:refs/tags/{name}" for name in repository.tags_on(remote, None) if name not in here]
    try:
        for at in range(0, len(missing), TAGS_AT_ONCE):
            fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options", remote)
            git.run(f"fetch tags from {remote}", *fetch, *missing[at : at + TAGS_AT_ONCE])
    except GitFailed as failure:
        raise push_error(remote, failure) from None
