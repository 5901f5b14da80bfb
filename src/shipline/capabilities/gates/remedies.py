"""What would make a gate pass, in words: the value that a comparison asks for, and what supplies a missing fact. Pure.

Computed for comparisons of one fact with a constant or with another fact, for facts that are true or false, and for
alternatives of these; of any other part it is said that it must hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipline.capabilities.gates.cel import Rule, compile_rule, split
from shipline.capabilities.gates.facts import APPROVALS, Value, fact_at, family_of
from shipline.domain.errors import ConfigurationError

_COMPARISON = re.compile(r"(?P<left>[^<>=!]+?)\s*(?P<sign><=|>=|==|!=|<|>)\s*(?P<right>[^<>=!]+)")
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {
    ">=": "at {} or more",
    ">": "above {}",
    "<=": "at {} or less",
    "<": "below {}",
    "==": "at {}",
    "!=": "at anything but {}",
}
ALTERNATIVES_MAX = 5


def remedy(part: str, values: Mapping[str, Value], stage: str) -> str:
    """What would make a part of a rule hold that does not hold, or has no answer."""
    bare = _unwrapped(part)
    ways = split(bare, "||", breaks=("?",))
    if 1 < len(ways) <= ALTERNATIVES_MAX:
        return "it passes where one of these holds: " + "; ".join(f"{one} ({_way(one, values, stage)})" for one in ways)
    return f"it passes {_way(bare, values, stage)}"


def supplied(path: str, values: Mapping[str, Value], stage: str) -> str:
    """What supplies a fact: a command for this release and stage, or a setting."""
    family = family_of(path)
    name = (family[1] if family is not None else "") or "ROLE"
    version = str(values.get("release.version", "VERSION"))
    told = fact_at(path).supply.replace("{version}", version).replace("{stage}", stage)
    return told.replace("{name}", name)


def _way(part: str, values: Mapping[str, Value], stage: str) -> str:
    rule = _compiled(part)
    if rule is None:
        return f"where {part} holds"
    missing = [path for path in rule.facts if path not in values]
    words = _compared(rule, values) or _flagged(rule) or f"where {part} holds"
    ways = dict.fromkeys(supplied(path, values, stage) for path in missing)
    if not missing and rule.facts and rule.facts[0].startswith(APPROVALS):
        ways = dict.fromkeys(supplied(path, values, stage) for path in rule.facts)
    return f"{words}; supplied by {', and '.join(ways)}" if ways else words


def _compiled(part: str) -> Rule | None:
    """The part as a rule of its own; None where it is none: a piece of an alternative may not be."""
    try:
        return compile_rule(part)
    except ConfigurationError:
        return None


def _compared(rule: Rule, values: Mapping[str, Value]) -> str:
    """The value that a comparison asks for, "" for what is no such comparison."""
    found = _COMPARISON.fullmatch(rule.text.strip())
    if found is None or not rule.facts:
        return ""
    left, sign, right = found["left"].strip(), found["sign"], found["right"].strip()
    if _path_of(left) not in rule.facts:
        left, sign, right = right, _MIRRORED[sign], left
    path, bound = _path_of(left), _bound(right, values)
    if path not in rule.facts or bound is None:
        return ""
    return _WORDS[sign].format(bound) + _distance(values.get(path), sign, bound)


def _path_of(text: str) -> str:
    """The fact that a text is, "" where it is more than one fact, or none."""
    rule = _compiled(f"({text}) == ({text})")
    if rule is None or len(rule.facts) != 1:
        return ""
    (path,) = rule.facts
    family = family_of(path)
    written = (
        {path} if family is None else {path, f'{family[0].path}["{family[1]}"]', f"{family[0].path}['{family[1]}']"}
    )
    return path if re.sub(r"\s", "", text) in written else ""


def _bound(text: str, values: Mapping[str, Value]) -> str | None:
    """What a fact is compared with, as it is shown; None for what is neither a constant nor a fact that is known."""
    if _NUMBER.fullmatch(text) or text in ("true", "false") or re.fullmatch(r"\"[^\"\\]*\"|'[^'\\]*'", text):
        return text
    path = _path_of(text)
    return f"{values[path]}" if path in values else None


def _distance(value: Value | None, sign: str, bound: str) -> str:
    """How far it is to the nearest value that passes, "" where that is no number."""
    if value is None or isinstance(value, bool | str) or not _NUMBER.fullmatch(bound) or sign not in ("<=", ">=", "=="):
        return ""
    difference = round(float(bound) - value, 6)
    return f" ({abs(difference):g} {'more' if difference > 0 else 'less'})"


def _flagged(rule: Rule) -> str:
    """For a fact that is true or false by itself."""
    text = rule.text.strip()
    wanted = "false" if text.startswith("!") else "true"
    path = _path_of(_unwrapped(text.removeprefix("!")))
    return f"where {path} is {wanted}" if path else ""


def _unwrapped(text: str) -> str:
    """A part without parentheses around all of it."""
    bare = text.strip()
    while bare.startswith("(") and bare.endswith(")") and _compiled(bare[1:-1]) is not None:
        bare = bare[1:-1].strip()
    return bare
