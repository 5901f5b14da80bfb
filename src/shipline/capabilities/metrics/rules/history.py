"""What happened, as far as the figures need it: events in their order, folded into deployments, harms and versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shipline.domain.event import Event

Key = tuple[str, str]
"""A package and its version."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A version that users of an environment may have met.

    Times are UTC microseconds. `finished_us`: all traffic was on it. `turned_us`: it began to be turned back before
    that. `restored_us`: all traffic was on the version before again.
    """

    id: str
    package: str
    environment: str
    version: str
    rollback: bool
    began_us: int
    finished_us: int | None = None
    turned_us: int | None = None
    restored_us: int | None = None


@dataclass(frozen=True, slots=True)
class Harm:
    """An incident. `deployment_id` is its cause, `resolved_us` None while it is open."""

    deployment_id: str | None
    package: str
    environment: str
    opened_us: int
    resolved_us: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Deployments and harms by id in the order of the log; for each version the one before it (None for the first) and
    the commits that it added, each with its time (UTC microseconds)."""

    deployments: dict[str, Deployed] = field(default_factory=dict)
    harms: dict[str, Harm] = field(default_factory=dict)
    previous: dict[Key, str | None] = field(default_factory=dict)
    commits: dict[Key, tuple[tuple[str, int], ...]] = field(default_factory=dict)


def tell(events: Iterable[Event]) -> History:
    """Fold events, in the order of the log. Those of other kinds and erased ones (no body) change nothing."""
    history = History()
    for event in events:
        if event.kind in _TELLERS and event.body:
            _TELLERS[event.kind](history, event)
    return history


def _key(body: Mapping[str, Any]) -> Key:
    return body["package"], body["version"]


def _release_started(history: History, event: Event) -> None:
    history.previous[_key(event.body)] = event.body["previous_version"]


def _release_published(history: History, event: Event) -> None:
    history.commits[_key(event.body)] = tuple((commit, time_us) for commit, time_us in event.body["commits"])


# A deployment for these brings no change to anybody: the way back is rehearsed, or what is on record brought back.
_UNCOUNTED = frozenset({"drill", "restore"})


def _began(history: History, event: Event) -> None:
    body = event.body
    if body.get("purpose") in _UNCOUNTED:
        return
    history.deployments[body["deployment_id"]] = Deployed(
        id=body["deployment_id"],
        package=body["package"],
        environment=body["environment"],
        version=body["version"],
        rollback=body["rollback"],
        began_us=event.time_us,
    )


def _finished(history: History, event: Event) -> None:
    known = history.deployments.get(event.body["deployment_id"])
    if known is not None and known.finished_us is None:
        history.deployments[known.id] = replace(known, finished_us=event.time_us)


def _turned(history: History, event: Event) -> None:
    if event.body.get("superseded_by") or event.body.get("rehearsed"):
        # It made room for a newer one, or was let fail on purpose: it neither served everybody nor failed by itself.
        history.deployments.pop(str(event.body["deployment_id"]), None)
    known = history.deployments.get(event.body["deployment_id"])
    if known is not None and known.turned_us is None:
        history.deployments[known.id] = replace(known, turned_us=event.time_us)


def _restored(history: History, event: Event) -> None:
    _turned(history, event)
    known = history.deployments.get(event.body["deployment_id"])
    if known is not None:
        history.deployments[known.id] = replace(known, restored_us=event.time_us)


def _opened(history: History, event: Event) -> None:
    body = event.body
    history.harms[body["incident_id"]] = Harm(
        deployment_id=body["deployment_id"],
        package=body["package"],
        environment=body["environment"],
        opened_us=event.time_us,
    )


def _resolved(history: History, event: Event) -> None:
    known = history.harms.get(event.body["incident_id"])
    if known is not None:
        history.harms[event.body["incident_id"]] = replace(known, resolved_us=event.time_us)


_TELLERS: Mapping[str, Callable[[History, Event], None]] = {
    "ReleaseStarted": _release_started,
    "ReleasePublished": _release_published,
    "DeploymentBegan": _began,
    "DeploymentFinished": _finished,
    "RollbackBegan": _turned,
    "RolloutRolledBack": _restored,
    "IncidentOpened": _opened,
    "IncidentResolved": _resolved,
}
KINDS = tuple(_TELLERS)
"""The kinds of events that figures are made of."""
