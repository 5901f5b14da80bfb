"""A working model of Argo Rollouts: canary steps with weights and pauses, promotion, abort, and degradation.

Simpler than the real one: copies are ready at once or never, there is one traffic router that obeys at once, and
blue-green has no preview. It acts by the world's clock when somebody looks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from shipline.testing.fakes.kubernetes.objects import Key
from shipline.testing.fakes.kubernetes.world import SECOND_US, KubernetesWorld

ROLLOUTS, REPLICA_SETS = "rollouts", "replicasets"
HASH = "rollouts-pod-template-hash"
PROGRESS_DEADLINE_S = 120


@dataclass
class ArgoController:
    """`asleep`: it does nothing. `failing` are digests whose analysis fails at the first step with a weight;
    `inconclusive` those whose steps `analysis` and `experiment` have no result."""

    asleep: bool = False
    failing: set[str] = field(default_factory=set)
    inconclusive: set[str] = field(default_factory=set)
    _since_us: dict[tuple[str, str], int] = field(default_factory=dict)

    def __call__(self, world: KubernetesWorld) -> None:
        """One reconciliation of each Rollout."""
        for namespace in () if self.asleep else world.objects.namespaces():
            for rollout in world.objects.listed(ROLLOUTS, namespace):
                self._reconcile(world, rollout)

    def _reconcile(self, world: KubernetesWorld, rollout: dict[str, Any]) -> None:
        metadata, spec = rollout["metadata"], rollout["spec"]
        key: Key = (ROLLOUTS, metadata["namespace"], metadata["name"])
        status = dict(rollout.get("status") or {})
        own = hash_of(spec["template"])
        if status.get("currentPodHash") != own:
            _begin(status, own, len(_steps(spec)))
            self._since_us[metadata["uid"], own] = world.clock.now_us()
        status["observedGeneration"] = str(metadata["generation"])
        is_ready = _digest(spec["template"]) not in world.broken
        self._advance(world, rollout, status, is_ready=is_ready)
        sizes = {own: spec["replicas"], status.get("stableRS", ""): spec["replicas"]}
        if status.get("abort"):
            sizes[own] = 0
        for pod_hash, size in sizes.items():
            self._replica_set(world, rollout, pod_hash, size, is_ready=is_ready or pod_hash != own)
        world.objects.put(key, rollout | {"status": status}, now=world.now())

    def _advance(
        self, world: KubernetesWorld, rollout: dict[str, Any], status: dict[str, Any], *, is_ready: bool
    ) -> None:
        spec, own = rollout["spec"], status["currentPodHash"]
        late_us = self._since_us[rollout["metadata"]["uid"], own] + PROGRESS_DEADLINE_S * SECOND_US
        if status.get("promoteFull"):
            # As rollout/canary.go and bluegreen.go of the real one: an abort does not hold beside it.
            status |= {"abort": False, "pauseConditions": None}
        if status.get("stableRS") == own:
            _say(status, "Healthy", "")
        elif status.get("abort"):
            status |= {"currentStepIndex": 0, "pauseConditions": None, "controllerPause": False}
            _weigh(status, 0)
            _say(status, "Degraded", status.get("message") or "RolloutAborted: Rollout aborted update to revision 2")
        elif not is_ready:
            is_late = world.clock.now_us() >= late_us
            message = 'ProgressDeadlineExceeded: ReplicaSet "new" has timed out progressing.'
            _say(status, *(("Degraded", message) if is_late else ("Progressing", "more replicas need to be updated")))
        elif spec.get("paused"):
            _say(status, "Paused", "manually paused")
        elif "blueGreen" in spec["strategy"]:
            self._switch(spec, status)
        elif not status.get("stableRS") or status.get("promoteFull"):
            _promote(status)
        else:
            self._step(world, rollout, status)

    def _switch(self, spec: dict[str, Any], status: dict[str, Any]) -> None:
        left = bool(status.get("controllerPause")) and not status.get("pauseConditions")
        if left or status.get("promoteFull") or not status.get("stableRS"):
            status["blueGreen"] = {"activeSelector": status["currentPodHash"]}
            _promote(status)
            return
        status |= {"pauseConditions": [{"reason": "BlueGreenPause", "startTime": ""}], "controllerPause": True}
        _say(status, "Paused", "BlueGreenPause")

    def _step(self, world: KubernetesWorld, rollout: dict[str, Any], status: dict[str, Any]) -> None:
        """Carry out steps until one takes time."""
        steps = _steps(rollout["spec"])
        while status["currentStepIndex"] < len(steps):
            step = steps[status["currentStepIndex"]]
            if "setWeight" in step:
                _weigh(status, step["setWeight"])
                if _digest(rollout["spec"]["template"]) in self.failing:
                    status |= {"abort": True, "abortedAt": world.now()}
                    _weigh(status, 0)
                    _say(status, "Degraded", 'RolloutAborted: metric "success-rate" assessed Failed')
                    return
            elif "pause" not in step:
                if _digest(rollout["spec"]["template"]) in self.inconclusive:
                    _pause_inconclusive(status, step)
                    return
            elif not self._is_over(world, rollout, status, step):
                return
            status["currentStepIndex"] += 1
        _promote(status)

    def _is_over(
        self, world: KubernetesWorld, rollout: dict[str, Any], status: dict[str, Any], step: dict[str, Any]
    ) -> bool:
        if status.get("controllerPause") and not status.get("pauseConditions"):
            status["controllerPause"] = False
            return True
        place = (rollout["metadata"]["uid"], f"{status['currentPodHash']}/{status['currentStepIndex']}")
        since_us = self._since_us.setdefault(place, world.clock.now_us())
        duration = (step["pause"] or {}).get("duration")
        if duration is not None and world.clock.now_us() - since_us >= int(str(duration).rstrip("s")) * SECOND_US:
            status |= {"pauseConditions": None, "controllerPause": False}
            return True
        condition = {"reason": "CanaryPauseStep", "startTime": world.now()}
        status |= {"pauseConditions": status.get("pauseConditions") or [condition], "controllerPause": True}
        _say(status, "Paused", "CanaryPauseStep")
        return False

    def _replica_set(
        self, world: KubernetesWorld, rollout: dict[str, Any], pod_hash: str, size: int, *, is_ready: bool
    ) -> None:
        metadata, spec = rollout["metadata"], rollout["spec"]
        key: Key = (REPLICA_SETS, metadata["namespace"], f"{metadata['name']}-{pod_hash}")
        known = world.objects.get(key)
        if not pod_hash or (known is None and pod_hash != hash_of(spec["template"])):
            return
        owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": metadata["name"]}
        labels = dict(spec["selector"]["matchLabels"]) | {HASH: pod_hash}
        template = _labelled(spec["template"], labels) if known is None else known["spec"]["template"]
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"labels": labels, "ownerReferences": [owner | {"uid": metadata["uid"]}]},
            "spec": {"replicas": size, "selector": {"matchLabels": labels}, "template": template},
            "status": {"replicas": size, "readyReplicas": size if is_ready else 0},
        }
        world.objects.put(key, body, now=world.now())


def _labelled(template: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """The template of a ReplicaSet, whose pods have the labels that it selects them by."""
    metadata = template.get("metadata") or {}
    return template | {"metadata": metadata | {"labels": (metadata.get("labels") or {}) | labels}}


def hash_of(template: dict[str, Any]) -> str:
    """What tells a pod template from another."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def _begin(status: dict[str, Any], own: str, steps: int) -> None:
    """A template that is another: from the first step on; what serves already has no step to make."""
    is_back = own == status.get("stableRS")
    status |= {"currentPodHash": own, "abort": False, "promoteFull": False, "controllerPause": False}
    status |= {"pauseConditions": None, "currentStepIndex": steps if is_back else 0, "message": ""}


