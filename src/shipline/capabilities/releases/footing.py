"""What a release stands on in git: the branch and commit that it was planned on, and its own commit on top.

A release that goes on later finds a repository in which people have worked since. It may only go on where its commit
holds and sits on what was planned. Its own commit is told by what it is, and not by what its message says: anybody
can write a trailer.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from shipline.capabilities.plans import MANIFESTS, is_changeset
from shipline.capabilities.version_files import is_lock, read_version, spelling_of
from shipline.domain.codec import from_json
from shipline.domain.errors import RefusedError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile
from shipline.ports.repository import Repository

KEY_TRAILER = "Shipline-Key"
PULL_REQUEST_KEY = "release-pull-request"
SHOWN_MAX = 5
BROUGHT_MAX = 100


@dataclass(frozen=True, slots=True)
class Share:
    """What one package's release writes in a commit: its version files, changelog ("" for none) and the manifests in
    which requirements are written, with their lock files, all from the root. With `any_manifest` they may be written in
    whichever: what requires the package for development is not known any more once it is written."""

    package: str
    version: str
    version_files: tuple[VersionFile, ...]
    changelog: str
    manifests: tuple[str, ...] = ()
    any_manifest: bool = False

    @property
    def key(self) -> str:
        """What the release commit's `Shipline-Key:` trailer says."""
        return f"release:{self.package}:{self.version}"

    @property
    def paths(self) -> tuple[str, ...]:
        """All that it writes."""
        paths = (*(file.path for file in self.version_files), *self.manifests, self.changelog)
        return tuple(dict.fromkeys(path for path in paths if path))


@dataclass(frozen=True, slots=True)
class Footing:
    """What one release commit may write, and what it was planned on.

    `shares` are those of the packages that are released with it, the release's own first. `base` is the commit that
    HEAD was when it was begun, None for a release that goes on from its tag or stands beside the branch, and for one
    begun by a Shipline that did not note it. `branch` None: HEAD was detached.
    """

    shares: tuple[Share, ...]
    base: str | None = None
    branch: str | None = None

    def covers(self, path: str) -> bool:
        """True for what the release may write: the files that it names, and changesets, which it uses up."""
        if is_changeset(path) or any(path in share.paths for share in self.shares):
            return True
        requiring = PurePosixPath(path).name in MANIFESTS or is_lock(path)
        return requiring and any(share.any_manifest for share in self.shares)

    @property
    def name(self) -> str:
        """The release, as people call it."""
        return f"{self.shares[0].package} {self.shares[0].version}"


def version_files_of(given: dict[str, Any]) -> tuple[VersionFile, ...]:
    """The version files of a run, by its input."""
    return tuple(from_json(VersionFile, each) for each in given["version_files"])


def inside(package: Package, name: str) -> str:
    """A file of the package, relative to the root."""
    return posixpath.normpath((PurePosixPath(package.path) / name).as_posix())


def is_release_commit(repository: Repository, commit_id: str, footing: Footing) -> bool:
    """True if the commit is this release's own.

    It has the key of each package, one parent (the base, where that is known), changes files of the release alone, and
    every version file states its version in it. A commit that somebody else has made so is no other than the one that
    we would make.
    """
    commit = next(iter(repository.log((), commit_id, changed_paths=True, limit=1)), None)
    if commit is None or len(commit.parents) != 1:
        return False
    if footing.base is not None and commit.parents != (footing.base,):
        return False
    if not {f"{KEY_TRAILER}: {share.key}" for share in footing.shares} <= set(commit.message.splitlines()):
        return False
    if not commit.paths or not all(map(footing.covers, commit.paths)):
        return False
    return states_versions(repository, commit_id, footing.shares)


def released_base(repository: Repository, commit_id: str, package: str, version: str) -> str | None:
    """What a version's own commit stands on; None where the commit is not made for it, as where no file is to change.

    It is told by its key and its only parent. That is no proof, since anybody can write a key into a commit of theirs.
    """
    commit = next(iter(repository.log((), commit_id, limit=1)), None)
    line = f"{KEY_TRAILER}: {Share(package, version, (), '').key}"
    if commit is None or len(commit.parents) != 1 or line not in commit.message.splitlines():
        return None
    return commit.parents[0]


