"""What a remote has, and moving a tag there that others may move as well."""

from __future__ import annotations

from shipline.clients.git_command import GitCommand, GitFailed
from shipline.clients.git_errors import not_moving, push_error
from shipline.domain.errors import InvalidValue


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
