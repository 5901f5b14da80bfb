"""Incidents as a document for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shipline.domain.codec import to_json
from shipline.domain.incident import Incident


def incidents_document(incidents: Iterable[Incident]) -> dict[str, Any]:
    """`{"schema": "shipline.incidents/1", "incidents": [...]}`.

    Each has id, title, environment, status (open or resolved), deployment_id, rollout_id, failed_requests, and the
    times opened and resolved (RFC 3339 in UTC; null while open).
    """
    return {"schema": "shipline.incidents/1", "incidents": [_entry(incident) for incident in incidents]}


def _entry(incident: Incident) -> dict[str, Any]:
    entry: dict[str, Any] = to_json(incident)
    return entry | {"opened": _written(entry.pop("opened_us")), "resolved": _written(entry.pop("resolved_us"))}


def _written(time_us: int | None) -> str | None:
    if time_us is None:
        return None
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
