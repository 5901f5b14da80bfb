"""Which requests a cluster has to ask about, so that policies are asked about all that they are about. Pure.

Source: `ValidatingWebhookConfiguration` in `k8s.io/api/admissionregistration/v1` (v0.35).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Rule = Mapping[str, Any]
ALL: Rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}
_RULE = ("apiGroups", "apiVersions", "operations", "resources")


def rules_of_constraints(constraints: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Those of a policy that states them as a webhook does. Names of objects cannot be told to a cluster."""
    return tuple({key: each[key] for key in _RULE} for each in constraints.get("resourceRules") or ())


def merged(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Each once; rules that differ in their resources alone are one."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        key = json.dumps([rule[each] for each in _RULE[:3]])
        mine = found.setdefault(key, {**rule, "resources": []})
        mine["resources"] = sorted({*mine["resources"], *rule["resources"]})
    for rule in found.values():
        rule["resources"] = [one for one in rule["resources"] if not _is_covered(one, rule["resources"])]
    return list(found.values())


def _is_covered(resource: str, names: list[str]) -> bool:
    """Whether a wildcard among them stands for it already: the API wants no other beside that."""
    main, _, sub = resource.partition("/")
    wider = {"*/*", f"{main}/*" if sub else "*", f"*/{sub}" if sub else "*"} - {resource}
    return bool(wider & set(names))
