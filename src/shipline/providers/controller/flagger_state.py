"""What a Canary says of itself, read: pure.

Fields: flagger.app/v1beta1, CanaryStatus (pkg/apis/flagger/v1beta1/status.go of github.com/fluxcd/flagger, 1.41).
Flagger copies the canary's template to the primary when it promotes, so what the primary runs tells what is promoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.kubernetes_contents import content_of, image_of
from shipline.ports.controller import Controlled, Phase, Side, Verb

AT_REST = frozenset({"Initialized", "Succeeded"})
WAITING = frozenset({"Waiting", "WaitingPromotion"})
AT_WORK = frozenset({"Initializing", "Progressing", "Promoting", "Finalising"})
MESSAGE_MAX = 500
PROGRESS = "confirm-traffic-increase"


def asked_hooks(canary: Mapping[str, Any], environment: str) -> frozenset[str]:
    """The types of those webhooks of a Canary that ask for this environment's verdict."""
    analysis = (canary.get("spec") or {}).get("analysis") or {}
    found = set()
    for hook in analysis.get("webhooks") or ():
        kind = str(hook.get("type") or "rollout")
        if _path_of(str(hook.get("url") or "")).endswith(f"/api/v1/verdicts/{environment}/{kind}"):
            found.add(kind)
    return frozenset(found)


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def controlled(
    canary: Mapping[str, Any],
    target: Mapping[str, Any],
    primary: Mapping[str, Any] | None,
    *,
    container: str,
    environment: str,
) -> Controlled:
    """How it stands, with the Deployment that the Canary is about, and the primary that Flagger has made of it."""
    status = canary.get("status") or {}
    said = str(status.get("phase") or "Initializing")
    new = _side(target, target, container)
    stable = None if primary is None else _side(target, primary, container)
    is_new = stable is None or stable.content.image != new.content.image
    weight = min(1.0, max(0.0, float(status.get("canaryWeight") or 0) / 100))
    phase = _phase(said, weight, is_new=is_new)
    return Controlled(
        phase=phase,
        words=_words(canary, said)[:MESSAGE_MAX],
        wanted=new.content,
        noticed=not (is_new and said in AT_REST),
        stable=stable,
        canary=new if is_new and said not in AT_REST else None,
        weight=weight if is_new else 0.0,
        splits=_splits(canary),
        awaits_verdict=phase is Phase.WAITING,
        refused=_refused(canary, environment),
    )


def _phase(said: str, weight: float, *, is_new: bool) -> Phase:
    if said in AT_REST:
        return Phase.MOVING if is_new else Phase.SETTLED
    if said in WAITING:
        return Phase.WAITING
    if said in AT_WORK:
        return Phase.MOVING
    if said == "Failed" and weight == 0:
        # The image that serves was set back: Flagger begins nothing for it, and stays at its word.
        return Phase.BACK if is_new else Phase.SETTLED
    return Phase.BROKEN


def _words(canary: Mapping[str, Any], said: str) -> str:
    status = canary.get("status") or {}
    parts = [said]
    if status.get("failedChecks"):
        parts.append(f"{status['failedChecks']} failed checks")
    if status.get("iterations"):
        parts.append(f"iteration {status['iterations']}")
    message = next((str(one.get("message")) for one in status.get("conditions") or () if one.get("message")), "")
    return f"{', '.join(parts)}: {message}" if message else ", ".join(parts)


def _splits(canary: Mapping[str, Any]) -> bool:
    """False for blue-green, where Flagger counts iterations and then switches all."""
    analysis = (canary.get("spec") or {}).get("analysis") or {}
    return bool(analysis.get("maxWeight") or analysis.get("stepWeight") or analysis.get("stepWeights"))


def _side(noted: Mapping[str, Any], found: Mapping[str, Any], container: str) -> Side:
    """A Deployment as one side; what its image is, the notes on `noted` say."""
    name = found["metadata"]["name"]
    image = image_of(found["spec"]["template"], container, owner=f"the Deployment {name}")
    size, ready = found["spec"].get("replicas"), (found.get("status") or {}).get("readyReplicas")
    return Side(name, content_of(noted, image), int(size or 0), int(ready or 0))


def _refused(canary: Mapping[str, Any], environment: str) -> dict[str, str]:
    refused = {Verb.SKIP.value: "Flagger cannot be told to skip a step: its interval is in the Canary"}
    if PROGRESS not in asked_hooks(canary, environment):
        refused[Verb.PAUSE.value] = (
            f"Flagger does not ask before it raises the traffic: the Canary has no webhook of the type {PROGRESS}; "
            "it only holds before the promotion"
        )
    return refused
