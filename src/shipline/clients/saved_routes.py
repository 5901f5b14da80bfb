"""Routes as a platform's own proxy keeps them for Shipline: noted beside what the proxy does, for those that do not
tell how many requests are open. Pure.

A group that gets no request any more is drained when some time has gone by, so that moment is noted, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shipline.domain.errors import InvalidValue
from shipline.ports.target import Role, checked_group_id
from shipline.ports.traffic import Route

SHARE_TOLERANCE = 1e-6
GROUPS_MAX = 16
ENDPOINTS_MAX = 256
VERSION_CHARACTERS_MAX = 200
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class SavedRoute:
    """A group as it was applied last. `idle_us` is since when it gets no request, UTC microseconds; 0: it never did,
    or it does."""

    route: Route
    idle_us: int = 0

    def is_drained(self, now_us: int, drain_s: int) -> bool:
        """True if the group gets no request, and those that it had got have had their time."""
        return not self.route.serves and now_us - self.idle_us >= drain_s * SECOND_US


@dataclass(frozen=True, slots=True)
class SavedRoutes:
    """What is noted: whose it is, its groups by id, and whether it is closed."""

    environment: str
    groups: dict[str, SavedRoute] = field(default_factory=dict)
    closed: bool = False

    def with_applied(self, routes: tuple[Route, ...], now_us: int) -> SavedRoutes:
        """The routes, and who is left out without a share. Who stops getting requests does so now."""
        wanted = {route.group_id: route for route in routes}
        left_out = {
            name: replace(one.route, share=0.0, preview=False, mirror=False)
            for name, one in self.groups.items()
            if name not in wanted
        }
        groups = {name: self._since(route, now_us) for name, route in (left_out | wanted).items()}
        if len(groups) > GROUPS_MAX:
            raise InvalidValue(f"{GROUPS_MAX} groups are known at most: forget those that get nothing")
        return replace(self, groups=groups)

    def without(self, group_id: str) -> SavedRoutes:
        """The same, without a group."""
        return replace(self, groups={name: one for name, one in self.groups.items() if name != group_id})

    def would_give(self, wanted: SavedRoutes) -> bool:
        """True if by `wanted` somebody gets requests who is not the stable version already. Who only takes them away,
        as every way back does, must not be held up by what somebody else has done in an emergency."""
        known = {name for name, one in self.groups.items() if one.route.role is Role.STABLE}
        return any(one.route.serves and name not in known for name, one in wanted.groups.items())

    def _since(self, route: Route, now_us: int) -> SavedRoute:
        known = self.groups.get(route.group_id)
        if route.serves or known is None:
            return SavedRoute(route)
        return SavedRoute(route, now_us if known.route.serves else known.idle_us)


def checked_routes(routes: tuple[Route, ...], *, previews: bool, mirrors: bool) -> tuple[Route, ...]:
    """Return them if they are a route set that this proxy can hold; raise InvalidValue otherwise."""
    if not 1 <= len(routes) <= GROUPS_MAX or sum(len(route.endpoints) for route in routes) > ENDPOINTS_MAX:
        raise InvalidValue(f"a route set has 1 to {GROUPS_MAX} groups, and {ENDPOINTS_MAX} endpoints at most")
    if len({checked_group_id(route.group_id) for route in routes}) != len(routes):
        raise InvalidValue("a group stands twice in the route set")
    if not all(0 <= route.share <= 1 for route in routes) or abs(sum(r.share for r in routes) - 1) > SHARE_TOLERANCE:
        raise InvalidValue("shares are from 0 to 1 and sum to 1")
    if sum(route.preview for route in routes) > previews:
        raise InvalidValue(
            "one group is previewed at most" if previews else "no request can ask for a preview here",
            todo="" if previews else "leave the preview out, or name a `preview_header` where the proxy has one",
        )
    if sum(route.mirror for route in routes) > mirrors:
        raise InvalidValue("one group is mirrored to at most" if mirrors else "requests cannot be copied here")
    for route in routes:
        if not 0 < len(route.version) <= VERSION_CHARACTERS_MAX:
            raise InvalidValue(f"a version has 1 to {VERSION_CHARACTERS_MAX} characters")
        if len({checked_group_id(each.id) for each in route.endpoints}) != len(route.endpoints):
            raise InvalidValue(f"an endpoint of {route.group_id} stands twice in the route set")
    return routes


def whole_numbers(shares: Sequence[float], largest: int) -> tuple[int, ...]:
    """Weights from 0 to `largest` that come nearest to the proportion of `shares`, the smallest of such. No share above
    0 becomes 0."""
    best, least = tuple(round(share) for share in shares), 2.0
    for scale in range(1, largest + 1) if shares else ():
        found = tuple(max(1, round(share * scale)) if share > 0 else 0 for share in shares)
        error = max(abs(weight / sum(found) - share) for weight, share in zip(found, shares, strict=True))
        if error < least - 1e-12:
            best, least = found, error
    return best
