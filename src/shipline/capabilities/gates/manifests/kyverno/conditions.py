"""Conditions: `any`, `all`, or a list of them, as preconditions and in `deny`.

Source: `pkg/engine/variables/evaluate.go` of Kyverno.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.operators import operator_named
from shipline.capabilities.gates.manifests.kyverno.variables import Context
from shipline.capabilities.gates.manifests.unsupported import Unsupported


def check_conditions(conditions: object) -> None:
    """Raises Unsupported for what are none, and for an operator that there is not."""
    if conditions is None:
        return
    if not isinstance(conditions, (Mapping, list)) or (
        isinstance(conditions, Mapping) and set(conditions) - {"any", "all"}
    ):
        raise Unsupported("conditions that are neither any, all nor a list")
    for each in _every(conditions):
        if not isinstance(each, Mapping) or set(each) - {"key", "operator", "value", "message"}:
            raise Unsupported("a condition of other than key, operator, value and message")
        operator_named(each.get("operator"))


def conditions_hold(conditions: Any, context: Context) -> tuple[bool, str]:
    """Whether they hold, and what those say that decided. Raises as looking up variables does."""
    if isinstance(conditions, list):
        return _all(conditions, context)
    holds, words = True, ""
    if conditions.get("any") is not None:
        holds, words = _any(conditions["any"], context)
    also, more = _all(conditions.get("all") or (), context)
    said = [text for ok, text in ((holds, words), (also, more)) if text and ok is (holds and also)]
    return holds and also, "; ".join(said)


def _any(conditions: Sequence[Mapping[str, Any]], context: Context) -> tuple[bool, str]:
    words = []
    for each in conditions:
        if _holds(each, context):
            return True, str(each.get("message") or "")
        words.append(str(each.get("message") or ""))
    return False, "; ".join(filter(None, words))


def _all(conditions: Sequence[Mapping[str, Any]], context: Context) -> tuple[bool, str]:
    words = []
    for each in conditions:
        if not _holds(each, context):
            return False, str(each.get("message") or "")
        words.append(str(each.get("message") or ""))
    return True, "; ".join(filter(None, words))


def _holds(condition: Mapping[str, Any], context: Context) -> bool:
    key, value = context.filled(condition.get("key")), context.filled(condition.get("value"))
    return operator_named(condition.get("operator"))(key, value)


def _every(conditions: Any) -> list[Any]:
    if isinstance(conditions, list):
        return conditions
    return [*(conditions.get("any") or ()), *(conditions.get("all") or ())]
