"""Which requests a cluster has to ask about for a rule of Kyverno. Pure.

Source: `pkg/controllers/webhook` of Kyverno.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.kyverno.matching import filters_of, parse_kind
from shipline.capabilities.gates.manifests.watching import ALL, Rule
from shipline.capabilities.gates.manifests.wildcards import has_wildcard


def rules_of_match(match: Mapping[str, Any], kinds: Kinds) -> tuple[Rule, ...]:
    """Those of a rule of Kyverno, by the kinds that it names: all where one is not known, or none is named."""
    found: list[Rule] = []
    filters = filters_of(match)
    for each in filters:
        resources = each.get("resources") or {}
        operations = [str(one) for one in resources.get("operations") or ("*",)]
        named = [str(one) for one in resources.get("kinds") or ("*",)]
        found += [_rule_of_kind(one, operations, kinds) for one in named]
    return tuple(found) or (ALL,)


def _rule_of_kind(text: str, operations: list[str], kinds: Kinds) -> Rule:
    group, version, kind, sub = parse_kind(text)
    groups = kinds.groups_of(kind) if group == "*" else [group]
    if has_wildcard(kind) or has_wildcard(group.replace("*", "", 1)) or not groups:
        return {**ALL, "operations": operations}
    known = [(one, kinds.of(one, kind)) for one in groups]
    if any(each.guessed for _, each in known) or has_wildcard(sub.replace("*", "", 1)):
        return {**ALL, "operations": operations}
    names = {each.resource for _, each in known}
    wanted = {f"{name}/{sub}" if sub else name for name in names}
    if kind == "Pod" and not sub:
        wanted.add("pods/ephemeralcontainers")
    return {
        "apiGroups": sorted(one for one, _ in known),
        "apiVersions": [version],
        "operations": operations,
        "resources": sorted(wanted),
    }
