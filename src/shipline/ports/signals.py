"""The Signals port: what the traffic experienced, as counts per role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shipline.ports.target import Role

API_VERSION = 2

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
class CountedGroup:
    """A group whose requests are asked for, and the role that they are counted for: it may have begun in another."""

    role: Role
    package: str
    version: str
    group_id: str


@dataclass(frozen=True, slots=True)
class Window:
    """The time that counts were made in, where copies are not all counted at the same moment.

    After `since_us`, up to and with `until_us`, in UTC microseconds; the same where nothing was counted yet. `least`
    are by role the counts that surely were made in it, `most` those that may have been: never more than in `roles` of
    the reading, and never less.
    """

    since_us: int
    until_us: int
    least: dict[Role, Counts]
    most: dict[Role, Counts]


@dataclass(frozen=True, slots=True)
class Reading:
    """Counts by role, and by version for people, and the cursor to read on from (opaque, survives a restart).

    Every request is in the counts of one reading, and only one, of those that follow each other. `window` is None where
    all of it was counted up to the moment of reading, for every role alike.
    """

    cursor: str
    roles: dict[Role, Counts]
    versions: dict[str, Counts]
    window: Window | None = None


class Signals(Protocol):
    """A source of counts for one environment.

    `traffic` names the only traffic provider that the counts can come from, "" where that does not matter. `delay_s` is
    how many seconds after it was served a request is counted at the latest.
    """

    api_version: int
    traffic: str
    delay_s: float

    def cursor(self) -> str:
        """The cursor of now: reading from it gives only what comes later."""
        ...

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        """What these groups have served since `cursor`, each role in `roles`. A source that knows who served a request
        may give others, too. Where groups are counted at moments of their own, those of the first group are kept to.

        The same cursor may be read again. No traffic is zero counts, not an error. UnavailableError where nobody knows
        what was served; other errors where the source does not answer with counts.
        """
        ...

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:
        """Why groups that serve now could not be counted, for people; "" where nothing speaks against it.

        UnavailableError, for people too, where nobody knows yet.
        """
        ...
