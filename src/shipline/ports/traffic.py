"""The Traffic port: which group gets how much of the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shipline.domain.errors import InvalidValue, UnavailableError
from shipline.ports.target import Endpoint, Role, checked_group_id

API_VERSION = 4
ERRORS, LATENCY = "errors", "latency"
"""What a splitter can inject: answers that fail, and answers that come late."""
LATENCY_MS_MAX = 30_000


@dataclass(frozen=True, slots=True)
class Route:
    """A group behind the proxy. `share` is its part of the traffic, 0 to 1; a route set's shares sum to 1.

    Within the group the share is spread evenly over `endpoints`, whose order means nothing. They are empty where the
    platform finds the copies of a group by itself; a splitter that needs addresses refuses such a route (InvalidValue)
    unless its share is 0. With `preview` the group also gets every request that asks for the preview, beside its share
    and whatever that is; with `mirror` it also gets a copy of every request, and its answers go nowhere. A set has one
    such route at most.
    """

    group_id: str
    role: Role
    version: str
    share: float
    endpoints: tuple[Endpoint, ...]
    preview: bool = False
    mirror: bool = False

    @property
    def serves(self) -> bool:
        """True if the group gets any request."""
        return self.share > 0 or self.preview or self.mirror


class UnderWay(UnavailableError):
    """What was applied goes on by itself, and is not in effect yet: the same call tells when it is.

    `what` says what is waited for. `after_s` are the seconds after which it is worth asking again.
    """

    def __init__(self, what: str, *, after_s: float) -> None:
        super().__init__(what)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What is done on purpose to the answers of one group while it has this role, for a rehearsal.

    `errors` is the part of them that become a 500, 0 to 1; `latency_ms` is how much later each of them comes, 0 to
    LATENCY_MS_MAX. From `until_us` on (UTC microseconds, kept to the second above it) nothing is done any more,
    nor once the group has another role: a canary that is promoted fails nobody.
    """

    group_id: str
    role: Role
    until_us: int
    errors: float = 0.0
    latency_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no fault, or no group's."""
        checked_group_id(self.group_id)
        if not (0.0 <= self.errors <= 1.0 and 0 <= self.latency_ms <= LATENCY_MS_MAX):
            raise InvalidValue(f"a fault fails a part from 0 to 1, and delays by at most {LATENCY_MS_MAX} ms")
        if self.errors == 0.0 and self.latency_ms == 0:
            raise InvalidValue("a fault that does nothing is none")

    @property
    def needs(self) -> frozenset[str]:
        """What a splitter must be able to inject for it."""
        return frozenset(({ERRORS} if self.errors else set()) | ({LATENCY} if self.latency_ms else set()))


class Traffic(Protocol):
    """The splitter in front of one environment. `revision` fences as in the Target port: who comes late leads nobody
    elsewhere, and neither lets the proxy run nor stops it. What changes something notes its number; an `open` or a
    `close` that finds it done already need not. Whoever takes a step over makes sure of it by `claim`.

    What it can do, and what is an InvalidValue in a route set otherwise: `splits` is True for any share, False for 0
    and 1 only, where a canary cannot be had; `previews` tells that requests may ask for a preview (by a header that
    the provider's settings name), `mirrors` that requests can be copied. `faults` are those of ERRORS and LATENCY that
    it can inject, and with any of them it is a Faulty; who has no such attribute can inject none.

    One whose switch goes on for longer than a call is Lengthy; one that holds back the version that it was led away
    from is Holding.
    """

    api_version: int
    splits: bool
    previews: bool
    mirrors: bool
    faults: tuple[str, ...]

    def claim(self, *, revision: int) -> None:
        """Note the number and change nothing else, whether or not the proxy runs: nobody with an older one has any
        effect from now on. Idempotent. UnavailableError where it could not be noted."""
        ...

    def open(self, *, revision: int) -> None:
        """Make sure that the proxy runs, with the routes that it had last. Idempotent. A port in use: ShiplineError."""
        ...

    def address(self) -> str:
        """host:port on which users are served."""
        ...

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Make exactly these routes hold, and return once they were read back. Idempotent.

        A group that is left out gets share 0 and takes no new request; it stays known until `forget`. So does an
        endpoint that a group does not have any more, until its requests have ended. An endpoint may change its
        address. Loses no request by itself.
        """
        ...

    def routes(self) -> tuple[Route, ...]:
        """What the proxy does now by group, read from the proxy (not from memory), shares as they are in effect."""
        ...

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:
        """Requests of this group, or of this copy of it, that are being served or queued now; 0 for an unknown one."""
        ...

    def forget(self, group_id: str, *, revision: int) -> None:
        """Remove a group that gets no request and has no open one; RefusedError otherwise. Idempotent."""
        ...

    def close(self, *, revision: int) -> None:
        """Stop the proxy; nothing where none runs."""
        ...


class Faulty(Traffic, Protocol):
    """A splitter that can make a group's answers fail, or come late. Whatever becomes of Shipline, a fault ends: the
    proxy itself keeps to its deadline, and one that is started anew has none."""

    def inject(self, faults: tuple[InjectedFault, ...]) -> None:
        """Make exactly these faults hold, one a group at most, and return once they were read back; () ends all.

        Idempotent. It changes no route, and who comes late does no harm: a fault whose time is over does nothing.
        InvalidValue for what `faults` does not name; UnavailableError where no proxy runs, which has no fault either.
        """
        ...

    def injected(self, now_us: int) -> tuple[InjectedFault, ...]:
        """The faults that the proxy has and whose time is not over, by group, read from the proxy."""
        ...


@runtime_checkable
class Lengthy(Protocol):
    """What a Traffic has, too, whose `apply` raises UnderWay until the routes are in effect."""

    @property
    def switch_s(self) -> int:
        """How many seconds that may take."""
        ...


@runtime_checkable
class Holding(Protocol):
    """What a Traffic has, too, that does not bring the version again which it was led away from."""

    def held(self) -> str:
        """That version, "" for none."""
        ...


@runtime_checkable
class Lasting(Protocol):
    """What a Traffic has, too, behind which something stands that outlives the groups, and costs."""

    def tear_down(self, *, revision: int) -> None:
        """Take away what stands, where the settings say so; nothing otherwise. The traffic has been closed before, and
        the groups are still there. Idempotent; UnavailableError while it goes on.
        """
        ...