def states_versions(repository: Repository, commit_id: str, shares: Sequence[Share]) -> bool:
    """True if every version file states its package's version in a commit."""
    wanted = [(file, share.version) for share in shares for file in share.version_files]
    contents = repository.read_files(tuple({file.path for file, _ in wanted}), commit_id)
    try:
        return all(
            file.path in contents and read_version(file, contents[file.path]) == spelling_of(file, version)
            for file, version in wanted
        )
    except ShiplineError:
        return False


def keyed_shares(message: str, known: Sequence[Share]) -> tuple[Share, ...]:
    """The shares of a release commit by the keys in its message; `known` are those of all packages, at any version."""
    shares = {share.package: share for share in known}
    found = []
    for line in message.splitlines():
        key = line.removeprefix(f"{KEY_TRAILER}: release:")
        name, _, version = key.rpartition(":")
        if key != line and name in shares and version:
            found.append(replace(shares[name], version=version))
    return tuple(found)


def was_merged(repository: Repository, commit_id: str, share: Share) -> bool:
    """True if the commit brought this release by a release pull request, whatever else is in that: it is, or merges,
    one that carries both keys, and every version file states the version in it."""
    commit = next(iter(repository.log((), commit_id, limit=1)), None)
    if commit is None:
        return False
    brought = repository.log(commit.parents[:1], commit_id, limit=BROUGHT_MAX)
    keys = {f"{KEY_TRAILER}: {share.key}", f"{KEY_TRAILER}: {PULL_REQUEST_KEY}"}
    carried = ({line.strip() for line in one.message.splitlines()} for one in brought)
    return any(keys <= lines for lines in carried) and states_versions(repository, commit_id, (share,))


def has_moved(repository: Repository, footing: Footing) -> bool:
    """True if the branch that the release was begun on is at another commit: neither its base nor its own."""
    return footing.base is not None and repository.branch() == footing.branch and _is_elsewhere(repository, footing)


def _is_elsewhere(repository: Repository, footing: Footing) -> bool:
    head = repository.head()
    return head is None or not (head == footing.base or is_release_commit(repository, head, footing))


def check_head(repository: Repository, footing: Footing) -> None:
    """Refuse (RefusedError) where a commit made now would sit on something other than what was planned."""
    if footing.base is None:
        return
    branch = repository.branch()
    if branch != footing.branch:
        raise RefusedError(
            f"{footing.name} was begun on {footing.branch or 'a detached HEAD'},"
            f" and this is {branch or 'a detached HEAD'}",
            why="its commit would come to stand on another branch",
            todo=f"git switch {footing.branch or '--detach ' + footing.base[:12]}, then run `shipline release` again",
        )
    if _is_elsewhere(repository, footing):
        raise RefusedError(
            f"{footing.name} was planned on commit {footing.base[:12]}, and HEAD is another",
            why="its commit would hold, or sit on, changes that were not planned",
            todo="run `shipline release` again: with newer commits that are worth a release it begins anew;"
            f" otherwise go back to {footing.base[:12]}",
        )


def check_own(repository: Repository, commit: str, footing: Footing) -> None:
    """Refuse (RefusedError) to release a commit that is not the release's own; the base where nothing was to be edited.

    Looked at once it is there: git cannot be told to commit upon one commit alone, and others may work here as well.
    """
    if footing.base is None or is_release_commit(repository, commit, footing):
        return
    if commit == footing.base and states_versions(repository, commit, footing.shares):
        return
    raise RefusedError(
        f"commit {commit[:12]} is not what {footing.name} was to commit upon {footing.base[:12]}",
        why="it sits on another commit, or holds more than version files and changelogs",
        todo=f"look at it: git show {commit[:12]}; nothing is tagged. Take it back, then run `shipline release` again",
    )


def check_tree(repository: Repository, footing: Footing) -> None:
    """Refuse (RefusedError) where tracked files differ from HEAD that the release does not write itself."""
    foreign = [path for path in repository.dirty_paths() if not footing.covers(path)]
    if foreign:
        raise RefusedError(
            "the work tree has changes that are not committed",
            why=f"{listed(foreign)}: not this release's own",
            todo="commit or stash them, then run this again",
        )


def listed(paths: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(paths) - SHOWN_MAX} more" if len(paths) > SHOWN_MAX else ""
    return ", ".join(paths[:SHOWN_MAX]) + more
