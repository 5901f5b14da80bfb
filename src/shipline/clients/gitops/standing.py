"""What Argo CD, Flux or a Deployment says about a version that git has: pure.

Sources: https://argo-cd.readthedocs.io/en/stable/operator-manual/ (Application, v3.1),
https://fluxcd.io/flux/components/kustomize/kustomizations/ (v1) and https://fluxcd.io/flux/components/helm/helmreleases/
(v2), https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status (1.34).

Health counts only once the controller has what git says: before, it is that of the version that is to go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

WORDS_MAX = 500
SICK_MAX = 3
# Phases of an operation: a sync goes on to its end with hooks that run when all else is synced and healthy.
# From: https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
ARGO_FAILED, ARGO_RUNS = frozenset({"Failed", "Error"}), frozenset({"Running", "Terminating"})
# Reasons of a Ready condition that say that others are not ready yet.
FLUX_WAITS = frozenset({"DependencyNotReady", "ArtifactFailed", "Progressing", "ProgressingWithRetry"})


class Arrival(StrEnum):
    """Where a version stands on its way from git. AWAY: the cluster has, or wants, something else."""

    WELL = "well"
    UNDER_WAY = "under way"
    AWAY = "away"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer, and a sentence without its full stop."""

    arrival: Arrival
    words: str


def answered(arrival: Arrival, words: str) -> Standing:
    """With bounded words of one line: others may have written them."""
    plain = "".join(char if char.isprintable() else " " for char in words)
    return Standing(arrival, " ".join(plain.split())[:WORDS_MAX])


def missing(what: str) -> Standing:
    """What is watched is not there."""
    return answered(Arrival.AWAY, f"there is no {what} in the cluster")


def argo_standing(found: Mapping[str, Any], states: Callable[[str], bool]) -> Standing:
    """What an Application says. `states` tells whether the version is what git has in a commit."""
    status = _table(found, "status")
    sync, health, operation = (_table(status, name) for name in ("sync", "health", "operationState"))
    commits = _revisions(sync)
    errors = [c.get("message", "") for c in _tables(status, "conditions") if str(c.get("type")).endswith("Error")]
    if operation.get("phase") in ARGO_FAILED and any(states(each) for each in _operated(operation)):
        return answered(Arrival.FAILED, f"Argo CD could not sync: {operation.get('message', '')}")
    said = _said(sync.get("status"), health.get("status"), *errors)
    if not any(states(commit) for commit in commits):
        at = f"is at {commits[0][:12]}, which does not have this version" if commits else "has taken no commit in yet"
        return answered(Arrival.AWAY, f"Argo CD {at}: {said}")
    if operation.get("phase") in ARGO_RUNS:
        words = _said(operation.get("message") or operation["phase"], said)
        return answered(Arrival.UNDER_WAY, f"Argo CD is not done with the sync: {words}")
    if sync.get("status") != "Synced":
        return answered(Arrival.AWAY, f"Argo CD says {said}")
    if health.get("status") == "Healthy":
        return answered(Arrival.WELL, f"Argo CD says {said}")
    arrival = Arrival.FAILED if health.get("status") == "Degraded" else Arrival.UNDER_WAY
    return answered(arrival, f"Argo CD says {_said(said, health.get('message'), *_sick(status))}")


def flux_standing(found: Mapping[str, Any], states: Callable[[str], bool]) -> Standing:
    """What a Kustomization of Flux says. `states` as above."""
    status = _table(found, "status")
    applied, attempted = (_flux_commit(status.get(f"last{word}Revision")) for word in ("Applied", "Attempted"))
    ready, words = _ready(status, "Flux says")
    if _table(found, "spec").get("suspend") is True:
        return answered(Arrival.AWAY, "the Kustomization of Flux is suspended")
    if ready.get("status") == "False" and ready.get("reason") not in FLUX_WAITS and attempted and states(attempted):
        return answered(Arrival.FAILED, words)
    if not applied or not states(applied):
        has = f"{applied[:12]}, which does not have this version" if applied else "nothing yet"
        return answered(Arrival.AWAY, f"Flux has applied {has}: {words}")
    if not _is_observed(found) or ready.get("status") != "True":
        return answered(Arrival.UNDER_WAY, words)
    spec = _table(found, "spec")
    if spec.get("wait") is not True and not _list(spec, "healthChecks"):
        return answered(Arrival.FAILED, "the Kustomization of Flux is Ready before any pod is: set `wait: true` in it")
    return answered(Arrival.WELL, words)


