"""The Traffic port: which instance gets how much of the traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.ports.target import Role


@dataclass(frozen=True, slots=True)
class Route:
    """An instance behind the proxy. `share` is its part of the traffic, 0 to 1; a route set's shares sum to 1."""

    instance_id: str
    role: Role
    version: str
    address: str
    share: float


class Traffic(Protocol):
    """The splitter in front of one environment. `revision` fences as in the Target port."""

    api_version: int

    def open(self) -> None:
        """Make sure that the proxy runs, with the routes that it had last. Idempotent. A port in use: ShiplineError."""
        ...

    def address(self) -> str:
        """host:port on which users are served."""
        ...

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Make exactly these routes hold, and return once they were read back. Idempotent.

        An instance that is left out gets share 0 and takes no new request; it stays known until `forget`.
        Loses no request by itself.
        """
        ...

    def routes(self) -> tuple[Route, ...]:
        """What the proxy does now, read from the proxy (not from memory), shares as they are in effect."""
        ...

    def open_requests(self, instance_id: str) -> int:
        """Requests of this instance that are being served or queued now; 0 for an unknown instance."""
        ...

    def forget(self, instance_id: str, *, revision: int) -> None:
        """Remove an instance that has share 0 and no open request; RefusedError otherwise. Idempotent."""
        ...

    def close(self) -> None:
        """Stop the proxy; nothing where none runs."""
        ...
