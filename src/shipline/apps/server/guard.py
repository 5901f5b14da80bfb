"""What every request passes first, and what every answer carries.

The name in the Host header must be one of loopback (a page elsewhere may point its own name at us), a body must be
small and of known length, and whoever comes must have the token. It fails closed: what is not let through here
reaches no route.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shipline.apps.server.problems import Answers, Problem
from shipline.apps.server.sessions import SESSION_S_MAX, Sessions
from shipline.capabilities.evidence import STREAMED_BYTES_MAX

LOOPBACK_HOST = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
PUBLIC_PATHS = ("/static/", "/healthz")
# They ask for a token of their own, which opens nothing else; the page's opens them not.
VERDICTS = "/api/v1/verdicts/"
# Calendar programs send an address and no more: its token is in it, and opens the feed alone.
FEED = "/calendar.ics"
BODY_BYTES_MAX = 64 * 1024
# Reports are larger, and are written to the disk as they come, once the token was seen.
EVIDENCE = "/api/v1/evidence"
KEPT = "private, max-age=31536000, immutable"
READING = frozenset({"GET", "HEAD"})

# All that the page needs is its own; nothing is inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# https://www.w3.org/TR/CSP3/, https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware, the outermost. An open session's cookie is handed on as `scope["state"]["session"]`."""

    def __init__(self, app: ASGIApp, sessions: Sessions, answers: Answers) -> None:
        self.app = app
        self.sessions = sessions
        self.answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                # An address of ours under /static/ changes with the file; everything else is of this moment.
                kept = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
                headers.setdefault("Cache-Control", KEPT if kept else "no-store")
            await send(message)

        answer = self._answer(scope)
        await (self.app if answer is None else answer)(scope, receive, send_guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """What to say instead of what was asked for; None lets the request through."""
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["session"] = ""
        if not LOOPBACK_HOST.fullmatch(headers.get("host", "")):
            return self.answers.problem(scope, Problem(421, "This server answers only under a name of this machine."))
        if scope["path"].startswith(PUBLIC_PATHS):
            return None
        bytes_max = STREAMED_BYTES_MAX if scope["path"] == EVIDENCE else BODY_BYTES_MAX
        if scope["method"] not in READING and not _small_body(headers, bytes_max):
            words = f"What is sent has at most {bytes_max} bytes, and says how many it has."
            return self.answers.problem(scope, Problem(413, words))
        return None if scope["path"].startswith(VERDICTS) else self._let_in(scope, headers)

    def _let_in(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if given and scope["path"] == FEED:
            # Not the page's: an address that a program keeps, and may show, must not open the page.
            return None if self.sessions.knows_feed(given[0]) else self.answers.unauthorised(scope)
        if given and scope["method"] in READING:
            known = self.sessions.knows(given[0])
            return self._open_session(scope, query) if known else self.answers.unauthorised(scope)
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.sessions.knows(bearer.strip()):
            return None
        session = _cookie(headers.getlist("cookie"), self.sessions.cookie_name)
        if not self.sessions.is_open(session):
            return self.answers.unauthorised(scope)
        scope["state"]["session"] = session
        return None

    def _open_session(self, scope: Scope, query: Iterable[tuple[str, str]]) -> Response:
        """To the same page without the token, so that it stays in no address bar, history or referrer."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # One slash: a path that begins with two would be another host's address.
        path = "/" + quote(scope["path"].lstrip("/"))
        response = RedirectResponse(f"{path}?{rest}" if rest else path, status_code=303)
        response.set_cookie(
            self.sessions.cookie_name, self.sessions.open(), max_age=SESSION_S_MAX, httponly=True, samesite="strict"
        )
        return response


def _small_body(headers: Headers, bytes_max: int) -> bool:
    if "content-length" not in headers:
        return "transfer-encoding" not in headers  # Neither of both: nothing is sent (RFC 9112, section 6.3).
    length = headers["content-length"]
    return length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= bytes_max


def _cookie(headers: Iterable[str], name: str) -> str:
    for header in headers:
        try:
            found = SimpleCookie(header).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return ""
