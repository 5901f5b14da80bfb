"""The HTTP side: connections, threads, and an orderly end."""

import logging
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from time import perf_counter
from typing import Any

from quotes.service import Response, Service, problem

log = logging.getLogger(__name__)


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection, one after the other."""

    server: "Server"
    protocol_version = "HTTP/1.1"
    timeout = 30
    # The head and the body of an answer leave in one packet, and at once. Otherwise the second packet waits for the
    # client's delayed acknowledgement of the first, which takes 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer, and count the answer. A fault in the service is answered with 500."""
        began_s = perf_counter()
        path = self.path.partition("?")[0]
        try:
            response = self.server.service.answer(path)
        except Exception:
            log.exception("GET %.200r failed", self.path)
            response = problem(500, "internal error")
        # Counted before it is sent, so that a client that has its answer finds it in the figures.
        self.server.service.metrics.observe(response.status, perf_counter() - began_s)
        self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        if self.server.closing:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 -- the base class's signature
        """Leave the requests out of the log; the metrics count them."""


class Server(ThreadingHTTPServer):
    """Serves on a thread a connection. `serve_forever` in one thread, `close` in another."""

    request_queue_size = 128
    daemon_threads = False

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        """Bind `address`; port 0 takes a free one. Raises OSError where that cannot be."""
        self.service = service
        self.closing = False
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 -- the base class's signature
        """Start a connection's thread; `close` knows the connection from here on."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 -- the base class's signature
        """End a connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 -- the base class's signature
        """Log what broke a connection: as a rule the client has gone."""
        log.info("connection from %s broke", client_address, exc_info=True)

    def close(self) -> None:
        """Take no new connection, finish the open requests, return when all is done."""
        self.closing = True
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                _end_of_requests(connection)
        self.server_close()


def _end_of_requests(connection: socket.socket) -> None:
    """Let the connection's thread read what has arrived, and then the end: an idle one stops waiting."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        log.debug("the connection was closed already")
