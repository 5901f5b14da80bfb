"""A package index lent to an installer without the credentials for it: a server on loopback adds them on the way.

An installer builds source distributions, and a build is code of whoever wrote the package: it can read the installer's
environment, arguments and files. So the installer gets an address on this machine with a password that is made up for
the occasion and good for reading the index alone: only GET and HEAD are passed on, and only for what is below its
address or linked from there, since the same credentials may open much more on that host. Links and redirects to the
index's origin lead here again; those to another host stay as they are, and nothing is sent with them.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hmac
import html
import re
import secrets
import ssl
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpx

PAGE_BYTES_MAX = 32 * 1024 * 1024
PASSED_ON = ("Accept", "User-Agent")
USER = "lent"
# Links in the two forms of an index, see `simple_index`.
LINK = re.compile(rb"(?:\bhref\s*=\s*[\"']?|\"url\"\s*:\s*\")([^\"'\s>]+)", re.IGNORECASE)
METADATA = ".metadata"
"""Behind a file's own address. From: https://peps.python.org/pep-0658/."""


@dataclass(frozen=True, slots=True)
class Lender:
    """The index's origin (`https://host:port`) and its path there, what opens it, and what opens this server.

    `timeout_s` bounds each wait for the index; whoever runs the installer bounds the whole. `linked` are the paths that
    the index has linked to so far.
    """

    origin: str
    path: str
    credentials: tuple[str, str] = field(repr=False)
    timeout_s: float
    password: str = field(repr=False)
    linked: set[str] = field(default_factory=set, repr=False)

    def lends(self, target: str) -> bool:
        """Whether the target of a request belongs to the index."""
        path = unquote(target.partition("?")[0])
        # What does not begin with a slash would be another host behind the origin: `@other.example/`.
        if not path.startswith("/") or "\\" in path or ".." in path.split("/"):
            return False
        below = f"{unquote(self.path).rstrip('/')}/"
        return f"{path}/".startswith(below) or path.removesuffix(METADATA) in self.linked

    def note_links(self, base: str, links: Iterable[str]) -> None:
        """Have what the page at `base` links to on the index's origin belong to it."""
        for link in links:
            with contextlib.suppress(ValueError):  # A link that is no address leads nowhere.
                parts = urlsplit(urljoin(base, link))
                if f"{parts.scheme}://{parts.netloc}" == self.origin:
                    self.linked.add(unquote(parts.path))

    def lets_in(self, authorization: str) -> bool:
        """Whether a request bears the made-up password: others on this machine may not read the index through it."""
        expected = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), f"Basic {expected}".encode())

    def leads_back(self, here: str, page: bytes) -> bytes:
        """A page with its links to the index's origin leading to `here`."""
        return re.sub(re.escape(self.origin).encode() + rb"(?=[/?#\"'])", here.encode(), page)


@contextlib.contextmanager
def lent_index(url: str, credentials: tuple[str, str], *, timeout_s: float) -> Iterator[str]:
    """The address at which the index at `url` can be read while the block runs."""
    parts = urlsplit(url)
    lender = Lender(f"{parts.scheme}://{parts.netloc}", parts.path, credentials, timeout_s, secrets.token_urlsafe(24))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, lender))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{USER}:{lender.password}@127.0.0.1:{server.server_port}{parts.path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def links_in(page: bytes) -> Iterator[str]:
    """What a page of an index links to, as written there but for what HTML and JSON escape."""
    for found in LINK.findall(page):
        yield html.unescape(found.decode("utf-8", "replace")).replace("\\/", "/")


class _Handler(BaseHTTPRequestHandler):
    """One request of the installer's, with the answer of the index."""

    def __init__(self, lender: Lender, *arguments: Any) -> None:
        self._lender = lender
        super().__init__(*arguments)

    @property
    def _asked(self) -> str:
        """The address at the index, with its origin as it was given."""
        return f"{self._lender.origin}{self.path}"

    def do_GET(self) -> None:
        """Pass it on."""
        if not self._lender.lets_in(self.headers.get("Authorization", "")):
            self.send_error(HTTPStatus.UNAUTHORIZED)
            return
        if not self._lender.lends(self.path):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        headers = {name: value for name in PASSED_ON if (value := self.headers.get(name)) is not None}
        lender = self._lender
        try:
            with (
                httpx.Client(timeout=lender.timeout_s, auth=lender.credentials, verify=_tls()) as client,
                client.stream(self.command, self._asked, headers={**headers, "Accept-Encoding": "identity"}) as answer,
            ):
                self._pass_back(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # In the middle of a file there is no status left to send: the installer sees that it is too short.
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.send_error(HTTPStatus.BAD_GATEWAY, explain=type(error).__name__)
        except OSError:
            self.close_connection = True  # The installer has gone.

    def do_HEAD(self) -> None:
        """Pass it on."""
        self.do_GET()

    def _pass_back(self, answer: httpx.Response) -> None:
        kind = answer.headers.get("Content-Type", "application/octet-stream")
        here = f"http://127.0.0.1:{self.connection.getsockname()[1]}"
        page = self._page(answer, here) if kind.partition(";")[0].strip().lower().endswith(("html", "json")) else None
        length = answer.headers.get("Content-Length") if page is None else str(len(page))
        self.send_response(answer.status_code)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", length)
        if "Location" in answer.headers:
            target = urljoin(self._asked, answer.headers["Location"])
            self._lender.note_links(target, ("",))
            self.send_header("Location", self._lender.leads_back(here, target.encode()).decode())
        self.end_headers()
        if self.command == "GET":
            for chunk in answer.iter_raw() if page is None else (page,):
                self.wfile.write(chunk)

    def _page(self, answer: httpx.Response, here: str) -> bytes:
        body = bytearray()
        for chunk in answer.iter_raw():
            body += chunk
            if len(body) > PAGE_BYTES_MAX:
                raise httpx.DecodingError("the index's page is too large")
        self._lender.note_links(self._asked, links_in(bytes(body)))
        return self._lender.leads_back(here, bytes(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Nothing: the installer says what it did not get."""


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
