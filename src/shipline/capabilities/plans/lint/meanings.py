"""What each rule asks for with `always`, and what its value is, for the published JSON Schema and the reference."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.plans.lint.cases import CASES
from shipline.capabilities.plans.lint.rules import CASED, CHECKS, NAMED, NUMBERED, WORDED
from shipline.capabilities.plans.lint.settings import TABLED

PARTS = {
    "max-length": "has at most so many characters",
    "min-length": "has at least so many characters, where it is there",
    "max-line-length": "has no line of more characters; lines with an address may be longer",
    "case": "is written in one of these cases",
    "full-stop": "ends with this text",
    "empty": "is missing",
    "leading-blank": "comes after a blank line",
}
MEANINGS = {
    "type-enum": "The type is one of these.",
    "scope-enum": "Each part of the scope is one of these.",
    "scope-delimiter-style": "The parts of the scope are divided by one of these.",
    "scope-case": "Each part of the scope is written in one of these cases.",
    "subject-exclamation-mark": "An exclamation mark stands before the colon.",
    "subject-case": "The subject is written in one of these cases, where it begins with a letter.",
    "subject-full-stop": "The subject ends with this text; three full stops are none.",
    "header-trim": "The header has no blanks around it.",
    "header-min-length": "The header has at least so many characters.",
    "references-empty": "No issue is named.",
    "signed-off-by": "The last line begins with this text.",
    "trailer-exists": "There is a trailer that begins with this text.",
    "breaking-change-exclamation-mark": "Exclamation mark and footer BREAKING CHANGE come together or not at all.",
}


def meaning_of(rule: str) -> str:
    """What the rule asks for, in a sentence."""
    part, _, aspect = rule.partition("-")
    return MEANINGS[rule] if rule in MEANINGS else f"The {part} {PARTS[aspect]}."


def rules_schema() -> dict[str, Any]:
    """JSON Schema of the table of rules."""
    return {"type": "object", "properties": {rule: _schema(rule) for rule in CHECKS}, "additionalProperties": False}


def _schema(rule: str) -> dict[str, Any]:
    value = _value(rule)
    places = [{"enum": [0, 1, 2]}, {"enum": ["always", "never"]}, *([value] if value else [])]
    return {
        "type": "array",
        "prefixItems": places,
        "minItems": 1,
        "maxItems": len(places),
        "description": meaning_of(rule),
    }


def _value(rule: str) -> dict[str, Any]:
    texts: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}
    if rule in NUMBERED:
        return {"type": "integer", "minimum": 0}
    if rule in WORDED:
        return {"type": "string", "minLength": 1}
    if rule not in CASED and rule not in NAMED:
        return {}
    forms = [texts, {"type": "string", "minLength": 1}] if rule in CASED else [texts]
    if rule in TABLED:
        table = {TABLED[rule]: texts, "delimiters": texts}
        forms.append({"type": "object", "properties": _described(table), "additionalProperties": False})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _described(table: dict[str, dict[str, Any]]) -> dict[str, Any]:
    words = {"scopes": "The scopes.", "cases": f"Cases: {', '.join(CASES)}.", "delimiters": "What divides a scope."}
    return {name: schema | {"description": words[name]} for name, schema in table.items()}
