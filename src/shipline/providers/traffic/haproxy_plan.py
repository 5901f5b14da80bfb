"""From shares to HAProxy's weights, and from the servers that are to those that shall be. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipline.clients.haproxy import Server
from shipline.clients.haproxy_files import BACKEND, VERSION_CHARACTERS_MAX, ServerName
from shipline.domain.errors import InvalidValue
from shipline.ports.target import Role, checked_instance_id
from shipline.ports.traffic import Route

WEIGHT_MAX = 256  # HAProxy 2.6 configuration manual, section 5.2, "weight".
ROUTES_MAX = 32
SHARE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class WeightedRoute:
    """A route as it is saved: its share as HAProxy's weight, 0 to 256."""

    instance_id: str
    role: Role
    version: str
    address: str
    weight: int

    def server_name(self) -> str:
        """The name of its server in the proxy."""
        return ServerName(role=self.role, version=self.version, instance_id=self.instance_id).encoded()


def weights(shares: tuple[float, ...]) -> tuple[int, ...]:
    """The integer weights, 0 to 256, whose parts of their sum come nearest to `shares`.

    Every scale is tried. Two servers meet any share in 1/256 steps exactly; the smallest share above 0 that n + 1
    servers can have is 1 in 256n + 1 (1/257 for two). A share above 0 never becomes 0: it would take no traffic.
    """
    best: tuple[float, tuple[int, ...]] | None = None
    for scale in range(1, int(WEIGHT_MAX / max(shares) + 1e-9) + 1):
        candidate = tuple(min(WEIGHT_MAX, max(1, round(share * scale))) if share > 0 else 0 for share in shares)
        total = sum(candidate)
        error = max(abs(weight / total - share) for weight, share in zip(candidate, shares, strict=True))
        if best is None or error < best[0] - 1e-12:
            best = (error, candidate)
        if error < 1e-12:
            break
    assert best is not None, "shares sum to 1, so one of them is above 0"  # noqa: S101 - an invariant, not input
    return best[1]


def checked_address(address: str) -> str:
    """`address` in the form in which HAProxy shows it; InvalidValue for anything but a literal IP and a port."""
    host, _, port = address.rpartition(":")
    try:
        ip = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
    except ValueError:
        raise InvalidValue(f"{address[:80]!r} is not an IP address and a port") from None
    if not (0 < number < 65536 and port.isascii() and port.isdigit()):
        raise InvalidValue(f"{port[:20]!r} is not a port number")
    return f"[{ip}]:{number}" if ip.version == 6 else f"{ip}:{number}"


def weighted(routes: tuple[Route, ...]) -> tuple[WeightedRoute, ...]:
    """The routes with weights. Raises InvalidValue unless ids differ, and shares are from 0 to 1 and sum to 1."""
    if not 0 < len(routes) <= ROUTES_MAX:
        raise InvalidValue(f"a route set has 1 to {ROUTES_MAX} routes, not {len(routes)}")
    if len({route.instance_id for route in routes}) != len(routes):
        raise InvalidValue("an instance stands twice in the route set")
    for route in routes:
        _check(route)
    shares = tuple(route.share for route in routes)
    if abs(sum(shares) - 1) > SHARE_TOLERANCE:
        raise InvalidValue(f"the shares of a route set sum to 1, not to {sum(shares):.6f}")
    return tuple(
        WeightedRoute(route.instance_id, route.role, route.version, checked_address(route.address), weight)
        for route, weight in zip(routes, weights(shares), strict=True)
    )


def _check(route: Route) -> None:
    checked_instance_id(route.instance_id)
    if not 0 < len(route.version) <= VERSION_CHARACTERS_MAX:
        raise InvalidValue(f"a version has 1 to {VERSION_CHARACTERS_MAX} characters")
    if not 0 <= route.share <= 1:
        raise InvalidValue(f"{route.share!r} is not a share from 0 to 1")


def merged(known: tuple[WeightedRoute, ...], wanted: tuple[WeightedRoute, ...]) -> tuple[WeightedRoute, ...]:
    """What shall hold: `wanted`, and what was known and is left out, with weight 0."""
    named = {route.instance_id for route in wanted}
    return wanted + tuple(replace(route, weight=0) for route in known if route.instance_id not in named)


def commands(wanted: tuple[WeightedRoute, ...], servers: Iterable[Server]) -> tuple[str, ...]:
    """HAProxy commands that lead from `servers` to `wanted`, in an order in which some server always takes requests.

    What is not wanted gets weight 0 and stays: its requests are still being served.
    """
    there = {server.name: server for server in servers}
    names = {route.server_name() for route in wanted}
    changed = [route for route in wanted if route.server_name() in there]
    ups = [route for route in changed if route.weight > there[route.server_name()].weight]
    downs = [route for route in changed if route.weight < there[route.server_name()].weight]
    return (
        *(command for route in wanted if route.server_name() not in there for command in _additions(route)),
        *(_address(route) for route in changed if route.address != there[route.server_name()].address),
        *(f"enable server {_path(route)}" for route in changed if there[route.server_name()].maintenance),
        *(f"set server {_path(route)} weight {route.weight}" for route in (*ups, *downs)),
        *(f"set server {BACKEND}/{name} weight 0" for name, server in there.items() if name not in names),
    )


def removals(name: str) -> tuple[str, ...]:
    """HAProxy commands that remove a server, which must be idle: HAProxy itself refuses otherwise."""
    return f"set server {BACKEND}/{name} state maint", f"del server {BACKEND}/{name}"


def _path(route: WeightedRoute) -> str:
    return f"{BACKEND}/{route.server_name()}"


def _address(route: WeightedRoute) -> str:
    host, _, port = route.address.rpartition(":")
    return f"set server {_path(route)} addr {host.strip('[]')} port {port}"


def _additions(route: WeightedRoute) -> tuple[str, ...]:
    return (
        f"add server {_path(route)} {route.address} weight {route.weight} pool-max-conn 0",
        f"enable server {_path(route)}",
    )


def mismatches(wanted: tuple[WeightedRoute, ...], servers: Iterable[Server]) -> tuple[str, ...]:
    """What differs between `wanted` and what the proxy reports, in sentences; empty when all holds."""
    there = {server.name: server for server in servers}
    expected = {route.server_name(): route for route in wanted}
    found = []
    for name, route in expected.items():
        server = there.get(name)
        if server is None or server.maintenance:
            found.append(f"{name} does not serve")
        elif (server.weight, server.address) != (route.weight, route.address):
            found.append(f"{name} is {server.address} with weight {server.weight}, not {route.address}, {route.weight}")
    found += [
        f"{name} has weight {there[name].weight}" for name in there if name not in expected and there[name].weight
    ]
    return tuple(found)
