"""A splitter in memory. Shares are kept exactly; requests are what a test says they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnavailableError
from shipline.ports.clock import Clock
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import ERRORS, LATENCY, InjectedFault, Route
from shipline.testing.fakes.faults import Fault, suffer


@dataclass(slots=True)
class TrafficWorld:
    """What outlives a FakeTraffic: saved routes, and what the proxy does with its requests.

    `faults` are those that were injected, by group id, and end with the proxy. `open_requests` is by group id, and
    `open_requests_by_copy` by group and copy. `before_change` are called when routes or faults are about to change, so
    that whoever simulates requests can do so by the old ones up to now. `port_in_use` lets `open` fail.
    """

    revision: int = 0
    running: bool = False
    port_in_use: bool = False
    routes: dict[str, Route] = field(default_factory=dict)
    faults: dict[str, InjectedFault] = field(default_factory=dict)
    open_requests: dict[str, int] = field(default_factory=dict)
    open_requests_by_copy: dict[tuple[str, str], int] = field(default_factory=dict)
    before_change: list[Callable[[], None]] = field(default_factory=list)

    def acts(self, group_id: str, now_us: int) -> bool:
        """True if a fault of this group does something now."""
        found, route = self.faults.get(group_id), self.routes.get(group_id)
        return found is not None and route is not None and route.role is found.role and now_us < found.until_us


class FakeTraffic:
    """The Traffic port over a TrafficWorld. Set `fault` to inject one; LYING holds the old routes and says nothing.

    `splits` False makes it a switch; `previews`, `mirrors` and `faults` say what else it can do.
    """

    api_version = 4

    def __init__(  # noqa: PLR0913 - one argument an ability
        self,
        clock: Clock,
        world: TrafficWorld | None = None,
        *,
        splits: bool = True,
        previews: bool = True,
        mirrors: bool = True,
        faults: tuple[str, ...] = (ERRORS, LATENCY),
    ) -> None:
        self.splits, self.previews, self.mirrors, self.faults = splits, previews, mirrors, faults
        self.world = TrafficWorld() if world is None else world
        self.fault: Fault | None = None
        self._clock = clock

    def claim(self, *, revision: int) -> None:
        suffer(self.fault, self._clock, "the proxy")
        self._fence(revision)

    def open(self, *, revision: int) -> None:
        suffer(self.fault, self._clock, "the proxy")
        self._check_fence(revision)
        if self.world.running:
            return
        if self.world.port_in_use:
            raise ShiplineError("port 8080 is in use by another program", todo="set another `port`")
        self._fence(revision)
        self._changing()
        self.world.running = True

    def address(self) -> str:
        return "127.0.0.1:8080"

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        _check(routes, splits=self.splits)
        if not all(self.previews or not route.preview for route in routes):
            raise InvalidValue("no request can ask for a preview here")
        if not all(self.mirrors or not route.mirror for route in routes):
            raise InvalidValue("requests cannot be copied here")
        self._ready()
        self._fence(revision)
        if self.fault is Fault.LYING:
            return
        self._changing()
        left_out = {
            name: replace(route, share=0.0, preview=False, mirror=False) for name, route in self.world.routes.items()
        }
        self.world.routes = left_out | {route.group_id: route for route in routes}

    def routes(self) -> tuple[Route, ...]:
        self._ready()
        return tuple(self.world.routes[name] for name in sorted(self.world.routes))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:
        self._ready()
        if endpoint_id is not None:
            return self.world.open_requests_by_copy.get((group_id, endpoint_id), 0)
        return self.world.open_requests.get(group_id, 0)

    def forget(self, group_id: str, *, revision: int) -> None:
        self._ready()
        self._fence(revision)
        route = self.world.routes.get(group_id)
        if route is not None and (route.serves or self.world.open_requests.get(group_id, 0)):
            raise RefusedError(f"group {group_id} still has traffic or open requests")
        if self.fault is not Fault.LYING:
            self.world.routes.pop(group_id, None)

    def inject(self, faults: tuple[InjectedFault, ...]) -> None:
        if len({one.group_id for one in faults}) != len(faults) or any(one.needs - {*self.faults} for one in faults):
            raise InvalidValue("that cannot be injected here")
        self._ready()
        if self.fault is not Fault.LYING:
            self._changing()
            self.world.faults = {one.group_id: one for one in faults}

    def injected(self, now_us: int) -> tuple[InjectedFault, ...]:
        self._ready()
        found = (self.world.faults[name] for name in sorted(self.world.faults))
        return tuple(one for one in found if now_us < one.until_us)

    def close(self, *, revision: int) -> None:
        suffer(self.fault, self._clock, "the proxy")
        self._check_fence(revision)
        if self.world.running:
            self._fence(revision)
            self.kill()

    def kill(self) -> None:
        """The proxy ends; its routes stay saved."""
        self._changing()
        self.world.running = False
        self.world.open_requests.clear()
        self.world.faults.clear()

    def _ready(self) -> None:
        suffer(self.fault, self._clock, "the proxy")
        if not self.world.running:
            raise UnavailableError("the proxy does not run", todo="open the environment's traffic again")

    def _changing(self) -> None:
        for tell in self.world.before_change:
            tell()

    def _fence(self, revision: int) -> None:
        self._check_fence(revision)
        self.world.revision = revision

    def _check_fence(self, revision: int) -> None:
        if revision < self.world.revision:
            raise RefusedError(f"revision {revision} is older than {self.world.revision}, which was seen here already")


def _check(routes: tuple[Route, ...], *, splits: bool) -> None:
    ids = [checked_group_id(route.group_id) for route in routes]
    if len(set(ids)) != len(ids):
        raise InvalidValue("a group stands twice in the route set")
    if not all(0 <= route.share <= 1 for route in routes) or abs(sum(route.share for route in routes) - 1) > 1e-6:
        raise InvalidValue("shares are from 0 to 1 and sum to 1")
    if not splits and any(0 < route.share < 1 for route in routes):
        raise InvalidValue("this one switches: a share is 0 or 1")
    for route in routes:
        ids = [checked_group_id(endpoint.id) for endpoint in route.endpoints]
        if len(set(ids)) != len(ids):
            raise InvalidValue(f"an endpoint of {route.group_id} stands twice in the route set")
