"""Argo Rollouts drives: Shipline names the image in a Rollout's template, and reads its status.

What it is told is written as its own kubectl plugin writes it: `abort`, `promoteFull`, `pauseConditions` and
`currentStepIndex` in the status subresource, `paused` in the spec. Each write tests the resource version that was read.
Sources: pkg/kubectl-argo-rollouts/cmd of github.com/argoproj/argo-rollouts (promote, abort, pause) and
utils/rollout/rolloututil.go (GetRolloutPhase), both of 1.8.

Requests of the two versions are told apart by the pod template's hash, which pods have as a label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import KubernetesClient, Operation, until_settled
from shipline.clients.kubernetes_contents import NamedImage, fence, image_of
from shipline.clients.kubernetes_drivers import ARGO, REPLICA_SETS, ROLLOUTS, must_find
from shipline.clients.kubernetes_images import ANSWER_TIMEOUT_S, find_image
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.ports.controller import Content, Controlled, Phase, Verb
from shipline.ports.provider import ProviderContext
from shipline.ports.target import GROUP_ID, checked_digests
from shipline.providers.controller.argo_state import INCONCLUSIVE_EXPERIMENT, controlled

Operations: TypeAlias = Callable[[dict[str, Any]], tuple[Operation, ...]]


class ArgoRollouts:
    """The Rollout of one environment."""

    api_version = 1
    name = ARGO
    asks = False
    artifact_kinds: tuple[str, ...] = ("oci",)

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which Rollout.

        `rollout` is its name. `container` names the one that runs the released image; "" is the only one. `kubeconfig`
        is a file, "" what KUBECONFIG names, else the user's own, else the account of the pod; `context` is one of its
        contexts, "" the current one. `namespace` "" is that of the context.
        """

        rollout: str
        container: str = ""
        namespace: str = ""
        kubeconfig: str = ""
        context: str = ""

        def __post_init__(self) -> None:
            """Refuse what is no name."""
            if not GROUP_ID.fullmatch(self.rollout):
                raise ConfigurationError("rollout: the name of a Rollout is 1 to 60 of a-z, 0-9 and -")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._environment = context.environment or "default"

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> Content:
        """Find the image in its registry, and let the API server try the change without keeping it."""
        checked_digests(digests)
        found = self._find()
        if "template" not in found["spec"]:
            raise RefusedError(
                f"the Rollout {self._settings.rollout} has no pod template of its own",
                why="it takes that of another object (workloadRef), whose image Shipline does not set",
                todo="move the template into the Rollout",
            )
        image = image_of(found["spec"]["template"], self._settings.container, owner=self._owner)
        content = Content(find_image(image, version, digests), package, version, digests)
        state = self._state(found)
        if state.phase in (Phase.MOVING, Phase.WAITING) and state.wanted.image != content.image:
            raise RefusedError(
                f"{ARGO} is at work on {self._settings.rollout} already: {state.words}",
                todo=f"wait for it, or say: kubectl argo rollouts abort {self._settings.rollout}",
            )
        self._client.change(self._path, found, self._named.operations(found, content), dry_run=True)
        return content

    def look(self) -> Controlled:
        """The Rollout's own account, with what its two ReplicaSets run."""
        return self._state(self._find())

    def set(self, content: Content, *, revision: int) -> None:
        """Name the image in the template."""
        self._named.set(content, revision)

    def tell(self, verb: Verb, *, revision: int) -> None:
        """Write what the kubectl plugin writes for it; nothing where that holds already."""
        refused = self._state(self._find()).refused.get(verb.value)
        if refused:
            raise RefusedError(refused)
        # The status first, as the plugin has it: what is only unpaused would go on with its next step meanwhile.
        if verb in STATUS:
            part = ROLLOUTS.path(self._namespace, self._settings.rollout, part="status")
            until_settled(lambda: self._write(part, STATUS[verb], revision))
        until_settled(lambda: self._write(self._path, pausing if verb is Verb.PAUSE else unpausing, revision))

    def _write(self, path: str, operations_of: Operations, revision: int) -> None:
        found = self._find()
        fence(found, self._environment, revision)
        operations = operations_of(found)
        if operations:
            self._client.change(path, found, operations)

    def _find(self) -> dict[str, Any]:
        return must_find(self._client, ROLLOUTS, self._namespace, self._settings.rollout, of=ARGO)

    def _state(self, found: dict[str, Any]) -> Controlled:
        labels = (found["spec"].get("selector") or {}).get("matchLabels") or {}
        sets = self._client.list(REPLICA_SETS.path(self._namespace), labels=labels)
        uid = found["metadata"]["uid"]
        own = [one for one in sets if any(o.get("uid") == uid for o in one["metadata"].get("ownerReferences") or ())]
        return controlled(found, own, self._settings.container)

    @property
    def _owner(self) -> str:
        return f"the Rollout {self._settings.rollout}"

    @property
    def _named(self) -> NamedImage:
        return NamedImage(self._client, self._path, self._settings.container, self._environment)

    @property
    def _path(self) -> str:
        return ROLLOUTS.path(self._namespace, self._settings.rollout)

    @cached_property
    def _client(self) -> KubernetesClient:
        access = find_access(self._settings.kubeconfig, self._settings.context)
        return KubernetesClient(access, timeout_s=ANSWER_TIMEOUT_S)

    @property
    def _namespace(self) -> str:
        return self._settings.namespace or self._client.access.namespace


