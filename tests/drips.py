"""Places on loopback that answer a little at a time, for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DRIPS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
    "processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
    "body of no length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
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
