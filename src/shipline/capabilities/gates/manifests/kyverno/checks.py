"""What a rule checks: a pattern, one of several, conditions to deny, or each element of a list.

Source: `pkg/engine/handlers/validation/validate_resource.go` of Kyverno.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipline.capabilities.gates.manifests.kyverno.conditions import check_conditions, conditions_hold
from shipline.capabilities.gates.manifests.kyverno.patterns import check_pattern, match_pattern
from shipline.capabilities.gates.manifests.kyverno.queries import MissingKey
from shipline.capabilities.gates.manifests.kyverno.variables import Context
from shipline.capabilities.gates.manifests.resources import Admission
from shipline.capabilities.gates.manifests.results import Outcome
from shipline.capabilities.gates.manifests.unsupported import NotGiven, Undecided, Unsupported

NESTING_MAX = 5
ELEMENTS_MAX = 10_000
_KINDS = ("deny", "pattern", "anyPattern", "foreach")
_KEYS = {
    *_KINDS,
    "allowExistingViolations",
    "failureAction",
    "failureActionOverrides",
    "message",
    "emitWarning",
}
_ELEMENT_KEYS = {*_KINDS, "list", "context", "preconditions", "elementScope"}
_Answer = tuple[Outcome, str]


def check_validate(validate: Mapping[str, Any]) -> None:
    """Raises Unsupported for what is not checked here."""
    unknown = sorted(map(str, set(validate) - _KEYS))
    if unknown:
        raise Unsupported(f"{unknown[0]} of validate")
    _check_kinds(validate, 0)


def judge_validate(validate: Mapping[str, Any], context: Context, admission: Admission) -> _Answer:
    """The answer, with the rule's message where it fails. Raises as looking up variables does."""
    outcome, words = _judged(validate, context, admission.resource.document, 0, admission)
    if outcome is not Outcome.FAIL:
        return outcome, words
    message = str(validate.get("message") or "").strip()
    try:
        message = str(context.filled(message))
    except (Undecided, Unsupported):
        message = ""
    return outcome, "; ".join(part for part in (message, words) if part)


def _check_kinds(given: Mapping[str, Any], nesting: int) -> None:
    present = [kind for kind in _KINDS if given.get(kind) is not None]
    if len(present) != 1 or nesting > NESTING_MAX:
        raise Unsupported("a rule that checks nothing, or several things at once")
    if present[0] == "deny":
        check_conditions((given["deny"] or {}).get("conditions"))
    elif present[0] in ("pattern", "anyPattern"):
        check_pattern(given[present[0]])
    else:
        for each in given["foreach"]:
            unknown = sorted(map(str, set(each) - _ELEMENT_KEYS))
            if unknown:
                raise Unsupported(f"{unknown[0]} of foreach")
            check_conditions(each.get("preconditions"))
            _check_kinds(each, nesting + 1)


def _judged(given: Mapping[str, Any], context: Context, subject: Any, nesting: int, admission: Admission) -> _Answer:
    if given.get("deny") is not None:
        denied, words = conditions_hold((given["deny"] or {}).get("conditions") or {}, context)
        return (Outcome.FAIL, words) if denied else (Outcome.PASS, "")
    if given.get("foreach") is not None:
        return _of_lists(given["foreach"], context, nesting, admission)
    if nesting == 0 and admission.operation == "DELETE":
        return Outcome.SKIP, "what is deleted is not matched with a pattern"
    if given.get("pattern") is not None:
        return match_pattern(subject, context.filled(given["pattern"]))
    return _any_pattern(subject, context.filled(given["anyPattern"]))


def _any_pattern(subject: Any, patterns: Any) -> _Answer:
    answers = [match_pattern(subject, each) for each in patterns]
    if any(outcome is Outcome.PASS for outcome, _ in answers):
        return Outcome.PASS, ""
    failed = [words for outcome, words in answers if outcome is not Outcome.SKIP]
    return (Outcome.FAIL if failed else Outcome.SKIP), "; ".join(failed or [words for _, words in answers])[:500]


def _of_lists(lists: Any, context: Context, nesting: int, admission: Admission) -> _Answer:
    """Every element must pass; those that the rule is not about do not count. Nothing to look at skips the rule."""
    applied, trouble = 0, ""
    for each in lists:
        try:
            elements = context.query(str(each.get("list")))
        except MissingKey:
            continue
        except NotGiven:
            raise
        except Undecided as error:
            trouble = str(error)
            continue
        elements = elements if isinstance(elements, list) else [elements]
        if len(elements) > ELEMENTS_MAX:
            raise Undecided(f"a list has more than {ELEMENTS_MAX} elements")
        for at, element in enumerate(elements):
            if element is None:
                continue
            inner = context.with_element(element, at, nesting).with_entries(each.get("context") or ())
            outcome, words = _of_element(each, element, inner, nesting, admission)
            if outcome in (Outcome.FAIL, Outcome.ERROR):
                return outcome, f"element {at} of {each.get('list')}: {words}" if words else f"element {at}"
            applied += outcome is Outcome.PASS
    if applied:
        return Outcome.PASS, ""
    return (Outcome.ERROR, trouble) if trouble else (Outcome.SKIP, "there is no element that it is about")


def _of_element(given: Mapping[str, Any], element: Any, inner: Context, nesting: int, admission: Admission) -> _Answer:
    scope = given.get("elementScope")
    if scope and not isinstance(element, dict):
        raise Undecided("elementScope wants elements that are tables")
    scoped = isinstance(element, dict) if scope is None else bool(scope)
    if given.get("preconditions") is not None:
        try:
            holds, words = conditions_hold(given["preconditions"], inner)
        except NotGiven:
            raise
        except Undecided:
            return Outcome.SKIP, "its preconditions have no answer for the element"
        if not holds:
            return Outcome.SKIP, words
    return _judged(given, inner, element if scoped else admission.resource.document, nesting + 1, admission)
