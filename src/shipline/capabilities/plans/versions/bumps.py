"""How far a version moves, for schemes whose numbers say what has changed."""

from __future__ import annotations

from shipline.capabilities.plans.versions.version import Numbers
from shipline.domain.change import Bump

FIRST = (0, 1, 0)  # From: https://semver.org/spec/v2.0.0.html, FAQ "initial development phase"


def bumped(release: Numbers, bump: Bump) -> Numbers:
    """The three numbers moved by `bump`; what stands to the right of the moved number becomes 0."""
    major, minor, patch = release
    match bump:
        case Bump.MAJOR:
            return (major + 1, 0, 0)
        case Bump.MINOR:
            return (major, minor + 1, 0)
        case Bump.PATCH:
            return (major, minor, patch + 1)
        case Bump.NONE:
            return release


def distance(old: Numbers | None, new: Numbers) -> Bump:
    """Which number changes first from `old` (None: from nothing) to `new`: the last is the patch, as in `1.2.3`."""
    before = old if old is not None else (0,) * len(new)
    changed = next((place for place, (left, right) in enumerate(zip(before, new, strict=True)) if left != right), None)
    if changed is None:
        return Bump.NONE
    return {1: Bump.PATCH, 2: Bump.MINOR}.get(len(new) - changed, Bump.MAJOR)


def reaches(release: Numbers, bump: Bump) -> bool:
    """True if `release` is a step of `bump` from some version: 2.0.0 is a major one, and so a minor one at least."""
    return not any(release[{Bump.MAJOR: 1, Bump.MINOR: 2}.get(bump, 3) :])
