"""The Signals port: what the traffic experienced, as counts per role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.ports.target import Role

API_VERSION = 1

# Upper edges of the latency histogram, in seconds; one more bucket takes what is above the last edge.
# A geometric grid from 1 ms to about 60 s, 15% wide: quantiles are right within that width.
EDGES_S: tuple[float, ...] = tuple(round(0.001 * 1.15**step, 6) for step in range(80))


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one role since the last reading.

    `errors` counts failed requests (5xx, and requests that the copy did not answer), `error_clients` the same
    with at most one failure a client, `histogram` has len(EDGES_S) + 1 counts of requests by latency.
    """

    requests: int
    errors: int
    error_clients: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts by role, and by version for people, and the cursor to read on from (opaque, survives a restart)."""

    cursor: str
    roles: dict[Role, Counts]
    versions: dict[str, Counts]


class Signals(Protocol):
    """A source of counts for one environment."""

    api_version: int

    def cursor(self) -> str:
        """The cursor of now: reading from it gives only what comes later."""
        ...

    def read(self, cursor: str) -> Reading:
        """What has come since `cursor`. The same cursor may be read again. No traffic is zero counts, not an error."""
        ...
