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

from shipline.clients.lent_index import lent_index

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
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Content-Type", "text/html" if self.path.startswith("/simple") else "application/zip")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/simple/" if self.path == "/moved" else "https://files.example.com/a.whl")
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
        assert client.get(parts._replace(path="/moved").geturl()).headers["Location"] == f"{here}/simple/"
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
            assert connection.getresponse().status == 400
        assert told == []


def test_an_index_that_is_gone_is_said(client: httpx.Client) -> None:
    with index() as (origin, _):
        pass
    with lent_index(f"{origin}/simple/", CREDENTIALS, timeout_s=5) as address:
        assert client.get(address).status_code == 502
