"""Requests over HTTP/1.1, each on a connection of its own, by a schedule that no answer changes.

Each request draws its path and its client. Taken in turn they would beat against the turns that a proxy gives its
servers: a canary would get other paths than the baseline that it is compared with, time after time.

A client is told by its address: on this machine's loopback network, where the system has all of it (Linux), each client
has one of its own; where a proxy reads a header instead, they are those of RFC 2544's network for benchmarks. Answers
are read up to a bound, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from shipline.ports.load import CLIENTS, USER_AGENT, LoadPlan, LoadReport
from shipline.ports.provider import ProviderContext

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 1 << 20
LOOK_EVERY_S = 0.25
# A schedule that has fallen behind by more, on a machine that was asleep, is not made up for.
BEHIND_S_MAX = 1.0


@dataclass(slots=True)
class _Tally:
    """What a load has come to, and the requests that are open."""

    due: int = 0
    skipped: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    open: set[asyncio.Task[None]] = field(default_factory=set)

    def report(self) -> LoadReport:
        failed = sum(count for status, count in self.statuses.items() if status == 0 or status >= 500)
        by_status = {str(status): count for status, count in sorted(self.statuses.items())}
        return LoadReport(self.statuses.total(), failed, self.skipped, by_status)


class HTTPLoad:
    """Makes requests from this process."""

    api_version = 1

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Nothing to set: the environment's own settings say what may be sent."""

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self.settings = settings
        self.context = context

    def send(self, plan: LoadPlan, *, is_over: Callable[[LoadReport], bool]) -> LoadReport:
        """See the port."""
        rng = Random(self.context.clock.now_us())  # noqa: S311 - a sample, and no secret
        return asyncio.run(_sent(plan, rng, is_over))


async def _sent(plan: LoadPlan, rng: Random, is_over: Callable[[LoadReport], bool]) -> LoadReport:
    loop, tally = asyncio.get_running_loop(), _Tally()
    began = loop.time()
    looked = began
    while (passed := loop.time() - began) < plan.seconds:
        tally.due = max(tally.due, int((passed - BEHIND_S_MAX) * plan.rate_per_s))
        while tally.due < passed * plan.rate_per_s:
            _begin_next(plan, rng, tally)
        if loop.time() - looked >= LOOK_EVERY_S:
            looked = loop.time()
            if is_over(tally.report()):
                break
        await asyncio.sleep(min(1.0 / plan.rate_per_s, 0.02))
    if tally.open:
        await asyncio.wait(tally.open)
    return tally.report()


def _begin_next(plan: LoadPlan, rng: Random, tally: _Tally) -> None:
    tally.due += 1
    if len(tally.open) >= plan.concurrency_max:
        tally.skipped += 1
        return
    task = asyncio.create_task(_one(plan, rng.choice(plan.paths), rng.randrange(CLIENTS), tally))
    tally.open.add(task)
    task.add_done_callback(tally.open.discard)


async def _one(plan: LoadPlan, path: str, client: int, tally: _Tally) -> None:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            status = await _asked(plan, path, client)
    except (OSError, TimeoutError):
        status = 0
    tally.statuses[status] += 1


async def _asked(plan: LoadPlan, path: str, client: int) -> int:
    """The status of one answer; 0 for what is none."""
    reader, writer = await _connected(plan.address, client)
    try:
        length = "Content-Length: 0\r\n" if plan.method == "POST" else ""
        identity = f"{plan.client_header}: 198.18.{client // 250}.{1 + client % 250}\r\n" if plan.client_header else ""
        head = f"{plan.method} {path} HTTP/1.1\r\nHost: {plan.address}\r\nUser-Agent: {USER_AGENT}\r\n"
        writer.write(f"{head}{identity}{length}Connection: close\r\n\r\n".encode("ascii"))
        await writer.drain()
        begin = await reader.read(12)
        rest = len(begin)
        while rest < ANSWER_BYTES_MAX and (part := await reader.read(1 << 16)):
            rest += len(part)
    finally:
        writer.close()
    status = begin[9:12]
    return int(status) if begin.startswith(b"HTTP/1.") and len(status) == 3 and status.isdigit() else 0


async def _connected(address: str, client: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if _is_loopback_v4(host):
        own = (f"127.0.{1 + client // 250}.{1 + client % 250}", 0)
        try:
            return await asyncio.open_connection(host, int(port), local_addr=own)
        except OSError as error:
            # Not every system has the whole network: then all clients are one.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EINVAL):
                raise
    return await asyncio.open_connection(host, int(port))


def _is_loopback_v4(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.version == 4 and address.is_loopback
