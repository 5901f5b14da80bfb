"""Cargo's requirements: `1.2` (which is `^1.2`), `~1.2`, `=1.2.3`, `1.*`, `>=1.2, <1.5`.

Source: https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html, and the crate `semver` 1.0, whose rules
(https://docs.rs/semver/1/semver/enum.Op.html) Cargo goes by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.plans.versions.ranges.partial import (
    BUILD,
    LABELS,
    NUMBER,
    WILD,
    Partial,
    number,
    semver_of,
    unreadable,
)
from shipline.capabilities.plans.versions.version import Version
from shipline.domain.errors import InvalidValue

COMPARATORS_MAX = 32  # The crate's own limit.
PATCH = rf"(?:({NUMBER}){LABELS}{BUILD}|({WILD}))"
MINOR = rf"(?:({NUMBER})(?:\.{PATCH})?|{WILD}(?:\.{WILD})?)"
COMPARATOR = re.compile(rf" *([<>]=?|[=~^]|) *({NUMBER})(?:\.{MINOR})? *", re.ASCII)


@dataclass(frozen=True, slots=True)
class Comparator:
    """One condition. `operator` is one of `=`, `<`, `<=`, `>`, `>=`, `~`, `^`."""

    operator: str
    partial: Partial


def satisfies(version: str, requirement: str) -> bool:
    """True if all comparators admit the version; a pre-release needs one that names a pre-release of its numbers."""
    asked = semver_of(version)
    comparators = _read(requirement)
    if not all(OPERATORS[each.operator](each.partial, asked) for each in comparators):
        return False
    return asked.is_stable or any(
        each.partial.labels and each.partial.lowest().release == asked.release for each in comparators
    )


def _read(requirement: str) -> list[Comparator]:
    if requirement.strip(" ") in ("*", "x", "X"):
        return []
    parts = requirement.split(",")
    if len(parts) > COMPARATORS_MAX:
        raise InvalidValue(f"a requirement of {len(parts)} comparators is not read", todo=f"{COMPARATORS_MAX} at most")
    return [_comparator(part, requirement) for part in parts]


def _comparator(text: str, requirement: str) -> Comparator:
    match = COMPARATOR.fullmatch(text)
    if match is None:
        raise unreadable(requirement, "Cargo")
    operator, major, minor, patch, labels, wild = match.groups()
    partial = Partial(int(major), number(minor), number(patch), labels or "")
    exact = "." in text and (wild is not None or minor is None)  # `1.*` and `1.2.*` are no carets.
    return Comparator(operator or ("=" if exact else "^"), partial)


def _given(partial: Partial) -> tuple[int, ...]:
    numbers = (partial.major, partial.minor, partial.patch)
    return tuple(each for each in numbers if each is not None)


def _shares(partial: Partial, version: Version, count: int) -> bool:
    """True if the first `count` of the given numbers are the version's."""
    given = _given(partial)[:count]
    return version.release[: len(given)] == given


def _fixed_by_caret(partial: Partial) -> int:
    """How many numbers a caret holds fast: up to the first that is not 0."""
    given = _given(partial)
    return next((place for place, each in enumerate(given, start=1) if each), len(given))


def _is_within(partial: Partial, version: Version) -> bool:
    given = _given(partial)
    if version.release[: len(given)] != given:
        return False
    return version.is_stable if not partial.labels else bool(version.key == partial.lowest().key)


def _is_above(partial: Partial, version: Version) -> bool:
    given = _given(partial)
    if len(given) < len(version.release):
        return version.release[: len(given)] > given
    return bool(version.key > partial.lowest().key)


def _is_below(partial: Partial, version: Version) -> bool:
    given = _given(partial)
    if len(given) < len(version.release):
        return version.release[: len(given)] < given
    return bool(version.key < partial.lowest().key)


def _is_near(partial: Partial, version: Version) -> bool:
    """A tilde: the same major and, where it is given, minor version."""
    return bool(version.key >= partial.lowest().key) and _shares(partial, version, 2)


def _is_compatible(partial: Partial, version: Version) -> bool:
    """A caret: the same up to the first number that is not 0."""
    return bool(version.key >= partial.lowest().key) and _shares(partial, version, _fixed_by_caret(partial))


OPERATORS: dict[str, Callable[[Partial, Version], bool]] = {
    "=": _is_within,
    ">": _is_above,
    ">=": lambda partial, version: _is_above(partial, version) or _is_within(partial, version),
    "<": _is_below,
    "<=": lambda partial, version: _is_below(partial, version) or _is_within(partial, version),
    "~": _is_near,
    "^": _is_compatible,
}
