"""A forge that answers with malice costs a bounded time, and is an error in words."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shipline.clients.forge_http import ForgeHTTP
from shipline.clients.simple_index import SimpleIndex
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.providers.clock.system import SystemClock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
DRIPS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
    "processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
}


@contextmanager
def serving(first: bytes, again: bytes = b"") -> Iterator[str]:
    """A place that says `first` to whoever comes, and then `again` ten times a second; its address."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(first)
                    while again and not ended.wait(0.1):
                        connection.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def forge(url: str) -> ForgeHTTP:
    return ForgeHTTP("The forge", url, SystemClock(), dict, "", timeout_s=1.0, upload_timeout_s=1.0)


ASKS: dict[str, Callable[[str], object]] = {
    "forge": lambda url: forge(url).find("/x"),
    "index": lambda url: SimpleIndex(url, SystemClock(), timeout_s=1.0).files("x"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_cut_off_in_time(ask: Callable[[str], object], drip: tuple[bytes, bytes]) -> None:
    began = time.monotonic()
    with serving(*drip) as url, pytest.raises(UnavailableError):
        ask(url)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("place", ["http://[::1", "http://h:x/", "https://[v1.x]x/"])
def test_a_next_page_that_is_no_address_is_an_error_in_words(place: str) -> None:
    head = HEAD + f'Link: <{place}>; rel="next"\r\n\r\n'.encode()
    with (
        serving(head + b"[]") as url,
        pytest.raises(ShiplineError, match="sends this request on"),
    ):
        list(forge(url).pages("/x", items_max=10))
