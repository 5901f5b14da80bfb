"""Which rules let a plain message be passed at a glance, and what must be so then. Pure.

The shell of the hook and the linter of whole ranges know these rules alone, and know them stricter than they are: what
they pass, the rules pass. Everything else is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.plans.lint.rules import CONVENTIONAL, ERROR, Rule

CONVENTIONAL_ONES = {rule.name: rule for rule in CONVENTIONAL}
# Those of them that may be set to something else, and one more.
FREE = frozenset({"type-enum", "scope-enum", "header-max-length", "body-max-line-length", "footer-max-line-length"})
LENGTH_MAX = 1 << 31


@dataclass(frozen=True, slots=True)
class Glance:
    """What a plain message keeps to. Empty `scopes` allow any; lengths are in characters.

    `blank_is_needed` tells that a missing blank line before body or footer is an error, not a warning.
    """

    types: tuple[str, ...]
    scopes: tuple[str, ...]
    needs_scope: bool
    header_length_max: int
    line_length_max: int
    blank_is_needed: bool


def glance_of(rules: tuple[Rule, ...]) -> Glance | None:
    """What a message must keep to for these rules; None where they ask for more than can be seen at a glance."""
    by_name = {rule.name: rule for rule in rules}
    types, scopes = by_name.get("type-enum"), by_name.get("scope-enum")
    if types is None or not types.names or not all(_is_known(rule) for rule in rules):
        return None
    lines = [rule.number for rule in rules if rule.name.endswith("-line-length")]
    header = by_name.get("header-max-length")
    return Glance(
        types.names,
        scopes.names if scopes is not None else (),
        "scope-empty" in by_name,
        LENGTH_MAX if header is None else header.number,
        min(lines, default=LENGTH_MAX),
        any(rule.level == ERROR for rule in rules if rule.name.endswith("-leading-blank")),
    )


def _is_known(rule: Rule) -> bool:
    if rule.name in FREE:
        return rule.always
    if rule.name == "scope-empty":
        return not rule.always
    known = CONVENTIONAL_ONES.get(rule.name)
    return known is not None and (known.value, known.always) == (rule.value, rule.always)
