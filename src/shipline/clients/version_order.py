"""The order of versions that a registry lists, by SemVer 2.0.0 (item 11, https://semver.org/spec/v2.0.0.html) or, where
they are none, by PEP 440."""

from __future__ import annotations

import re
from typing import TypeAlias

from packaging.version import InvalidVersion, Version

Part: TypeAlias = tuple[int, int, str]
Order: TypeAlias = tuple[tuple[int, ...], int, tuple[Part, ...]]

_SEMVER = re.compile(
    r"(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9A-Za-z.-]{1,100}))?(?:\+[0-9A-Za-z.-]{1,100})?", re.ASCII
)
LENGTH_MAX = 255


def order_of(version: str) -> Order | None:
    """What sorts a version among others; None for what is no version. A final one comes after its pre-releases."""
    match = _SEMVER.fullmatch(version)
    if match is None:
        return _order_by_pep440(version)
    major, minor, patch, labels = match.groups()
    release = (int(major), int(minor), int(patch))
    if labels is None:
        return (release, 1, ())
    # Numbers come before words (11.4.3).
    return (release, 0, tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in labels.split(".")))


def _order_by_pep440(version: str) -> Order | None:
    if not version[:1].isdigit() or len(version) > LENGTH_MAX:
        return None  # `v1.0` is a tag, and no version.
    try:
        read = Version(version)
    except InvalidVersion:
        return None
    release = read.release + (0,) * (3 - len(read.release))
    if read.pre is not None:
        return (release, 0, ((1, 0, read.pre[0]), (0, read.pre[1], "")))
    if read.dev is not None:
        return (release, 0, ((0, 0, ""), (0, read.dev, "")))
    return (release, 1, () if read.post is None else ((0, read.post, ""),))


def is_final(version: str) -> bool:
    """True for a version that is no pre-release."""
    order = order_of(version)
    return order is not None and order[1] == 1


def highest_below(version: str, others: tuple[str, ...], *, final: bool) -> tuple[str, ...]:
    """Those of `others` that are lower than `version`, the highest first; final ones or pre-releases alone."""
    mine = order_of(version)
    if mine is None:
        return ()
    lower = [(order, one) for one in others if (order := order_of(one)) is not None and order < mine]
    return tuple(one for _, one in sorted(lower, reverse=True) if is_final(one) == final)
