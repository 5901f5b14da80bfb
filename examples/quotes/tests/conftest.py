"""A real server on a free port."""

import http.client
from collections.abc import Iterator
from random import Random
from threading import Thread

import pytest

from quotes.server import Server
from quotes.service import Service


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve with a fixed sequence of draws."""
    server = Server(("127.0.0.1", 0), Service(Random(1)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    if not server.closing:
        server.close()
    thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    """Hold one connection to the server."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    yield connection
    connection.close()
