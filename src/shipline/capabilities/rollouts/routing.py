"""Who gets which share of the traffic: pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from shipline.ports.target import Group, Role
from shipline.ports.traffic import Route

STEM_MAX = 36
PLAIN = re.compile(r"[a-z0-9.-]+")


def group_id(package: str, version: str, attempt: int, role: Role) -> str:
    """The name of a group, the same for the same attempt: `quotes-1-2-0-a1-canary`, at most 60 characters.

    Names of two versions differ: what does not fit, or cannot be spelt, is told by a part of a hash.
    """
    name = f"{package}-{version}"
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if len(stem) > STEM_MAX or not PLAIN.fullmatch(name):
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        stem = f"{stem[: STEM_MAX - 9].rstrip('-')}-{digest}"
    return f"{stem}-a{attempt}-{role.value}"


def stable_routes(groups: tuple[Group, ...]) -> tuple[Route, ...]:
    """All traffic on these groups: each copy gets as much."""
    return _spread(groups, share=1.0)


def canary_routes(stable: tuple[Group, ...], canary: Group, baseline: Group, *, weight: float) -> tuple[Route, ...]:
    """`weight` (0 to 1) on the canary, as much on its equally young baseline, the rest on the stable groups.

    Beyond 0.5 the baseline gets what is left, and the stable groups nothing.
    """
    if not 0 <= weight <= 1:
        raise ValueError("a canary's weight is 0 to 1")
    beside, left = (weight, 1 - 2 * weight) if weight < 0.5 else (1 - weight, 0.0)
    return (
        *_spread(stable, share=left),
        Route(canary.id, Role.CANARY, canary.version, weight, canary.endpoints),
        Route(baseline.id, Role.BASELINE, baseline.version, beside, baseline.endpoints),
    )


def preview_routes(stable: tuple[Group, ...], new: Group, *, mirror: bool) -> tuple[Route, ...]:
    """All traffic on the stable groups; the new one gets who asks for it, or with `mirror` a copy of every request."""
    return (
        *_spread(stable, share=1.0),
        Route(new.id, Role.CANARY, new.version, 0.0, new.endpoints, preview=not mirror, mirror=mirror),
    )


def rolling_routes(stable: tuple[Group, ...], new: Group) -> tuple[Route, ...]:
    """Each copy gets as much, of whichever version; a group's copies are its endpoints, or as many as it has."""
    copies = {group.id: _copies(group) for group in (*stable, new)}
    total = sum(copies.values())
    return tuple(
        Route(
            group.id,
            Role.CANARY if group is new else Role.STABLE,
            group.version,
            copies[group.id] / total,
            group.endpoints,
        )
        for group in (*stable, new)
        if copies[group.id]
    )


def _copies(group: Group) -> int:
    return len(group.endpoints) or group.size


def _spread(groups: tuple[Group, ...], *, share: float) -> tuple[Route, ...]:
    copies = sum(group.size for group in groups)
    return tuple(
        Route(group.id, Role.STABLE, group.version, share * group.size / copies, group.endpoints) for group in groups
    )


def as_routed(group: Group, routes: tuple[Route, ...]) -> Group:
    """The group with the endpoints that its route has now, if it has one: a copy may have died, or moved, since."""
    endpoints = next((route.endpoints for route in routes if route.group_id == group.id), ())
    return replace(group, endpoints=endpoints) if endpoints else group


def routable(group: Group, routes: tuple[Route, ...]) -> Group:
    """The group with the endpoints that may have requests: its own once it is whole, those of its route until then."""
    return group if group.is_whole and len(group.endpoints) == group.size else as_routed(group, routes)


def kept_routes(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes whose groups must be whole: those that get requests, and the stable version's where a canary at its
    largest weight, and its baseline, leave it none: it must be there for the way back."""
    serving = [route for route in routes if route.serves]
    if not any(route.role is Role.STABLE for route in serving):
        serving += [route for route in routes if route.role is Role.STABLE]
    return tuple(serving)


def followed(routes: tuple[Route, ...], groups: Mapping[str, Group]) -> tuple[Route, ...]:
    """The routes, led to the copies that can serve them; no share changes.

    A whole group gets all of its copies. Of one that is not, copies that are only being started get nothing while
    others serve; where no other does, whatever runs gets the requests, since they would be lost otherwise.
    """
    return tuple(_followed(route, groups.get(route.group_id)) for route in routes)


def _followed(route: Route, group: Group | None) -> Route:
    if group is None or not group.endpoints:
        return route
    living = tuple(endpoint for endpoint in group.endpoints if endpoint in route.endpoints)
    wanted = group.endpoints if group.is_whole or not living else living
    return route if set(wanted) == set(route.endpoints) else replace(route, endpoints=wanted)
