"""The order of versions that a registry lists, by SemVer 2.0.0 (item 11, https://semver.org/spec/v2.0.0.html) or, where
they are none, by PEP 440."""

from __future__ import annotations

import re
from typing import TypeAlias

from packaging.version import InvalidVersion, Version

Part: TypeAlias = tuple[int, int, str]
Order: TypeAlias = tuple[int, tuple[int, ...], tuple[int, tuple[Part, ...]], int, tuple[int, int]]
"""Epoch, numbers, what comes before the final version, post-release, development release: compared in this order."""

FINAL: tuple[int, tuple[Part, ...]] = (1, ())
EARLY, BEFORE_ALL = 0, -1
NO_POST = -1
NO_DEV = (1, 0)
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
    release = _shortened((int(major), int(minor), int(patch)))
    if labels is None:
        return (0, release, FINAL, NO_POST, NO_DEV)
    # Numbers come before words (11.4.3).
    parts = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in labels.split("."))
    return (0, release, (EARLY, parts), NO_POST, NO_DEV)


def _order_by_pep440(version: str) -> Order | None:
    if not version[:1].isdigit() or len(version) > LENGTH_MAX:
        return None  # `v1.0` is a tag, and no version.
    try:
        read = Version(version)
    except InvalidVersion:
        return None
    early = FINAL
    if read.pre is not None:
        early = (EARLY, ((1, 0, read.pre[0]), (0, read.pre[1], "")))
    elif read.post is None and read.dev is not None:
        early = (BEFORE_ALL, ())  # 1.0.dev1 comes before 1.0a1, and 1.0a1.dev1 before that, too, but after 1.0.dev1.
    post = NO_POST if read.post is None else read.post
    dev = NO_DEV if read.dev is None else (0, read.dev)
    return (read.epoch, _shortened(read.release), early, post, dev)


def _shortened(release: tuple[int, ...]) -> tuple[int, ...]:
    """Without the zeros at its end: 1.0 is 1.0.0."""
    while release and release[-1] == 0:
        release = release[:-1]
    return release


def is_final(version: str) -> bool:
    """True for a version that is neither a pre-release nor one of development."""
    order = order_of(version)
    return order is not None and order[2] == FINAL and order[4] == NO_DEV


def highest_below(version: str, others: tuple[str, ...], *, final: bool) -> tuple[str, ...]:
    """Those of `others` that are lower than `version`, the highest first; final ones or pre-releases alone."""
    mine = order_of(version)
    if mine is None:
        return ()
    lower = [(order, one) for one in others if (order := order_of(one)) is not None and order < mine]
    return tuple(one for _, one in sorted(lower, reverse=True) if is_final(one) == final)
