"""What the API server takes of the custom kinds here: small checks, written by hand, of what may be patched.

From the CRDs of argoproj.io/v1alpha1 (manifests/crds/rollout-crd.yaml of github.com/argoproj/argo-rollouts, 1.8). A
field that is not in the schema would be left out without a word, and one of another type refused.
"""

from __future__ import annotations

from typing import Any

from shipline.testing.fakes.kubernetes.objects import Refused

ROLLOUT_FIELDS: dict[str, type | tuple[type, ...]] = {
    "/spec/paused": bool,
    "/status/abort": bool,
    "/status/promoteFull": bool,
    "/status/controllerPause": bool,
    "/status/pauseConditions": list,
    "/status/currentStepIndex": int,
}


def check_patch(plural: str, operations: list[dict[str, Any]]) -> None:
    """Refuse (422) a patch of a Rollout that its schema does not know. Metadata and images are looked at elsewhere."""
    if plural != "rollouts":
        return
    for operation in operations:
        path = operation["path"]
        if path.startswith(("/metadata/", "/spec/template/spec/containers/")):
            continue
        kind = ROLLOUT_FIELDS.get(path)
        if kind is None:
            raise Refused(422, "Invalid", f"Rollout has no field {path}")
        if operation["op"] != "remove" and type(operation["value"]) is not kind:
            raise Refused(422, "Invalid", f"{path}: Invalid value: must be of type {kind}")
