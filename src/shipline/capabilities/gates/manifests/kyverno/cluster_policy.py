"""A ClusterPolicy or Policy of Kyverno: its rules that check, compiled and asked.

Rules that change or make resources check nothing: they are noted. Checks of pod security and of manifests' signatures
are refused by name.

Source: `pkg/engine` of Kyverno (`validation.go`, `handlers/validation`), Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.manifests.cel_checks import CELChecks, compile_checks, data_of
from shipline.capabilities.gates.manifests.expressions.program import read_variables
from shipline.capabilities.gates.manifests.kinds import Kinds
from shipline.capabilities.gates.manifests.kyverno.autogen import CONTROLLERS, rules_for
from shipline.capabilities.gates.manifests.kyverno.checks import check_validate, judge_validate
from shipline.capabilities.gates.manifests.kyverno.conditions import check_conditions, conditions_hold
from shipline.capabilities.gates.manifests.kyverno.matching import check_match, is_about
from shipline.capabilities.gates.manifests.kyverno.queries import parsed
from shipline.capabilities.gates.manifests.kyverno.variables import Context, context_of, expressions_in
from shipline.capabilities.gates.manifests.kyverno.verify_images import (
    ImageCheck,
    compile_image_checks,
    demands_of,
    failure_action,
    judge_images,
)
from shipline.capabilities.gates.manifests.kyverno.watching import rules_of_match
from shipline.capabilities.gates.manifests.policy import Header, header_of
from shipline.capabilities.gates.manifests.proofs import Demand
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Note, Outcome, Result
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported
from shipline.capabilities.gates.manifests.watching import Rule

GROUP = "kyverno.io"
KINDS = ("ClusterPolicy", "Policy")
RULES_MAX = 200
_NO_CHECK = ("mutate", "generate")
_RULE_KEYS = {
    "celPreconditions",
    "context",
    "exclude",
    "match",
    "name",
    "preconditions",
    "reportProperties",
    "skipBackgroundRequests",
    "validate",
    "verifyImages",
}
_REFUSED_CHECKS = {"podSecurity": "podSecurity", "manifests": "manifests (signed manifests)", "assert": "assert"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule that checks. `refusal` names what it asks for and cannot be had; its match may be known all the same."""

    document: Mapping[str, Any]
    name: str
    action: str
    matchable: bool
    refusal: str
    cel: CELChecks | None = None
    images: tuple[ImageCheck, ...] = ()


@dataclass(slots=True)
class ClusterPolicy:
    """A policy; rules for what makes pods are compiled when the first resource of the kind comes."""

    header: Header
    namespace: str
    spec: Mapping[str, Any]
    annotations: Mapping[str, Any]
    notes: tuple[Note, ...]
    _compiled: dict[str, tuple[_Rule, ...]]

    @property
    def name(self) -> str:
        """As in its metadata, with its namespace before it where it has one."""
        return self.header.name

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """The rules that cannot be asked, as they are written."""
        return tuple((rule.name, rule.refusal) for rule in self._rules("Pod") if rule.refusal)

    def judge(self, admission: Admission) -> tuple[Result, ...]:
        """A row for each rule that is about the request; with `applyRules: One` only the first that decided."""
        if self.namespace and admission.namespace != self.namespace:
            return ()
        rows = []
        for rule in self._rules(admission.resource.kind):
            answer = _asked(rule, admission)
            if answer is None:
                continue
            rows.append(self.header.row(admission, rule.name, *answer, rule.action))
            if self.spec.get("applyRules") == "One" and answer[0] in (Outcome.PASS, Outcome.FAIL):
                break
        return tuple(rows)

    def watches(self, kinds: Kinds) -> tuple[Rule, ...]:
        """By the kinds of its rules, those that are made for what makes pods included."""
        rules = {id(rule): rule for kind in ("Pod", *CONTROLLERS) for rule in self._rules(kind)}
        return tuple(one for rule in rules.values() for one in rules_of_match(rule.document.get("match") or {}, kinds))

    def demands(self, admission: Admission) -> tuple[Demand, ...]:
        """What registries are to be asked for the rules that are about the request."""
        if self.namespace and admission.namespace != self.namespace:
            return ()
        rules = [rule for rule in self._rules(admission.resource.kind) if rule.images]
        return tuple(demand for rule in rules for demand in _demanded(rule, admission))

    def _rules(self, kind: str) -> tuple[_Rule, ...]:
        if kind not in self._compiled:
            rules = rules_for(self.spec, self.annotations, kind)
            checking = [rule for rule in rules if _checks(rule)]
            self._compiled[kind] = tuple(_compiled(rule, self.spec) for rule in checking)
        return self._compiled[kind]


def compile_cluster_policy(document: Mapping[str, Any]) -> ClusterPolicy:
    """The policy, its rules compiled. Raises Unsupported where it has no rules that could be read."""
    header = header_of(document)
    spec = document.get("spec")
    rules = spec.get("rules") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(rules, list) or not 1 <= len(rules) <= RULES_MAX:
        raise Unsupported(f"a policy without rules, or with more than {RULES_MAX}")
    if not all(isinstance(rule, Mapping) for rule in rules):
        raise Unsupported("a rule that is no table")
    if (spec.get("webhookConfiguration") or {}).get("matchConditions"):
        raise Unsupported("matchConditions of the webhook")
    metadata = document.get("metadata") or {}
    is_namespaced = document.get("kind") == "Policy"
    namespace = str(metadata.get("namespace") or "default") if is_namespaced else ""
    notes = tuple(
        Note(f"{header.name}/{rule.get('name', '')}", f"it is a rule to {key}: it checks nothing")
        for rule in rules
        for key in _NO_CHECK
        if rule.get(key)
    )
    policy = ClusterPolicy(header, namespace, spec, metadata.get("annotations") or {}, notes, {})
    _ = policy.refused  # Compiles what stands there.
    return policy


