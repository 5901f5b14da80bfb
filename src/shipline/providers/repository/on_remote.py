"""What a remote has, and moving a tag there that others may move as well."""

from __future__ import annotations

import re
from collections.abc import Callable

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.clients.git_errors import not_moving, push_error
from shipline.domain.errors import InvalidValue, UnavailableError

FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--end-of-options")
OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# From: upload-pack.c and fetch-pack.c of git 2.39.
NOT_HANDED_OUT = re.compile(r"not our ref|unadvertised object|couldn't find remote ref")


def listed_on(git: GitCommand, remote: str, *references: str) -> dict[str, str]:
    """What a remote has of these references, by name."""
    if remote.startswith("-"):
        raise InvalidValue("a remote's name is an option")
    try:
        listed = git.run(f"look at {remote}", "ls-remote", "--end-of-options", remote, *references)
    except GitFailed as failure:
        raise push_error(remote, failure) from None
    lines = listed.decode("utf-8", "replace").strip().splitlines()
    return {name: oid for oid, _, name in (line.partition("\t") for line in lines)}


def push_moved_tag(git: GitCommand, name: str, target: str, remote: str) -> None:
    """Make a lightweight tag of `remote` stand on `target`, unless somebody moves it at this moment."""
    reference = f"refs/tags/{name}"
    there = listed_on(git, remote, reference, f"{reference}^{{}}")
    if f"{reference}^{{}}" in there:
        raise not_moving(name, f"on {remote}")
    if there.get(reference) == target:
        return
    lease = f"--force-with-lease={reference}:{there.get(reference, '')}"
    options = ("push", lease, "--porcelain", "--no-follow-tags", "--end-of-options")
    try:
        git.run(f"push to {remote}", *options, remote, f"{target}:{reference}")
    except GitFailed as failure:
        raise push_error(remote, failure) from None


def fetch_branch(git: GitCommand, has: Callable[[str], bool], remote: str, name: str) -> str | None:
    """The commit on which `remote` has the branch now, which is here then; `has` tells which are."""
    ref = f"refs/heads/{name}"
    found = listed_on(git, remote, ref).get(ref)
    try:
        if found is not None and not has(found):
            git.run(f"fetch from {remote}", *FETCH, remote, ref)
    except GitFailed as failure:
        raise push_error(remote, failure) from None
    if found is not None and not has(found):
        raise UnavailableError(f"{name} has moved on {remote} while it was fetched")
    return found


def fetch_commit(git: GitCommand, has: Callable[[str], bool], remote: str, commit: str) -> bool:
    """Have a commit of `remote` here; False where that does not hand it out."""
    if OBJECT_ID.fullmatch(commit) is None or remote.startswith("-"):
        raise InvalidValue(f"{commit[:80]!r} is no commit, or {remote[:80]!r} no remote")
    if has(commit):
        return True
    try:
        git.run(f"fetch from {remote}", *FETCH, remote, commit)
    except GitFailed as failure:
        if NOT_HANDED_OUT.search(f"{failure.complaint} {failure.output} {failure.remote}"):
            return False
        raise push_error(remote, failure) from None
    return has(commit)
