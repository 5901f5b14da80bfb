"""What the event log tells, for tests: kinds in their order, and that no position is missing or taken twice."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import select

from shipline.store.database import Store
from shipline.store.log import read_latest
from shipline.store.tables import event


def kinds(store: Store, prefix: str = "") -> list[str]:
    """The kinds of all events of streams that begin with `prefix`, in the order in which they were appended."""
    query = select(event.c.kind).where(event.c.stream.startswith(prefix)).order_by(event.c.number)
    with store.begin() as tx:
        return list(tx.connection.scalars(query))


def bodies(store: Store, kind: str) -> list[dict[str, Any]]:
    """What the events of a kind say, in the order in which they were appended."""
    return [told.event.body for told in read_latest(store, 1000) if told.event.kind == kind]


def check_positions(store: Store) -> None:
    """Every stream counts from 1 without a gap."""
    positions: dict[str, list[int]] = defaultdict(list)
    with store.begin() as tx:
        for stream, position in tx.connection.execute(
            select(event.c.stream, event.c.position).order_by(event.c.number)
        ):
            positions[stream].append(position)
    for stream, found in positions.items():
        assert found == list(range(1, len(found) + 1)), f"{stream}: {found}"
