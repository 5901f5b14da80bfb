"""What is frozen."""

from __future__ import annotations

import json

from sqlalchemy import select

from shipline.capabilities.freezes.rules import IN_FORCE_MAX
from shipline.domain.codec import from_json
from shipline.domain.freeze import Freeze
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

FREEZES = Rows("freeze", Freeze)


def freezes_in_force(tx: Transaction, now_us: int) -> tuple[Freeze, ...]:
    """Those that close something now, by their beginnings."""
    columns = FREEZES.table.c
    query = select(columns.body).where(
        columns.project_id == tx.project.id, columns.ends_us > now_us, columns.lifted_us.is_(None)
    )
    found = tx.connection.scalars(query.order_by(columns.begins_us, columns.id).limit(IN_FORCE_MAX + 1)).all()
    return tuple(from_json(Freeze, json.loads(body)) for body in found)
