"""Downloads from a real server on loopback."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from shipline.clients.checked_download import Download, _client, download
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError

CONTENT = b"a site"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Answering(ThreadingHTTPServer):
    """Answers what `answers` says by path: a status, or where to go on; else the content. Notes the credentials."""

    daemon_threads = True

    def __init__(self, answers: dict[str, int | str]) -> None:
        outer, self.credentials = self, list[str | None]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.credentials.append(self.headers.get("Authorization"))
                answer = answers.get(self.path, 200)
                self.send_response(answer if isinstance(answer, int) else 302)
                if isinstance(answer, str):
                    self.send_header("Location", answer)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def serving(answers: dict[str, int | str]) -> Iterator[Answering]:
    server = Answering(answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(url: str, folder: Path, *, bytes_max: int = 100, password: str = "") -> bytes:
    what = Download(url, password_environment=password, answer_timeout_s=5.0)
    download(what, folder / "got", digests=(DIGEST,), bytes_max=bytes_max)
    return (folder / "got").read_bytes()


def test_a_redirect_is_followed_and_credentials_stay_where_they_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a forge leads to the storage behind it."""
    monkeypatch.setenv("PAGES_TOKEN", "made-up-token")
    with serving({}) as storage, serving({"/asset": f"http://127.0.0.1:{storage.server_port}/signed"}) as forge:
        assert fetched(f"http://127.0.0.1:{forge.server_port}/asset", tmp_path, password="PAGES_TOKEN") == CONTENT
        assert (forge.credentials, storage.credentials) == (["Bearer made-up-token"], [None])


def test_redirects_have_an_end(tmp_path: Path) -> None:
    with serving({"/asset": "/asset"}) as server, pytest.raises(ShiplineError, match="from one address to the next"):
        fetched(f"http://127.0.0.1:{server.server_port}/asset", tmp_path)
    assert len(server.credentials) == 6


def test_what_began_with_https_does_not_go_on_without() -> None:
    """What a server between here and there might change is not even asked for."""
    with _client(Download("https://forge.invalid/asset")) as client, pytest.raises(ShiplineError, match="without it"):
        client.send(httpx.Request("GET", "http://storage.invalid/asset"))


@pytest.mark.parametrize(
    ("status", "error"), [(404, ShiplineError), (403, RefusedError), (503, UnavailableError), (429, UnavailableError)]
)
def test_a_status_is_told_as_what_it_means(tmp_path: Path, status: int, error: type[ShiplineError]) -> None:
    with serving({"/asset": status}) as server, pytest.raises(error) as caught:
        fetched(f"http://127.0.0.1:{server.server_port}/asset", tmp_path)
    assert type(caught.value) is error
    assert str(status) in caught.value.what


def test_more_than_is_allowed_is_not_saved(tmp_path: Path) -> None:
    with serving({}) as server, pytest.raises(ShiplineError, match="more than 3 bytes"):
        fetched(f"http://127.0.0.1:{server.server_port}/asset", tmp_path, bytes_max=3)
