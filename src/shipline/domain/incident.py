"""Incident: something went wrong, tied to the Deployment that caused it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shipline.domain.transitions import move


class IncidentStatus(StrEnum):
    """Open until the harm has ended."""

    OPEN = "open"
    RESOLVED = "resolved"


LEGAL = {
    IncidentStatus.OPEN: frozenset({IncidentStatus.RESOLVED}),
    IncidentStatus.RESOLVED: frozenset[IncidentStatus](),
}


@dataclass(frozen=True, slots=True)
class Incident:
    """`deployment_id` is the cause, None where not known. `failed_requests` is what users suffered, as counted."""

    id: str
    title: str
    environment: str
    status: IncidentStatus
    opened_us: int
    deployment_id: str | None = None
    rollout_id: str | None = None
    failed_requests: int | None = None
    resolved_us: int | None = None

    def resolved(self, now_us: int) -> Incident:
        """The incident, ended at `now_us`."""
        return replace(self, status=move("incident", LEGAL, self.status, IncidentStatus.RESOLVED), resolved_us=now_us)
