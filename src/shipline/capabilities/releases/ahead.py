"""Versions that evidence comes for before they are released: a scan in CI that ends before `shipline release` begins.

Such evidence is about a commit. It is filed under the id that the release of that version will have if it is made from
that commit, and under no other: a release from other commits begins without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.domain.ids import Ids
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ahead:
    """A version that is not released yet. `id` is the one of its release to be, `commit` what it must be made from."""

    id: str
    package: str
    version: str
    commit: str


AHEAD = Rows("release_ahead", Ahead)


def file_ahead(tx: Transaction, ids: Ids, *, package: str, version: str, commit: str) -> Ahead:
    """What evidence about a version at a commit is filed under; the same for the same three."""
    tx.lock(f"ahead:{package}:{version}")
    known = AHEAD.where(tx, package=package, version=version, commit=commit)
    if known:
        return known[0]
    made = Ahead(ids.new("rel"), package, version, commit)
    AHEAD.save(tx, made)
    return made


def filed_ahead(tx: Transaction, version: str, *, package: str | None = None, limit: int = 100) -> tuple[Ahead, ...]:
    """What evidence about a version was filed under before its release, of one package or of all; the newest first."""
    wanted = {} if package is None else {"package": package}
    return AHEAD.where(tx, version=version, order="id", newest_first=True, limit=limit, **wanted)


def id_ahead(tx: Transaction, package: str, version: str, commits: tuple[str, ...]) -> str | None:
    """The id that was kept for a release of this version from one of these commits; None where nothing came."""
    found = AHEAD.where(tx, package=package, version=version, commit=commits, limit=1)
    return found[0].id if found else None
