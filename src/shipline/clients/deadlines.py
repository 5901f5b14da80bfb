"""A time limit for a whole exchange over HTTP. httpx bounds each read alone, and a peer that drips its headers byte by
byte, or says "processing" for ever, never runs into that."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

BYTES_PER_S_MIN = 16 * 1024
"""The slowest at which content may go on moving: a link at which 1 GiB takes 18 hours is of no use to a release."""


class Pace:
    """An exchange under way, which is cut unless content moves on.

    It has `seconds` for all but its content, and after that it goes on as long as each further stretch of `seconds` has
    moved content at `BYTES_PER_S_MIN`. What drips is cut after two stretches at most, however much there is to move.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._moved = 0
        self._seen = 0
        self._connections: list[Any] = []
        self._ended = threading.Event()
        self.is_cut = False
        self.extensions = {"trace": self._note}
        """For the requests of httpx, whose connections are to be cut: they fail with httpx.HTTPError then."""

    def moved(self, size: int) -> None:
        """So many bytes of content have been sent or received."""
        self._moved += size

    def counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each counted once it is sent."""
        for chunk in chunks:
            yield chunk
            self.moved(len(chunk))

    def watch(self) -> None:
        """Look on until the exchange has ended, and cut it where it does not move on."""
        while not self._ended.wait(self._seconds):
            if self.has_stalled():
                self._cut()
                return

    def has_stalled(self) -> bool:
        """Whether less has moved since this was last asked than one stretch must move."""
        before, self._seen = self._seen, self._moved
        return self._seen - before < self._seconds * BYTES_PER_S_MIN

    def end(self) -> None:
        """The exchange has ended."""
        self._ended.set()

    def _note(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._connections.append(info["return_value"].get_extra_info("socket"))
            if self.is_cut:
                self._cut()

    def _cut(self) -> None:
        self.is_cut = True
        for each in self._connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def paced(seconds: float) -> Iterator[Pace]:
    """An exchange that is cut as Pace says.

    Raises httpx.HTTPError at its end, too, in place of what was made of it: without a stated length, an answer that was
    cut looks like a whole one.
    """
    pace = Pace(seconds)
    watcher = threading.Thread(target=pace.watch, daemon=True)
    watcher.start()
    try:
        yield pace
    finally:
        pace.end()
        watcher.join()
        if pace.is_cut:
            raise httpx.ReadTimeout("it did not end in time")


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[dict[str, Any]]:
    """Extensions for requests of httpx, whose connections are cut after `seconds`: as for `paced`."""
    with paced(seconds) as pace:
        yield pace.extensions
