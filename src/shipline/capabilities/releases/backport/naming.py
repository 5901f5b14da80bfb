"""What people say is to be brought to a branch: a release, a branch, a range or a commit; and which commits that is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipline.capabilities.plans import Version
from shipline.capabilities.releases.moving_tags import version_of
from shipline.capabilities.releases.yank import named_release
from shipline.domain.errors import UsageError
from shipline.domain.package import Package, unknown_package
from shipline.ports.repository import Repository, Tag

# What no branch's name may hold (git-check-ref-format(1)) and a revision does (gitrevisions(7)).
_REVISION = re.compile(r"[~^:]|@\{")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The commits that `until` holds and none of `since` does. `name` is for people and for the branch; of a release
    that is one of several packages, `package` says whose files count."""

    name: str
    since: tuple[str, ...]
    until: str
    package: Package | None = None


def stretch_of(
    repository: Repository, packages: tuple[Package, ...], what: str, package: str | None, tip: str
) -> Stretch:
    """What is meant; `tip` is the commit of the branch that it is brought to. UsageError for what there is not."""
    if ".." in what:
        return _range(repository, what)
    released = _release(repository, packages, what, package)
    if released is not None:
        return released
    if package is not None:
        raise _unknown(what)
    for place in ("refs/heads", "refs/remotes", "refs/remotes/origin"):
        branch = branch_commit(repository, place, what)
        if branch is not None:
            return Stretch(what, (tip,), branch)
    commit = repository.find_commit(what)
    if commit is None:
        raise _unknown(what)
    parents = next(iter(repository.log((), commit, limit=1))).parents
    return Stretch(commit[:12], parents[:1], commit)  # Of a merge: all that it has brought.


def branch_commit(repository: Repository, place: str, name: str) -> str | None:
    """The commit of the branch; None where there is none, and for `main~1`, which names a commit by a branch."""
    return None if _REVISION.search(name) else repository.find_commit(f"{place}/{name}")


def _range(repository: Repository, what: str) -> Stretch:
    since, _, until = what.partition("..")
    found = [repository.find_commit(name or "HEAD") for name in (since, until)]
    if None in found or until.startswith("."):
        raise UsageError(
            f"{what[:80]!r} is no range of commits", todo="two dots stand between two commits that are here: A..B"
        )
    return Stretch(str(found[1])[:12], (str(found[0]),), str(found[1]))


def _release(repository: Repository, packages: tuple[Package, ...], what: str, package: str | None) -> Stretch | None:
    """What came with a release, by its tag: all since the one before it, of which a final version's is a final one."""
    if package is not None and package not in {one.name for one in packages}:
        raise unknown_package(package, [one.name for one in packages])
    text, said = named_release(what, packages)
    wanted = package or said
    tagged = [
        (one, version, tag)
        for one in packages
        if wanted in (None, one.name)
        and (tag := repository.find_tag(one.tag(text))) is not None
        and (version := version_of(one, tag.name)) is not None
    ]
    if len(tagged) > 1:
        listed = ", ".join(one.name for one, _, _ in tagged)
        raise UsageError(f"more than one package has a version {text[:60]}", todo=f"--package NAME: {listed}")
    for one, version, tag in tagged:
        before = _before(repository, one, version, tag)
        return Stretch(tag.name, before, tag.commit, one if len(packages) > 1 else None)
    return None


def _before(repository: Repository, package: Package, version: Version, tag: Tag) -> tuple[str, ...]:
    read = [(version_of(package, each.name), each.commit) for each in repository.merged_tags(tag.commit)]
    lower = [
        (one.key, commit)
        for one, commit in read
        if one is not None and one.key < version.key and (one.is_stable or not version.is_stable)
    ]
    return (max(lower)[1],) if lower else ()


def _unknown(what: str) -> UsageError:
    return UsageError(
        f"there is no release, branch or commit {what[:80]!r} here",
        todo="`git fetch --tags` brings what others have; a range is written A..B",
    )
