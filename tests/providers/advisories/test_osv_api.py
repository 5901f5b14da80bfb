"""OSV's HTTP interface, served on loopback: the port's suite, and answers that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.ports.advisories import Advisories, PackageName
from shipline.ports.provider import ProviderContext
from shipline.providers.advisories import osv_api
from shipline.providers.advisories.osv_api import OSVAPI, OSVAPISettings
from shipline.testing.conformance.advisories import ENTRIES, AdvisoriesConformance
from shipline.testing.fakes.advisories import FakeAdvisories, osv_handler
from shipline.testing.fakes.clock import FakeClock
from shipline.testing.fakes.loopback import LoopbackServer


def made(url: str) -> OSVAPI:
    return OSVAPI(OSVAPISettings(url, timeout_s=5.0), ProviderContext(Path(), Path(), FakeClock()))


class TestOSVAPI(AdvisoriesConformance):
    @pytest.fixture
    def advisories(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Advisories]:
        """Two questions at once and two answers a page, so that there are several of both."""
        monkeypatch.setattr(osv_api, "QUERIES_MAX", 1)
        with LoopbackServer(osv_handler(FakeAdvisories(*ENTRIES))) as server:
            yield made(server.url)


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (500, {}, UnavailableError),
        (302, {}, UnavailableError),
        (200, [], ShiplineError),
        (200, {"results": []}, ShiplineError),
        (200, {"results": [{"vulns": [{"modified": "2026"}]}]}, ShiplineError),
    ],
)
def test_an_answer_that_is_none_is_an_error(status: int, answer: object, error: type[ShiplineError]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with LoopbackServer(Handler) as server, pytest.raises(error):
        list(made(server.url).about([PackageName("PyPI", "click")]))


def test_nobody_there_may_be_there_later() -> None:
    with pytest.raises(UnavailableError, match="cannot be asked"):
        list(made("http://127.0.0.1:9").about([PackageName("PyPI", "click")]))
