"""Operators of conditions: `Equals`, `AnyIn`, `GreaterThan` and the like.

Source: `pkg/engine/variables/operator` of Kyverno, with its surprises: another type is neither in nor not in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from shipline.capabilities.gates.manifests.expressions import amounts
from shipline.capabilities.gates.manifests.expressions.lists import same
from shipline.capabilities.gates.manifests.kyverno.gotext import sprint
from shipline.capabilities.gates.manifests.kyverno.scalars import in_range
from shipline.capabilities.gates.manifests.quantities import parse_duration, parse_quantity
from shipline.capabilities.gates.manifests.unsupported import Unsupported
from shipline.capabilities.gates.manifests.wildcards import matches

_Operator = Callable[[Any, Any], bool]
_SECOND_NS = 10**9


def operator_named(name: object) -> _Operator:
    """The operator, whatever case it is written in. Raises Unsupported for one that there is not."""
    found = _OPERATORS.get(str(name).lower())
    if found is None:
        raise Unsupported(f"the operator {str(name)[:40]!r} of a condition")
    return found


def _equals(key: Any, value: Any) -> bool:
    return _equality(key, value) is True


def _not_equals(key: Any, value: Any) -> bool:
    return _equality(key, value) is False if key is not None else False


def _equality(key: Any, value: Any) -> bool | None:
    """None only for a key of nothing, which is neither equal nor unequal."""
    if key is None:
        return None
    if isinstance(key, bool):
        return isinstance(value, bool) and key is value
    if isinstance(key, (int, float)):
        number = _number(value)
        return number is not None and number == key
    if isinstance(key, str):
        return _same_text(key, value)
    return type(key) is type(value) and same(key, value)


def _same_text(key: str, value: Any) -> bool:
    durations = _durations(key, value)
    if durations:
        return durations[0] == durations[1]
    quantity = parse_quantity(key)
    if quantity is not None and isinstance(value, str):
        other = parse_quantity(value)
        return other is not None and quantity.amount == other.amount
    return isinstance(value, str) and matches(value, key)


def _membership(combine: Callable[[list[bool]], bool], *, wanted: bool, scalars: bool) -> _Operator:
    """`AnyIn` and its kin. `wanted` is False for those that ask for absence; `scalars`: a single number is a list."""

    def holds(key: Any, value: Any) -> bool:
        if isinstance(key, list):
            found = [_is_in(sprint(each), value, is_set=True, scalars=scalars) for each in key]
            if value is None or isinstance(value, dict) or None in found:
                return False
            return combine([each is wanted for each in found])
        if not isinstance(key, (str, bool, int, float)):
            return False
        found_one = _is_in(sprint(key), value, is_set=False, scalars=False)
        return found_one is not None and found_one is wanted

    return holds


def _is_in(key: str, value: Any, *, is_set: bool, scalars: bool) -> bool | None:
    """Whether the key is one of the values; None where the value is of no type that anything could be in."""
    if isinstance(value, list):
        return any(_alike(key, sprint(each)) for each in value)
    if isinstance(value, str):
        return _is_in_text(key, value, is_set=is_set)
    return _alike(key, sprint(value)) if scalars and isinstance(value, (bool, int, float)) else None


def _is_in_text(key: str, value: str, *, is_set: bool) -> bool | None:
    """A text is a pattern, a range, a JSON list of texts, or one value."""
    if (key == value) if is_set else matches(value, key):
        return True
    ranged = in_range(key, value)
    if ranged is not None:
        return ranged
    try:
        listed = json.loads(value)
    except (ValueError, RecursionError):
        return _alike(key, value) if is_set else key == value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    return any(_alike(key, each) if is_set else key == each for each in listed)


def _alike(one: str, other: str) -> bool:
    return matches(one, other) or matches(other, one)


def _old_in(*, wanted: bool) -> _Operator:
    """`In` and `NotIn`, which Kyverno keeps for old policies: lists without wildcards, texts as JSON lists."""

    def holds(key: Any, value: Any) -> bool:
        if isinstance(key, list):
            return _old_set(key, value, wanted=wanted)
        if not isinstance(key, (str, bool, int, float)):
            return False
        text = sprint(key)
        if isinstance(value, list):
            return any(_alike(text, sprint(each)) for each in value) is wanted
        if isinstance(value, str) and matches(value, text):
            return wanted
        values = _texts(value)
        return values is not None and (text in values) is wanted

    return holds


def _old_set(key: list[Any], value: Any, *, wanted: bool) -> bool:
    values = _texts(value)
    if isinstance(value, str) and [value] == key:
        return True
    if values is None or not all(isinstance(each, str) for each in key):
        return False
    return all(each in values for each in key) if wanted else any(each not in values for each in key)


def _texts(value: Any) -> list[str] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) and all(isinstance(each, str) for each in value) else None


def _ordered(compare: Callable[[Any, Any], bool]) -> _Operator:
    def holds(key: Any, value: Any) -> bool:
        pair = _comparable(key, value)
        return pair is not None and compare(*pair)

    return holds


def _comparable(key: Any, value: Any) -> tuple[Any, Any] | None:
    """Two of one measure: durations, quantities, numbers, or versions; None where there is none."""
    if isinstance(key, bool) or not isinstance(key, (int, float, str)):
        return None
    durations = _durations(key, value)
    if durations:
        return durations
    if isinstance(key, str) and isinstance(value, str):
        ours, theirs = parse_quantity(key), parse_quantity(value)
        if ours is not None and theirs is not None:
            return ours.amount, theirs.amount
        if _number(key) is None:
            versions = amounts.is_semver(key) and amounts.is_semver(value)
            return (amounts.compared(amounts.semver(key), amounts.semver(value)), 0) if versions else None
    first, second = _number(key), _number(value)
    return None if first is None or second is None else (first, second)


def _of_durations(compare: Callable[[Any, Any], bool]) -> _Operator:
    def holds(key: Any, value: Any) -> bool:
        ours, theirs = _nanoseconds(key), _nanoseconds(value)
        return ours is not None and theirs is not None and compare(ours, theirs)

    return holds


def _durations(key: Any, value: Any) -> tuple[int, int] | None:
    """Both as nanoseconds, where at least one is written as a duration and the other is one or a number of seconds."""
    written = [isinstance(each, str) and each != "0" and parse_duration(each) is not None for each in (key, value)]
    if not any(written):
        return None
    found = [
        parse_duration(each) if is_one else _nanoseconds(each) if not isinstance(each, str) else None
        for each, is_one in zip((key, value), written, strict=True)
    ]
    return (found[0], found[1]) if found[0] is not None and found[1] is not None else None


def _nanoseconds(value: Any) -> int | None:
    if isinstance(value, str):
        return parse_duration(value)
    return int(value) * _SECOND_NS if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value) if not isinstance(value, str) or "_" not in value else None
    except (ValueError, OverflowError):
        return None


def _greater(one: Any, other: Any) -> bool:
    return bool(one > other)


def _at_least(one: Any, other: Any) -> bool:
    return bool(one >= other)


def _less(one: Any, other: Any) -> bool:
    return bool(one < other)


def _at_most(one: Any, other: Any) -> bool:
    return bool(one <= other)


_OPERATORS: dict[str, _Operator] = {
    "equal": _equals,
    "equals": _equals,
    "notequal": _not_equals,
    "notequals": _not_equals,
    "in": _old_in(wanted=True),
    "notin": _old_in(wanted=False),
    "anyin": _membership(any, wanted=True, scalars=True),
    "allin": _membership(all, wanted=True, scalars=False),
    "anynotin": _membership(any, wanted=False, scalars=True),
    "allnotin": _membership(all, wanted=False, scalars=False),
    "greaterthan": _ordered(_greater),
    "greaterthanorequals": _ordered(_at_least),
    "lessthan": _ordered(_less),
    "lessthanorequals": _ordered(_at_most),
    "durationgreaterthan": _of_durations(_greater),
    "durationgreaterthanorequals": _of_durations(_at_least),
    "durationlessthan": _of_durations(_less),
    "durationlessthanorequals": _of_durations(_at_most),
}
