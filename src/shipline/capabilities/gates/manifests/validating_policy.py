"""Kyverno's ValidatingPolicy (`policies.kyverno.io`): rules in CEL, for pods also asked of what makes pods.

Source: `kyverno/kyverno` (`pkg/cel/autogen`, `pkg/cel/policies/vpol`), Apache-2.0, and its documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.manifests.cel_checks import CELChecks, compile_checks, data_of
from shipline.capabilities.gates.manifests.constraints import applies, check_constraints
from shipline.capabilities.gates.manifests.expressions.program import read_variables
from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.policy import EVERYTHING, Header, header_of, known_keys
from shipline.capabilities.gates.manifests.proofs import Demand
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported
from shipline.capabilities.gates.manifests.watching import Rule, rules_of_constraints

GROUP = "policies.kyverno.io"
KINDS = ("ValidatingPolicy", "NamespacedValidatingPolicy")
_KEYS = {
    "auditAnnotations",
    "autogen",
    "evaluation",
    "failurePolicy",
    "matchConditions",
    "matchConstraints",
    "validationActions",
    "validations",
    "variables",
    "webhookConfiguration",
}
_CONTROLLERS = {
    "daemonsets": "apps",
    "deployments": "apps",
    "replicasets": "apps",
    "statefulsets": "apps",
    "jobs": "batch",
    "cronjobs": "batch",
}
_POD_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
_NAMESPACE_KEPT = r"(?!\.namespace(?![A-Za-z0-9_]))"


@dataclass(frozen=True, slots=True)
class _Variant:
    """The policy as it is written, or as it reads for what makes pods."""

    constraints: Mapping[str, Any]
    checks: CELChecks


@dataclass(frozen=True, slots=True)
class ValidatingPolicy:
    """A compiled policy. It has no variants where `refusal` names what it asks for and cannot be had."""

    header: Header
    namespace: str
    action: str
    variants: tuple[_Variant, ...]
    refusal: str
    constraints: Mapping[str, Any]
    notes: tuple[Note, ...] = ()

    @property
    def name(self) -> str:
        """As in its metadata."""
        return self.header.name

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """The policy itself, where it cannot be asked."""
        return ((self.name, self.refusal),) if self.refusal else ()

    def judge(self, admission: Admission) -> tuple[Result, ...]:
        """A row for the variant that is about the request."""
        if self.namespace and admission.namespace != self.namespace:
            return ()
        rows = []
        for constraints, checks in self._asked():
            try:
                if not applies(constraints, admission):
                    continue
                if checks is None:
                    outcome, message = Outcome.ERROR, f"not evaluated: {self.refusal}"
                else:
                    outcome, message = checks.judge(data_of(admission))
            except Unsupported as error:
                outcome, message = Outcome.ERROR, f"not evaluated: {error}"
            except Undecided as error:
                outcome, message = Outcome.ERROR, str(error)
            rows.append(self.header.row(admission, self.name, outcome, message, self.action))
        return tuple(rows)

    def watches(self, kinds: Kinds) -> tuple[Rule, ...]:  # noqa: ARG002 - it states resources, not kinds
        """What it states itself."""
        return rules_of_constraints(self.constraints)

    def demands(self, admission: Admission) -> tuple[Demand, ...]:  # noqa: ARG002 - it asks for no signatures
        """Nothing."""
        return ()

    def _asked(self) -> list[tuple[Mapping[str, Any], CELChecks | None]]:
        if self.refusal:
            return [(self.constraints, None)]
        return [(each.constraints, each.checks) for each in self.variants]


def compile_validating_policy(document: Mapping[str, Any]) -> ValidatingPolicy:
    """The policy with its variants. What it asks for and is not had is kept as its refusal."""
    header = header_of(document)
    spec = document.get("spec")
    constraints, refusal, actions = EVERYTHING, "", ["Deny"]
    variants: list[_Variant] = []
    try:
        spec = read_spec(spec, _KEYS)
        actions = list(spec.get("validationActions") or ["Deny"])
        specs = [spec, *for_controllers({**spec, "matchConstraints": check_constraints(spec.get("matchConstraints"))})]
        rules = [rule for each in specs for rule in each["matchConstraints"].get("resourceRules") or ()]
        constraints = {**spec["matchConstraints"], "resourceRules": rules}
        variants = [_variant(each) for each in specs]
    except Unsupported as error:
        refusal = str(error)
    is_namespaced = document.get("kind") == "NamespacedValidatingPolicy"
    namespace = str((document.get("metadata") or {}).get("namespace") or "default") if is_namespaced else ""
    action = "Enforce" if "Deny" in actions else "Audit"
    return ValidatingPolicy(header, namespace, action, tuple(variants), refusal, constraints)


def read_spec(spec: object, known: set[str]) -> Mapping[str, Any]:
    """A policy's spec of known keys that is about what a cluster asks. Raises Unsupported."""
    read = known_keys(spec, known)
    if (read.get("evaluation") or {}).get("mode", "Kubernetes") != "Kubernetes":
        raise Unsupported("the evaluation mode JSON")
    return read


def _variant(spec: Mapping[str, Any]) -> _Variant:
    checks = compile_checks(
        spec.get("matchConditions") or (),
        spec.get("validations") or (),
        read_variables(spec.get("variables") or (), either=True),
    )
    return _Variant(spec.get("matchConstraints") or {}, checks)


def for_controllers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The policy as it reads for Deployments and the like: only where it is about pods and nothing else."""
    match = spec.get("matchConstraints") or {}
    rules: list[Mapping[str, Any]] = list(match.get("resourceRules") or ())
    selector = match.get("objectSelector") or {}
    selective = selector.get("matchLabels") or selector.get("matchExpressions") or match.get("excludeResourceRules")
    if selective or len(rules) != 1 or rules[0].get("resourceNames"):
        return []
    if any(list(rules[0].get(key) or ()) != value for key, value in _POD_RULE.items()):
        return []
    chosen = ((spec.get("autogen") or {}).get("podControllers") or {}).get("controllers")
    names = [name for name in _CONTROLLERS if chosen is None or name in chosen]
    found = []
    for path, group in (("spec.template", names), ("spec.jobTemplate.spec.template", names)):
        ours = [name for name in group if (name == "cronjobs") == ("jobTemplate" in path)]
        if ours:
            found.append(_shifted(spec, path, ours))
    return found


def _shifted(spec: Mapping[str, Any], path: str, controllers: list[str]) -> Mapping[str, Any]:
    text = json.dumps(spec)
    for name in ("spec", "metadata"):
        text = re.sub(rf"\b(object|oldObject)\.{name}{_NAMESPACE_KEPT}", rf"\1.{path}.{name}", text)
    shifted: dict[str, Any] = json.loads(text)
    operations = shifted["matchConstraints"]["resourceRules"][0].get("operations")
    shifted["matchConstraints"] = {
        "resourceRules": [
            {"apiGroups": [_CONTROLLERS[name]], "apiVersions": ["v1"], "operations": operations, "resources": [name]}
            for name in controllers
        ],
        "namespaceSelector": shifted["matchConstraints"].get("namespaceSelector"),
    }
    return shifted
