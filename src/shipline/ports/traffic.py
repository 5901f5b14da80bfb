"""The Traffic port: which group gets how much of the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.ports.target import Endpoint, Role


@dataclass(frozen=True, slots=True)
class Route:
    """A group behind the proxy. `share` is its part of the traffic, 0 to 1; a route set's shares sum to 1.

    Within the group the share is spread evenly over `endpoints`, whose order means nothing. They are empty where the
    platform finds the copies of a group by itself; a splitter that needs addresses refuses such a route (InvalidValue)
    unless its share is 0.
    """

    group_id: str
    role: Role
    version: str
    share: float
    endpoints: tuple[Endpoint, ...]


class Traffic(Protocol):
    """The splitter in front of one environment. `revision` fences as in the Target port.

    `splits` says what it can do: True for any share, False for 0 and 1 only, where a canary cannot be had; a route
    set with another share is an InvalidValue then.
    """

    api_version: int
    splits: bool

    def open(self) -> None:
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

    def open_requests(self, group_id: str) -> int:
        """Requests of this group that are being served or queued now; 0 for an unknown group."""
        ...

    def forget(self, group_id: str, *, revision: int) -> None:
        """Remove a group that has share 0 and no open request; RefusedError otherwise. Idempotent."""
        ...

    def close(self) -> None:
        """Stop the proxy; nothing where none runs."""
        ...
