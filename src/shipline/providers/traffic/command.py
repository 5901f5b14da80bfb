"""Any proxy, through six programs of the user's own: `open`, `apply`, `routes`, `open_requests`, `forget` and `close`.

Each is given a JSON document and does one thing (`docs/reference/command-protocol.md`). The proxy's own state is what
`routes` tells; after `apply` it is read back and compared. Late calls are fenced off here, and route sets are checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeVar

from shipline.clients.durable_state import LOCK_TIMEOUT_S, DurableState, check_fence
from shipline.clients.json_program import Surroundings, ask, checked_command, not_understood, tell
from shipline.clients.route_sets import ROUTES_MAX, check_routes, merged, mismatches
from shipline.domain.codec import to_json
from shipline.domain.errors import ConfigurationError, RefusedError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import checked_group_id
from shipline.ports.traffic import Route

REQUEST = "shipline.traffic-request/1"
ROUTES = "shipline.traffic-routes/1"
OPEN_REQUESTS = "shipline.traffic-open-requests/1"
TIMEOUT_S_MAX = 3600
T = TypeVar("T")
ADDRESS = re.compile(r"[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9a-fA-F:]{2,39}\]:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class RoutesAnswer:
    """What `routes` prints."""

    schema: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class OpenRequestsAnswer:
    """What `open_requests` prints."""

    schema: str
    open_requests: int


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """What the state file holds: the newest revision."""

    revision: int = 0


class CommandTraffic:
    """The splitter of one environment, by programs."""

    api_version = 4
    faults: tuple[str, ...] = ()

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which programs, and what they can do.

        `open`, `apply`, `routes`, `open_requests`, `forget` and `close` are lists of arguments, no shell, run at the
        top of the repository. `address` is where users are served, host:port. `splits`, `previews` and `mirrors` say
        whether there are shares between 0 and 1, previews by request, and copies of requests. `credentials` names the
        environment variables that they get though they look like secrets. `timeout_s` bounds each of them, in seconds.
        """

        open: tuple[str, ...]
        apply: tuple[str, ...]
        routes: tuple[str, ...]
        open_requests: tuple[str, ...]
        forget: tuple[str, ...]
        close: tuple[str, ...]
        address: str
        splits: bool = False
        previews: bool = False
        mirrors: bool = False
        credentials: tuple[str, ...] = ()
        timeout_s: int = 30

        def __post_init__(self) -> None:
            """Refuse commands that are none, and what is no address and no time."""
            for name in ("open", "apply", "routes", "open_requests", "forget", "close"):
                checked_command(name, getattr(self, name))
            if not ADDRESS.fullmatch(self.address) or not 0 < int(self.address.rpartition(":")[2]) < 65536:
                raise ConfigurationError(f"address: {self.address[:80]!r} is not a host and a port")
            if not 0 < self.timeout_s <= TIMEOUT_S_MAX:
                raise ConfigurationError(f"timeout_s is 1 to {TIMEOUT_S_MAX} seconds")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self.splits, self.previews, self.mirrors = settings.splits, settings.previews, settings.mirrors
        self._around = Surroundings(context.root, context.environment, settings.credentials)
        # An apply asks three times while it holds the lock.
        lock_timeout_s = 3 * settings.timeout_s + LOCK_TIMEOUT_S
        path = context.state / "traffic.json"
        self._state = DurableState(path, SavedTraffic(), context.clock, lock_timeout_s=lock_timeout_s)

    def claim(self, *, revision: int) -> None:
        """Note the number in the state file; no program is asked."""
        with self._state.locked():
            self._fence(revision)

    def open(self, *, revision: int) -> None:
        """Have the proxy run, with the routes that it had last."""
        with self._state.locked():
            self._fence(revision)
            self._tell(self._settings.open, "open", {"revision": revision})

    def address(self) -> str:
        """host:port on which users are served."""
        return self._settings.address

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Hand over the whole set, groups that are left out with share 0, and read it back."""
        check_routes(routes, splits=self.splits, previews=self.previews, mirrors=self.mirrors)
        with self._state.locked():
            self._fence(revision)
            wanted = merged({route.group_id: route for route in self.routes()}, routes)
            handed = [to_json(wanted[name]) for name in sorted(wanted)]
            self._tell(self._settings.apply, "apply", {"routes": handed, "revision": revision})
            wrong = mismatches(wanted, {route.group_id: route for route in self.routes()})
        if wrong:
            raise UnavailableError("the proxy does not hold the routes that it was given", why="; ".join(wrong))

    def routes(self) -> tuple[Route, ...]:
        """What the proxy tells, by group."""
        command = self._settings.routes
        answer = self._ask(command, "routes", {}, RoutesAnswer)
        ids = [route.group_id for route in answer.routes]
        if answer.schema != ROUTES or len(ids) > ROUTES_MAX or len(set(ids)) != len(ids):
            raise not_understood(command, f"schema is {ROUTES!r}, with at most {ROUTES_MAX} routes of different groups")
        if not all(0 <= route.share <= 1 for route in answer.routes):
            raise not_understood(command, "a share is from 0 to 1")
        return tuple(sorted(answer.routes, key=lambda route: route.group_id))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:
        """What the proxy tells."""
        command = self._settings.open_requests
        what = {"group_id": group_id, "endpoint_id": endpoint_id}
        answer = self._ask(command, "open_requests", what, OpenRequestsAnswer)
        if answer.schema != OPEN_REQUESTS or answer.open_requests < 0:
            raise not_understood(command, f"schema is {OPEN_REQUESTS!r}, and the number 0 or more")
        return answer.open_requests

    def forget(self, group_id: str, *, revision: int) -> None:
        """Have a group forgotten that gets no request and has no open one."""
        checked_group_id(group_id)
        with self._state.locked():
            self._fence(revision)
            route = {route.group_id: route for route in self.routes()}.get(group_id)
            if route is None:
                return
            if route.serves or route.mirror or self.open_requests(group_id) > 0:
                raise RefusedError(f"group {group_id} still has traffic or open requests")
            self._tell(self._settings.forget, "forget", {"group_id": group_id, "revision": revision})

    def close(self, *, revision: int) -> None:
        """Have the proxy stopped."""
        with self._state.locked():
            self._fence(revision)
            self._tell(self._settings.close, "close", {"revision": revision})

    def _fence(self, revision: int) -> None:
        """Note the number, before a program is asked: who is late is refused whatever comes of that."""
        seen = self._state.read().revision
        check_fence(seen, revision)
        if seen < revision:
            self._state.write(SavedTraffic(revision))

    def _tell(self, command: tuple[str, ...], action: str, what: dict[str, Any]) -> None:
        tell(command, _request(action, what), self._around, timeout_s=self._settings.timeout_s)

    def _ask(self, command: tuple[str, ...], action: str, what: dict[str, Any], kind: type[T]) -> T:
        return ask(command, _request(action, what), self._around, kind, timeout_s=self._settings.timeout_s)


def _request(action: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"schema": REQUEST, "action": action, **what}
