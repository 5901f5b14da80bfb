"""Readings of sources that count late and in windows: their cursor, and what they tell from what was tallied. Pure.

A cursor is a moment in UTC milliseconds, up to which all has been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shipline.domain.errors import InvalidValue
from shipline.ports.signals import EDGES_S, CountedGroup, Counts, Reading, Window
from shipline.ports.target import Role

READ_MS_MAX = 900_000
"""A reading goes no further than this; the rest comes with the next one."""
CURSOR = re.compile(r"[0-9]{1,15}")
NOTHING = Counts(0, 0, 0, (0,) * (len(EDGES_S) + 1))


@dataclass(frozen=True, slots=True)
class Tallied:
    """A group's counts in a window: as they were counted, what surely is of that time, and what may be."""

    exact: Counts
    least: Counts
    most: Counts


def moment_ms(cursor: str) -> int:
    """The moment of a cursor; InvalidValue for anything that no source gave out."""
    if not CURSOR.fullmatch(cursor):
        raise InvalidValue(f"{cursor[:80]!r} is not a cursor")
    return int(cursor)


def nothing_yet(since_ms: int) -> Reading:
    """The reading while no window is in; the next one begins where this one did."""
    return reading_of(since_ms, since_ms, {})


def reading_of(since_ms: int, until_ms: int, found: Mapping[CountedGroup, Tallied]) -> Reading:
    """What these groups have had from `since_ms` to `until_ms`."""

    def roles(way: str) -> dict[Role, Counts]:
        made = dict.fromkeys(Role, NOTHING)
        for group, one in found.items():
            made[group.role] = _sum(made[group.role], getattr(one, way))
        return made

    versions: dict[str, Counts] = {}
    for group, one in found.items():
        versions[group.version] = _sum(versions.get(group.version, NOTHING), one.exact)
    return Reading(
        cursor=str(until_ms),
        roles=roles("exact"),
        versions={name: counts for name, counts in versions.items() if counts.requests},
        window=Window(since_ms * 1000, until_ms * 1000, roles("least"), roles("most")),
    )


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        error_clients=one.error_clients + other.error_clients,
        histogram=tuple(mine + yours for mine, yours in zip(one.histogram, other.histogram, strict=True)),
    )
