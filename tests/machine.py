"""Real parts for tests on this machine: the real clock, free ports, and a small HTTP server in a process of its own."""

from __future__ import annotations

import http.client
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BACKEND = Path(__file__).with_name("backend.py")
# For clients of servers that speak no TLS: httpx reads the machine's authorities for each client that is given none.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PATIENCE_S = 120.0  # only a failing test waits that long, however busy the machine


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """UTC microseconds."""
        return time.time_ns() // 1000

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 - this is the clock


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Poll until `holds`; a test that waits in vain says for what."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        SystemClock().sleep(0.01)


def free_port() -> int:
    """A loopback port that is free, below those that systems give to outgoing connections.

    Tests that run at the same time hardly ever draw the same one.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Backend:
    """A running backend. Paths: /ok, /fail (500), /hold (answers after /go), /drop (closes without an answer)."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def running_backend(name: str) -> Iterator[Backend]:
    """A backend whose answers hold `name`; it ends with the block."""
    command = [sys.executable, "-I", str(BACKEND), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Backend(address=f"127.0.0.1:{int(process.stdout.readline())}", process=process)
        finally:
            process.kill()


def get(address: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body of one GET on a connection of its own; status 0 where the connection ended without an answer."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return 0, ""
    finally:
        connection.close()