def pausing(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Pause it by hand: it stays at its step until it is resumed."""
    return () if found["spec"].get("paused") else ({"op": "add", "path": "/spec/paused", "value": True},)


def unpausing(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Take the pause by hand back; what is aborted has to, too, since a paused Rollout scales nothing."""
    if not found["spec"].get("paused"):
        return ()
    return ({"op": "replace", "path": "/spec/paused", "value": False},)


def resuming(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Leave the pause that its steps have brought; where what a step asks had no result, leave that step too."""
    status = found.get("status") or {}
    conditions = status.get("pauseConditions") or ()
    if not conditions:
        return ()
    cleared: Operation = {"op": "remove", "path": "/status/pauseConditions"}
    if _has_steps(found) and _is_step_inconclusive(status):
        return (cleared, {"op": "add", "path": "/status/controllerPause", "value": False}, _next_step(found))
    return (cleared,)


def skipping(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Leave the step that it is at."""
    return resuming(found) or ((_next_step(found),) if _has_steps(found) else ())


def promoting(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Skip all steps, pauses and analyses that are left."""
    status = found.get("status") or {}
    if status.get("promoteFull") or status.get("currentPodHash") == status.get("stableRS"):
        return ()
    return ({"op": "add", "path": "/status/promoteFull", "value": True},)


def aborting(found: dict[str, Any]) -> tuple[Operation, ...]:
    """Give all traffic back to the stable version.

    An order to promote is taken back in the same patch: while it stands Argo takes every abort back (rollout/canary.go
    and bluegreen.go, syncRolloutStatus).
    """
    status = found.get("status") or {}
    abort: Operation = {"op": "add", "path": "/status/abort", "value": True}
    unpromote: Operation = {"op": "add", "path": "/status/promoteFull", "value": False}
    parts = ((abort, not status.get("abort")), (unpromote, bool(status.get("promoteFull"))))
    return tuple(operation for operation, is_missing in parts if is_missing)


STATUS: dict[Verb, Operations] = {
    Verb.RESUME: resuming,
    Verb.SKIP: skipping,
    Verb.PROMOTE: promoting,
    Verb.ABORT: aborting,
}


def _is_step_inconclusive(status: dict[str, Any]) -> bool:
    """As isInconclusive of the plugin's promote: the analysis of the step, not one in the background. And an
    experiment, which is always a step's: the plugin stays at it, and Argo pauses anew (rollout/experiment.go)."""
    run = (status.get("canary") or {}).get("currentStepAnalysisRunStatus") or {}
    reasons = [one.get("reason") for one in status.get("pauseConditions") or ()]
    return run.get("status") == "Inconclusive" or INCONCLUSIVE_EXPERIMENT in reasons


def _has_steps(found: dict[str, Any]) -> bool:
    return bool(((found["spec"].get("strategy") or {}).get("canary") or {}).get("steps"))


def _next_step(found: dict[str, Any]) -> Operation:
    steps = len(found["spec"]["strategy"]["canary"]["steps"])
    index = int((found.get("status") or {}).get("currentStepIndex") or 0)
    return {"op": "add", "path": "/status/currentStepIndex", "value": min(steps, index + 1)}
