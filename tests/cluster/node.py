"""What a cluster has beside its control plane: a node whose kubelet runs nothing, a scheduler, and a gateway.

Simulated: they bind pods to the one node, write the status of pods and routes as the real ones do, and serve logs. All
else (Deployments, ReplicaSets, garbage, ownership, patches) is the real API server's and its controllers' doing.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx

from shipline.testing.conformance.target import BROKEN
from tests.clusters import digests_of
from tests.machine import SystemClock, wait_until

NODE = "one"
POLL_S = 0.05
RESTART_S = 3.0
ROUTES = "/apis/gateway.networking.k8s.io/v1"


class Node:
    """Acts on what the API tells until it is left. `crash` lets the container of a ready pod end once."""

    def __init__(self, api: httpx.Client, certificate: Path) -> None:
        self._api = api
        self._ended: dict[str, float] = {}
        self._stopped = threading.Event()
        self._kubelet = ThreadingHTTPServer(("127.0.0.1", 0), Logs)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._kubelet.socket = context.wrap_socket(self._kubelet.socket, server_side=True)
        self._threads = [
            threading.Thread(target=self._kubelet.serve_forever, args=(0.02,), daemon=True),
            threading.Thread(target=self._run, daemon=True),
        ]

    def __enter__(self) -> Self:
        """Join the cluster."""
        self._api.post("/api/v1/nodes", json={"metadata": {"name": NODE}}).raise_for_status()
        port = self._kubelet.server_address[1]
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        self._tell(f"/api/v1/nodes/{NODE}", status)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stopped.set()
        self._kubelet.shutdown()
        self._kubelet.server_close()
        for thread in self._threads:
            thread.join()

    def crash(self, namespace: str, group_id: str) -> None:
        """The container of one ready pod ends, for RESTART_S. Returns once its Deployment says so."""
        found = self._items(f"/api/v1/namespaces/{namespace}/pods?labelSelector=shipline.dev/group={group_id}")
        name = next(pod["metadata"]["name"] for pod in found if _is_ready(pod))
        pod = self._api.get(f"/api/v1/namespaces/{namespace}/pods/{name}").json()
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/s-{group_id}"
        before = self._api.get(path).json()["status"]["readyReplicas"]
        self._ended[pod["metadata"]["uid"]] = time.monotonic()
        # The controllers tell each other: pod, ReplicaSet, Deployment.
        wait_until(lambda: self._api.get(path).json()["status"].get("readyReplicas", 0) < before, "the end of a copy")

    def _run(self) -> None:
        while not self._stopped.wait(POLL_S):
            for pod in self._items("/api/v1/pods"):
                with contextlib.suppress(httpx.HTTPStatusError):  # It may have gone since.
                    self._keep(pod)
            for route in self._items(f"{ROUTES}/httproutes"):
                self._serve(route)

    def _keep(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "nodeName" not in pod["spec"]:
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target}
            self._api.post(f"{path}/binding", json=body).raise_for_status()
        elif metadata.get("deletionTimestamp"):
            self._api.request("DELETE", path, json={"gracePeriodSeconds": 0})
        else:
            status = self._status(pod)
            # Told once: conditions keep the time of their last transition.
            if not pod["status"].get("containerStatuses") or _is_ready(pod) != _is_ready({"status": status}):
                self._tell(path, status)

    def _status(self, pod: dict[str, Any]) -> dict[str, Any]:
        container, *others = pod["spec"]["containers"]
        seen = {"name": container["name"], "image": container["image"], "imageID": "", "restartCount": 0}
        started = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
        well = [seen | {"name": one["name"], "image": one["image"], "ready": True, "state": started} for one in others]
        ended_s = time.monotonic() - self._ended.get(pod["metadata"]["uid"], -RESTART_S)
        is_ready = not container["image"].endswith(digests_of(BROKEN)) and ended_s > RESTART_S
        if is_ready:
            seen |= {"ready": True, "state": started}
        else:
            waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
            ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
            seen |= {"ready": False, "restartCount": 1, "state": {"waiting": waiting}, "lastState": ended}
        said = "True" if is_ready else "False"
        now = datetime.fromtimestamp(SystemClock().now_us() // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [
            {"type": kind, "status": said, "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
        ]
        return {"phase": "Running", "podIP": "127.0.0.1", "containerStatuses": [seen, *well], "conditions": conditions}

    def _serve(self, route: dict[str, Any]) -> None:
        """The gateway takes every route."""
        metadata, now = route["metadata"], route["metadata"]["creationTimestamp"]
        accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "taken"}
        accepted |= {"lastTransitionTime": now, "observedGeneration": metadata["generation"]}
        parents = [{"parentRef": {"name": "gateway"}, "controllerName": "example/gateway", "conditions": [accepted]}]
        if route.get("status", {}).get("parents") != parents:
            path = f"{ROUTES}/namespaces/{metadata['namespace']}/httproutes/{metadata['name']}"
            self._tell(path, {"parents": parents})

    def _tell(self, path: str, status: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = self._api.patch(f"{path}/status", json={"status": status}, headers=headers)
        assert answer.is_success or answer.status_code == httpx.codes.NOT_FOUND, answer.text

    def _items(self, path: str) -> list[dict[str, Any]]:
        answer = self._api.get(path).raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


class Logs(BaseHTTPRequestHandler):
    """The kubelet's own API, as far as the API server asks it."""

    def do_GET(self) -> None:
        """Say what a container that ended would have said."""
        body = b"serving\nit is broken\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def _is_ready(pod: dict[str, Any]) -> bool:
    statuses = pod["status"].get("containerStatuses", ())
    return bool(statuses) and all(status["ready"] for status in statuses)