def _checks(rule: Mapping[str, Any]) -> bool:
    """Whether it is to check something. One that says nothing of what it does is refused where it is compiled: a
    misspelt `validate` is no reason to let everything through."""
    return any(rule.get(key) for key in ("validate", "verifyImages")) or not any(rule.get(key) for key in _NO_CHECK)


def _compiled(rule: Mapping[str, Any], spec: Mapping[str, Any]) -> _Rule:
    validate = rule.get("validate") or {}
    name = str(rule.get("name") or "")
    stated = validate.get("failureAction") or failure_action(rule.get("verifyImages"))
    action = str(stated or spec.get("validationFailureAction") or "Audit").capitalize()
    matchable, refusal, cel = False, "", None
    images: tuple[ImageCheck, ...] = ()
    try:
        check_match(rule.get("match"), "match")
        if rule.get("exclude"):
            check_match(rule["exclude"], "exclude")
        matchable = True
        _check_keys(rule)
        if rule.get("verifyImages"):
            images = _image_checks(rule)
        else:
            cel = _check(rule, validate)
    except Unsupported as error:
        refusal = str(error)
    return _Rule(rule, name, action, matchable, refusal, cel, images)


def _check_keys(rule: Mapping[str, Any]) -> None:
    unknown = sorted(set(rule) - _RULE_KEYS - set(_NO_CHECK))
    if unknown:
        raise Unsupported(f"{unknown[0]} of a rule")


def _image_checks(rule: Mapping[str, Any]) -> tuple[ImageCheck, ...]:
    if rule.get("validate") or rule.get("celPreconditions"):
        raise Unsupported("verifyImages beside validate or celPreconditions in one rule")
    check_conditions(rule.get("preconditions"))
    for expression in expressions_in({key: rule.get(key) for key in ("context", "preconditions")}):
        parsed(expression)
    return compile_image_checks(rule["verifyImages"])


def _check(rule: Mapping[str, Any], validate: Mapping[str, Any]) -> CELChecks | None:
    """Compile what can be compiled beforehand; returns the checks of a rule in CEL. Raises Unsupported."""
    asked = next((words for key, words in _REFUSED_CHECKS.items() if validate.get(key) is not None), "")
    if asked:
        raise Unsupported(asked)
    if validate.get("cel") is not None:
        return _cel_checks(rule, validate)
    check_conditions(rule.get("preconditions"))
    check_validate(validate)
    for expression in expressions_in({key: rule.get(key) for key in ("context", "preconditions", "validate")}):
        parsed(expression)
    return None


def _cel_checks(rule: Mapping[str, Any], validate: Mapping[str, Any]) -> CELChecks:
    cel = validate["cel"]
    unknown = sorted(set(cel) - {"expressions", "variables", "auditAnnotations"})
    if unknown:
        raise Unsupported(f"{unknown[0]} of cel")
    return compile_checks(
        rule.get("celPreconditions") or (),
        cel.get("expressions") or (),
        read_variables(cel.get("variables") or (), either=True),
        message=str(validate.get("message") or ""),
    )


def _asked(rule: _Rule, admission: Admission) -> tuple[Outcome, str] | None:
    """The rule's answer; None where it is not about the request."""
    try:
        if rule.matchable and not is_about(rule.document, admission):
            return None
        if rule.refusal:
            return Outcome.ERROR, f"not evaluated: {rule.refusal}"
        if rule.cel is not None:
            return rule.cel.judge(data_of(admission))
        context = context_of(admission).with_entries(rule.document.get("context") or ())
        return _judged(rule, context, admission)
    except Unsupported as error:
        return Outcome.ERROR, f"not evaluated: {error}"
    except Undecided as error:
        return Outcome.ERROR, str(error)


def _judged(rule: _Rule, context: Context, admission: Admission) -> tuple[Outcome, str]:
    preconditions = rule.document.get("preconditions")
    if preconditions is not None:
        holds, words = conditions_hold(preconditions, context)
        if not holds:
            return Outcome.SKIP, "; ".join(filter(None, ("its preconditions do not hold", words)))
    if rule.images:
        return judge_images(rule.images, context, admission)
    return judge_validate(rule.document["validate"], context, admission)


def _demanded(rule: _Rule, admission: Admission) -> tuple[Demand, ...]:
    """Nothing where it is not about the request, or has no answer anyway: judging says why."""
    try:
        if rule.refusal or not is_about(rule.document, admission):
            return ()
        context = context_of(admission).with_entries(rule.document.get("context") or ())
        preconditions = rule.document.get("preconditions")
        if preconditions is not None and not conditions_hold(preconditions, context)[0]:
            return ()
        return demands_of(rule.images, admission)
    except (Unsupported, Undecided):
        return ()
