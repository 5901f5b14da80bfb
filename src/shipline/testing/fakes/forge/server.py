"""A forge on loopback: one model, one dialect, git over HTTP, and the faults of real forges.

Requests are carried out one by one. With `faults` set, a request may be turned away before it does anything, or be
carried out and its answer lost, which a client cannot tell from one that was never carried out.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from shipline.ports.forge.rights import Capability
from shipline.testing.fakes.forge.git_front import GitFront, GitReply
from shipline.testing.fakes.forge.hooks import Courier
from shipline.testing.fakes.forge.model import ForgeModel
from shipline.testing.fakes.forge.protection import Refusals
from shipline.testing.fakes.forge.quota import Quota
from shipline.testing.fakes.forge.refs import GitRefs
from shipline.testing.fakes.forge.refusals import Refused

BODY_BYTES_MAX = 64 << 20


@dataclass(frozen=True)
class Request:
    """What was asked. `names` are the parts of the path, `body` the JSON, `content` the raw bytes."""

    method: str
    path: str
    names: tuple[str, ...]
    query: Mapping[str, str]
    content: bytes
    content_type: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object; empty where there is none."""
        return json.loads(self.content) if self.content else {}

    def number(self, index: int) -> int:
        """A part of the path as a number."""
        return int(self.names[index])


