"""What a rollout's event means for incidents: pure.

A rollout has one incident at most. All ids and times come from the event that led to it, so the same event always
leads to the same incident, however late or often it is handled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from shipline.domain.actor import SYSTEM
from shipline.domain.event import Event
from shipline.domain.ids import make_id
from shipline.domain.incident import Incident, IncidentStatus

REASON_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """The incident as it is to be kept, and the event that says what has happened to it."""

    incident: Incident
    event: Event


def rollout_of(event: Event) -> str | None:
    """The rollout that an event speaks of; None for one whose body is erased, which leads to nothing."""
    found = event.body.get("rollout_id")
    return None if found is None else str(found)


def decide(event: Event, known: Incident | None) -> Outcome | None:
    """What follows from a rollout's event; `known` is the rollout's incident, None if it has none.

    `RollbackBegan` opens one if the version was exposed to users, and was neither superseded nor let fail on purpose.
    `RolloutRolledBack` resolves it: all traffic is back. `RolloutFailed` says that the way back failed too: a person
    must look, whether users suffered or not.
    """
    match event.kind:
        case "RollbackBegan" if known is None and event.body["exposed"] and not _is_no_failure(event):
            return _open(event, _title(event, "is rolled back"))
        case "RolloutRolledBack" if known is not None and known.status is IncidentStatus.OPEN:
            return _resolve(event, known)
        case "RolloutFailed" if known is None:
            return _open(event, _stuck(event))
        case "RolloutFailed" if known is not None and known.status is IncidentStatus.OPEN:
            return _escalate(event, known)
        case _:
            return None


def _is_no_failure(event: Event) -> bool:
    return bool(event.body.get("superseded_by") or event.body.get("rehearsed"))


def _open(event: Event, title: str) -> Outcome:
    incident = Incident(
        id=_derived_id("inc", event),
        title=title,
        environment=event.body["environment"],
        status=IncidentStatus.OPEN,
        opened_us=event.time_us,
        deployment_id=event.body.get("deployment_id"),
        rollout_id=event.body["rollout_id"],
        failed_requests=event.body.get("failed_requests"),
    )
    return _outcome(event, incident, "IncidentOpened")


def _resolve(event: Event, known: Incident) -> Outcome:
    resolved = replace(known.resolved(event.time_us), failed_requests=event.body["failed_requests"])
    return _outcome(event, resolved, "IncidentResolved")


def _escalate(event: Event, known: Incident) -> Outcome | None:
    title = _stuck(event)
    # The same words say nothing new: the event was handled before, or a retry failed as the attempt before it.
    return None if title == known.title else _outcome(event, replace(known, title=title), "IncidentEscalated")


def _outcome(event: Event, incident: Incident, kind: str) -> Outcome:
    body: dict[str, Any] = {
        "incident_id": incident.id,
        "title": incident.title,
        "package": event.body["package"],
        "version": event.body["version"],
        "environment": incident.environment,
        "deployment_id": incident.deployment_id,
        "rollout_id": incident.rollout_id,
        "failed_requests": incident.failed_requests,
    }
    told = Event(
        id=_derived_id("evt", event),
        stream=f"incident:{incident.id}",
        kind=kind,
        time_us=event.time_us,
        actor=SYSTEM,
        body=body,
        cause=event.id,
    )
    return Outcome(incident, told)


def _stuck(event: Event) -> str:
    return f"a person must look: {_title(event, 'is stuck on its way back')}"


def _title(event: Event, what: str) -> str:
    body = event.body
    reason = " ".join(str(body["reason"]).split())[:REASON_LENGTH_MAX]
    said = f"{body['package']} {body['version']} {what} in {body['environment']}"
    return f"{said}: {reason}" if reason else said


def _derived_id(prefix: str, event: Event) -> str:
    randomness = hashlib.sha256(f"{prefix}:{event.id}".encode()).digest()[:10]
    return make_id(prefix, time_us=event.time_us, randomness=randomness)
