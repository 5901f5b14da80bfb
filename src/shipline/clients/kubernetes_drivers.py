"""The objects of Argo Rollouts and Flagger, and which of them drives a workload.

Sources: https://argo-rollouts.readthedocs.io/en/stable/features/specification/ (argoproj.io/v1alpha1, 1.8) and
https://docs.flagger.app/usage/how-it-works (flagger.app/v1beta1, 1.41).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.clients.kubernetes import KubernetesClient, Resource
from shipline.domain.errors import RefusedError, ShiplineError

ROLLOUTS = Resource("argoproj.io/v1alpha1", "Rollout", "rollouts")
CANARIES = Resource("flagger.app/v1beta1", "Canary", "canaries")
REPLICA_SETS = Resource("apps/v1", "ReplicaSet", "replicasets")
ARGO, FLAGGER = "Argo Rollouts", "Flagger"
NAMES_SHOWN = 10


def check_undriven(client: KubernetesClient, namespace: str, *, name: str, image: str) -> None:
    """Refuse (RefusedError) to run by itself what one of them drives there: the Deployment `name`, or a Rollout of it,
    or a Rollout that runs `image` (without tag and digest).

    An account that may not ask cannot be told: then nothing speaks against it, as before either was installed.
    """
    driver = _driver(client, namespace, name, image)
    if driver:
        kind, _, provider = driver.partition(":")
        raise RefusedError(
            f"{kind} brings {name} to its users in the namespace {namespace}",
            why="of two engines each would undo what the other does",
            todo=f'set strategy = "driven" and [environment.controller] provider = "{provider}" '
            "(how-to: drive Argo Rollouts or Flagger)",
        )


def _driver(client: KubernetesClient, namespace: str, name: str, image: str) -> str:
    try:
        if any(_is_rollout_of(one, name, image) for one in client.list(ROLLOUTS.path(namespace), known=False)):
            return f"{ARGO}:argo-rollouts"
        if any(_target_of(one) == name for one in client.list(CANARIES.path(namespace), known=False)):
            return f"{FLAGGER}:flagger"
    except RefusedError:
        return ""
    return ""


def _is_rollout_of(found: Mapping[str, Any], name: str, image: str) -> bool:
    spec = found.get("spec") or {}
    containers = ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()
    images = {_bare(str(each.get("image", ""))) for each in containers}
    return name in (found["metadata"]["name"], (spec.get("workloadRef") or {}).get("name")) or image in images


def _target_of(canary: Mapping[str, Any]) -> str:
    return str(((canary.get("spec") or {}).get("targetRef") or {}).get("name"))


def _bare(image: str) -> str:
    """An image without its digest and its tag: what stands after the last `/` may have one."""
    path, slash, last = image.partition("@")[0].rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def must_find(client: KubernetesClient, resource: Resource, namespace: str, name: str, *, of: str) -> dict[str, Any]:
    """The object. ShiplineError that says whether its kind is unknown to the cluster, or which ones there are."""
    found = client.find(resource.path(namespace, name))
    if found is not None:
        return found
    if not client.text(resource.path(namespace), {"limit": "1"}):
        raise ShiplineError(
            f"this cluster knows no {resource.kind} ({resource.api})", why="", todo=f"install {of} there first"
        )
    names = sorted(one["metadata"]["name"] for one in client.list(resource.path(namespace)))
    there = ", ".join(names[:NAMES_SHOWN]) or "none"
    raise ShiplineError(
        f"there is no {resource.kind} {name} in the namespace {namespace}",
        todo=f"check `namespace` and the name; there are: {there}",
    )
