"""A small server that keeps to a recorded contract: it checks what it is asked, and answers as documented."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """A POST as it came in; the names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


Answer = tuple[int, Any]
"""A status, and a body: bytes as they are, anything else as JSON."""


class Contract:
    """A server whose `answer` makes of each request what the source would; AssertionErrors in it fail the test."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.headers: dict[str, str] = {}
        self.breaches: list[AssertionError] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, content = outer.answered(Request(self.path, headers, body))
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **outer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answered(self, request: Request) -> Answer:
        self.requests.append(request)
        try:
            return self.answer(request)
        except AssertionError as breach:
            self.breaches.append(breach)
            return 400, {"errors": ["the request breaks the contract"]}

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@contextmanager
def keeping(answer: Callable[[Request], Answer]) -> Iterator[Contract]:
    """A running server; at the end it tells what broke the contract."""
    made = Contract(answer)
    try:
        yield made
    finally:
        made.stop()
    assert made.breaches == []
