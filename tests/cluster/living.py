"""The models of Argo Rollouts and Flagger at work on a real API server.

The controllers are SIMULATED: they are the models that `shipline.testing` has, which read and write the server's
objects instead of their own. The server checks what they and Shipline write by the custom resources' schemas, and keeps
status and spec apart; the ReplicaSets and Deployments that they make are the real controllers' to carry out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import httpx

from shipline.clients.kubernetes import DEPLOYMENTS, PODS
from shipline.clients.kubernetes_drivers import CANARIES, REPLICA_SETS, ROLLOUTS
from shipline.ports.clock import Clock
from shipline.testing.fakes.kubernetes import KubernetesWorld
from shipline.testing.fakes.kubernetes.objects import Key, Objects, Refused
from shipline.testing.fakes.kubernetes.world import NAMESPACE
from tests.machine import wait_until

RESOURCES = {one.plural: one for one in (DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS, CANARIES)}
# Whose status is the model's to write. That of others the real controllers write.
CUSTOM = (ROLLOUTS.plural, CANARIES.plural)


class LivingObjects(Objects):
    """The objects of one namespace, which models know as `default`."""

    def __init__(self, api: httpx.Client, namespace: str) -> None:
        super().__init__()
        self._api = api
        self._namespace = namespace

    def namespaces(self) -> set[str]:
        return {NAMESPACE}

    def get(self, key: Key) -> dict[str, Any] | None:
        answer = self._api.get(self._path(key))
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._seen(_told(answer), key[0])

    def listed(self, plural: str, namespace: str, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        answer = self._api.get(self._path((plural, namespace, "")), params={"labelSelector": selector})
        return [self._seen(one, plural) for one in _told(answer)["items"]]

    def put(self, key: Key, body: dict[str, Any], *, now: str) -> None:
        """As a controller does: it tells which version it has read, and the status by itself."""
        status, path = _without_nothing(body.get("status") or {}), self._path(key)
        known = {name: value for name, value in body.items() if name != "status"}
        own = known.get("metadata", {}) | {"name": key[2], "namespace": self._namespace}
        found = self.get(key)
        if found is None:
            found = _told(self._api.post(path.rpartition("/")[0], json=known | {"metadata": own}))
        elif found["spec"] != body["spec"]:
            found = _told(self._api.put(path, json=found | known | {"metadata": found["metadata"] | own}))
        elif "resourceVersion" in own:
            found["metadata"]["resourceVersion"] = own["resourceVersion"]
        if key[0] in CUSTOM and status != (found.get("status") or {}):
            metadata = found["metadata"] | {"namespace": self._namespace}
            _told(self._api.put(f"{path}/status", json=found | {"status": status, "metadata": metadata}))

    def _seen(self, found: dict[str, Any], plural: str) -> dict[str, Any]:
        """As models know it: in their namespace, and with its kind, which lists leave out."""
        kind = {"apiVersion": RESOURCES[plural].api, "kind": RESOURCES[plural].kind}
        return found | kind | {"metadata": found["metadata"] | {"namespace": NAMESPACE}}

    def _path(self, key: Key) -> str:
        return RESOURCES[key[0]].path(self._namespace, key[2])


class LivingWorld(KubernetesWorld):
    """Only the controllers that a test adds act here. Their time is the test's; what the real ones do between two of
    its moments is waited for."""

    def __init__(self, clock: Clock, api: httpx.Client, namespace: str, broken: set[str]) -> None:
        super().__init__(clock, LivingObjects(api, namespace), broken)

    def settle(self) -> None:
        """Who is refused, since what it has read is not any more, looks again the next time."""
        for controller in self.controllers:
            with suppress(Refused):
                controller()
        wait_until(lambda: all(map(self._is_carried_out, self._sets())), "the real controllers")

    def _sets(self) -> Iterator[dict[str, Any]]:
        for plural in (DEPLOYMENTS.plural, REPLICA_SETS.plural):
            yield from self.objects.listed(plural, NAMESPACE)

    def _is_carried_out(self, found: dict[str, Any]) -> bool:
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        images = [str(one["image"]).partition("@")[2] for one in found["spec"]["template"]["spec"]["containers"]]
        ready = 0 if self.broken.intersection(images) else wanted
        counted = [status.get(name, 0) for name in ("replicas", "readyReplicas")]
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return bool(seen) and (counted == [wanted, ready] or _gives_way(found))


def _gives_way(found: dict[str, Any]) -> bool:
    """True for a Deployment amid two of its templates that does not go on: the newer one does not become ready."""
    reasons = [one.get("reason") for one in found.get("status", {}).get("conditions", ())]
    return found["kind"] == DEPLOYMENTS.kind and "ProgressDeadlineExceeded" in reasons


def _told(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code == httpx.codes.CONFLICT:
        raise Refused(409, "Conflict", answer.text)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _without_nothing(value: Any) -> Any:
    """Without what is empty: programs in Go leave that out."""
    if isinstance(value, dict):
        return {name: _without_nothing(inner) for name, inner in value.items() if inner not in (None, "")}
    return [_without_nothing(one) for one in value] if isinstance(value, list) else value
