"""Argo CD and Flux as a cluster has them: a controller that watches a branch and makes the cluster what it says.

It reads a bare repository, so what it brings is what was really pushed. It acts when somebody looks, as the cluster
does, `lag_s` seconds after a commit. One Deployment stands for all that there is; its old pods go before new ones come.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # it ships no types

from shipline.testing.fakes.kubernetes.objects import Key
from shipline.testing.fakes.kubernetes.world import DEPLOYMENTS, NAMESPACE, PODS, SECOND_US, KubernetesWorld

NAME = "quotes"
APPLICATION: Key = ("applications", NAMESPACE, NAME)
KUSTOMIZATION: Key = ("kustomizations", NAMESPACE, NAME)
HELM_RELEASE: Key = ("helmreleases", NAMESPACE, NAME)
DEPLOYMENT: Key = (DEPLOYMENTS, NAMESPACE, NAME)
APIS = ("argoproj.io/v1alpha1", "kustomize.toolkit.fluxcd.io/v1", "helm.toolkit.fluxcd.io/v2")


@dataclass
class Syncing:
    """The controller of one file on one branch of a bare repository.

    `paused` it takes no new commit in, `refuses` says why what it took in cannot be applied. `image` is the values
    file's image without its digest.
    """

    world: KubernetesWorld
    repository: Path
    file: str
    branch: str = "main"
    image: str = "registry.example/team/quotes"
    replicas: int = 1
    progress_s: int = 60
    lag_s: float = 0.0
    paused: bool = False
    refuses: str = ""
    _seen: tuple[str, int] = ("", 0)
    _taken: str = ""
    _applied: str = ""

    def __call__(self) -> None:
        """Look at the branch, and go on."""
        tip = (self.repository / "refs" / "heads" / self.branch).read_text("ascii").strip()
        now_us = self.world.clock.now_us()
        if tip != self._seen[0]:
            self._seen = (tip, now_us)
        if not self.paused and now_us - self._seen[1] >= self.lag_s * SECOND_US:
            self._taken = tip
            if not self.refuses and tip != self._applied:
                self._apply(tip)
        self._tell()

    def runs(self) -> str:
        """The image that runs."""
        found = self.world.objects.must_get(DEPLOYMENT)
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    def _apply(self, commit: str) -> None:
        self._applied = commit
        document = yaml.safe_load(self._git("show", f"{commit}:{self.file}"))
        if document.get("kind") == "HelmRelease":
            self.world.objects.put(HELM_RELEASE, document, now=self.world.now())
            document = document["spec"]["values"]
        image = _image(document, self.image)
        there = self.world.objects.get(DEPLOYMENT)
        if there is not None and self.runs() == image:
            return
        for pod in self.world.objects.listed(PODS, NAMESPACE, {"app": NAME}):
            self.world.objects.delete((PODS, NAMESPACE, pod["metadata"]["name"]), {})
        if there is not None:
            self.world.objects.delete(DEPLOYMENT, {})
        self.world.objects.put(DEPLOYMENT, _deployment(image, self.replicas, self.progress_s), now=self.world.now())

    def _tell(self) -> None:
        health, message = self._health()
        application: dict[str, Any] = {
            "sync": {"status": "Synced" if self._applied == self._seen[0] else "OutOfSync", "revision": self._taken},
            "health": {"status": health},
            "resources": [{"kind": "Deployment", "name": NAME, "health": {"status": health, "message": message}}],
        }
        ready = {"type": "Ready", "status": "True" if health == "Healthy" else "Unknown", "reason": health}
        if self.refuses:
            result = {"revision": self._taken}
            application["operationState"] = {"phase": "Failed", "message": self.refuses, "syncResult": result}
            ready = {"type": "Ready", "status": "False", "reason": "BuildFailed", "message": self.refuses}
        elif health == "Degraded":
            ready = {"type": "Ready", "status": "False", "reason": "HealthCheckFailed", "message": message}
        self._put(APPLICATION, "argoproj.io/v1alpha1", "Application", application, {})
        revisions = {
            f"last{word}Revision": f"{self.branch}@sha1:{commit}" if commit else ""
            for word, commit in (("Applied", self._applied), ("Attempted", self._taken))
        }
        flux = {"conditions": [ready], "observedGeneration": 1}
        self._put(KUSTOMIZATION, APIS[1], "Kustomization", flux | revisions, {"wait": True})
        found = self.world.objects.get(HELM_RELEASE)
        if found is not None:
            status = {"conditions": [ready], "observedGeneration": found["metadata"]["generation"]}
            self.world.objects.put(HELM_RELEASE, found | {"status": status}, now=self.world.now())

    def _health(self) -> tuple[str, str]:
        found = self.world.objects.get(DEPLOYMENT)
        status = {} if found is None else found.get("status", {})
        late = [c for c in status.get("conditions", ()) if c.get("reason") == "ProgressDeadlineExceeded"]
        if late:
            return "Degraded", str(late[0]["message"])
        is_whole = status.get("readyReplicas") == self.replicas
        return ("Healthy", "") if is_whole else ("Progressing", "waiting for rollout to finish")

    def _put(self, key: Key, api: str, kind: str, status: dict[str, Any], spec: dict[str, Any]) -> None:
        body = {"apiVersion": api, "kind": kind, "spec": spec, "status": status}
        self.world.objects.put(key, body, now=self.world.now())

    def _git(self, *arguments: str) -> str:
        command = ["git", "--git-dir", str(self.repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _image(document: dict[str, Any], image: str) -> str:
    """What the file says runs."""
    if "images" in document:
        row = document["images"][0]
        name = row.get("newName", row["name"])
        return f"{name}@{row['digest']}" if "digest" in row else f"{name}:{row['newTag']}"
    found = document["image"]
    return f"{image}@{found['digest']}" if "digest" in found else f"{image}:{found['tag']}"


def _deployment(image: str, replicas: int, progress_s: int) -> dict[str, Any]:
    labels = {"app": NAME}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": spec | {"progressDeadlineSeconds": progress_s},
    }
