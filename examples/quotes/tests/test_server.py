import http.client
import json
import socket
from random import Random

import pytest

from quotes.server import Server
from quotes.service import Response, Service


def test_answers_come_on_one_kept_alive_connection(client: http.client.HTTPConnection) -> None:
    client.connect()
    connection = client.sock
    for path in ("/", "/healthz", "/version"):
        client.request("GET", path)
        response = client.getresponse()
        assert response.status == 200
        assert response.read()
    assert client.sock is connection


def test_the_metrics_count_what_was_answered(client: http.client.HTTPConnection) -> None:
    for path in ("/healthz", "/quotes/99", "/metrics"):
        client.request("GET", path)
        text = client.getresponse().read().decode()
    assert 'quotes_requests_total{status="200"} 1' in text
    assert 'quotes_requests_total{status="404"} 1' in text


class Broken(Service):
    def answer(self, path: str) -> Response:
        raise RuntimeError(path)


def test_a_fault_is_answered_with_500_and_the_connection_lives(
    server: Server, client: http.client.HTTPConnection
) -> None:
    working, server.service = server.service, Broken(Random(1))
    client.request("GET", "/")
    response = client.getresponse()
    assert response.status == 500
    assert json.loads(response.read()) == {"error": "internal error"}
    server.service = working
    client.request("GET", "/healthz")
    assert client.getresponse().status == 200


def test_closing_ends_idle_connections_and_takes_no_new_ones(
    server: Server, client: http.client.HTTPConnection
) -> None:
    client.request("GET", "/healthz")
    client.getresponse().read()
    server.close()
    assert client.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.server_port), timeout=1)