def helm_release_standing(found: Mapping[str, Any], texts: Mapping[str, str]) -> Standing:
    """What a HelmRelease of Flux says whose own manifest has the version: `texts` by key path."""
    ready, words = _ready(_table(found, "status"), "Flux says")
    if _table(found, "spec").get("suspend") is True:
        return answered(Arrival.AWAY, "the HelmRelease of Flux is suspended")
    if any(_at(found, path) != text for path, text in texts.items()):
        return answered(Arrival.AWAY, "the HelmRelease in the cluster does not have this version yet")
    if not _is_observed(found) or ready.get("status") not in ("True", "False"):
        return answered(Arrival.UNDER_WAY, words)
    if ready.get("status") == "True":
        return answered(Arrival.WELL, words)
    return answered(Arrival.UNDER_WAY if ready.get("reason") in FLUX_WAITS else Arrival.FAILED, words)


def deployment_standing(found: Mapping[str, Any], runs: Callable[[str], bool]) -> Standing:
    """What a Deployment does. `runs` tells whether an image is the version."""
    spec, status = _table(found, "spec"), _table(found, "status")
    pod = _table(_table(spec, "template"), "spec")
    images = [str(each.get("image", "")) for each in _tables(pod, "containers")]
    if not any(runs(image) for image in images):
        return answered(Arrival.AWAY, f"the Deployment runs {', '.join(images)[:200] or 'nothing'}")
    late = [c for c in _tables(status, "conditions") if c.get("reason") == "ProgressDeadlineExceeded"]
    if late and _is_observed(found):
        return answered(Arrival.FAILED, f"the Deployment does not get on: {late[0].get('message', '')}")
    wanted = spec.get("replicas", 1)
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    words = f"{counts[2]} of {wanted} pods of the Deployment are ready, {counts[1]} of them new"
    is_whole = _is_observed(found) and counts == [wanted] * 3
    return answered(Arrival.WELL if is_whole else Arrival.UNDER_WAY, words)


def _operated(operation: Mapping[str, Any]) -> list[str]:
    """The commits that an operation of Argo CD syncs to: as it resolved them, or as it was asked to."""
    return _revisions(_table(operation, "syncResult")) or _revisions(_table(_table(operation, "operation"), "sync"))


def _revisions(found: Mapping[str, Any]) -> list[str]:
    """The commit of one source, and those of several."""
    return [each for each in (found.get("revision"), *_list(found, "revisions")) if isinstance(each, str) and each]


def _flux_commit(revision: Any) -> str:
    """The commit of `main@sha1:…`, "" for none."""
    return revision.rpartition(":")[2] if isinstance(revision, str) else ""


def _ready(status: Mapping[str, Any], who: str) -> tuple[dict[str, Any], str]:
    ready = next((each for each in _tables(status, "conditions") if each.get("type") == "Ready"), {})
    return ready, f"{who} {_said(ready.get('reason') or 'nothing yet', ready.get('message'))}"


def _is_observed(found: Mapping[str, Any]) -> bool:
    """True if the status is about the object as it is now."""
    seen, now = _table(found, "status").get("observedGeneration"), _table(found, "metadata").get("generation")
    return isinstance(seen, int) and isinstance(now, int) and seen >= now


def _sick(status: Mapping[str, Any]) -> list[str]:
    """What Argo CD says about the parts that are not well."""
    sick = []
    for each in _tables(status, "resources"):
        health = _table(each, "health")
        if health.get("status") in ("Degraded", "Missing", "Progressing"):
            sick.append(f"{each.get('kind')} {each.get('name')} {_said(health.get('status'), health.get('message'))}")
    return sick[:SICK_MAX]


def _said(*words: Any) -> str:
    return ": ".join(str(word) for word in words if word) or "nothing"


def _at(found: Any, path: str) -> Any:
    """What stands at a key path."""
    for key in path.split("."):
        if isinstance(found, list) and key.isascii() and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        else:
            found = found.get(key) if isinstance(found, dict) else None
    return found


def _table(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _tables(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in _list(found, name) if isinstance(each, dict)]