@dataclass(frozen=True)
class Reply:
    """An answer. A `body` of None is none; a list is cut into pages."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Reply]


class Dialect(Protocol):
    """How one forge says it: its routes (method and pattern of the path), and how it refuses."""

    prefix: str
    page_parameter: str
    page_size_max: int
    courier: Courier
    origin: str
    refusals: Refusals

    def routes(self) -> list[tuple[str, str, Handler]]:
        """In the order in which they are tried."""
        ...

    def token_of(self, headers: Message) -> str:
        """The token that a request bears, "" for none."""
        ...

    def refusal(self, refused: Refused) -> Reply:
        """What a broken rule of the model is answered with."""
        ...

    def says_no(self, status: int) -> Reply:
        """401, 403, 404 and such."""
        ...

    def allowance(self, quota: Quota) -> dict[str, str]:
        """The headers that say what is left."""
        ...

    def turned_away(self, quota: Quota, wait_s: int) -> Reply:
        """What is answered beyond the limit."""
        ...


@dataclass
class ServerFaults:
    """What goes wrong, until it is set back.

    `down`: all is answered with 503. `limited`: so many requests are turned away by a rate limit, with these
    `limit_headers` and this `limit_status`. `lost_answers`: so many changes are carried out and then answered with 502
    (or, with `hang`, not at all). `page_size`: no page is longer. `redirect`: all is sent on to there.
    """

    down: bool = False
    limited: int = 0
    limit_status: int = 429
    limit_headers: dict[str, str] = field(default_factory=lambda: {"Retry-After": "7"})
    lost_answers: int = 0
    hang: bool = False
    page_size: int = 100
    redirect: str = ""


class ForgeServer:
    """A forge that listens on loopback. `requests` lists method and path of all that came, `tokens` what they bore.

    `quota` limits how much may be asked, None: without end. `admits` says whether a request to a path may bear a token;
    it may be set to other rules than the one token.
    """

    def __init__(self, model: ForgeModel, dialect: Dialect, *, token: str = "fake-forge-token") -> None:  # noqa: S107 - opens nothing but this fake
        self.model = model
        self.dialect = dialect
        self.courier = dialect.courier
        model.listeners.append(self.courier.hear)
        self.token = token
        self.admits: Callable[[str, str], bool] = lambda _path, borne: borne == self.token
        self.faults = ServerFaults()
        self.quota: Quota | None = None
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        refs = model.refs
        self.git = (
            GitFront(model, refs, lambda borne: borne == self.token, dialect.refusals)
            if isinstance(refs, GitRefs)
            else None
        )
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._routes = [(method, re.compile(pattern), handler) for method, pattern, handler in dialect.routes()]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        dialect.origin = self.origin
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def git_url(self) -> str:
        """Where git finds the repository, which takes the token as a password."""
        return f"{self.origin}/{self.model.repository}.git"

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return f"{self.origin}{self.dialect.prefix}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, whoever still waits for an answer."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def changes(self) -> list[tuple[str, str]]:
        """The requests that were to change something."""
        return [(method, path) for method, path in self.requests if method != "GET"]

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                content = _body_of(self.headers, self.rfile)
                if outer.git is not None and self.path.startswith(outer.git.prefix):
                    served = outer._serve_git(outer.git, self.command, self.path, self.headers, content)
                    self._finish(served.status, served.headers, served.content)
                    return
                reply = outer._answer(self.command, self.path, self.headers, content)
                if not outer.courier.held:
                    outer.courier.settle()
                if reply is None:
                    self.close_connection = True
                    return
                data = b"" if reply.body is None else json.dumps(reply.body).encode()
                self._finish(reply.status, dict(reply.headers) | {"Content-Type": "application/json"}, data)

            def _finish(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - the names of http.server

            def log_message(self, *_: object) -> None:
                """Quiet: what came is in `requests`."""

        return Handler

    def _serve_git(self, git: GitFront, method: str, target: str, headers: Message, content: bytes) -> GitReply:
        """A push is seen by the interface when it is answered, and the other way round."""
        parts = urlsplit(target)
        self.requests.append((method, parts.path))
        if self.faults.down:
            return GitReply(503, {}, b"")
        if self.faults.redirect:
            return GitReply(301, {"Location": f"{self.faults.redirect}{target}"}, b"")
        with self._lock:
            reply = git.answer(method, parts.path, parts.query, dict(headers.items()), content)
        if not self.courier.held:
            self.courier.settle()
        return reply

    def _answer(self, method: str, target: str, headers: Message, content: bytes) -> Reply | None:
        with self._lock:
            parts = urlsplit(target)
            self.requests.append((method, parts.path))
            self.tokens.append(self.dialect.token_of(headers))
            early = self._before(method, target)
            if early is not None:
                return early
            reply = self._within_quota(method, parts.path, dict(parse_qsl(parts.query)), headers, content)
            lost = method != "GET" and reply.status < 300 and self.faults.lost_answers > 0
            if lost:
                self.faults.lost_answers -= 1
        if lost and self.faults.hang:
            self._released.wait()
            return None
        return Reply({"message": "Bad Gateway"}, 502) if lost else reply

    def _before(self, method: str, target: str) -> Reply | None:
        """What is answered without anything being done."""
        faults = self.faults
        if faults.down:
            return Reply({"message": "Service Unavailable"}, 503)
        if faults.redirect:
            return Reply(None, 301, {"Location": f"{faults.redirect}{target}"})
        if faults.limited > 0:
            faults.limited -= 1
            return Reply({"message": "API rate limit exceeded"}, faults.limit_status, faults.limit_headers)
        if not self.admits(urlsplit(target).path, self.tokens[-1]):
            return self.dialect.says_no(401)
        return self.dialect.says_no(403) if self._forbids(method, urlsplit(target).path) else None

    def _forbids(self, method: str, path: str) -> bool:
        """Whether the token may not do this. Hooks are not even shown to one that may not set them."""
        needed = _takes(method, path)
        if method == "GET":
            return needed is Capability.HOOKS and needed in self.model.lacking
        return not self.model.may_write or needed in self.model.lacking

    def _within_quota(self, method: str, path: str, query: dict[str, str], headers: Message, content: bytes) -> Reply:
        """Carried out where the limits allow it."""
        quota = self.quota
        if quota is None:
            return self._carry_out(method, path, query, headers, content)
        wait_s = quota.take(method)
        if wait_s:
            return self.dialect.turned_away(quota, wait_s)
        reply = self._carry_out(method, path, query, headers, content)
        return Reply(reply.body, reply.status, {**reply.headers, **self.dialect.allowance(quota)})

    def _carry_out(self, method: str, path: str, query: dict[str, str], headers: Message, content: bytes) -> Reply:
        for wanted, pattern, handler in self._routes:
            match = pattern.fullmatch(path) if wanted == method else None
            if match is None:
                continue
            names = tuple(unquote(name) for name in match.groups())
            request = Request(method, path, names, query, content, headers.get("Content-Type") or "")
            try:
                reply = handler(request)
            except Refused as refused:
                return self.dialect.refusal(refused)
            return self._paged(reply, request) if isinstance(reply.body, list) else reply
        return self.dialect.says_no(404)

    def _paged(self, reply: Reply, request: Request) -> Reply:
        """One page, and in the `Link` header where the next one is."""
        asked = int(request.query.get(self.dialect.page_parameter, "20"))
        size = min(asked, self.dialect.page_size_max, self.faults.page_size)
        page = int(request.query.get("page", "1"))
        items = reply.body[(page - 1) * size : page * size]
        headers = dict(reply.headers)
        if len(reply.body) > page * size:
            query = urlencode(dict(request.query) | {"page": page + 1})
            headers["Link"] = f'<{self.origin}{request.path}?{query}>; rel="next"'
        return Reply(items, reply.status, headers)


def _takes(method: str, path: str) -> Capability | None:
    """What a request takes, None for one that everybody may send who is let in."""
    if "/hooks" in path:
        return Capability.HOOKS
    if method == "GET":
        return None
    words = {
        "/statuses/": Capability.STATUSES,
        "/pulls": Capability.PULLS,
        "/merge_requests": Capability.PULLS,
        "/issues": Capability.ISSUES,
        "/milestones": Capability.ISSUES,
        "/labels": Capability.ISSUES,
        "/variables": Capability.VARIABLES,
        "/actions/secrets": Capability.SECRETS,
        "/rulesets": Capability.SETTINGS,
        "/environments": Capability.SETTINGS,
        "/protected_": Capability.SETTINGS,
        "_protections": Capability.SETTINGS,
    }
    return next((capability for word, capability in words.items() if word in path), Capability.CONTENT)


def _body_of(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body of a request, in pieces where git sends it so (RFC 9112, 7.1)."""
    if headers.get("Transfer-Encoding", "") != "chunked":
        return stream.read(min(int(headers.get("Content-Length") or 0), BODY_BYTES_MAX))
    content = b""
    while (length := int(stream.readline(20), 16)) and len(content) < BODY_BYTES_MAX:
        content += stream.read(length)
        stream.readline(2)
    stream.readline(2)
    return content
