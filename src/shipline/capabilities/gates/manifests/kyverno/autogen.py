"""Rules about pods, as they read for what makes pods.

Source: `pkg/autogen/v1` of Kyverno. A rule is rewritten for the kind of the resource that is judged: patterns move
under `spec.template`, variables and expressions by their text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.matching import filters_of, names_kind

ANNOTATION = "pod-policies.kyverno.io/autogen-controllers"
CONTROLLERS = {
    "DaemonSet": "apps/v1/DaemonSet",
    "Deployment": "apps/v1/Deployment",
    "Job": "batch/v1/Job",
    "StatefulSet": "apps/v1/StatefulSet",
    "ReplicaSet": "apps/v1/ReplicaSet",
    "ReplicationController": "v1/ReplicationController",
    "CronJob": "batch/v1/CronJob",
}
_PREFIX = "autogen-"
_NAME_MAX = 63


def rules_for(spec: Mapping[str, Any], annotations: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """The rules of the policy for resources of the kind: its own, and those that are made for it."""
    rules: list[Mapping[str, Any]] = list(spec.get("rules") or ())
    if kind not in _controllers(rules, annotations):
        return rules
    made = [made for rule in rules for made in _made(rule, kind)]
    if not made:
        return rules
    return [rule for rule in rules if not _is_made(rule)] + made


def _controllers(rules: list[Mapping[str, Any]], annotations: Mapping[str, Any]) -> set[str]:
    if not _allowed(rules):
        return set()
    chosen = annotations.get(ANNOTATION)
    return set(CONTROLLERS) if chosen is None else set(str(chosen).split(","))


def _allowed(rules: list[Mapping[str, Any]]) -> bool:
    """Not where a rule generates or patches, or picks pods by name, labels or annotations, or beside other kinds."""
    needed = False
    for rule in rules:
        if rule.get("generate") or (rule.get("mutate") or {}).get("patchesJson6902"):
            return False
        for block in (rule.get("match"), rule.get("exclude")):
            for each in _resources(block):
                kinds = each.get("kinds") or ()
                picks = any(each.get(key) for key in ("name", "names")) or any(
                    each.get(key) is not None for key in ("selector", "annotations")
                )
                if picks or (len(kinds) > 1 and names_kind(kinds, "Pod")):
                    return False
                needed = needed or any(str(kind) in {*CONTROLLERS, "Pod"} for kind in kinds)
    return needed


def _resources(block: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    for each in filters_of(block or {}):
        yield each.get("resources") or {}


def _made(rule: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    excluded = [kind for each in _resources(rule.get("exclude")) for kind in each.get("kinds") or ()]
    matched = [kind for each in _resources(rule.get("match")) for kind in each.get("kinds") or ()]
    about_pods = names_kind(matched, "Pod") and (not excluded or names_kind(excluded, "Pod"))
    if _is_made(rule) or not about_pods or not (rule.get("validate") or rule.get("verifyImages")):
        return
    is_job = kind == "CronJob"
    path = ("spec", "jobTemplate", "spec", "template") if is_job else ("spec", "template")
    name = f"{_PREFIX}{'cronjob-' if is_job else ''}{rule.get('name', '')}"[:_NAME_MAX]
    made = {**rule, "name": name, "match": _renamed(rule["match"], kind)}
    if rule.get("exclude"):
        made["exclude"] = _renamed(rule["exclude"], kind)
    if rule.get("validate"):
        made["validate"] = _moved(rule["validate"], path)
    yield _rewritten(made, path)


def _is_made(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("name", "")).startswith(_PREFIX)


def _renamed(block: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The block with the kind where it names pods; for a CronJob wherever it names any."""
    for key in ("any", "all"):
        if block.get(key):
            return {**block, key: [_with_kind(each, kind) for each in block[key]]}
    resources = block.get("resources") or {}
    return {**block, "resources": {**resources, "kinds": [CONTROLLERS[kind]]}} if resources.get("kinds") else block


def _with_kind(given: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    resources = given.get("resources") or {}
    if kind == "CronJob" or names_kind(resources.get("kinds") or (), "Pod"):
        return {**given, "resources": {**resources, "kinds": [CONTROLLERS[kind]]}}
    return given


def _moved(validate: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    found = dict(validate)
    if found.get("pattern") is not None:
        found["pattern"] = _under(found["pattern"], path)
    if found.get("anyPattern") is not None:
        found["anyPattern"] = [_under(each, path) for each in found["anyPattern"]]
    return found


def _under(pattern: Any, path: tuple[str, ...]) -> Any:
    for key in reversed(path):
        pattern = {key: pattern}
    return pattern


def _rewritten(rule: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    in_cel = (rule.get("validate") or {}).get("cel") is not None
    prefix = "" if in_cel else "request."
    text = json.dumps(rule, ensure_ascii=False)
    for part in ("spec", "metadata"):
        for name in ("object", "oldObject"):
            text = text.replace(f"{prefix}{name}.{part}", f"{prefix}{name}.{'.'.join(path)}.{part}")
    rewritten: Mapping[str, Any] = json.loads(text)
    return rewritten
