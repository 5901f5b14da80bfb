"""What goes on in a cluster beside the API: controllers, kubelets and a gateway, by the test's clock.

They act when somebody looks (`settle`), so nothing happens between two requests but what time brings. As in Kubernetes,
a Deployment that was complete once is not watched for its progress when it grows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shipline.ports.clock import Clock
from shipline.testing.fakes.kubernetes.objects import Key, Objects

NAMESPACE = "default"
DEPLOYMENTS, PODS, ROUTES = "deployments", "pods", "httproutes"
RESTART_S = 10.0
SECOND_US = 1_000_000


@dataclass
class KubernetesWorld:
    """A cluster. `broken` are digests whose containers end at once and say `output`, `unpullable` those that no node
    can pull, `slow_s` how long the containers of a digest need until they are ready. `quota` is how many pods there
    may be. The gateway takes a route `gateway_lag_s` seconds after it was changed, or says why not: `gateway_refuses`.
    `controllers` are others that act there, before all else and after it.
    """

    clock: Clock
    objects: Objects = field(default_factory=Objects)
    broken: set[str] = field(default_factory=set)
    unpullable: set[str] = field(default_factory=set)
    slow_s: dict[str, float] = field(default_factory=dict)
    output: str = "it is broken"
    quota: int = 1000
    gateway_lag_s: float = 0.0
    gateway_refuses: str = ""
    controllers: list[Callable[[], None]] = field(default_factory=list)
    _crashed_us: dict[str, int] = field(default_factory=dict)
    _progress: dict[str, tuple[int, bool, int]] = field(default_factory=dict)
    _changed: dict[str, tuple[int, int]] = field(default_factory=dict)
    _pods_made: int = 0

    def settle(self) -> None:
        """Let everything happen that time has brought."""
        for controller in self.controllers:
            controller()
        for key in self.objects.orphans():
            self.objects.delete(key, {})
        for namespace in self.objects.namespaces():
            for deployment in self.objects.listed(DEPLOYMENTS, namespace):
                self._roll(deployment)
            for route in self.objects.listed(ROUTES, namespace):
                self._route(route)
        for controller in self.controllers:
            controller()

    def pods(self, group_id: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
        """The pods of a group."""
        self.settle()
        return self.objects.listed(PODS, namespace, {"shipline.dev/group": group_id})

    def crash(self, group_id: str, namespace: str = NAMESPACE) -> None:
        """The container of one ready pod ends; the kubelet starts it again after RESTART_S."""
        ready = next(pod for pod in self.pods(group_id, namespace) if _is_ready(pod))
        self._crashed_us[ready["metadata"]["uid"]] = self.clock.now_us()
        self.settle()

    def log(self, pod: dict[str, Any]) -> str:
        """What a pod's container has said before it ended."""
        return (
            f"serving\n{self.output}\n" if self._digest(pod) in self.broken or self._has_crashed(pod) else "serving\n"
        )

    def now(self) -> str:
        """The time, as objects have it."""
        return _time(self.clock.now_us())

    def _roll(self, deployment: dict[str, Any]) -> None:
        """The Deployment's controller: so many pods as it wants, and how they stand."""
        metadata, spec = deployment["metadata"], deployment["spec"]
        marks = spec["selector"]["matchLabels"]
        pods = self.objects.listed(PODS, metadata["namespace"], marks)
        surplus = sorted(pods, key=_is_ready)[: max(0, len(pods) - spec["replicas"])]
        for pod in surplus:
            self.objects.delete((PODS, metadata["namespace"], pod["metadata"]["name"]), {})
        room = self.quota - len(self.objects.listed(PODS, metadata["namespace"]))
        for _ in range(min(room, spec["replicas"] - len(pods))):
            self._create_pod(deployment)
        for pod in self.objects.listed(PODS, metadata["namespace"], marks):
            self._run(pod)
        there = self.objects.listed(PODS, metadata["namespace"], marks)
        self._tell(deployment, len(there), sum(map(_is_ready, there)))

    def _create_pod(self, deployment: dict[str, Any]) -> None:
        metadata, template = deployment["metadata"], deployment["spec"]["template"]
        self._pods_made += 1
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
        name = f"{metadata['name']}-{self._pods_made}"
        kept = {"labels": template["metadata"]["labels"], "ownerReferences": [owner]}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": kept}
        self.objects.put((PODS, metadata["namespace"], name), body | {"spec": template["spec"]}, now=self.now())

    def _run(self, pod: dict[str, Any]) -> None:
        """The kubelet."""
        metadata = pod["metadata"]
        key: Key = (PODS, metadata["namespace"], metadata["name"])
        ended = {"exitCode": 1, "reason": "Error"}
        digest = self._digest(pod)
        due_us = _us(metadata["creationTimestamp"]) + int(self.slow_s.get(digest, 0.0) * SECOND_US)
        container: dict[str, Any] = {"name": pod["spec"]["containers"][0]["name"], "ready": False}
        if digest in self.unpullable:
            container["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": f"no such image {digest}"}}
        elif digest in self.broken or self._has_crashed(pod):
            container["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting"}}
            container["lastState"] = {"terminated": ended}
        elif self.clock.now_us() < due_us:
            container["state"] = {"waiting": {"reason": "ContainerCreating"}}
        else:
            container |= {"ready": True, "state": {"running": {"startedAt": metadata["creationTimestamp"]}}}
        ready = {"type": "Ready", "status": "True" if container["ready"] else "False"}
        known: dict[str, Any] = next(iter(pod.get("status", {}).get("conditions", ())), {})
        same = known.get("status") == ready["status"]
        ready["lastTransitionTime"] = known["lastTransitionTime"] if same else self.now()
        status = {"phase": "Running", "conditions": [ready], "containerStatuses": [container]}
        self.objects.put(key, pod | {"status": status}, now=self.now())

    def _tell(self, deployment: dict[str, Any], pods: int, ready: int) -> None:
        metadata, wanted = deployment["metadata"], deployment["spec"]["replicas"]
        now_us = self.clock.now_us()
        last_us, was_complete, most = self._progress.get(metadata["uid"], (now_us, False, 0))
        if ready > most:
            last_us, most = now_us, ready
        complete = was_complete or ready >= wanted
        self._progress[metadata["uid"]] = (last_us, complete, most)
        late = not complete and now_us - last_us >= deployment["spec"]["progressDeadlineSeconds"] * SECOND_US
        reason = "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated"
        progress = {"type": "Progressing", "status": "True", "reason": reason}
        if late:
            message = f"{metadata['name']} has timed out progressing."
            progress = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
            progress["message"] = message
        conditions = [progress]
        if pods < wanted:
            failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
            conditions.append(failure | {"message": "exceeded quota"})
        status = {"observedGeneration": metadata["generation"], "replicas": pods, "readyReplicas": ready}
        status["updatedReplicas"] = pods
        key = (DEPLOYMENTS, metadata["namespace"], metadata["name"])
        self.objects.put(key, deployment | {"status": status | {"conditions": conditions}}, now=self.now())

    def _route(self, route: dict[str, Any]) -> None:
        """The gateway: it says which generation of a route it serves."""
        metadata, now_us = route["metadata"], self.clock.now_us()
        generation, since_us = self._changed.get(metadata["uid"], (0, 0))
        if generation != metadata["generation"]:
            since_us = now_us
            self._changed[metadata["uid"]] = (metadata["generation"], since_us)
        if now_us - since_us < self.gateway_lag_s * SECOND_US:
            return
        accepted = {"type": "Accepted", "status": "False" if self.gateway_refuses else "True"}
        accepted |= {"message": self.gateway_refuses, "observedGeneration": metadata["generation"]}
        resolved = {"type": "ResolvedRefs", "status": "True", "observedGeneration": metadata["generation"]}
        parents = [{"controllerName": "example/gateway", "conditions": [accepted, resolved]}]
        key = (ROUTES, metadata["namespace"], metadata["name"])
        self.objects.put(key, route | {"status": {"parents": parents}}, now=self.now())

    def _digest(self, pod: dict[str, Any]) -> str:
        return str(pod["spec"]["containers"][0]["image"]).partition("@")[2]

    def _has_crashed(self, pod: dict[str, Any]) -> bool:
        crashed_us = self._crashed_us.get(pod["metadata"]["uid"])
        return crashed_us is not None and self.clock.now_us() < crashed_us + int(RESTART_S * SECOND_US)


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(status["ready"] for status in pod.get("status", {}).get("containerStatuses", ()))


def _time(time_us: int) -> str:
    return datetime.fromtimestamp(time_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND_US
