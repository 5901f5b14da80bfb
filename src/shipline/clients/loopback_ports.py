"""Free ports of the loopback interface for copies that are started on this machine."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Collection

from shipline.domain.errors import ShiplineError

HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
"""Below those that systems give to outgoing connections (Linux from 32768, macOS from 49152), so that none of those can
take one before the copy listens, or while it is being started again."""


def is_free(port: int) -> bool:
    """True if nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port(taken: Collection[int], key: str) -> int:
    """A port that nobody listens on and that is not `taken`; `key` decides where the search begins."""
    begin = zlib.crc32(key.encode()) % len(PORTS)
    ports: tuple[int, ...] = (*PORTS[begin:], *PORTS[:begin])
    for port in ports:
        if port not in taken and is_free(port):
            return port
    raise ShiplineError(f"there is no free port from {PORTS[0]} to {PORTS[-1]} on the loopback interface")
