"""What is frozen."""

from __future__ import annotations

import json

from shipline.capabilities.freezes.rules import IN_FORCE_MAX
from shipline.domain.codec import from_json
from shipline.domain.freeze import Freeze
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

FREEZES = Rows("freeze", Freeze)


def freezes_in_force(tx: Transaction, now_us: int) -> tuple[Freeze, ...]:
    """Those that close something now, by their beginnings."""
    # In plain SQL: gates ask it each time, and those who only look need no SQLAlchemy.
    sql = (
        "SELECT body FROM freeze WHERE project_id = :project AND ends_us > :now AND lifted_us IS NULL"
        " ORDER BY begins_us, id LIMIT :most"
    )
    found = tx.rows(sql, {"project": tx.project.id, "now": now_us, "most": IN_FORCE_MAX + 1})
    return tuple(from_json(Freeze, json.loads(body)) for (body,) in found)
