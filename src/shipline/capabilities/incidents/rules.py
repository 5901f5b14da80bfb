"""What a rollout's event means for incidents: pure.

A rollout has one open incident at most. All ids and times come from the event that led to it, so the same event always
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
ORDERED_BACK = "rollback"
"""The purpose of a rollout that is a way back which a person has ordered."""


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

    So does `RolloutStarted` of a way back that a person has ordered: what served is to blame. `RolloutPromoted`
    resolves that; where the way back itself is turned back, what is to blame serves again, and a person must look.

    `AlertFired` opens one for what was promoted, and the last `AlertEnded` resolves it.
    """
    if known is None or (event.kind == "AlertFired" and known.status is IncidentStatus.RESOLVED):
        return _opened(event)
    return _followed(event, known) if known.status is IncidentStatus.OPEN else None


def _opened(event: Event) -> Outcome | None:
    match event.kind:
        case "RolloutStarted" if _leaves_something(event):
            return _open(event, _title(event, f"is brought back, in the place of {event.body['stable_version']},"))
        case "RollbackBegan" if event.body["exposed"] and not _is_no_failure(event):
            return _open(event, _title(event, "is rolled back"))
        case "RolloutFailed":
            return _open(event, _stuck(event))
        case "AlertFired":
            return _open(event, _title(event, "is blamed"))
        case _:
            return None


def _followed(event: Event, known: Incident) -> Outcome | None:
    match event.kind:
        case "RolloutFailed":
            return _escalate(event, known)
        case "RolloutRolledBack" if event.body.get("purpose") == ORDERED_BACK:
            return _escalate(event, known)
        case "AlertEnded" if event.body["left"]:
            return None
        case "RolloutRolledBack" | "RolloutPromoted" | "AlertEnded":
            return _resolve(event, known)
        case _:
            return None


def _leaves_something(event: Event) -> bool:
    return event.body.get("purpose") == ORDERED_BACK and event.body.get("stable_version") is not None


def _is_no_failure(event: Event) -> bool:
    return bool(event.body.get("superseded_by") or event.body.get("rehearsed"))


def _open(event: Event, title: str) -> Outcome:
    incident = Incident(
        id=_derived_id("inc", event),
        title=title,
        environment=event.body["environment"],
        status=IncidentStatus.OPEN,
        opened_us=event.time_us,
        deployment_id=event.body.get("deployment_id", event.body.get("left_deployment_id")),
        rollout_id=event.body["rollout_id"],
        failed_requests=event.body.get("failed_requests"),
    )
    return _outcome(event, incident, "IncidentOpened")


def _resolve(event: Event, known: Incident) -> Outcome:
    failed_requests = event.body.get("failed_requests", known.failed_requests)
    resolved = replace(known.resolved(event.time_us), failed_requests=failed_requests)
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
