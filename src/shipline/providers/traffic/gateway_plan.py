"""From shares to the rules of an HTTPRoute, and back. Pure.

Of a route Shipline has only: in one rule the backendRefs that lead to its groups and the filters that mirror to them,
and one rule for the preview, which leads to a group alone. All else is left as it is.
Source: https://gateway-api.sigs.k8s.io/reference/spec/ (v1, HTTPRouteRule, HTTPBackendRef, HTTPRequestMirrorFilter).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shipline.clients.kubernetes_marks import group_behind, object_name
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError
from shipline.ports.target import Role, checked_group_id
from shipline.ports.traffic import Route

# A share is a whole number of the first of these that is exact; weights are 0 to 1,000,000.
SCALES = (100, 256, 1000, 10_000, 1_000_000)
SHARE_TOLERANCE = 1e-6
GROUPS_MAX = 16
ENDPOINTS_MAX = 256
VERSION_CHARACTERS_MAX = 200
MIRROR = "RequestMirror"


@dataclass(frozen=True, slots=True)
class SavedRoute:
    """A group as it was applied last. `idle_us` is since when it gets no request, UTC microseconds; 0: it never did,
    or it does."""

    route: Route
    idle_us: int = 0


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What is noted on the HTTPRoute, beside the revision: whose it is, its groups by id, and whether it is closed."""

    environment: str
    groups: dict[str, SavedRoute] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Which rule it is, by its `name` ("" is the only one that is not Shipline's own), where the groups' Services
    listen, and the header that asks for the preview, as `Name: value` or ""."""

    rule: str
    port: int
    preview_header: str


def checked_routes(routes: tuple[Route, ...], *, previews: bool) -> tuple[Route, ...]:
    """Return them if they can be applied; raise InvalidValue otherwise."""
    if not 1 <= len(routes) <= GROUPS_MAX or sum(len(route.endpoints) for route in routes) > ENDPOINTS_MAX:
        raise InvalidValue(f"a route set has 1 to {GROUPS_MAX} groups, and {ENDPOINTS_MAX} endpoints at most")
    if len({checked_group_id(route.group_id) for route in routes}) != len(routes):
        raise InvalidValue("a group stands twice in the route set")
    if not all(0 <= route.share <= 1 for route in routes) or abs(sum(r.share for r in routes) - 1) > SHARE_TOLERANCE:
        raise InvalidValue("shares are from 0 to 1 and sum to 1")
    if sum(route.preview for route in routes) > 1 or sum(route.mirror for route in routes) > 1:
        raise InvalidValue("one group is previewed, and one mirrored to, at most")
    if not previews and any(route.preview for route in routes):
        raise InvalidValue("no request can ask for a preview", todo="name a `preview_header` for the traffic")
    for route in routes:
        object_name(route.group_id)
        if not 0 < len(route.version) <= VERSION_CHARACTERS_MAX:
            raise InvalidValue(f"a version has 1 to {VERSION_CHARACTERS_MAX} characters")
        if len({checked_group_id(each.id) for each in route.endpoints}) != len(route.endpoints):
            raise InvalidValue(f"an endpoint of {route.group_id} stands twice in the route set")
    return routes


def weights(shares: tuple[float, ...]) -> tuple[int, ...]:
    """Whole numbers in the proportion of `shares`: small ones where they are exact. No share above 0 becomes 0."""
    best: tuple[float, tuple[int, ...]] = (2.0, ())
    for scale in SCALES:
        found = tuple(max(1, round(share * scale)) if share > 0 else 0 for share in shares)
        total = sum(found)
        error = max(abs(weight / total - share) for weight, share in zip(found, shares, strict=True))
        if error < best[0] - 1e-12:
            best = error, found
        if error < 1e-12:
            break
    return best[1]


def merged(saved: SavedTraffic, routes: tuple[Route, ...], now_us: int) -> SavedTraffic:
    """What shall be noted: the routes, and who is left out without a share. Who stops getting requests does so now."""
    wanted = {route.group_id: route for route in routes}
    left_out = {
        name: replace(one.route, share=0.0, preview=False, mirror=False)
        for name, one in saved.groups.items()
        if name not in wanted
    }
    groups = {name: _since(saved.groups.get(name), route, now_us) for name, route in (left_out | wanted).items()}
    if len(groups) > GROUPS_MAX:
        raise InvalidValue(f"a rule leads to {GROUPS_MAX} groups at most: forget those that get nothing")
    return replace(saved, groups=groups)


def _since(known: SavedRoute | None, route: Route, now_us: int) -> SavedRoute:
    if route.serves:
        return SavedRoute(route)
    if known is None:
        return SavedRoute(route)
    return SavedRoute(route, now_us if known.route.serves else known.idle_us)


def rule_index(rules: list[dict[str, Any]], place: Place) -> int:
    """Where the rule is. ConfigurationError where it is not, or it is not clear which one is meant."""
    found = [
        index
        for index, rule in enumerate(rules)
        if (rule.get("name") == place.rule if place.rule else not _is_preview(rule, place))
    ]
    if len(found) != 1:
        names = ", ".join(str(rule.get("name", "one without a name")) for rule in rules) or "none"
        raise ConfigurationError(
            f"the HTTPRoute has {len(found)} rules that could be meant",
            todo=f"name one with `rule`, or keep a route of its own for this environment; its rules: {names}",
        )
    return found[0]


def planned(
    rules: list[dict[str, Any]], place: Place, saved: SavedTraffic, before: SavedTraffic
) -> list[dict[str, Any]]:
    """The rules as they shall be; `before` is what was noted until now.

    RefusedError where somebody else has a share of the rule, and one would be given to another than the stable version.
    """
    index = rule_index(rules, place)
    rule = copy.deepcopy(rules[index])
    if _gives(saved, before):
        _check_alone(rule, saved)
    shown = () if saved.closed else tuple(one.route for one in saved.groups.values())
    foreign = [ref for ref in rule.get("backendRefs") or () if behind(ref) is None]
    refs = zip(shown, _beside(rule, weights(tuple(route.share for route in shown)) if shown else ()), strict=True)
    rule["backendRefs"] = foreign + [_ref(route, place) | {"weight": weight} for route, weight in refs]
    filters = [one for one in rule.get("filters") or () if _mirrored(one) is None]
    plain = {name: value for name, value in rule.items() if name not in ("name", "backendRefs", "filters")}
    preview = _preview_rule(plain, filters, place, shown)
    filters += [{"type": MIRROR, "requestMirror": {"backendRef": _ref(one, place)}} for one in shown if one.mirror]
    if filters or rule.get("filters"):
        rule["filters"] = filters
    kept = [
        rule if at == index else each for at, each in enumerate(rules) if at == index or not _is_preview(each, place)
    ]
    return kept + preview


def _preview_rule(
    plain: dict[str, Any], filters: list[dict[str, Any]], place: Place, shown: tuple[Route, ...]
) -> list[dict[str, Any]]:
    """A rule that matches what the other one does, and the header: of two matches the one with more headers goes first,
    wherever it stands."""
    previewed = next((route for route in shown if route.preview), None)
    if previewed is None:
        return []
    given = plain.get("matches") or [{"path": {"type": "PathPrefix", "value": "/"}}]
    matches = [match | {"headers": [*match.get("headers", ()), _asked(place)]} for match in given]
    rule = plain | {"matches": matches, "backendRefs": [_ref(previewed, place) | {"weight": 1}]}
    return [rule | ({"filters": copy.deepcopy(filters)} if filters else {})]


def read_routes(rules: list[dict[str, Any]], place: Place, saved: SavedTraffic) -> tuple[Route, ...]:
    """What the route says now, by group: shares from its weights, whoever wrote them, and the rest as it was noted."""
    rule = rules[rule_index(rules, place)]
    refs = rule.get("backendRefs") or []
    total = sum(_weight(ref) for ref in refs)
    shares = {behind(ref): _weight(ref) / total if total else 0.0 for ref in refs}
    mirrored = {_mirrored(one) for one in rule.get("filters") or ()}
    previewed = {behind(each["backendRefs"][0]) for each in rules if _is_preview(each, place)}
    return tuple(
        replace(
            saved.groups[name].route, share=shares.get(name, 0.0), preview=name in previewed, mirror=name in mirrored
        )
        for name in sorted(saved.groups)
    )


def operations(before: list[dict[str, Any]], after: list[dict[str, Any]], place: Place) -> tuple[dict[str, Any], ...]:
    """JSON patch operations that change the one rule's refs and filters, and replace the preview's rule."""
    index = rule_index(before, place)
    moved = rule_index(after, place)
    rule, wanted = before[index], after[moved]
    found: list[dict[str, Any]] = [
        {"op": "add", "path": f"/spec/rules/{index}/{name}", "value": wanted[name]}
        for name in ("backendRefs", "filters")
        if name in wanted and rule.get(name) != wanted[name]
    ]
    old = [at for at, each in enumerate(before) if at != index and _is_preview(each, place)]
    new = [each for at, each in enumerate(after) if at != moved and _is_preview(each, place)]
    if [before[at] for at in old] != new:
        found += [{"op": "remove", "path": f"/spec/rules/{at}"} for at in reversed(old)]
        found += [{"op": "add", "path": "/spec/rules/-", "value": each} for each in new]
    return tuple(found)


def behind(ref: Mapping[str, Any]) -> str | None:
    """The group that a backendRef leads to; None for somebody else's."""
    return group_behind(str(ref.get("name"))) if ref.get("kind", "Service") == "Service" else None


def _mirrored(found: Mapping[str, Any]) -> str | None:
    mirror = found.get("requestMirror") if found.get("type") == MIRROR else None
    return behind(mirror.get("backendRef") or {}) if mirror else None


def _is_preview(rule: Mapping[str, Any], place: Place) -> bool:
    """True for the rule that Shipline adds: without a name, to one of its groups alone, for who asks by the header."""
    refs, matches = rule.get("backendRefs") or [], rule.get("matches") or []
    leads = "name" not in rule and len(refs) == 1 and behind(refs[0]) is not None
    asked = _asked(place)
    return leads and bool(matches) and all((match.get("headers") or [{}])[-1] == asked for match in matches)


def _asked(place: Place) -> dict[str, str]:
    """The match of the header that asks for the preview; an empty one matches no rule's."""
    name, _, value = place.preview_header.partition(": ")
    return {"type": "Exact", "name": name, "value": value}


def _ref(route: Route, place: Place) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": object_name(route.group_id), "port": place.port}


def _weight(ref: Mapping[str, Any]) -> int:
    return int(ref.get("weight", 1))


def _gives(saved: SavedTraffic, before: SavedTraffic) -> bool:
    """True if somebody gets requests who was not the stable version already. Who only takes them away, as every way
    back does, must not be held up by what somebody else has done to the rule in an emergency."""
    known = {name for name, one in before.groups.items() if one.route.role is Role.STABLE}
    shown = () if saved.closed else saved.groups.items()
    return any(one.route.serves and name not in known for name, one in shown)


def _beside(rule: Mapping[str, Any], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The groups' weights, so that together they have as much as now where somebody else has some, too: what a person
    has led elsewhere stays as much as it is."""
    refs = rule.get("backendRefs") or ()
    ours = sum(_weight(ref) for ref in refs if behind(ref) is not None)
    if not ours or ours == sum(_weight(ref) for ref in refs):
        return wanted
    return tuple(min(SCALES[-1], round(weight * ours / sum(wanted))) for weight in wanted)


def _check_alone(rule: Mapping[str, Any], saved: SavedTraffic) -> None:
    others = [ref for ref in rule.get("backendRefs") or () if _weight(ref) and behind(ref) not in saved.groups]
    if others:
        raise RefusedError(
            f"{str(others[0].get('name'))[:80]} has a share of this rule, too",
            why="the shares of a rollout are those of all requests",
            todo="give the rule to Shipline alone: set that weight to 0, or name another rule",
        )
