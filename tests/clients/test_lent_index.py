"""An index that is lent without its credentials, against an index on loopback that wants them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx
import pytest

from shipline.clients.lent_index import Lender, lent_index, links_in

CREDENTIALS = ("robot", "right-one")
WANTED = f"Basic {base64.b64encode(':'.join(CREDENTIALS).encode()).decode()}"


@contextlib.contextmanager
def index() -> Iterator[tuple[str, list[str]]]:
    """An index that shows its page to CREDENTIALS alone; its origin, and each method, path and Authorization."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
            here = f"http://127.0.0.1:{server.server_port}"
            if self.headers.get("Authorization") != WANTED:
                self.send_error(401)
                return
            body = f'<a href="{here}/files/a.whl">a</a> <a href="{here}.example.com/b.whl">b</a>'.encode()
            self.send_response(302 if self.path == "/simple/moved" else 200)
            self.send_header("Content-Type", "text/html" if self.path.startswith("/simple") else "application/zip")
            self.send_header("Content-Length", str(len(body)))
            self.send_header(
                "Location", "/simple/" if self.path == "/simple/moved" else "https://files.example.com/a.whl"
            )
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", told
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def test_it_is_read_with_its_credentials_by_who_has_none(client: httpx.Client) -> None:
    """Links to the index's own origin lead back here, those to another host that begins alike do not."""
    with index() as (origin, told), lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        page = client.get(address).text
        parts = urlsplit(address)
        assert "right-one" not in address
        assert f'"http://{parts.netloc.rpartition("@")[2]}/files/a.whl"' in page
        assert f'"{origin}.example.com/b.whl"' in page
        # A file is passed on as it is.
        file = client.get(parts._replace(path="/files/a.whl").geturl())
        assert f'"{origin}/files/a.whl"' in file.text
        assert told == [f"GET /simple/ {WANTED}", f"GET /files/a.whl {WANTED}"]


def test_redirects_lead_back_to_it_or_go_without_credentials(client: httpx.Client) -> None:
    with index() as (origin, _), lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        parts = urlsplit(address)
        here = f"http://{parts.netloc.rpartition('@')[2]}"
        assert client.get(parts._replace(path="/simple/moved").geturl()).headers["Location"] == f"{here}/simple/"
        assert client.head(address).headers["Location"] == "https://files.example.com/a.whl"


def test_nobody_else_reads_it_and_nobody_writes(client: httpx.Client) -> None:
    """The password is made up each time; a method that changes something is not passed on."""
    with index() as (origin, told), lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        parts = urlsplit(address)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        assert client.get(bare).status_code == 401
        assert client.get(bare, auth=("lent", "guessed")).status_code == 401
        assert client.post(address).status_code == 501
        assert told == []


@pytest.mark.parametrize("before", ["@", ".example.com@"])
def test_a_request_that_names_another_host_behind_the_index_is_refused(before: str) -> None:
    """What builds on the way knows the address, and sends whatever it likes in the place of a path."""
    with index() as (origin, _), index() as (elsewhere, told), lent_index(origin, CREDENTIALS, timeout_s=5) as address:
        parts, host = urlsplit(address), urlsplit(elsewhere).netloc
        opens = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=5)) as connection:
            connection.request("GET", f"{before}{host}/simple/", headers={"Authorization": f"Basic {opens}"})
            assert connection.getresponse().status == 403
        assert told == []


def test_what_is_not_of_the_index_is_not_lent(client: httpx.Client) -> None:
    """On one host there may be a forge as well, to which the same token opens all that is private."""
    with index() as (origin, told), lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        parts = urlsplit(address)
        for path in ("/files/a.whl", "/api/v4/user", "/simple/%2e%2e/api", "/simpler/"):
            assert client.get(parts._replace(path=path).geturl()).status_code == 403
        client.get(address)
        told.clear()
        for path in ("/files/a.whl", "/files/a.whl.metadata", "/simple/quotes/"):
            assert client.get(parts._replace(path=path).geturl()).status_code == 200
        assert client.get(parts._replace(path="/files/b.whl").geturl()).status_code == 403
        assert len(told) == 3


@pytest.mark.parametrize(
    ("page", "linked"),
    [
        (b"<a HREF=../../f/a%20b.whl#sha256=1>", {"/f/a b.whl"}),
        (b"<a href='http://h/f/a.whl?x=1&amp;y=2'>", {"/f/a.whl"}),
        (b'{"files": [{"url" : "http:\\/\\/h\\/f\\/a.whl"}]}', {"/f/a.whl"}),
        (b'<a href="https://h/f/a.whl"> <a href="//other/f/a.whl"> <a href="http://[">', set()),
    ],
)
def test_links_are_found_in_both_forms_of_an_index(page: bytes, linked: set[str]) -> None:
    lender = Lender("http://h", "/simple/", CREDENTIALS, 5.0, "made up")
    lender.note_links("http://h/simple/quotes/", links_in(page))
    assert lender.linked == linked


def test_an_index_that_is_gone_is_said(client: httpx.Client) -> None:
    with index() as (origin, _):
        pass
    with lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        assert client.get(address).status_code == 502
