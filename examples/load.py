"""Bounded load on one address of this machine: many clients, each with a loopback address of its own.

`python examples/load.py HOST:PORT --rate 120 --seconds 300 --report FILE` sends GET / at a steady rate until the time
is over or SIGTERM comes, and keeps FILE true: one JSON object {"sent", "failed", "by_status": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import random
import signal
from pathlib import Path

CLIENTS = 200
TIMEOUT_S = 10.0


async def ask(host: str, port: int, client: int) -> int:
    """One request from one client's own address; returns the status, 0 for no answer."""
    source = f"127.0.{1 + client // 250}.{1 + client % 250}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
            try:
                writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0


async def run(host: str, port: int, *, rate: float, seconds: float, report: Path) -> None:
    """Send at `rate` a second for `seconds`, and write the tally twice a second."""
    tally: collections.Counter[int] = collections.Counter()
    waiting: set[asyncio.Task[None]] = set()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def one() -> None:
        tally[await ask(host, port, random.randrange(CLIENTS))] += 1  # noqa: S311 - no secret

    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while not stop.is_set() and (passed := loop.time() - began) < seconds:
        # The schedule decides, not the answers: a slow service must not be spared load.
        while sent < passed * rate:
            task = loop.create_task(one())
            waiting.add(task)
            task.add_done_callback(waiting.discard)
            sent += 1
            if sent % max(1, int(rate / 2)) == 0:
                write(report, tally)
        await asyncio.sleep(0.004)
    if waiting:
        await asyncio.wait(waiting)
    write(report, tally)


def write(report: Path, tally: collections.Counter[int]) -> None:
    """Replace the report whole."""
    failed = sum(count for status, count in tally.items() if status == 0 or status >= 500)
    statuses = {str(status): count for status, count in sorted(tally.items())}
    draft = report.with_suffix(".draft")
    draft.write_text(json.dumps({"sent": sum(tally.values()), "failed": failed, "by_status": statuses}))
    draft.replace(report)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="HOST:PORT, on this machine")
    parser.add_argument("--rate", type=float, default=120.0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--report", type=Path, required=True)
    arguments = parser.parse_args()
    host, port = arguments.address.rsplit(":", 1)
    if not host.startswith("127."):
        parser.error("load goes to this machine's own loopback addresses only")
    asyncio.run(run(host, int(port), rate=arguments.rate, seconds=arguments.seconds, report=arguments.report))


if __name__ == "__main__":
    main()
