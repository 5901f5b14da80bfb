"""Kubernetes' ValidatingAdmissionPolicy with its bindings and parameters, asked without a cluster.

Source: `k8s.io/api/admissionregistration/v1` and `k8s.io/apiserver/pkg/admission/plugin/policy/validating` (v0.35).

Differences from a cluster, all on the safe side: a policy without a binding is asked as if it were bound to
everything; an error is an error whatever `failurePolicy` says; `auditAnnotations` are not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from shipline.capabilities.gates.manifests.selectors import selects
from shipline.capabilities.gates.manifests.unsupported import NotGiven, Undecided, Unsupported
from shipline.capabilities.gates.manifests.watching import Rule, rules_of_constraints

GROUP = "admissionregistration.k8s.io"
_EXEMPT = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
_KEYS = {
    "auditAnnotations",
    "failurePolicy",
    "matchConditions",
    "matchConstraints",
    "paramKind",
    "validations",
    "variables",
}
_BINDING_KEYS = {"matchResources", "paramRef", "policyName", "validationActions"}
_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.PASS, Outcome.SKIP)
_Answer = tuple[Outcome, str, str]


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """A compiled policy. `checks` is None where `refusal` names what it asks for and cannot be had."""

    header: Header
    constraints: Mapping[str, Any]
    checks: CELChecks | None
    refusal: str
    param_kind: Mapping[str, Any] | None
    bindings: tuple[Mapping[str, Any], ...]
    notes: tuple[Note, ...]

    @property
    def name(self) -> str:
        """As in its metadata."""
        return self.header.name

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """The policy itself, where it cannot be asked."""
        return ((self.name, self.refusal),) if self.refusal else ()

    def judge(self, admission: Admission) -> tuple[Result, ...]:
        """One row where the policy is about the request: the worst answer of its bindings and parameters."""
        if admission.resource.group == GROUP and admission.resource.kind in _EXEMPT:
            return ()
        answers = list(self._answers(admission))
        if not answers:
            return ()
        outcome, message, action = min(answers, key=lambda answer: _WORST_FIRST.index(answer[0]))
        return (self.header.row(admission, self.name, outcome, message, action),)

    def watches(self, kinds: Kinds) -> tuple[Rule, ...]:  # noqa: ARG002 - it states resources, not kinds
        """What it states itself."""
        return rules_of_constraints(self.constraints)

    def demands(self, admission: Admission) -> tuple[Demand, ...]:  # noqa: ARG002 - it asks for no signatures
        """Nothing."""
        return ()

    def _answers(self, admission: Admission) -> Iterator[_Answer]:
        try:
            if not applies(self.constraints, admission):
                return
            if self.checks is None:
                yield Outcome.ERROR, f"not evaluated: {self.refusal}", "Enforce"
                return
            for binding in self.bindings or ({},):
                yield from self._bound(binding, admission, self.checks)
        except Unsupported as error:
            yield Outcome.ERROR, f"not evaluated: {error}", "Enforce"
        except Undecided as error:
            yield Outcome.ERROR, str(error), "Enforce"

    def _bound(self, binding: Mapping[str, Any], admission: Admission, checks: CELChecks) -> Iterator[_Answer]:
        limits = binding.get("matchResources")
        if limits and not applies(check_constraints(limits), admission, without_rules=True):
            return
        actions = binding.get("validationActions") or ["Deny"]
        action = "Enforce" if "Deny" in actions else "Audit"
        for params in self._params(binding.get("paramRef"), admission):
            yield (*checks.judge(data_of(admission, params)), action)

    def _params(self, reference: Mapping[str, Any] | None, admission: Admission) -> Sequence[Mapping[str, Any] | None]:
        """The parameters that are bound, one evaluation each; None alone where none are asked for."""
        if reference is None or self.param_kind is None:
            return (None,)
        group = str(self.param_kind.get("apiVersion", "")).rpartition("/")[0]
        kind = str(self.param_kind.get("kind"))
        known = admission.around.kinds.of(group, kind)
        places = {str(reference.get("namespace") or admission.namespace)} if known.namespaced else {""}
        places |= {""} if known.guessed else set()
        found = [each for each in admission.around.objects.get((group, kind), ()) if each.namespace in places]
        if "name" in reference:
            found = [each for each in found if each.name == reference["name"]]
        else:
            found = [each for each in found if selects(reference.get("selector") or {}, each.labels)]
        if not found and reference.get("parameterNotFoundAction") != "Allow":
            raise NotGiven(f"the parameter {kind} {reference.get('name', '')} was not given: add its manifest")
        return [each.document for each in found]


def compile_admission_policy(document: Mapping[str, Any], bindings: Sequence[Mapping[str, Any]]) -> AdmissionPolicy:
    """A policy with the bindings that name it, each a whole document. What it asks for and is not had is kept as its
    refusal: the rows say it."""
    header = header_of(document)
    spec = document.get("spec")
    constraints = EVERYTHING
    checks, refusal = None, ""
    ours: list[Mapping[str, Any]] = []
    try:
        known = known_keys(spec, _KEYS)
        constraints = check_constraints(known.get("matchConstraints"))
        ours = [known_keys(each.get("spec"), _BINDING_KEYS) for each in bindings if _names(each, header.name)]
        checks = compile_checks(
            known.get("matchConditions") or (),
            known.get("validations") or (),
            read_variables(known.get("variables") or ()),
        )
    except Unsupported as error:
        refusal = str(error)
    param_kind = spec.get("paramKind") if isinstance(spec, Mapping) else None
    return AdmissionPolicy(header, constraints, checks, refusal, param_kind, tuple(ours), _notes(header, spec))


def _names(binding: Mapping[str, Any], policy: str) -> bool:
    return (binding.get("spec") or {}).get("policyName") == policy


def _notes(header: Header, spec: object) -> tuple[Note, ...]:
    if isinstance(spec, Mapping) and spec.get("auditAnnotations"):
        return (Note(header.name, "its auditAnnotations are not evaluated: they change no answer"),)
    return ()
