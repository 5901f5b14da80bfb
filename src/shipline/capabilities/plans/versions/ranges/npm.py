"""npm's ranges: `^1.2`, `~1.2.3`, `1.x`, `1.2 - 2`, `>=1 <3 || 5.0.0-rc.1`.

Source: https://github.com/npm/node-semver#ranges (7.x, not loose, without includePrerelease), whose grammar also lets
`v` and `=` stand before a version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from shipline.capabilities.plans.versions.ranges.partial import (
    BUILD,
    LABELS,
    NUMBER,
    WILD,
    Partial,
    number,
    semver,
    semver_of,
    unreadable,
)
from shipline.capabilities.plans.versions.version import Version

PART = rf"({NUMBER}|{WILD})"
PARTIAL = rf"([v=\s]*){PART}(?:\.{PART}(?:\.{PART}{LABELS})?)?"
COMPARATOR = re.compile(rf"(~>?|\^|[<>]=?|=|)\s*{PARTIAL}(?:\s+|$)", re.ASCII)
METADATA = re.compile(BUILD, re.ASCII)
HYPHEN = re.compile(rf"{PARTIAL}\s+-\s+{PARTIAL}", re.ASCII)
LOWEST = "-0"  # The lowest pre-release, so that `<2.0.0-0` leaves out the pre-releases of 2.0.0 too.


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of a range: `<`, `<=`, `>`, `>=` or `=`, and the version that it is about."""

    operator: str
    version: Version

    def admits(self, version: Version) -> bool:
        """True if `version` is on the right side."""
        match self.operator:
            case "<":
                return bool(version.key < self.version.key)
            case "<=":
                return bool(version.key <= self.version.key)
            case ">":
                return bool(version.key > self.version.key)
            case ">=":
                return bool(version.key >= self.version.key)
            case _:
                return bool(version.key == self.version.key)


ANY = Bound(">=", semver(0, 0, 0))


def satisfies(version: str, requirement: str) -> bool:
    """True if one of the alternatives admits the version."""
    asked = semver_of(version)
    alternatives = [_telling(METADATA.sub("", part).strip(), requirement) for part in requirement.split("||")]
    # Where one alternative is "any version", npm forgets the others, and with them the pre-releases that they name.
    return any(_admits(bounds, asked) for bounds in ([[]] if [] in alternatives else alternatives))


def _admits(bounds: list[Bound], version: Version) -> bool:
    """All bounds hold; and a pre-release is wanted only where a bound names one of the same three numbers."""
    if not all(bound.admits(version) for bound in bounds):
        return False
    return version.is_stable or any(
        not bound.version.is_stable and bound.version.release == version.release for bound in bounds
    )


def _telling(text: str, requirement: str) -> list[Bound]:
    """The bounds of one alternative but for `>=0.0.0`, which npm takes for "any version"."""
    return [bound for bound in _bounds(text, requirement) if bound != ANY]


def _bounds(text: str, requirement: str) -> list[Bound]:
    hyphen = HYPHEN.fullmatch(text)
    if hyphen is not None:
        low, high = hyphen.groups()[:5], hyphen.groups()[5:]
        if _is_odd(low) or (_is_odd(high) and not high[4]):
            raise unreadable(requirement, "npm")
        return [*_from(_partial(low)), *_to(_partial(high))]
    bounds: list[Bound] = []
    place = 0
    while place < len(text):
        match = COMPARATOR.match(text, place)
        if match is None or (match[1][:1] not in ("~", "^") and (_is_odd(match.groups()[1:]) or _is_gapped(match))):
            raise unreadable(requirement, "npm")
        bounds += _comparator(match[1], _partial(match.groups()[1:]))
        place = match.end()
    return bounds


def _partial(groups: tuple[str | None, ...]) -> Partial:
    """What stands to the right of a wildcard does not count."""
    major, minor, patch = (number(part) for part in groups[1:4])
    if major is None or minor is None:
        return Partial(major)
    return Partial(major, minor) if patch is None else Partial(major, minor, patch, groups[4] or "")


def _is_odd(groups: tuple[str | None, ...]) -> bool:
    """True for an `=` too many: npm lets it stand before a partial version and not before a whole one."""
    return "=" in (groups[0] or "") and None not in [number(part) for part in groups[1:4]]


def _is_gapped(match: re.Match[str]) -> bool:
    """True for a number behind a wildcard, as in `1.x.3`, which npm refuses but after a tilde or caret."""
    given = [number(part) for part in match.groups()[2:5]]
    return any(left is None and right is not None for left, right in pairwise(given))


def _comparator(operator: str, partial: Partial) -> list[Bound]:
    match operator:
        case "^":
            return _caret(partial)
        case "~" | "~>":
            return _from(partial) + _below(partial.major, partial.minor)
        case "<" | "<=" | ">" | ">=":
            return _primitive(operator, partial)
        case _:
            if partial.patch is not None:
                return [Bound("=", partial.lowest())]
            return _from(partial) + _below(partial.major, partial.minor)


def _caret(partial: Partial) -> list[Bound]:
    """Up to the next version that changes the first number that is not 0."""
    major, minor, patch = partial.major, partial.minor, partial.patch
    if major is None or major > 0 or minor is None:
        return _from(partial) + _below(major, None)
    if minor > 0 or patch is None:
        return _from(partial) + _below(major, minor)
    return [*_from(partial), Bound("<", semver(0, 0, patch + 1, LOWEST))]


def _primitive(operator: str, partial: Partial) -> list[Bound]:
    if partial.major is None:
        # Nothing is above or below everything.
        return [] if operator.endswith("=") else [Bound("<", semver(0, 0, 0, LOWEST))]
    if partial.patch is not None:
        return [Bound(operator, partial.lowest())]
    if operator == ">":
        return [Bound(">=", _next(partial.major, partial.minor))]
    if operator == "<=":
        return _below(partial.major, partial.minor)
    labels = "" if operator == ">=" else LOWEST
    return [Bound(operator, semver(partial.major, partial.minor or 0, 0, labels))]


def _from(partial: Partial) -> list[Bound]:
    return [] if partial.major is None else [Bound(">=", partial.lowest())]


def _to(partial: Partial) -> list[Bound]:
    if partial.patch is not None:
        return [Bound("<=", partial.lowest())]
    return _below(partial.major, partial.minor)


def _below(major: int | None, minor: int | None) -> list[Bound]:
    return [] if major is None else [Bound("<", _next(major, minor, LOWEST))]


def _next(major: int, minor: int | None, labels: str = "") -> Version:
    return semver(major + 1, 0, 0, labels) if minor is None else semver(major, minor + 1, 0, labels)
