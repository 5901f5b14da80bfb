"""`[lint.rules]` of shipline.toml -> rules, read strictly: an unknown name is an error with the nearest known one."""

from __future__ import annotations

from typing import Any

from shipline.capabilities.plans.lint.cases import CASES, SPELLINGS
from shipline.capabilities.plans.lint.rules import (
    CASED,
    CHECKS,
    CONVENTIONAL,
    DELIMITERS,
    NAMED,
    NUMBERED,
    WORDED,
    Rule,
)
from shipline.domain.errors import ConfigurationError

LEVELS = (0, 1, 2)
# The rules that take a table in place of a list, with the key of the list in it.
TABLED = {"scope-enum": "scopes", "scope-case": "cases"}


def read_rules(table: dict[str, Any]) -> tuple[Rule, ...]:
    """The conventional rules with what `table` changes, in the order of the reference. Raises ConfigurationError."""
    rules = {rule.name: rule for rule in CONVENTIONAL}
    for name, setting in table.items():
        rule = _rule(name, setting)
        rules.pop(name, None)
        if rule is not None:
            rules[name] = rule
    return tuple(rules[name] for name in CHECKS if name in rules)


def _rule(name: str, setting: object) -> Rule | None:
    """One rule as `[level, when, value]` sets it; None where its level is 0."""
    if name not in CHECKS:
        import difflib  # noqa: PLC0415 - only a mistake needs it

        near = difflib.get_close_matches(name, CHECKS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigurationError(
            f"lint.rules: there is no rule {name[:60]!r}", todo=f"{hint}known rules: {', '.join(CHECKS)}"
        )
    match setting:
        case [int(level)] if level == 0 and level is not False:
            return None
        case [int(level), "always" | "never" as when, *rest] if _is_level(level) and len(rest) <= 1:
            value, delimiters = _value(name, rest[0] if rest else None)
            return Rule(name, level, value, always=when == "always", delimiters=delimiters) if level else None
    raise _refused(
        name, '[level, "always" or "never", value], the level being 0 (off), 1 (warning) or 2 (error)', setting
    )


def _is_level(level: int) -> bool:
    return level in LEVELS and not isinstance(level, bool)


def _value(name: str, value: Any) -> tuple[int | str | tuple[str, ...], tuple[str, ...]]:
    """The value, and the delimiters that come with it."""
    if name in NUMBERED:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value, DELIMITERS
        raise _refused(name, "a number that is not negative", value)
    if name in WORDED:
        if value is None or _is_text(value):
            return value or WORDED[name], DELIMITERS
        raise _refused(name, "a text of one line", value)
    if name in NAMED or name in CASED:
        return _names(name, value)
    if value is not None:
        raise _refused(name, "no value", value)
    return (), DELIMITERS


def _names(name: str, value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    delimiters: tuple[str, ...] = DELIMITERS
    if isinstance(value, dict) and name in TABLED and set(value) <= {TABLED[name], "delimiters"}:
        delimiters = _texts(name, value.get("delimiters", [])) or DELIMITERS
        value = value.get(TABLED[name], [])
    names = _texts(name, [value] if name in CASED and isinstance(value, str) else value)
    if name in CASED:
        names = tuple(SPELLINGS.get(case, case) for case in names)
        strange = [case for case in names if case not in CASES]
        if strange or not names:
            raise _refused(name, f"one or more of {', '.join(CASES)}", value)
    return names, delimiters


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if value is None or (isinstance(value, list | tuple) and all(_is_text(each) for each in value)):
        return tuple(value or ())
    raise _refused(name, "a list of texts of one line", value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _refused(name: str, wanted: str, found: object) -> ConfigurationError:
    return ConfigurationError(f"lint.rules.{name} wants {wanted}", why=f"found {str(found)[:80]}")
