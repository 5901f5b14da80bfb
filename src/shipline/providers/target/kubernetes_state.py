"""How a group stands, from its Deployment and its pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shipline.clients.kubernetes_marks import (
    DIGESTS,
    GROUP,
    ORDERED,
    PACKAGE,
    REVISION,
    ROLE,
    SIZE,
    STARTED,
    VERSION,
    damaged,
    document,
    marks,
    notes,
    number,
)
from shipline.domain.errors import InvalidValue
from shipline.ports.target import Group, GroupSpec, Role
from shipline.providers.target.kubernetes_manifest import PROGRESS_DEADLINE_S

SECOND_US = 1_000_000
OUTPUT_SHOWN = 3000
# What a container waits for in a good start. From: pkg/kubelet/kubelet_pods.go and container/types.go (1.34).
STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})


def is_begun(deployment: Mapping[str, Any]) -> bool:
    """True if it has been given copies. A crash, or a call that came too late, may leave one that never was."""
    return number(deployment, REVISION) is not None and not deployment["metadata"].get("deletionTimestamp")


def spec_of(deployment: Mapping[str, Any]) -> GroupSpec:
    """What the group shall be, from the marks. ShiplineError where somebody has changed them."""
    noted, marked = notes(deployment), marks(deployment)
    digests = document(deployment, DIGESTS)
    try:
        return GroupSpec(
            id=marked[GROUP],
            role=Role(marked[ROLE]),
            package=noted[PACKAGE],
            version=noted[VERSION],
            size=number(deployment, SIZE) or 1,
            digests=tuple(digests),
        )
    except (KeyError, ValueError, TypeError, InvalidValue):
        raise damaged(deployment, PACKAGE) from None


def replicas_of(deployment: Mapping[str, Any]) -> int:
    """The copies that are wanted now; an autoscaler may have set more than Shipline did."""
    return int(deployment["spec"].get("replicas", 1))


def ready_of(deployment: Mapping[str, Any], size: int) -> int:
    """How many of `size` copies are ready: all of them once all pods are that the platform wants."""
    wanted, ready = replicas_of(deployment), int(deployment.get("status", {}).get("readyReplicas") or 0)
    return size if ready >= wanted > 0 else min(size, ready * size // max(wanted, 1))


def group_of(
    deployment: Mapping[str, Any],
    pods: Sequence[Mapping[str, Any]],
    *,
    output: Mapping[str, str],
    image: str,
    now_us: int,
) -> Group:
    """The group. `pods` may be empty where all are ready; `output` is the end of what some of them said, by name.

    `image` is what the released container runs: another one than the version's is trouble.
    """
    spec = spec_of(deployment)
    ready = ready_of(deployment, spec.size)
    is_whole = ready >= spec.size
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    troubles = [] if is_whole else [*_deployment_troubles(deployment), *(_pod_trouble(pod, output) for pod in alive)]
    if not image.endswith(spec.digests):
        troubles.insert(0, f"its image was changed by somebody else: it runs {image[:200]}")
    return Group(
        id=spec.id,
        role=spec.role,
        package=spec.package,
        version=spec.version,
        size=spec.size,
        ready=ready,
        endpoints=(),
        started_us=number(deployment, STARTED) or 0,
        digests=spec.digests,
        trouble="\n".join(dict.fromkeys(trouble for trouble in troubles if trouble)),
        hopeless=not is_whole and _is_late(deployment, alive, now_us),
    )


def failing(pods: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """A pod whose containers have ended, so that what it said last is worth reading; None where there is none."""
    ended = (pod for pod in pods if any(_has_ended(status) for status in _containers(pod)))
    return next(ended, None)


def _is_late(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], now_us: int) -> bool:
    """True if the copies have had their time: by the Deployment's own condition, or since each began not to be ready.

    The condition alone would not do: Kubernetes does not watch the progress of a Deployment that only grows.
    """
    progress = _condition(deployment, "Progressing")
    if progress.get("reason") == "ProgressDeadlineExceeded":
        return True
    ordered_us = number(deployment, ORDERED) or 0
    limit_us = int(deployment["spec"].get("progressDeadlineSeconds") or PROGRESS_DEADLINE_S) * SECOND_US
    since = [max(ordered_us, _unready_since(pod)) for pod in pods if _condition(pod, "Ready").get("status") != "True"]
    if len(pods) < replicas_of(deployment):
        since.append(ordered_us)
    return any(now_us - each_us >= limit_us for each_us in since)


def _unready_since(pod: Mapping[str, Any]) -> int:
    return time_us(_condition(pod, "Ready").get("lastTransitionTime") or pod["metadata"].get("creationTimestamp"))


def time_us(text: Any) -> int:
    """UTC microseconds of a time as Kubernetes writes it (RFC 3339); 0 where there is none."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * SECOND_US)
    except ValueError:
        return 0


def _deployment_troubles(deployment: Mapping[str, Any]) -> list[str]:
    conditions = [_condition(deployment, "ReplicaFailure"), _condition(deployment, "Progressing")]
    held = [one for one, bad in zip(conditions, ("True", "False"), strict=True) if one.get("status") == bad]
    return [_words(one) for one in held]


def _pod_trouble(pod: Mapping[str, Any], output: Mapping[str, str]) -> str:
    """Why a pod is not ready, in words; "" while it may still become so."""
    name = pod["metadata"]["name"]
    unscheduled = _condition(pod, "PodScheduled")
    if unscheduled.get("status") == "False":
        return f"pod {name}: {_words(unscheduled)}"
    status = pod.get("status", {})
    if status.get("phase") == "Failed":
        return f"pod {name}: {_words(status)}{_said(output.get(name))}"
    for container in _containers(pod):
        waiting = container.get("state", {}).get("waiting") or {}
        ended = _ended(container)
        # Where the log is not to be had, the kubelet may have kept its end as the termination message.
        said = _said(output.get(name) or ended.get("message"))
        if str(waiting.get("reason", "")) not in STARTING:
            return f"pod {name}: {_words(waiting)}{said}"
        if ended and not container.get("ready"):
            return f"pod {name} ended with code {ended.get('exitCode')}: {_words(ended)}{said}"
    return ""


def _said(text: str | None) -> str:
    return f"\nthe end of its output:\n{text[-OUTPUT_SHOWN:]}" if text else ""


def _containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _has_ended(container: Mapping[str, Any]) -> bool:
    return not container.get("ready") and bool(_ended(container))


def _ended(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """How it ended, now or the last time, if that was not as it should."""
    states = (container.get("state", {}), container.get("lastState", {}))
    ended: Mapping[str, Any] = next((state["terminated"] for state in states if state.get("terminated")), {})
    return ended if ended.get("exitCode") != 0 else {}


def _condition(found: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = found.get("status", {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == kind), {})


def _words(found: Mapping[str, Any]) -> str:
    """`ImagePullBackOff: no such image`, on one line and bounded."""
    words = ": ".join(str(found[name]) for name in ("reason", "message") if found.get(name)) or "it is not ready"
    return " ".join(words.split())[:500]
