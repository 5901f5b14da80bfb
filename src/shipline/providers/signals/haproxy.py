"""Counts from HAProxy's own access log: every request, with its latency and its client, not averages.

The log is written whether or not an engine runs, so nothing is lost when one dies. A cursor is (generation, offset)
in the bounded log that `clients/log_keeper.py` writes; what was rolled away before anybody read it is not counted.
Requests that never reached an instance (a client's bad request, no instance there) belong to no role and count
nowhere. Latency is the total active time in whole milliseconds, which is the histogram's first edge.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from shipline.clients.haproxy_files import ServedRequest, decoded, parsed_line, proxy_process
from shipline.clients.log_keeper import generation_path, generations
from shipline.domain.errors import InvalidValue, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.signals import EDGES_S, CountedGroup, Counts, Reading
from shipline.ports.target import Role

READ_BYTES_MAX = 4 << 20  # about 80,000 requests, which take about half a second
CURSOR = re.compile(r"([0-9]{1,20}):([0-9]{1,15})")
K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Tally:
    """Counts in the making."""

    requests: int = 0
    errors: int = 0
    failed_clients: set[str] = field(default_factory=set)
    histogram: list[int] = field(default_factory=lambda: [0] * (len(EDGES_S) + 1))

    def add(self, request: ServedRequest) -> None:
        """Count one request; one without a latency never became complete and stands in no bucket."""
        self.requests += 1
        if request.failed:
            self.errors += 1
            self.failed_clients.add(request.client)
        if request.latency_ms is not None:
            self.histogram[bisect_left(EDGES_S, request.latency_ms / 1000)] += 1

    def counts(self) -> Counts:
        """The counts as a value."""
        return Counts(self.requests, self.errors, len(self.failed_clients), tuple(self.histogram))


class Tallies(Generic[K]):
    """A tally for each of `keys`, and for each other key that occurs."""

    def __init__(self, keys: tuple[K, ...] = ()) -> None:
        self._by_key: dict[K, Tally] = {key: Tally() for key in keys}

    def __getitem__(self, key: K) -> Tally:
        """The tally of `key`, begun at its first use."""
        return self._by_key.setdefault(key, Tally())

    def counts(self) -> dict[K, Counts]:
        """All counts by key."""
        return {key: tally.counts() for key, tally in self._by_key.items()}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the log: the end of a whole line."""

    generation: int
    offset: int

    @classmethod
    def parsed(cls, cursor: str) -> Position:
        """Read a cursor; InvalidValue for anything that `Signals` did not give out."""
        found = CURSOR.fullmatch(cursor)
        if found is None:
            raise InvalidValue(f"{cursor[:80]!r} is not a cursor of the access log")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.generation}:{self.offset}"


class HAProxySignals:
    """Reads the log of the proxy that HAProxyTraffic runs in the same state folder."""

    api_version = 2
    traffic = "haproxy"
    delay_s = 0.0

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Nothing to set: the log lies where the traffic provider of the environment has it written."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._process = proxy_process(context.state, context.clock)

    def cursor(self) -> str:
        """The place after the last line that was written."""
        log = self._process.log_folder
        for number in reversed(generations(log)):
            try:
                return str(Position(number, generation_path(log, number).stat().st_size))
            except FileNotFoundError:
                continue
        return str(Position(0, 0))

    def read(self, cursor: str, groups: tuple[CountedGroup, ...]) -> Reading:  # noqa: ARG002 - each line names its group
        """What was served since `cursor`; at most READ_BYTES_MAX of log, the rest comes with the next reading.

        UnavailableError while requests are served and nobody writes them down: that is not the same as no traffic.
        """
        if self._process.pid() is not None and self._process.keeper_pid() is None:
            raise UnavailableError(
                "what the proxy serves is not being written down", todo="open the environment's traffic again"
            )
        position, lines = _lines_since(self._process.log_folder, Position.parsed(cursor))
        roles, versions = Tallies(tuple(Role)), Tallies[str]()
        for request in map(parsed_line, lines):
            name = decoded(request.server) if request is not None else None
            if request is not None and name is not None:
                roles[name.role].add(request)
                versions[name.version].add(request)
        return Reading(cursor=str(position), roles=roles.counts(), versions=versions.counts())

    def trouble(self, groups: tuple[CountedGroup, ...]) -> str:  # noqa: ARG002 - as above
        """Nothing: the proxy writes down whatever it serves."""
        return ""


def _lines_since(log: Path, start: Position) -> tuple[Position, list[bytes]]:
    """The whole lines after `start`, at most about READ_BYTES_MAX, and the place after the last of them."""
    position, lines, room = start, list[bytes](), READ_BYTES_MAX
    for number in generations(log):
        offset = start.offset if number == start.generation else 0
        if number < start.generation or room <= 0:
            continue
        try:
            with generation_path(log, number).open("rb") as stream:
                stream.seek(offset)
                block = stream.read(room)
        except FileNotFoundError:
            continue  # Rolled away since the folder was listed.
        whole = block.rfind(b"\n") + 1
        lines += block[:whole].split(b"\n")
        position = Position(number, offset + whole)
        room -= len(block)
    return position, lines
