"""What releases consist of, as their SBOMs say: kept in rows, so that who contains a package is one look-up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select

from shipline.capabilities.releases.queries import matching_releases
from shipline.domain.component import Component
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.tables import component as table
from shipline.store.transaction import Transaction

UNKNOWN_MAX = 5000
_COLUMNS = (table.c.type, table.c.name, table.c.version, table.c.purl, table.c.licence)


def save_components(tx: Transaction, release_id: str, components: Iterable[Component]) -> None:
    """Keep what a release consists of, in place of what was known of it."""
    tx.connection.execute(delete(table).where(table.c.release_id == release_id, table.c.project_id == tx.project.id))
    rows = [
        {
            "release_id": release_id,
            "number": number,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "type": each.type,
            "name": each.name,
            "version": each.version,
            "purl": each.purl,
            "licence": each.licence,
        }
        for number, each in enumerate(components)
    ]
    if rows:
        tx.connection.execute(insert(table), rows)


def release_components(tx: Transaction, release_id: str) -> tuple[Component, ...]:
    """What a release consists of, in the order of its SBOMs; empty where it has none on record."""
    asked = select(*_COLUMNS).where(table.c.project_id == tx.project.id, table.c.release_id == release_id)
    return tuple(Component(*row) for row in tx.connection.execute(asked.order_by(table.c.number)))


def releases_with(tx: Transaction, name: str, *, type_: str = "") -> tuple[tuple[str, Component], ...]:
    """The ids of the releases that contain a package of this name, of this type or of any, with the component."""
    asked = select(table.c.release_id, *_COLUMNS).where(table.c.project_id == tx.project.id, table.c.name == name)
    if type_:
        asked = asked.where(table.c.type == type_)
    return tuple((row[0], Component(*row[1:])) for row in tx.connection.execute(asked))


def components_of_releases(tx: Transaction, release_ids: Sequence[str]) -> dict[str, list[Component]]:
    """By the release's id what each consists of; those of which nothing is known are left out."""
    wanted = frozenset(release_ids)
    found: dict[str, list[Component]] = {}
    asked = select(table.c.release_id, *_COLUMNS).where(table.c.project_id == tx.project.id)
    for row in tx.connection.execute(asked):
        if row[0] in wanted:
            found.setdefault(row[0], []).append(Component(*row[1:]))
    return found


def releases_without_components(tx: Transaction) -> tuple[Release, ...]:
    """The newest published releases of which it is not known what they consist of."""
    asked = select(table.c.release_id).where(table.c.project_id == tx.project.id).distinct()
    known = frozenset(tx.connection.scalars(asked))
    published = matching_releases(tx, status=ReleaseStatus.PUBLISHED, limit=UNKNOWN_MAX)
    return tuple(release for release in published if release.id not in known)
