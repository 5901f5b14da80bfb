"""The id map: which item of one forge is which of the other, and how both were seen last."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from shipline.capabilities.automation.sync.contents import Kind, Seen, Side
from shipline.store.tables import sync_link
from shipline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Link:
    """A row. `number` is 0 until it is kept; `parent` is that of the issue that a comment is below, 0 for all others.

    `origin` is where it was written first; the other one is the copy. A key of None: it is gone there, for good.
    `updated` are the instants (UTC microseconds) at which the forges had an issue's last change when its comments were
    read. `made_us` is when the copy was made, 0 where both were there already.
    """

    kind: Kind
    here: str | None
    there: str | None
    origin: Side
    seen_here: Seen | None = None
    seen_there: Seen | None = None
    parent: int = 0
    number: int = 0
    updated: tuple[int, int] = (0, 0)
    made_us: int = 0

    def key(self, side: Side) -> str | None:
        """What it is called on a side."""
        return self.here if side is Side.HERE else self.there

    def seen(self, side: Side) -> Seen | None:
        """How it was seen there."""
        return self.seen_here if side is Side.HERE else self.seen_there

    def at(self, side: Side, key: str | None, content: Seen | None) -> Link:
        """The same with what is on a side now."""
        if side is Side.HERE:
            return replace(self, here=key, seen_here=content)
        return replace(self, there=key, seen_there=content)


def links_of(tx: Transaction, kind: Kind, parent: int = 0) -> tuple[Link, ...]:
    """All of a kind, the oldest first."""
    query = select(sync_link).where(
        sync_link.c.project_id == tx.project.id, sync_link.c.kind == kind.value, sync_link.c.parent == parent
    )
    return tuple(_read(row) for row in tx.connection.execute(query.order_by(sync_link.c.number)))


def keep_link(tx: Transaction, link: Link) -> Link:
    """Write it down; with its number."""
    values: dict[str, Any] = {
        "kind": link.kind.value,
        "parent": link.parent,
        "here_key": link.here,
        "there_key": link.there,
        "origin": link.origin.value,
        "here_seen": json.dumps(link.seen_here, sort_keys=True),
        "there_seen": json.dumps(link.seen_there, sort_keys=True),
        "here_updated_us": link.updated[0],
        "there_updated_us": link.updated[1],
        "made_us": link.made_us,
    }
    if link.number:
        changing = update(sync_link).where(_own(tx, link.number)).values(values)
        assert tx.connection.execute(changing).rowcount == 1, "a link went while it was used"  # noqa: S101
        return link
    tenant = {"organisation_id": tx.project.organisation_id, "project_id": tx.project.id}
    number = tx.connection.execute(insert(sync_link).values(tenant | values).returning(sync_link.c.number)).scalar_one()
    return replace(link, number=int(number))


def drop_link(tx: Transaction, number: int) -> None:
    """Forget it, and the comments below it."""
    tx.connection.execute(delete(sync_link).where(_own(tx, number)))
    below = (sync_link.c.project_id == tx.project.id) & (sync_link.c.parent == number)
    tx.connection.execute(delete(sync_link).where(below))


def drop_links(tx: Transaction) -> int:
    """Forget all; returns how many. The next pass finds copies again by their markers."""
    return tx.connection.execute(delete(sync_link).where(sync_link.c.project_id == tx.project.id)).rowcount


def made_since(tx: Transaction, side: Side, since_us: int) -> tuple[int, ...]:
    """When copies were made on a side since then, in order. Refs are pushed, and are none in this sense."""
    query = select(sync_link.c.made_us).where(
        sync_link.c.project_id == tx.project.id,
        sync_link.c.origin == side.other.value,
        sync_link.c.made_us > since_us,
        sync_link.c.kind != Kind.REF.value,
    )
    return tuple(tx.connection.scalars(query.order_by(sync_link.c.made_us)))


def count_links(tx: Transaction) -> dict[str, int]:
    """How many there are by kind."""
    query = select(sync_link.c.kind, func.count()).where(sync_link.c.project_id == tx.project.id)
    found = {str(row[0]): int(row[1]) for row in tx.connection.execute(query.group_by(sync_link.c.kind))}
    return {kind.value: found.get(kind.value, 0) for kind in Kind}


def _own(tx: Transaction, number: int) -> Any:
    return (sync_link.c.project_id == tx.project.id) & (sync_link.c.number == number)


def _read(row: Row[Any]) -> Link:
    return Link(
        kind=Kind(row.kind),
        here=row.here_key,
        there=row.there_key,
        origin=Side(row.origin),
        seen_here=_seen(row.here_seen),
        seen_there=_seen(row.there_seen),
        parent=row.parent,
        number=row.number,
        updated=(row.here_updated_us, row.there_updated_us),
        made_us=row.made_us,
    )


def _seen(written: str) -> Seen | None:
    found = json.loads(written)
    if found is None:
        return None
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
