"""Requests over HTTP: the suite, and what only a real server sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shipline.ports.load import USER_AGENT, Load, LoadPlan
from shipline.ports.provider import ProviderContext
from shipline.providers.load.http import HTTPLoad
from shipline.testing.conformance.load import LoadConformance
from tests.machine import SystemClock, free_port

SLOW_S = 0.5


class Seen(BaseHTTPRequestHandler):
    """Answers, and notes who asks."""

    requests: list[tuple[str, str, str, str]]

    def do_GET(self) -> None:
        headers = self.headers
        note = (self.client_address[0], self.command, headers["User-Agent"], headers.get("X-Forwarded-For", ""))
        self.requests.append(note)
        if self.path == "/slow":
            time.sleep(SLOW_S)  # noqa: TID251 - a slow service
        self.send_response(500 if self.path == "/fail" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok" if self.command == "GET" else b"")

    do_POST = do_GET  # noqa: N815 - the handler's own name

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def seen() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """A server's address, and who has asked."""
    Seen.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Seen) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", Seen.requests
        server.shutdown()
        thread.join()


@pytest.fixture
def http(tmp_path: Path) -> HTTPLoad:
    return HTTPLoad(HTTPLoad.Settings(), ProviderContext(tmp_path, tmp_path, SystemClock()))


class TestHTTPLoad(LoadConformance):
    @pytest.fixture
    def load(self, http: HTTPLoad) -> Load:
        return http

    @pytest.fixture
    def address(self, seen: tuple[str, list[tuple[str, str, str, str]]]) -> str:
        return seen[0]


def test_requests_say_what_they_are_and_clients_differ(
    http: HTTPLoad, seen: tuple[str, list[tuple[str, str, str, str]]]
) -> None:
    address, asked = seen
    plan = LoadPlan(address, method="POST", rate_per_s=50, seconds=1, client_header="X-Forwarded-For")
    sent = http.send(plan, is_over=lambda _: False).sent
    assert {(method, agent) for _, method, agent, _ in asked} == {("POST", USER_AGENT)}
    assert sent / 2 < len({peer for peer, _, _, _ in asked}) == len({client for _, _, _, client in asked})


def test_no_more_are_open_than_may_be(http: HTTPLoad, seen: tuple[str, list[tuple[str, str, str, str]]]) -> None:
    """A service that has become slow does not get a pile of requests; what was left out is told."""
    report = http.send(
        LoadPlan(seen[0], ("/slow",), rate_per_s=40, seconds=1, concurrency_max=4), is_over=lambda _: False
    )
    assert 4 <= report.sent <= 12
    assert report.skipped >= 20


def test_where_nobody_listens_every_request_has_failed(http: HTTPLoad) -> None:
    report = http.send(LoadPlan(f"127.0.0.1:{free_port()}", rate_per_s=20, seconds=1), is_over=lambda _: False)
    assert report.sent == report.failed == report.by_status["0"] > 0
