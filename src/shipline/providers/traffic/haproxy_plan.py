"""From shares to HAProxy's weights, and from the servers that are to those that shall be. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shipline.clients.haproxy import Server
from shipline.clients.haproxy_files import BACKEND, PREVIEW_BACKEND, VERSION_CHARACTERS_MAX, ServerName
from shipline.domain.errors import InvalidValue
from shipline.ports.target import Role, checked_group_id
from shipline.ports.traffic import Route

WEIGHT_MAX = 256  # HAProxy 2.6 configuration manual, section 5.2, "weight".
SERVERS_MAX = 256
SHARE_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class WeightedServer:
    """A copy of a routed group as it is saved: its part of the group's share as HAProxy's weight, 0 to 256.

    One of `preview` is the same copy once more, for the requests that ask for a preview, with weight 1 or 0.
    """

    group_id: str
    endpoint_id: str
    role: Role
    version: str
    address: str
    weight: int
    preview: bool = False

    @property
    def backend(self) -> str:
        """The backend that its server belongs to."""
        return PREVIEW_BACKEND if self.preview else BACKEND

    def server_name(self) -> str:
        """The name of its server in the proxy."""
        if self.preview:
            return f"{PREVIEW_BACKEND}:{self.group_id}:{self.endpoint_id}"
        return ServerName(self.role, self.version, group_id=self.group_id, endpoint_id=self.endpoint_id).encoded()


def previewing(name: str) -> tuple[str, str] | None:
    """The group and the copy that a server of the preview stands for, None for any other server."""
    backend, _, rest = name.partition(":")
    group_id, _, endpoint_id = rest.partition(":")
    return (group_id, endpoint_id) if backend == PREVIEW_BACKEND else None


def weights(shares: tuple[float, ...], copies: tuple[int, ...]) -> tuple[int, ...]:
    """For each group the integer weight, 0 to 256, of each of its copies, so that the groups come nearest to `shares`.

    Every scale is tried. Two servers meet any share in 1/256 steps exactly; the smallest share above 0 that n + 1
    servers can have is 1 in 256n + 1 (1/257 for two). A share above 0 never becomes 0: it would take no traffic.
    """
    parts = tuple(share / count if share > 0 else 0.0 for share, count in zip(shares, copies, strict=True))
    best: tuple[float, tuple[int, ...]] | None = None
    for scale in range(1, int(WEIGHT_MAX / max(parts) + 1e-9) + 1):
        candidate = tuple(min(WEIGHT_MAX, max(1, round(part * scale))) if part > 0 else 0 for part in parts)
        total = sum(weight * count for weight, count in zip(candidate, copies, strict=True))
        error = max(abs(weight / total - part) for weight, part in zip(candidate, parts, strict=True))
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


def weighted(routes: tuple[Route, ...]) -> tuple[WeightedServer, ...]:
    """The copies of the routes with weights. Raises InvalidValue unless ids differ, whoever has a share has an
    endpoint, and shares are from 0 to 1 and sum to 1."""
    servers = sum(len(route.endpoints) for route in routes)
    if not routes or servers > SERVERS_MAX:
        raise InvalidValue(f"a route set has a route, and {SERVERS_MAX} endpoints at most, not {servers}")
    if len({route.group_id for route in routes}) != len(routes):
        raise InvalidValue("a group stands twice in the route set")
    for route in routes:
        _check(route)
    shares = tuple(route.share for route in routes)
    if abs(sum(shares) - 1) > SHARE_TOLERANCE:
        raise InvalidValue(f"the shares of a route set sum to 1, not to {sum(shares):.6f}")
    found = weights(shares, tuple(len(route.endpoints) for route in routes))
    serving = tuple(
        WeightedServer(route.group_id, each.id, route.role, route.version, checked_address(each.address), weight)
        for route, weight in zip(routes, found, strict=True)
        for each in route.endpoints
    )
    previewed = {route.group_id for route in routes if route.preview}
    return serving + tuple(replace(one, weight=1, preview=True) for one in serving if one.group_id in previewed)


def _check(route: Route) -> None:
    checked_group_id(route.group_id)
    if not 0 < len(route.version) <= VERSION_CHARACTERS_MAX:
        raise InvalidValue(f"a version has 1 to {VERSION_CHARACTERS_MAX} characters")
    if not 0 <= route.share <= 1:
        raise InvalidValue(f"{route.share!r} is not a share from 0 to 1")
    if len({checked_group_id(each.id) for each in route.endpoints}) != len(route.endpoints):
        raise InvalidValue(f"an endpoint of group {route.group_id} stands twice in the route set")
    if route.mirror:
        raise InvalidValue("HAProxy cannot copy requests to a group", todo="let it be previewed, or use another proxy")
    if (route.share > 0 or route.preview) and not route.endpoints:
        raise InvalidValue(
            f"group {route.group_id} has a share and no endpoint", todo="HAProxy needs a target that tells addresses"
        )


def merged(known: tuple[WeightedServer, ...], wanted: tuple[WeightedServer, ...]) -> tuple[WeightedServer, ...]:
    """What shall hold: `wanted`, and the groups that were known and are left out, with weight 0.

    A copy that a wanted group does not have any more is not among them: it drains and goes.
    """
    named = {server.group_id for server in wanted}
    return wanted + tuple(replace(server, weight=0) for server in known if server.group_id not in named)


def commands(wanted: tuple[WeightedServer, ...], servers: Iterable[Server]) -> tuple[str, ...]:
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
        *(
            f"set server {server.backend}/{server.name} weight 0"
            for server in there.values()
            if server.name not in names
        ),
    )


def removals(server: Server) -> tuple[str, ...]:
    """HAProxy commands that remove a server, which must be idle: HAProxy itself refuses otherwise."""
    path = f"{server.backend}/{server.name}"
    return f"set server {path} state maint", f"del server {path}"


def _path(route: WeightedServer) -> str:
    return f"{route.backend}/{route.server_name()}"


def _address(route: WeightedServer) -> str:
    host, _, port = route.address.rpartition(":")
    return f"set server {_path(route)} addr {host.strip('[]')} port {port}"


def _additions(route: WeightedServer) -> tuple[str, ...]:
    return (
        f"add server {_path(route)} {route.address} weight {route.weight} pool-max-conn 0",
        f"enable server {_path(route)}",
    )


def mismatches(wanted: tuple[WeightedServer, ...], servers: Iterable[Server]) -> tuple[str, ...]:
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
