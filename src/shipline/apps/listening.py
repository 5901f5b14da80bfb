"""The sockets that servers listen on."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from shipline.domain.errors import ShiplineError


def listening_socket(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, *, backlog: int
) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. ShiplineError where the port cannot be had."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # The protocol by name: asyncio sends small answers at once (TCP_NODELAY) only on sockets that say TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        in_use = error.errno == errno.EADDRINUSE
        what = "is in use by another program" if in_use else "cannot be had"
        raise ShiplineError(
            f"port {port} of {address} {what}",
            why="" if in_use else error.strerror or "",
            todo="end that program, or choose another port with --port (0 takes a free one)",
        ) from error
    return listener
