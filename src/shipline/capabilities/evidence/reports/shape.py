"""Fields of JSON that others wrote, taken out with their type checked. `what` names the place in errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.domain.errors import InvalidValue

COUNT_MAX = 10**15
"""More than anything that a report counts, and exact as a floating-point number, too."""
NUMBER_MAX = 1e60
"""Beyond this, squares of squares would overflow."""


def object_of(value: object, what: str) -> dict[str, Any]:
    """`value` itself, if it is an object."""
    if not isinstance(value, dict):
        raise InvalidValue(f"{what} is no object")
    return value


def objects_of(value: object, what: str) -> Iterator[dict[str, Any]]:
    """The elements of the list `value`, each an object."""
    if not isinstance(value, list):
        raise InvalidValue(f"{what} is no list")
    for element in value:
        yield object_of(element, f"an element of {what}")


def text_in(parent: dict[str, Any], name: str, what: str, *, default: str | None = None) -> str:
    """The text `name`; `default`, where there is one, for what is absent or null."""
    value = parent.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InvalidValue(f"{name!r} of {what[:80]} is no text")
    return value


def number_in(parent: dict[str, Any], name: str, what: str) -> float:
    """The number `name`."""
    value = optional_number_in(parent, name, what)
    if value is None:
        raise InvalidValue(f"{what[:80]} has no {name!r}")
    return value


def optional_number_in(parent: dict[str, Any], name: str, what: str) -> float | None:
    """The number `name`, None where it is absent or null."""
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise InvalidValue(f"{name!r} of {what[:80]} is no number", why=str(value)[:60])
    return float(value)


def count_of(parent: dict[str, Any], name: str, what: str) -> int:
    """The count `name`: a whole number from 0 up, also where it is written as 12.0."""
    value = number_in(parent, name, what)
    if not 0 <= value <= COUNT_MAX or value != int(value):
        raise InvalidValue(f"{name!r} of {what[:80]} is no count", why=str(value)[:60])
    return int(value)
