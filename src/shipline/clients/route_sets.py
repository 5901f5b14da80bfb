"""What makes a set of routes one, for whoever has no rules of its own about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shipline.domain.errors import InvalidValue
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import Route

SHARE_TOLERANCE = 1e-6
# Many platforms know whole percents only, and give next to nothing 1: a third group loses what two others were given.
ROUNDED_MAX = 0.02
ROUTES_MAX = 100
VERSION_CHARACTERS_MAX = 100


def check_routes(routes: tuple[Route, ...], *, splits: bool, previews: bool, mirrors: bool) -> None:
    """Raise InvalidValue for what is no route set, and for what cannot be had there."""
    ids = [checked_group_id(route.group_id) for route in routes]
    if not 0 < len(ids) <= ROUTES_MAX or len(set(ids)) != len(ids):
        raise InvalidValue(f"a route set has 1 to {ROUTES_MAX} routes, each of another group")
    for route in routes:
        _check(route)
    if abs(sum(route.share for route in routes) - 1) > SHARE_TOLERANCE:
        raise InvalidValue("the shares of a route set sum to 1")
    if not splits and any(0 < route.share < 1 for route in routes):
        raise InvalidValue("here the traffic is switched as a whole: a share is 0 or 1")
    if not previews and any(route.preview for route in routes):
        raise InvalidValue("no request can ask for a preview here")
    if not mirrors and any(route.mirror for route in routes):
        raise InvalidValue("requests cannot be copied here")
    if sum(route.preview or route.mirror for route in routes) > 1:
        raise InvalidValue("a route set has one route at most that is previewed or mirrored")


def merged(known: Mapping[str, Route], wanted: tuple[Route, ...]) -> dict[str, Route]:
    """By group: the wanted routes, and those that are left out, which get nothing and stay known."""
    left_out = {name: replace(route, share=0.0, preview=False, mirror=False) for name, route in known.items()}
    return left_out | {route.group_id: route for route in wanted}


def mismatches(wanted: Mapping[str, Route], there: Mapping[str, Route]) -> tuple[str, ...]:
    """How what is there differs from what is wanted, in sentences. A share may be rounded, but not to or from 0; who is
    not wanted has none."""
    found = [f"{name} is not there" for name in wanted if name not in there]
    for name, route in there.items():
        meant = wanted.get(name)
        if meant is None:
            found += [f"{name} has a share"] if route.serves or route.mirror else []
        elif (route.role, route.version, set(route.endpoints)) != (meant.role, meant.version, set(meant.endpoints)):
            found.append(f"{name} has another role, version or other endpoints")
        elif (route.preview, route.mirror) != (meant.preview, meant.mirror):
            found.append(f"{name} is previewed or mirrored otherwise")
        elif abs(route.share - meant.share) > ROUNDED_MAX or (route.share > 0) != (meant.share > 0):
            found.append(f"{name} has the share {route.share:g}, not {meant.share:g}")
    return tuple(found)


def _check(route: Route) -> None:
    if not 0 <= route.share <= 1:
        raise InvalidValue(f"{route.share!r} is not a share from 0 to 1")
    if not 0 < len(route.version) <= VERSION_CHARACTERS_MAX:
        raise InvalidValue(f"a version has 1 to {VERSION_CHARACTERS_MAX} characters")
    ids = [checked_group_id(endpoint.id) for endpoint in route.endpoints]
    if len(set(ids)) != len(ids):
        raise InvalidValue(f"an endpoint of group {route.group_id} stands twice in the route set")
