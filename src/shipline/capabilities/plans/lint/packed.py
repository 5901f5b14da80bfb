"""Rules as one text that needs nothing to be read: for the hook, which hands them on. Pure.

One rule a line: name, level, `always` or `never`, kind of value, number of delimiters, the
delimiters and the value's parts, between tabs.
"""

from __future__ import annotations

from shipline.capabilities.plans.lint.rules import Rule

IGNORES = "default-ignores"


def pack(rules: tuple[Rule, ...], *, default_ignores: bool) -> str:
    """The text for some rules."""
    lines = [f"{IGNORES}\t{int(default_ignores)}", *(_line(rule) for rule in rules)]
    return "\n".join(lines)


def _line(rule: Rule) -> str:
    value = rule.value
    kind = "number" if isinstance(value, int) else "text" if isinstance(value, str) else "names"
    parts = [str(each) for each in value] if isinstance(value, tuple) else [str(value)]
    delimiters = [str(len(rule.delimiters)), *rule.delimiters]
    return "\t".join([rule.name, str(rule.level), "always" if rule.always else "never", kind, *delimiters, *parts])


def unpack(text: str) -> tuple[tuple[Rule, ...], bool]:
    """The rules of a text that `pack` wrote, and whether what nobody writes by hand is ignored."""
    first, *lines = text.split("\n")
    return tuple(_rule(line.split("\t")) for line in lines), first == f"{IGNORES}\t1"


def _rule(fields: list[str]) -> Rule:
    name, level, when, kind, count, *rest = fields
    delimiters, parts = tuple(rest[: int(count)]), rest[int(count) :]
    value = int(parts[0]) if kind == "number" else parts[0] if kind == "text" else tuple(parts)
    return Rule(name, int(level), value, always=when == "always", delimiters=delimiters)
