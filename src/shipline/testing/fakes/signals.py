"""Traffic that is simulated by the routes of a FakeTraffic: repeatable from a seed, a day of it in moments.

Requests arrive evenly at a rate and are split by the shares in effect; failures are drawn at random by version;
latencies follow a log-normal curve by version, dealt out to the buckets without noise. Counts may come late.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass

from shipline.domain.errors import InvalidValue
from shipline.ports.clock import Clock
from shipline.ports.signals import EDGES_S, CountedGroup, Counts, Reading, Window
from shipline.ports.target import Role
from shipline.ports.traffic import Route
from shipline.testing.fakes.faults import Fault, suffer
from shipline.testing.fakes.traffic import TrafficWorld

BUCKETS = len(EDGES_S) + 1
EXACT_MAX = 2_000  # Up to here failures are drawn one by one; beyond, the normal approximation is good enough.
CURSOR = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a version behaves: part of its requests that fail, 0 to 1, and its latency as median and log deviation."""

    error_rate: float = 0.0
    latency_s: float = 0.02
    latency_sigma: float = 0.5


@dataclass(frozen=True, slots=True)
class Served:
    """What one group served between two moments, the later of which is `until_us`."""

    until_us: int
    role: Role
    version: str
    counts: Counts


class Users:
    """Who makes the requests: a simulation over the routes of `traffic`, which outlives a FakeSignals.

    `requests_per_s` and `behaviours` (by version; who is not named never fails) may change as a test runs.
    """

    def __init__(self, traffic: TrafficWorld, clock: Clock, *, seed: int, requests_per_s: float = 50.0) -> None:
        self.requests_per_s = requests_per_s
        self.clients = 1_000
        self.behaviours: dict[str, Behaviour] = {}
        self._traffic = traffic
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
        self._served: list[Served] = []
        self._until_us = clock.now_us()
        self._owed: dict[str, float] = {}
        traffic.before_change.append(self._catch_up)

    def served(self) -> list[Served]:
        """All that was served up to now, oldest first."""
        self._catch_up()
        return self._served

    def serve(self, role: Role, version: str, *, requests: int, errors: int) -> None:
        """Exactly these requests are served now, beside those that the rate brings."""
        self._catch_up()
        self._served.append(Served(self._until_us, role, version, self._counts(version, requests, errors)))

    def _catch_up(self) -> None:
        """Simulate what came since the last time, by the routes that have held since then."""
        now_us = self._clock.now_us()
        elapsed_s, self._until_us = (now_us - self._until_us) / 1_000_000, now_us
        if not self._traffic.running:
            return
        for name, route in sorted(self._traffic.routes.items()):
            due = self._owed.get(name, 0.0) + route.share * self.requests_per_s * elapsed_s
            self._owed[name] = due - int(due)
            if int(due):
                self._served.append(self._served_by(route, int(due)))

    def _served_by(self, route: Route, requests: int) -> Served:
        rate = self.behaviours.get(route.version, Behaviour()).error_rate
        if self._traffic.acts(route.group_id, self._until_us):
            rate = rate + (1 - rate) * self._traffic.faults[route.group_id].errors
        counts = self._counts(route.version, requests, self._draw(requests, rate))
        return Served(self._until_us, route.role, route.version, counts)

    def _draw(self, requests: int, rate: float) -> int:
        if requests <= EXACT_MAX:
            return sum(self._random.random() < rate for _ in range(requests))
        drawn = self._random.gauss(requests * rate, math.sqrt(requests * rate * (1 - rate)))
        return min(requests, max(0, round(drawn)))

    def _counts(self, version: str, requests: int, errors: int) -> Counts:
        drawn = min(errors, EXACT_MAX)
        failed = len({self._random.randrange(self.clients) for _ in range(drawn)})
        return Counts(requests, errors, failed, _dealt(requests, self.behaviours.get(version, Behaviour())))


class FakeSignals:
    """The Signals port over Users. Set `fault` to inject one; LYING reports every request as a success.

    With a `delay_s` it tells of what was served that long ago, and in windows. `uncounted` is the trouble that it has
    with any group.
    """

    api_version = 2
    traffic = ""

    def __init__(self, users: Users, clock: Clock, *, delay_s: float = 0.0) -> None:
        self.fault: Fault | None = None
        self.uncounted = ""
        self.delay_s = delay_s
        self._users = users
        self._clock = clock

    def cursor(self) -> str:
        suffer(self.fault, self._clock, "the log")
        return str(len(self._users.served()))

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:
        suffer(self.fault, self._clock, "the log")
        if not CURSOR.fullmatch(cursor):
            raise InvalidValue(f"{cursor[:80]!r} is not a cursor")
        start, everything = int(cursor), self._users.served()
        known_us = self._clock.now_us() - int(self.delay_s * 1_000_000)
        served = [item for item in everything[start:] if item.until_us <= known_us]
        versions = sorted({item.version for item in served})
        roles = {role: self._total([item for item in served if item.role is role]) for role in Role}
        return Reading(
            cursor=str(start + len(served)),
            roles=roles,
            versions={name: self._total([item for item in served if item.version == name]) for name in versions},
            window=self._window(everything[:start], served, roles) if self.delay_s else None,
        )

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:
        suffer(self.fault, self._clock, "the log")
        return self.uncounted

    def _window(self, before: list[Served], served: list[Served], roles: dict[Role, Counts]) -> Window:
        since_us = before[-1].until_us if before else 0
        return Window(since_us, served[-1].until_us if served else since_us, roles, roles)

    def _total(self, served: list[Served]) -> Counts:
        counts = [item.counts for item in served]
        honest = self.fault is not Fault.LYING
        return Counts(
            requests=sum(item.requests for item in counts),
            errors=sum(item.errors for item in counts) if honest else 0,
            error_clients=min(self._users.clients, sum(item.error_clients for item in counts)) if honest else 0,
            histogram=tuple(sum(item.histogram[bucket] for item in counts) for bucket in range(BUCKETS)),
        )


def _dealt(requests: int, behaviour: Behaviour) -> tuple[int, ...]:
    """`requests` spread over the buckets along the log-normal curve; the rounding is carried on, so none is lost."""
    below = [_part_below(edge, behaviour) for edge in EDGES_S] + [1.0]
    ends = [round(requests * part) for part in below]
    return tuple(end - start for start, end in zip([0, *ends[:-1]], ends, strict=True))


def _part_below(edge_s: float, behaviour: Behaviour) -> float:
    deviations = math.log(edge_s / behaviour.latency_s) / behaviour.latency_sigma
    return 0.5 * (1 + math.erf(deviations / math.sqrt(2)))
