"""Reading a simple index: both formats, hostile answers, and redirects that are not followed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shipline.clients.simple_index import SimpleIndex, normalized, parse, shown
from shipline.domain.errors import ConfigurationError, InvalidValue, ShiplineError
from shipline.ports.registry import PublishedFile
from shipline.testing.fakes.clock import FakeClock

JSON = "application/vnd.pypi.simple.v1+json"
DIGEST = "0123456789abcdef" * 4


def test_json_states_digests_and_yanks() -> None:
    """PEP 691: `yanked` is absent, a boolean or a reason."""
    page = {
        "meta": {"api-version": "1.4"},
        "name": "quotes",
        "files": [
            {"filename": "quotes-1.tar.gz", "url": "x", "hashes": {"sha256": DIGEST.upper()}},
            {"filename": "quotes-2.tar.gz", "url": "x", "hashes": {"md5": "0"}, "yanked": "broken"},
            {"filename": "quotes-3.tar.gz", "url": "x", "hashes": {}, "yanked": False},
        ],
    }
    assert parse(json.dumps(page).encode(), JSON) == (
        PublishedFile("quotes-1.tar.gz", f"sha256:{DIGEST}"),
        PublishedFile("quotes-2.tar.gz", None, yanked=True),
        PublishedFile("quotes-3.tar.gz", None),
    )


def test_html_states_digests_and_yanks() -> None:
    """PEP 503: the hash is in the fragment; PEP 592: data-yanked, with or without a reason."""
    page = f"""<!DOCTYPE html><a>no link</a>
    <a href="../../f/quotes-1.tar.gz#sha256={DIGEST}">quotes-1.tar.gz</a>
    <a href="https://files.example.org/quotes-2%2Blocal.tar.gz#md5=00" data-yanked>quotes-2+local.tar.gz</a>
    <a href="quotes-3.tar.gz#sha256=short" data-yanked="">quotes-3.tar.gz</a>"""
    assert parse(page.encode(), "text/html; charset=utf-8") == (
        PublishedFile("quotes-1.tar.gz", f"sha256:{DIGEST}"),
        PublishedFile("quotes-2+local.tar.gz", None, yanked=True),
        PublishedFile("quotes-3.tar.gz", None, yanked=True),
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"not json", JSON),
        (b"[]", JSON),
        (b'{"meta":{"api-version":"2.0"},"files":[]}', JSON),
        (b'{"meta":{"api-version":1},"files":[]}', JSON),
        (b'{"meta":{"api-version":"1.0"},"files":[{"filename":"x"}]}', JSON),
        (b'{"meta":{"api-version":"1.0"},"files":[{"filename":"x","hashes":{"sha256":7}}]}', JSON),
        (b"[" * 100_000, JSON),
        (b"\x00\x01", "application/octet-stream"),
        (b"", ""),
    ],
)
def test_what_is_no_index_is_an_error(body: bytes, kind: str) -> None:
    with pytest.raises(ShiplineError, match="index"):
        parse(body, kind)


def test_names_are_normalised_and_checked() -> None:
    assert normalized("Quotes._-Service") == "quotes-service"
    with pytest.raises(InvalidValue):
        normalized("../../etc")


def test_addresses_are_shown_without_secrets() -> None:
    assert shown("https://robot:secret@example.org:8443/simple/?token=x#y") == "https://example.org:8443/simple/"


class _Redirects(BaseHTTPRequestHandler):
    """/near/… leads within the origin, /far/… out of it, /circle/… to itself; anything else is an empty page."""

    def do_GET(self) -> None:
        targets = {"near": "/simple/quotes/", "far": "http://elsewhere.invalid/simple/quotes/", "circle": self.path}
        target = targets.get(self.path.split("/")[1])
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Redirects)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_redirects_stay_with_the_index_that_was_configured(address: str) -> None:
    assert SimpleIndex(f"{address}/near", FakeClock(), 5.0).files("quotes") == ()
    with pytest.raises(ConfigurationError, match=r"elsewhere\.invalid"):
        SimpleIndex(f"{address}/far", FakeClock(), 5.0).files("quotes")
    with pytest.raises(ShiplineError, match="circle"):
        SimpleIndex(f"{address}/circle", FakeClock(), 5.0).files("quotes")
