"""The outside of a simulated world: fakes that are watched for what must never happen, and the troubles on their way.

A watched fake is the truth, one for all nodes. Each node reaches it through a `Way` of its own, where calls fail, hang,
are lost or lied about, and where its process can die or stand still.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError
from shipline.ports.clock import Clock
from shipline.ports.target import Group, GroupSpec, Role
from shipline.ports.traffic import Route
from shipline.testing.fakes.faults import Fault
from shipline.testing.fakes.target import FakeTarget, TargetWorld
from shipline.testing.fakes.traffic import FakeTraffic, TrafficWorld
from tests.simulation.scenario import EFFECTS, READS, Episode

Breach = Callable[[str], None]


class WatchedTraffic(FakeTraffic):
    """A splitter that notices a weight that rises twice at one fencing number.

    Its requests take their time: who gets no new one still has open ones for `drain_s`.
    """

    def __init__(
        self, clock: Clock, world: TrafficWorld, steady_s: Callable[[], float], drain_s: float, breach: Breach
    ) -> None:
        super().__init__(clock, world)
        self._breach = breach
        self._last = (0, 1.0)
        self._steady_s = steady_s
        self._drain_s = drain_s
        self._ends_s: dict[tuple[str, str | None], float] = {}

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        before = self._served()
        super().apply(routes, revision=revision)
        weight = sum(route.share for route in routes if route.role is Role.CANARY)
        if revision == self._last[0] and weight > self._last[1]:
            self._breach(f"the weight rose to {weight:.1%} a second time within revision {revision}")
        self._last = (revision, weight)
        for left in before - self._served():
            self._ends_s[left] = self._steady_s() + self._drain_s

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:
        self._ready()
        return self.still_open(group_id, endpoint_id)

    def still_open(self, group_id: str, endpoint_id: str | None = None) -> int:
        """Open requests, whether or not anybody could ask."""
        if not self.world.running:
            return 0
        one = (group_id, endpoint_id)
        return int(one in self._served() or self._steady_s() < self._ends_s.get(one, 0.0))

    def forget(self, group_id: str, *, revision: int) -> None:
        self._ready()
        self._fence(revision)
        if self.still_open(group_id):
            raise RefusedError(f"group {group_id} still has traffic or open requests")
        self.world.routes.pop(group_id, None)

    def kill(self) -> None:
        super().kill()
        self._ends_s.clear()

    def _served(self) -> set[tuple[str, str | None]]:
        routes = [route for route in self.world.routes.values() if route.serves]
        copies: set[tuple[str, str | None]] = {(route.group_id, one.id) for route in routes for one in route.endpoints}
        return copies | {(route.group_id, None) for route in routes}


class WatchedTarget(FakeTarget):
    """A target that notices a copy being stopped while it may still serve."""

    def __init__(self, clock: Clock, world: TargetWorld, traffic: WatchedTraffic, breach: Breach) -> None:
        super().__init__(clock, world)
        self._traffic = traffic
        self._breach = breach

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        before = self._numbers(spec.id)
        seen = super().run(spec, revision=revision, leaving=leaving)
        for gone in before - self._numbers(spec.id):
            if self._traffic.still_open(spec.id, gone):
                self._breach(f"copy {gone} of {spec.id} was stopped while it served")
        return seen

    def stop(self, group_id: str, *, revision: int) -> None:
        living = self._numbers(group_id)
        super().stop(group_id, revision=revision)
        if living and self._traffic.still_open(group_id):
            self._breach(f"{group_id} was stopped while it served")

    def _numbers(self, group_id: str) -> set[str]:
        group = self.world.groups.get(group_id)
        return set() if group is None else {str(number) for number in group.copies}


class Surroundings(Protocol):
    """What a way through the world passes: places to die or stand still, and troubles."""

    def pass_point(self, name: str) -> None:
        """A place where the process can die, or stand still."""
        ...

    def trouble(self, port: str, *, is_effect: bool) -> Episode | None:
        """What this call suffers."""
        ...

    def hang(self, seconds: float) -> None:
        """The call takes so long, and the process goes on beside it."""
        ...

    def watched(self, what: str, call: Callable[[], Any], revision: int | None) -> Any:
        """Carry a call with this fencing number out, and see whether it may have an effect."""
        ...


class Way:
    """A node's way to a provider."""

    def __init__(self, provider: Any, port: str, around: Surroundings) -> None:
        self._provider = provider
        self._port = port
        self._around = around

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        if name not in EFFECTS[self._port] | READS[self._port]:
            return found
        is_effect, what = name in EFFECTS[self._port], f"{self._port}.{name}"

        def call(*args: Any, **kwargs: Any) -> Any:
            if is_effect:
                self._around.pass_point(f"before {what}")
            answer = self._suffer(
                name, lambda: self._around.watched(what, lambda: found(*args, **kwargs), kwargs.get("revision")), what
            )
            if is_effect:
                self._around.pass_point(f"after {what}")
            return answer

        return call

    def _suffer(self, name: str, call: Callable[[], Any], what: str) -> Any:
        episode = self._around.trouble(what, is_effect=name in EFFECTS[self._port])
        match None if episode is None else episode.kind:
            case None:
                return call()
            case "down":
                raise UnavailableError(f"{what} does not answer")
            case "refuse":
                raise ShiplineError(f"{what} is refused")
            case "bug":
                raise KeyError(what)
            case "lie" if name == "run":
                return self._lied(call)
            case "lie":
                return None
            case "hang":
                self._around.hang(_amount(episode))
                raise UnavailableError(f"{what} did not answer in time")
            case "late":
                self._around.hang(_amount(episode))
                return call()
            case _:
                call()
                raise UnavailableError(f"what {what} answered is lost")

    def _lied(self, call: Callable[[], Any]) -> Any:
        self._provider.fault = Fault.LYING
        try:
            return call()
        finally:
            self._provider.fault = None


def _amount(episode: Episode | None) -> float:
    return 0.0 if episode is None else episode.amount_s
