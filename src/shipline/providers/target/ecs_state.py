"""How a group stands, from its service, the health of its targets and its stopped tasks. Pure.

From: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html, API_Task.html and, for the words of events,
docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.clients.aws_marks import ENVIRONMENT, GROUP, ORDERED, SIZE, damaged, number
from shipline.clients.aws_marks import read as read_document
from shipline.domain.errors import InvalidValue
from shipline.ports.target import Group, GroupSpec, Role
from shipline.providers.target.ecs_definition import family_of

SECOND_US = 1_000_000
STEADY = "has reached a steady state"
# The reasons of tasks that ECS stops because it should: a smaller size, a new deployment.
WANTED = "scaling activity"
EVENTS_SHOWN, TASKS_SHOWN = 2, 2
WORDS_MAX = 500
BIRTH = "birth"


@dataclass(frozen=True, slots=True)
class Birth:
    """What stands in a service's tags for its life. `started_us` is UTC microseconds."""

    role: Role
    package: str
    version: str
    digests: tuple[str, ...]
    started_us: int


@dataclass(frozen=True, slots=True)
class Observed:
    """A service of AWS and what belongs to it. `health` is of its targets, `stopped` are its stopped tasks."""

    service: Mapping[str, Any]
    health: Sequence[Mapping[str, Any]]
    stopped: Sequence[Mapping[str, Any]] = ()

    @property
    def ready(self) -> int:
        """How many copies run and answer their health check."""
        running = int(self.service.get("runningCount") or 0)
        healthy = [each for each in self.health if each.get("State") == "healthy"]
        return min(running, len(healthy))


def tags_of(service: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a service, by name."""
    return {each["key"]: each.get("value", "") for each in service.get("tags") or ()}


def birth_of(service: Mapping[str, Any]) -> Birth:
    """What a service was begun as. ShiplineError where somebody has changed its tags."""
    found = read_document(Birth, BIRTH, tags_of(service))
    if found is None:
        raise damaged(BIRTH)
    return found


def spec_of(service: Mapping[str, Any]) -> GroupSpec:
    """What the group shall be. ShiplineError where somebody has changed its tags."""
    tags, birth = tags_of(service), birth_of(service)
    try:
        return GroupSpec(tags[GROUP], birth.role, birth.package, birth.version, number(tags, SIZE), birth.digests)
    except (KeyError, InvalidValue):
        raise damaged(GROUP) from None


def runs_another(service: Mapping[str, Any]) -> bool:
    """True if somebody has given the service the task definition of something else."""
    birth, environment = birth_of(service), tags_of(service).get(ENVIRONMENT, "")
    family = str(service.get("taskDefinition")).rpartition("/")[2].partition(":")[0]
    return family != family_of(environment, birth.package, birth.version, birth.digests)


def has_failed(service: Mapping[str, Any]) -> bool:
    """True if ECS has given the newest deployment up (its circuit breaker)."""
    return _primary(service).get("rolloutState") == "FAILED"


def group_of(observed: Observed, *, ready_timeout_s: int, now_us: int) -> Group:
    """The group. It is hopeless when ECS has given it up, or it has had `ready_timeout_s` since its trouble began."""
    service, spec = observed.service, spec_of(observed.service)
    ready = min(spec.size, observed.ready)
    is_whole = ready >= spec.size
    since_us = _unrest_us(service, now_us)
    is_late = since_us is not None and now_us - since_us >= ready_timeout_s * SECOND_US
    troubles = [] if is_whole else _troubles(observed, since_us)
    if runs_another(service):
        troubles.insert(0, "its task definition was changed by somebody else")
    return Group(
        id=spec.id,
        role=spec.role,
        package=spec.package,
        version=spec.version,
        size=spec.size,
        ready=ready,
        endpoints=(),
        started_us=birth_of(service).started_us,
        digests=spec.digests,
        trouble="\n".join(dict.fromkeys(troubles)),
        hopeless=not is_whole and (has_failed(service) or is_late),
    )


def _unrest_us(service: Mapping[str, Any], now_us: int) -> int | None:
    """Since when the group is not as it should be: its order, or what happened first after its last steady state.

    None where ECS has not told of anything since then: it is about to.
    """
    ordered_us = number(tags_of(service), ORDERED)
    events = sorted(service.get("events") or (), key=lambda event: float(event["createdAt"]), reverse=True)
    began_us: int | None = None
    for event in events:
        if STEADY in str(event.get("message")):
            steady_us = _us(event["createdAt"])
            return ordered_us if ordered_us > steady_us else began_us
        began_us = _us(event["createdAt"])
    return min(ordered_us or now_us, now_us)


def _us(seconds: Any) -> int:
    return int(float(seconds) * SECOND_US)


def _troubles(observed: Observed, since_us: int | None) -> list[str]:
    primary = _primary(observed.service)
    words = [str(primary.get("rolloutStateReason"))] if has_failed(observed.service) else []
    words += [_stopped_words(task) for task in unwanted(observed.stopped, since_us)[:TASKS_SHOWN]]
    words += [_health_words(each) for each in observed.health if each.get("State") == "unhealthy"][:1]
    events = [str(event.get("message")) for event in observed.service.get("events") or ()]
    words += [event for event in events if " unable to " in event or "failed" in event][:EVENTS_SHOWN]
    return [" ".join(each.split())[:WORDS_MAX] for each in words]


def unwanted(tasks: Sequence[Mapping[str, Any]], since_us: int | None) -> list[Mapping[str, Any]]:
    """The tasks that ended though they should not have, since that time, the newest first."""
    ended = [
        task
        for task in tasks
        if not str(task.get("stoppedReason", "")).lower().startswith(WANTED)
        and _us(task.get("stoppedAt") or 0) >= (since_us or 0)
    ]
    return sorted(ended, key=lambda task: float(task.get("stoppedAt") or 0), reverse=True)


def _stopped_words(task: Mapping[str, Any]) -> str:
    """`task 1234 stopped: Essential container in task exited; web ended with code 1: OutOfMemoryError`."""
    name = str(task.get("taskArn", "")).rpartition("/")[2][:40]
    parts = [f"task {name} stopped: {task.get('stoppedReason') or 'no reason was given'}"]
    for container in task.get("containers") or ():
        code, reason = container.get("exitCode"), container.get("reason")
        if code or reason:
            ended = "did not start" if code is None else f"ended with code {code}"
            parts.append(f"{container.get('name')} {ended}" + (f": {reason}" if reason else ""))
    return "; ".join(parts)


def _health_words(health: Mapping[str, Any]) -> str:
    words = [str(health[name]) for name in ("Reason", "Description") if health.get(name)]
    return f"a copy is not healthy: {': '.join(words) or 'no reason was given'}"


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    deployments = service.get("deployments") or ()
    return next((each for each in deployments if each.get("status") == "PRIMARY"), {})
