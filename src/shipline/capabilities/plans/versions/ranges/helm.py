"""Helm's constraints: `^1.2`, `~1.2.3`, `1.x`, `1.2 - 2`, `>=1 <3 || !=5.0.0`; comma or space for "and".

Source: https://helm.sh/docs/chart_best_practices/dependencies/#versions and
https://github.com/Masterminds/semver#checking-version-constraints (3.4), which Helm goes by. Three rules differ from
npm's: a pre-release is admitted as soon as one constraint beside it names any pre-release; an upper bound admits the
pre-releases of its own version then; and `!=` is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shipline.capabilities.plans.versions.ranges.partial import Partial, number, semver_of, unreadable
from shipline.capabilities.plans.versions.version import Version

PARTIAL = r"v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z.-]+)?"
CONSTRAINT = re.compile(rf"(=>|=<|!=|~>|[<>]=?|[=~^]|)\s*{PARTIAL}(?:\s*,\s*(?=\S)|\s+|$)", re.ASCII)
HYPHEN = re.compile(rf"({PARTIAL})\s+-\s+({PARTIAL})", re.ASCII)
SPELLINGS = {"=>": ">=", "=<": "<=", "~>": "~", "": "="}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition. `operator` is one of `=`, `!=`, `<`, `<=`, `>`, `>=`, `~`, `^`."""

    operator: str
    partial: Partial


def satisfies(version: str, requirement: str) -> bool:
    """True if one of the alternatives admits the version."""
    asked = semver_of(version)
    alternatives = [_read(part.strip(), requirement) for part in requirement.split("||")]
    return any(_admit(constraints, asked) for constraints in alternatives)


def _read(text: str, requirement: str) -> list[Constraint]:
    text = HYPHEN.sub(lambda match: f">={match[1]} <={match[6]}", text)
    constraints = []
    place = 0
    while place < len(text):
        match = CONSTRAINT.match(text, place)
        if match is None:
            raise unreadable(requirement, "Helm")
        operator, major, minor, patch, labels = match.groups()
        partial = Partial(number(major), number(minor), number(patch), labels or "")
        constraints.append(Constraint(SPELLINGS.get(operator, operator), _cut(partial)))
        place = match.end()
    return constraints


def _cut(partial: Partial) -> Partial:
    """What stands to the right of a wildcard does not count."""
    if partial.major is None:
        return Partial(None, labels=partial.labels)
    return Partial(partial.major, labels=partial.labels) if partial.minor is None else partial


def _admit(constraints: list[Constraint], version: Version) -> bool:
    if not version.is_stable and not any(each.partial.labels for each in constraints):
        return False
    return all(OPERATORS[each.operator](each.partial, version) for each in constraints)


def _numbers(partial: Partial) -> tuple[int, ...]:
    return tuple(each for each in (partial.major, partial.minor, partial.patch) if each is not None)


def _shares(partial: Partial, version: Version) -> bool:
    given = _numbers(partial)
    return version.release[: len(given)] == given


def _equals(partial: Partial, version: Version) -> bool:
    """The version itself; a partial one stands for all that it begins."""
    return _is_near(partial, version) if partial.patch is None else bool(version.key == partial.lowest().key)


def _differs(partial: Partial, version: Version) -> bool:
    """Not what `=` means. Where the patch number alone is left open, the labels of a pre-release have to differ."""
    if partial.patch is None and not _shares(partial, version):
        return True
    if partial.minor is None:
        return False
    if partial.patch is None:
        return bool(version.key != semver_of(f"{'.'.join(map(str, version.release))}{partial.labels}").key)
    return bool(version.key != partial.lowest().key)


def _is_above(partial: Partial, version: Version) -> bool:
    """Above all versions that a partial one stands for; nothing is above a bare wildcard."""
    given = _numbers(partial)
    if partial.patch is None:
        return bool(given) and version.release[: len(given)] > given
    return bool(version.key > partial.lowest().key)


def _is_near(partial: Partial, version: Version) -> bool:
    """A tilde: the same major and, where it is given, minor version. `~0.0.0` is everything, as `~*` is."""
    if version.key < partial.lowest().key:
        return False
    is_everything = partial.lowest().release == (0, 0, 0) and len(_numbers(partial)) in (0, 3)
    return is_everything or _shares(Partial(partial.major, partial.minor), version)


def _is_compatible(partial: Partial, version: Version) -> bool:
    """A caret: the same up to the first number that is not 0."""
    given = _numbers(partial)
    if version.key < partial.lowest().key:
        return False
    fixed = next((place for place, each in enumerate(given, start=1) if each), len(given))
    return version.release[:fixed] == given[:fixed]


OPERATORS: dict[str, Callable[[Partial, Version], bool]] = {
    "=": _equals,
    "!=": _differs,
    ">": _is_above,
    ">=": lambda partial, version: bool(version.key >= partial.lowest().key),
    "<": lambda partial, version: bool(version.key < partial.lowest().key),
    "<=": lambda partial, version: not _is_above(partial, version),
    "~": _is_near,
    "^": _is_compatible,
}
