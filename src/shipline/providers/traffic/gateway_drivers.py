"""Who else writes the weights of an HTTPRoute. Of two engines each would undo what the other does.

Sources: https://docs.flagger.app/tutorials/gatewayapi-progressive-delivery (a route is called like the service of the
Canary, and belongs to it) and https://rollouts-plugin-trafficrouter-gatewayapi.readthedocs.io (a Rollout names its
routes; from 0.9 on these have a label while it is at work).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipline.clients.kubernetes import KubernetesClient
from shipline.clients.kubernetes_drivers import ARGO, CANARIES, FLAGGER, ROLLOUTS
from shipline.clients.kubernetes_marks import marks
from shipline.domain.errors import RefusedError

ARGO_LABEL = "rollouts.argoproj.io/gatewayapi-canary"
OWNERS = {ROLLOUTS.kind: ARGO, CANARIES.kind: FLAGGER}


def check_driver(client: KubernetesClient, namespace: str, route: Mapping[str, Any]) -> None:
    """Refuse (RefusedError) a route whose weights another engine writes, or is set up to write."""
    driver = _marked(route) or _named(client, namespace, route["metadata"]["name"])
    if driver:
        raise RefusedError(
            f"{driver} writes the weights of the HTTPRoute {route['metadata']['name']}",
            why="of two engines each would undo what the other does",
            todo=f"take this service out of {driver}, or give Shipline a route of its own",
        )


def _marked(route: Mapping[str, Any]) -> str:
    """Whose it is by its own metadata, "" for nobody's."""
    kinds = [owner.get("kind") for owner in route["metadata"].get("ownerReferences") or ()]
    owner = next((OWNERS[kind] for kind in kinds if kind in OWNERS), "")
    return owner or (ARGO if ARGO_LABEL in marks(route) else "")


def _named(client: KubernetesClient, namespace: str, route: str) -> str:
    """Whose it is by the objects of the other engines, as far as these are installed; "" for nobody's."""
    if any(route in set(_routes_of(found)) for found in client.list(ROLLOUTS.path(namespace), known=False)):
        return ARGO
    if any(route in _services_of(found) for found in client.list(CANARIES.path(namespace), known=False)):
        return FLAGGER
    return ""


def _routes_of(rollout: Mapping[str, Any]) -> Iterator[str]:
    """The HTTPRoutes that a Rollout names for the plug-in of the Gateway API, whatever that is called there."""
    strategy = rollout["spec"].get("strategy") or {}
    routing = (strategy.get("canary") or {}).get("trafficRouting") or {}
    for plugin in (routing.get("plugins") or {}).values():
        if isinstance(plugin, dict):
            yield str(plugin.get("httpRoute"))
            yield from (str(each.get("name")) for each in plugin.get("httpRoutes") or ())


def _services_of(canary: Mapping[str, Any]) -> tuple[str, ...]:
    spec = canary["spec"]
    return tuple(str((spec.get(part) or {}).get("name")) for part in ("service", "targetRef"))
