"""Conditions and validations in CEL: what ValidatingAdmissionPolicy and Kyverno's policies in CEL have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.gates.manifests.expressions.program import Expression, Variables, compile_expression
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Outcome
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported

CHECKS_MAX = 200


@dataclass(frozen=True, slots=True)
class Validation:
    """What must hold, and what is said where it does not."""

    expression: Expression
    message: str
    message_expression: Expression | None


@dataclass(frozen=True, slots=True)
class CELChecks:
    """A policy's conditions, by name, and its validations."""

    conditions: tuple[tuple[str, Expression], ...]
    validations: tuple[Validation, ...]

    def judge(self, data: Mapping[str, Any]) -> tuple[Outcome, str]:
        """SKIP where a condition is false; else the first validation that does not hold or cannot be asked."""
        skipped = self.conditions_fail(data)
        if skipped is not None:
            return skipped
        for validation in self.validations:
            try:
                if not validation.expression.holds(data):
                    return Outcome.FAIL, _message(validation, data)
            except Undecided as error:
                return Outcome.ERROR, f"{validation.expression.text.strip()[:120]}: {error}"
        return Outcome.PASS, ""

    def conditions_fail(self, data: Mapping[str, Any]) -> tuple[Outcome, str] | None:
        """Why nothing is validated: a condition is false, or has no answer. None where all of them hold."""
        trouble = ""
        for name, condition in self.conditions:
            try:
                if not condition.holds(data):
                    return Outcome.SKIP, f"the condition {name} does not hold"
            except Undecided as error:
                trouble = trouble or f"the condition {name} has no answer: {error}"
        return (Outcome.ERROR, trouble) if trouble else None


def compile_checks(
    conditions: Sequence[Mapping[str, Any]],
    validations: Sequence[Mapping[str, Any]],
    variables: Variables,
    *,
    message: str = "",
) -> CELChecks:
    """Compile them. `message` is said where a validation has none. Raises Unsupported, which names what is not had."""
    if not 1 <= len(validations) <= CHECKS_MAX or len(conditions) > CHECKS_MAX:
        raise Unsupported(f"a policy without validations, or with more than {CHECKS_MAX}")
    for name in variables.expressions:
        compile_expression(f"variables.{name}", variables)
    known = Variables({}, variables.either)  # A cluster does not give variables to conditions.
    return CELChecks(
        tuple((str(each.get("name")), compile_expression(str(each.get("expression")), known)) for each in conditions),
        tuple(_validation(each, variables, message) for each in validations),
    )


def data_of(admission: Admission, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The values of the names that expressions use. What is not known is not there, and an error for who asks."""
    resource, kind = admission.resource, admission.kind
    deleted = admission.operation == "DELETE"
    data: dict[str, Any] = {
        "object": None if deleted else resource.document,
        "oldObject": resource.document if deleted and admission.old is None else admission.old,
        "request": _request(admission) if admission.asked is None else admission.asked.said,
        "params": params,
    }
    namespace = admission.around.namespace(admission.namespace) if kind.namespaced else None
    if namespace is not None or not kind.namespaced:
        data["namespaceObject"] = namespace
    return data


def _request(admission: Admission) -> dict[str, Any]:
    """What a cluster would say of a manifest."""
    resource, kind = admission.resource, admission.kind
    group = {"group": resource.group, "version": resource.version}
    request: dict[str, Any] = {
        "kind": {**group, "kind": resource.kind},
        "resource": {**group, "resource": kind.resource},
        "requestKind": {**group, "kind": resource.kind},
        "requestResource": {**group, "resource": kind.resource},
        "name": resource.name,
        "namespace": resource.namespace,
        "operation": admission.operation,
        "dryRun": False,
    }
    return request if admission.user is None else {**request, "userInfo": admission.user}


def _validation(given: Mapping[str, Any], variables: Variables, message: str) -> Validation:
    words = given.get("messageExpression")
    return Validation(
        compile_expression(str(given.get("expression")), variables),
        str(given.get("message") or message),
        compile_expression(str(words), variables) if words else None,
    )


def _message(validation: Validation, data: Mapping[str, Any]) -> str:
    """What the policy says; its message where the expression for one gives none, as in a cluster."""
    if validation.message_expression is not None:
        try:
            words = validation.message_expression.answer(data)
        except Undecided:
            words = None
        if isinstance(words, str) and words.strip() and "\n" not in words.strip():
            return words.strip()
    return validation.message.strip() or f"failed expression: {validation.expression.text.strip()}"
