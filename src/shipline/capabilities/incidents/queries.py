"""What is known of incidents."""

from __future__ import annotations

from shipline.domain.incident import Incident, IncidentStatus
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

INCIDENTS = Rows("incident", Incident)


def open_incidents(tx: Transaction, *, limit: int = 100) -> tuple[Incident, ...]:
    """The incidents that have not ended, newest first."""
    return INCIDENTS.where(tx, status=IncidentStatus.OPEN.value, order="opened_us", newest_first=True, limit=limit)


def all_incidents(tx: Transaction, *, limit: int = 100) -> tuple[Incident, ...]:
    """The project's incidents, newest first."""
    return INCIDENTS.where(tx, order="opened_us", newest_first=True, limit=limit)


def incident_of_rollout(tx: Transaction, rollout_id: str) -> Incident | None:
    """The newest incident of a rollout, None if all went well or nobody could notice."""
    found = INCIDENTS.where(tx, rollout_id=rollout_id, order="opened_us", newest_first=True, limit=1)
    return found[0] if found else None
