"""A time limit for a whole exchange over HTTP. httpx bounds each read alone, and a peer that drips its headers byte by
byte, or says "processing" for ever, never runs into that."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[dict[str, Any]]:
    """Extensions for requests of httpx, whose connections are cut after `seconds`: they fail with httpx.HTTPError."""
    connections: list[Any] = []

    def note(event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connections.append(info["return_value"].get_extra_info("socket"))

    def cut() -> None:
        for each in connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": note}
    finally:
        timer.cancel()
