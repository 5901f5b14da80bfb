"""A working model of Flagger: a primary beside the Deployment, weights by intervals, webhooks, promotion and rollback.

Simpler than the real one: copies are ready at once or never, and routes are those of the status. The order of what is
done in an interval is that of pkg/controller/scheduler.go of github.com/fluxcd/flagger, 1.41. It acts by the world's
clock when somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shipline.testing.fakes.kubernetes.argo import hash_of
from shipline.testing.fakes.kubernetes.json_patch import copied
from shipline.testing.fakes.kubernetes.objects import Key
from shipline.testing.fakes.kubernetes.world import DEPLOYMENTS, SECOND_US, KubernetesWorld

CANARIES = "canaries"
INTERVAL_S = 10
TICKS_MAX = 500
PROGRESS_DEADLINE_S = 60
OK_MAX = 202
ACTIVE = ("Progressing", "WaitingPromotion", "Promoting", "Finalising")


def nobody(_url: str, _payload: dict[str, Any]) -> int:
    """Where no one answers."""
    return 503


@dataclass
class FlaggerController:
    """`ask` posts a payload to an address and returns the status. `asleep`: it does nothing. `failing` are digests
    whose metrics fail. `begun_us` is when each Canary, by its uid, last began."""

    ask: Callable[[str, dict[str, Any]], int] = nobody
    asleep: bool = False
    failing: set[str] = field(default_factory=set)
    begun_us: dict[str, int] = field(default_factory=dict)
    _next_us: dict[str, int] = field(default_factory=dict)

    def __call__(self, world: KubernetesWorld) -> None:
        """As many looks at each Canary as its interval has brought."""
        for namespace in () if self.asleep else world.objects.namespaces():
            for canary in world.objects.listed(CANARIES, namespace):
                self._catch_up(world, canary)

    def _catch_up(self, world: KubernetesWorld, canary: dict[str, Any]) -> None:
        metadata, now_us = canary["metadata"], world.clock.now_us()
        due_us = self._next_us.get(metadata["uid"], now_us)
        for _ in range(TICKS_MAX):
            if due_us > now_us:
                break
            due_us += INTERVAL_S * SECOND_US
            self._advance(world, (CANARIES, metadata["namespace"], metadata["name"]))
        self._next_us[metadata["uid"]] = max(due_us, now_us)

    def _advance(self, world: KubernetesWorld, key: Key) -> None:
        canary = world.objects.must_get(key)
        target = world.objects.get((DEPLOYMENTS, key[1], canary["spec"]["targetRef"]["name"]))
        if target is None or canary["spec"].get("suspend"):
            return
        status = dict(canary.get("status") or {})
        _Look(self, world, canary, target, status).take()
        world.objects.put(key, canary | {"status": status}, now=world.now())


@dataclass
class _Look:
    flagger: FlaggerController
    world: KubernetesWorld
    canary: dict[str, Any]
    target: dict[str, Any]
    status: dict[str, Any]

    def take(self) -> None:
        """What happens in one interval."""
        phase, own = self.status.get("phase", ""), hash_of(self.target["spec"]["template"])
        if not phase:
            self._initialize(own)
            return
        is_new = own not in (self.status["lastPromotedSpec"], self.status["lastAppliedSpec"])
        if phase == "Failed":
            self.status["lastAppliedSpec"] = own
        if phase not in ACTIVE:
            if is_new or phase == "Waiting":
                self._start(own)
            return
        if is_new and phase in ("Progressing", "WaitingPromotion"):
            self.status |= {"phase": "Progressing", "canaryWeight": 0, "failedChecks": 0, "lastAppliedSpec": own}
            return
        self._go_on(phase)

    def _initialize(self, own: str) -> None:
        template, replicas = copied(self.target["spec"]["template"]), self.target["spec"]["replicas"]
        template["metadata"]["labels"]["app"] += "-primary"
        spec = self.target["spec"] | {"template": template, "selector": {"matchLabels": template["metadata"]["labels"]}}
        self._put(self._primary, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec | {"replicas": replicas}})
        self._scale(0)
        self.status |= {"phase": "Initialized", "canaryWeight": 0, "failedChecks": 0, "iterations": 0}
        self.status |= {"lastAppliedSpec": own, "lastPromotedSpec": own}

    def _start(self, own: str) -> None:
        if not self._confirmed("confirm-rollout"):
            self.status["phase"] = "Waiting"
            return
        self._scale(self.world.objects.must_get(self._primary)["spec"]["replicas"])
        self.flagger.begun_us[self.canary["metadata"]["uid"]] = self.world.clock.now_us()
        self.status |= {"phase": "Progressing", "canaryWeight": 0, "failedChecks": 0, "lastAppliedSpec": own}

    def _go_on(self, phase: str) -> None:
        if self._digest in self.world.broken:
            since_us = self.flagger.begun_us[self.canary["metadata"]["uid"]]
            if self.world.clock.now_us() - since_us >= PROGRESS_DEADLINE_S * SECOND_US:
                self._roll_back()
            return
        if phase in ("Progressing", "WaitingPromotion") and self._answered("rollback"):
            self._roll_back()
        elif phase == "Promoting":
            self.status |= {"canaryWeight": 0, "phase": "Finalising"}
        elif phase == "Finalising":
            self._scale(0)
            self.status |= {"phase": "Succeeded", "lastPromotedSpec": self.status["lastAppliedSpec"]}
        else:
            self._analyse()

    def _analyse(self) -> None:
        analysis, weight = self.canary["spec"]["analysis"], self.status["canaryWeight"]
        if self.status["failedChecks"] >= analysis["threshold"]:
            self._roll_back()
        elif weight > 0 and (self._digest in self.flagger.failing or not self._confirmed("rollout")):
            self.status["failedChecks"] += 1
        elif not self._confirmed("confirm-traffic-increase") and self.status["phase"] != "WaitingPromotion":
            return
        elif weight < analysis["maxWeight"]:
            self.status["canaryWeight"] = weight + analysis["stepWeight"]
        elif self._confirmed("confirm-promotion"):
            primary = self.world.objects.must_get(self._primary)
            template = copied(self.target["spec"]["template"])
            template["metadata"]["labels"] = primary["spec"]["template"]["metadata"]["labels"]
            self._put(self._primary, primary | {"spec": primary["spec"] | {"template": template}})
            self.status["phase"] = "Promoting"
        else:
            self.status["phase"] = "WaitingPromotion"

    def _roll_back(self) -> None:
        self._scale(0)
        own = hash_of(self.target["spec"]["template"])
        self.status |= {"phase": "Failed", "canaryWeight": 0, "lastAppliedSpec": own, "failedChecks": 0}

    def _hooks(self, kind: str) -> list[dict[str, Any]]:
        return [
            one for one in self.canary["spec"]["analysis"].get("webhooks", ()) if one.get("type", "rollout") == kind
        ]

    def _posted(self, hook: dict[str, Any]) -> bool:
        metadata = self.canary["metadata"]
        payload = {"name": metadata["name"], "namespace": metadata["namespace"], "phase": self.status["phase"]}
        payload |= {"checksum": "1", "metadata": hook.get("metadata", {})}
        return self.flagger.ask(hook["url"], payload) <= OK_MAX

    def _confirmed(self, kind: str) -> bool:
        """True if every webhook of this type says yes."""
        return all(self._posted(hook) for hook in self._hooks(kind))

    def _answered(self, kind: str) -> bool:
        """True if one of them says yes."""
        return any(self._posted(hook) for hook in self._hooks(kind))

    def _scale(self, replicas: int) -> None:
        key = (DEPLOYMENTS, self.target["metadata"]["namespace"], self.target["metadata"]["name"])
        now = self.world.objects.must_get(key)
        self._put(key, now | {"spec": now["spec"] | {"replicas": replicas}})

    def _put(self, key: Key, body: dict[str, Any]) -> None:
        self.world.objects.put(key, body, now=self.world.now())

    @property
    def _primary(self) -> Key:
        metadata = self.target["metadata"]
        return (DEPLOYMENTS, metadata["namespace"], f"{metadata['name']}-primary")

    @property
    def _digest(self) -> str:
        return str(self.target["spec"]["template"]["spec"]["containers"][0]["image"]).partition("@")[2]
