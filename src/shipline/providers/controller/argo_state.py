"""What a Rollout says of itself, read: pure.

Fields: argoproj.io/v1alpha1, RolloutStatus (pkg/apis/rollouts/v1alpha1/types.go of github.com/argoproj/argo-rollouts,
1.8). The order of the answers is that of GetRolloutPhase there: a status is only believed once its generation is that
of the spec, and once a pause that was taken back is seen to be gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.clients.kubernetes_contents import content_of, image_of
from shipline.domain.errors import ShiplineError
from shipline.ports.controller import Controlled, Phase, Side, Verb

# rollouts/v1alpha1 DefaultRolloutUniqueLabelKey.
HASH = "rollouts-pod-template-hash"
MESSAGE_MAX = 500
# rollouts/v1alpha1 PauseReason: PauseReasonInconclusiveAnalysis and PauseReasonInconclusiveExperiment.
INCONCLUSIVE_ANALYSIS, INCONCLUSIVE_EXPERIMENT = "InconclusiveAnalysisRun", "InconclusiveExperiment"


@dataclass(frozen=True, slots=True)
class _Read:
    """A Rollout's parts, none of them None."""

    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    canary: Mapping[str, Any]
    blue_green: Mapping[str, Any]
    step: Mapping[str, Any]
    step_words: str

    @property
    def is_promoted(self) -> bool:
        """True if what is wanted is the stable version."""
        return bool(self.status.get("currentPodHash")) and self.status.get("currentPodHash") == self.status.get(
            "stableRS"
        )


def controlled(found: Mapping[str, Any], sets: Sequence[Mapping[str, Any]], container: str) -> Controlled:
    """How it stands, with its own ReplicaSets."""
    read = _read(found)
    wanted = content_of(found, image_of(read.spec["template"], container, owner=found["metadata"]["name"]))
    noticed = _noticed(found, read)
    stable = _side(found, sets, str(read.status.get("stableRS") or ""), container)
    own = str(read.status.get("currentPodHash") or "")
    canary = None if read.is_promoted or not noticed else _side(found, sets, own, container)
    weight = 0.0 if canary is None else _weight(read, canary, stable)
    phase, words = _phase(found, read, weight, noticed=noticed)
    return Controlled(
        phase=phase,
        words=words[:MESSAGE_MAX],
        wanted=wanted,
        noticed=noticed,
        stable=stable,
        canary=canary,
        weight=weight,
        splits=not read.blue_green,
        awaits_verdict=phase is Phase.WAITING and not read.spec.get("paused") and not _is_inconclusive(read),
        refused=_refused(read),
    )


def _read(found: Mapping[str, Any]) -> _Read:
    spec, status = found["spec"], found.get("status") or {}
    if "template" not in spec:
        raise ShiplineError(f"the Rollout {found['metadata']['name']} has no pod template of its own (workloadRef)")
    strategy = spec.get("strategy") or {}
    canary = strategy.get("canary") or {}
    steps: list[Mapping[str, Any]] = list(canary.get("steps") or ())
    index = status.get("currentStepIndex")
    step: Mapping[str, Any] = {}
    words = ""
    if isinstance(index, int) and 0 <= index < len(steps):
        step = steps[index]
        words = f"step {index + 1} of {len(steps)} ({_step_words(step)})"
    return _Read(spec, status, canary, strategy.get("blueGreen") or {}, step, words)


def _step_words(step: Mapping[str, Any]) -> str:
    name = next(iter(step), "")
    if name == "setWeight":
        return f"setWeight: {step['setWeight']}"
    if name == "pause":
        duration = (step["pause"] or {}).get("duration")
        return f"pause: {duration}" if duration else "pause"
    return name


def _noticed(found: Mapping[str, Any], read: _Read) -> bool:
    observed = str(read.status.get("observedGeneration") or "")
    return observed.isdigit() and int(observed) == found["metadata"].get("generation")


def _phase(found: Mapping[str, Any], read: _Read, weight: float, *, noticed: bool) -> tuple[Phase, str]:
    """Where it stands, and its own words for that."""
    status = read.status
    said, message = str(status.get("phase") or ""), str(status.get("message") or "")
    if not noticed:
        return Phase.MOVING, "it has not noticed the change yet"
    if not said:
        raise ShiplineError(
            f"the Rollout {found['metadata']['name']} does not say its phase", todo="install Argo Rollouts 1.0 or later"
        )
    if status.get("controllerPause") and not status.get("pauseConditions"):
        return Phase.MOVING, "it is leaving its pause"
    words = ", ".join(part for part in (f"{said}: {message}" if message else said, read.step_words) if part)
    return _phase_of(said, read, weight), words


def _phase_of(said: str, read: _Read, weight: float) -> Phase:
    if said == "Healthy" and read.is_promoted:
        return Phase.SETTLED
    if read.status.get("abort"):
        return Phase.BACK if weight == 0 else Phase.MOVING
    if said == "Degraded":
        return Phase.BROKEN
    return Phase.WAITING if said == "Paused" and not _is_timed(read) else Phase.MOVING


def _is_timed(read: _Read) -> bool:
    """True if the pause ends by itself."""
    if read.spec.get("paused") or _is_inconclusive(read):
        return False
    if read.blue_green:
        return bool(read.blue_green.get("autoPromotionSeconds"))
    return bool((read.step.get("pause") or {}).get("duration"))


def _is_inconclusive(read: _Read) -> bool:
    return any(
        one.get("reason") in (INCONCLUSIVE_ANALYSIS, INCONCLUSIVE_EXPERIMENT)
        for one in read.status.get("pauseConditions") or ()
    )


def _active(read: _Read) -> str:
    return str((read.status.get("blueGreen") or {}).get("activeSelector") or "")


def _told_weight(read: _Read) -> int | None:
    """The canary's weight as the traffic router has it, None where there is none."""
    weights = (read.status.get("canary") or {}).get("weights") or {}
    weight = (weights.get("canary") or {}).get("weight")
    return weight if isinstance(weight, int) else None


def _weight(read: _Read, canary: Side, stable: Side | None) -> float:
    """The canary's share: as routed, else as many as its ready pods are of all."""
    if read.blue_green:
        return 1.0 if _active(read) == canary.id else 0.0
    told = _told_weight(read)
    if told is not None:
        whole = (read.canary.get("trafficRouting") or {}).get("maxTrafficWeight") or 100
        return min(1.0, max(0.0, told / whole))
    if read.canary.get("trafficRouting"):
        return 0.0
    ready = canary.ready + (0 if stable is None else stable.ready)
    return canary.ready / ready if ready else 0.0


def _side(found: Mapping[str, Any], sets: Sequence[Mapping[str, Any]], pod_hash: str, container: str) -> Side | None:
    """What the ReplicaSet of a template's hash runs, None where there is none yet."""
    one = next((each for each in sets if (each["metadata"].get("labels") or {}).get(HASH) == pod_hash), None)
    if one is None or not pod_hash:
        return None
    image = image_of(one["spec"]["template"], container, owner=one["metadata"]["name"])
    size, ready = one["spec"].get("replicas"), (one.get("status") or {}).get("readyReplicas")
    return Side(pod_hash, content_of(found, image), int(size or 0), int(ready or 0))


def _refused(read: _Read) -> dict[str, str]:
    if read.blue_green:
        return {Verb.SKIP.value: "this Rollout is blue-green, and has no steps: promote it, or abort it"}
    return {}
