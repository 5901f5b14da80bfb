"""Changesets that are being written: which packages have changed, which changesets are there, and what is missing.

Reads the work tree, since people ask before they commit; what is released is decided by HEAD, in `usecases`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shipline.capabilities.plans.attribution import Attribution
from shipline.capabilities.plans.changesets import (
    BYTES_MAX,
    CONFIG,
    FOLDER,
    Changeset,
    ChangesetConfig,
    check_known,
    is_changeset,
    read_changeset,
    read_config,
    render_changeset,
    without_ignored,
)
from shipline.capabilities.plans.globs import matches
from shipline.capabilities.plans.heads import checked_head
from shipline.capabilities.plans.lineages import lineages_at
from shipline.capabilities.plans.monorepo import attributed, owners_of
from shipline.capabilities.plans.reading import tags_that_matter
from shipline.capabilities.plans.rules import Lineage
from shipline.capabilities.plans.versions import STABLE
from shipline.domain.change import Bump
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError
from shipline.domain.package import Package
from shipline.ports.repository import Commit, Repository

SCHEMA = "shipline.changesets/1"
PROPOSAL_KEY = "Shipline-Key: release-pull-request"  # A line of the one commit of a release pull request.


@dataclass(frozen=True, slots=True)
class Pending:
    """The changesets of the work tree. `changed` are the packages that have changed, `missing` those without one.

    `proposal` is the commit of the release pull request whose branch this is, or which was just merged: it has used up
    the changesets, so that none is missing. None elsewhere.
    """

    changesets: tuple[Changeset, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    proposal: str | None = None

    def bumps(self) -> dict[str, Bump]:
        """How far the changesets move each package that they name."""
        found: dict[str, Bump] = {}
        for changeset in self.changesets:
            for name, bump in changeset.bumps.items():
                found[name] = max(bump, found.get(name, Bump.NONE), key=lambda each: each.rank)
        return found


def changeset_status(repository: Repository, packages: Sequence[Package] | None = None, *, since: str = "") -> Pending:
    """The changesets of the work tree, and the packages that have changed since a commit and have none."""
    head = checked_head(repository)
    tags = tags_that_matter(repository, repository.tag_names(), head, STABLE).here
    lineages, _ = lineages_at(repository, packages, head, tags)
    return pending_changesets(repository, lineages, head, since)


def pending_changesets(repository: Repository, lineages: Sequence[Lineage], head: str, since: str) -> Pending:
    """What the work tree has for the packages that have changed since the commit `since`, "" for their last releases.

    An empty changeset that came since then says that what has changed is not released; and the commit of a release pull
    request has used up those that there were. Raises InvalidValue for
    changesets that cannot be read and for a `since` that is no commit.
    """
    root = repository.root()
    config = _config(root)
    names = [each.package.name for each in lineages]
    found = tuple(read_changeset(path, _content(root / path)) for path in _paths(root))
    check_known(found, names)
    base = since or (config.base if config.base and config.base != repository.branch() else "")
    if base and repository.find_commit(base) is None:
        where = "--since" if since else "baseBranch of .changeset/config.json"
        raise InvalidValue(
            f"there is no commit {base[:80]!r} in this repository",
            why=f"{where} names it",
            todo="fetch it, or name another",
        )
    changed = _changed_since(repository, lineages, head, base) if base else _unreleased(repository, lineages, head)
    old = frozenset(repository.list_files((FOLDER,), base)) if base else frozenset()
    silenced = any(not changeset.bumps and changeset.path not in old for changeset in found)
    named = {name for changeset in found for name in changeset.bumps}
    kept = tuple(name for name in names if name in changed and not _is_ignored(name, config.ignored))
    missing = () if silenced else tuple(name for name in kept if name not in named)
    proposal = _proposal(repository, head) if missing else None
    return Pending(without_ignored(found, config.ignored), kept, () if proposal else missing, proposal)


def uncommitted_changesets(repository: Repository, commit: str) -> tuple[str, ...]:
    """The changesets of the work tree that `commit` does not have, or not so: its plan does not count them."""
    root = repository.root()
    if not (root / FOLDER).is_dir():
        return ()
    here = {path: root / path for path in _paths(root)}
    committed = repository.read_files(tuple(here), commit) if here else {}
    return tuple(path for path, file in here.items() if _lines(committed.get(path)) != _lines(_plain(file)))


def _plain(file: Path) -> bytes:
    try:
        return _content(file)
    except (InvalidValue, OSError):
        return b""  # Whatever it is, it is no changeset as one is committed.


def _lines(content: bytes | None) -> bytes | None:
    """The content whatever its line ends, which git may change."""
    return None if content is None else content.replace(b"\r\n", b"\n")


def pending_document(pending: Pending) -> dict[str, Any]:
    """The same as plain JSON data, schema `shipline.changesets/1`."""
    return {
        "schema": SCHEMA,
        "changesets": [
            {
                "id": each.name,
                "path": each.path,
                "summary": each.summary,
                "releases": [{"name": name, "bump": bump.value} for name, bump in each.bumps.items()],
            }
            for each in pending.changesets
        ],
        "releases": [{"name": name, "bump": bump.value} for name, bump in pending.bumps().items()],
        "changed": list(pending.changed),
        "missing": list(pending.missing),
        "proposal": pending.proposal,
    }


def write_changeset(root: Path, name: str, bumps: Mapping[str, Bump], summary: str) -> Path:
    """Write a new changeset and return its path. Raises ConflictError where there is one of that name."""
    folder = root / FOLDER
    if folder.is_symlink():
        raise RefusedError(f"{FOLDER} is a link", todo="make it a folder of this repository")
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.md"
    content = render_changeset(bumps, summary)
    read_changeset(f"{FOLDER}/{path.name}", content.encode())
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError:
        raise ConflictError(f"there is a changeset named {name!r} already", todo="run this again") from None
    return path


def _config(root: Path) -> ChangesetConfig:
    path = root / CONFIG
    return read_config(_content(path)) if path.is_file() else ChangesetConfig()


def _paths(root: Path) -> Iterable[str]:
    names = sorted(f"{FOLDER}/{path.name}" for path in (root / FOLDER).glob("*.md"))
    return (name for name in names if is_changeset(name))


def _content(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise InvalidValue(f"{path.name} in {FOLDER} is no plain file")
    with path.open("rb") as file:
        return file.read(BYTES_MAX + 1)


def _changed_since(repository: Repository, lineages: Sequence[Lineage], head: str, since: str) -> set[str]:
    attribution = Attribution([each.package for each in lineages])
    commits = repository.log((since,), head, changed_paths=True)
    paths = {path for commit in commits for path in owners_of(attribution, commit)}
    return {each.package.name for each in lineages if each.package.path in paths}


def _unreleased(repository: Repository, lineages: Sequence[Lineage], head: str) -> set[str]:
    commits = list(repository.log((), head, changed_paths=True))
    return {name for _, names in attributed(commits, lineages) for name in names}


def _proposal(repository: Repository, head: str) -> str | None:
    """The commit of a release pull request that `head` is, or merges, as CI checks a pull request out.

    Anybody can write its key. So it has to have done what it is for: taken changesets that were there.
    """
    for oid in (head, *_first(repository, head).parents[1:]):
        commit = _first(repository, oid)
        if PROPOSAL_KEY in commit.message.splitlines() and len(commit.parents) == 1:
            before = repository.list_files((FOLDER,), commit.parents[0])
            if any(is_changeset(path) and path in before for path in commit.paths):
                return oid
    return None


def _first(repository: Repository, commit: str) -> Commit:
    return next(iter(repository.log((), commit, changed_paths=True, limit=1)))


def _is_ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(matches(pattern, name) for pattern in patterns)