def _promote(status: dict[str, Any]) -> None:
    status |= {"stableRS": status["currentPodHash"], "promoteFull": False, "pauseConditions": None}
    status["controllerPause"] = False
    _weigh(status, 0)
    _say(status, "Healthy", "")


def _pause_inconclusive(status: dict[str, Any], step: dict[str, Any]) -> None:
    """What is asked at this step has no result: somebody has to say what follows."""
    reason = "InconclusiveAnalysisRun" if "analysis" in step else "InconclusiveExperiment"
    status |= {"pauseConditions": [{"reason": reason, "startTime": ""}], "controllerPause": True}
    if "analysis" in step:
        run = {"name": "quotes-2-1", "status": "Inconclusive"}
        status["canary"] = (status.get("canary") or {}) | {"currentStepAnalysisRunStatus": run}
    _say(status, "Paused", reason)


def _weigh(status: dict[str, Any], weight: int) -> None:
    canary = {"weight": weight, "podTemplateHash": status["currentPodHash"]}
    stable = {"weight": 100 - weight, "podTemplateHash": status.get("stableRS", "")}
    status["canary"] = {"weights": {"canary": canary, "stable": stable}}


def _say(status: dict[str, Any], phase: str, message: str) -> None:
    status |= {"phase": phase, "message": message}


def _steps(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return list((spec["strategy"].get("canary") or {}).get("steps") or ())


def _digest(template: dict[str, Any]) -> str:
    return str(template["spec"]["containers"][0]["image"]).partition("@")[2]
