"""Lists and sets in CEL. Equality is CEL's: numbers are equal across their types, true is no number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

RANGE_MAX = 10_000


def same(one: Any, other: Any) -> bool:
    """Whether CEL calls the two equal."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return bool(one == other)


def is_sorted(items: list[Any]) -> bool:
    """Whether none is greater than the next."""
    _comparable(items)
    return all(one <= other for one, other in pairwise(items))


def total(items: list[Any]) -> Any:
    """The sum of numbers of one type, or of durations; 0 for none."""
    kinds = {type(each) for each in items}
    if not items:
        return 0
    if len(kinds) > 1 or not kinds <= {int, float, timedelta}:
        raise ValueError("sum() wants numbers of one type, or durations")
    return sum(items[1:], items[0])


def least(items: list[Any]) -> Any:
    """The smallest. Raises ValueError for none."""
    return min(_some(items, "min"))


def most(items: list[Any]) -> Any:
    """The greatest. Raises ValueError for none."""
    return max(_some(items, "max"))


def index_of(items: list[Any], item: Any) -> int:
    """The first place of it; -1 where it is not there."""
    return next((at for at, each in enumerate(items) if same(each, item)), -1)


def last_index_of(items: list[Any], item: Any) -> int:
    """The last place of it; -1 where it is not there."""
    return next((at for at in reversed(range(len(items))) if same(items[at], item)), -1)


def text_index(text: str, part: str, start: int = 0) -> int:
    """The first place of a part at or behind `start`; -1 where it is not there."""
    if part == "":
        return start
    if not 0 <= start < max(len(text), 1):
        raise ValueError(f"the place {start} is not in the text")
    return text.find(part, start)


def text_last_index(text: str, part: str, start: int | None = None) -> int:
    """The last place of a part that begins at or before `start`; -1 where it is not there."""
    if part == "":
        return len(text) if start is None else start
    if start is None:
        return text.rfind(part)
    if not 0 <= start < len(text):
        raise ValueError(f"the place {start} is not in the text")
    return text.rfind(part, 0, start + len(part))


def distinct(items: list[Any]) -> list[Any]:
    """Each once, in the order of their first places."""
    found: list[Any] = []
    for each in items:
        if not any(same(each, one) for one in found):
            found.append(each)
    return found


def in_order(items: list[Any]) -> list[Any]:
    """Sorted; they must be of one type."""
    return sorted(_comparable(items))


def flat(items: list[Any], depth: int = 1) -> list[Any]:
    """With the lists in it opened, down to `depth`."""
    if depth < 0:
        raise ValueError("flatten() wants a depth that is not negative")
    return list(_opened(items, depth))


def part(items: list[Any], start: int, end: int) -> list[Any]:
    """From `start` to before `end`. Raises ValueError for places that it does not have."""
    if not 0 <= start <= end <= len(items):
        raise ValueError("slice() wants places that the list has")
    return items[start:end]


def numbers(size: int) -> list[int]:
    """0 to before `size`."""
    if not 0 <= size <= RANGE_MAX:
        raise ValueError(f"lists.range() goes to {RANGE_MAX}")
    return list(range(size))


def contains_all(items: list[Any], others: list[Any]) -> bool:
    """Whether each of the others is among the items."""
    return all(any(same(each, item) for item in items) for each in others)


def equivalent(items: list[Any], others: list[Any]) -> bool:
    """Whether each has all of the other."""
    return contains_all(items, others) and contains_all(others, items)


def intersects(items: list[Any], others: list[Any]) -> bool:
    """Whether they have one in common."""
    return any(any(same(each, item) for item in items) for each in others)


def _some(items: list[Any], name: str) -> list[Any]:
    if not items:
        raise ValueError(f"{name} called on empty list")
    return _comparable(items)


def _comparable(items: list[Any]) -> list[Any]:
    kinds = {type(each) for each in items}
    if len(kinds) > 1 or any(issubclass(kind, (list, dict)) or kind is type(None) for kind in kinds):
        raise ValueError("the items of the list cannot be compared")
    return items


def _opened(items: list[Any], depth: int) -> Iterator[Any]:
    for each in items:
        if depth and isinstance(each, list):
            yield from _opened(each, depth - 1)
        else:
            yield each
