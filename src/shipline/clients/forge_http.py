"""HTTP to a forge's API: one place for the token, limits, pages, errors in words, and what is never sent twice.

The token goes to the configured API and to nowhere else: a redirect to another origin is an error, and so is a page's
link that leads elsewhere. Answers are bounded in size, number and time. Nothing is retried, with one exception: what a
rate limit has turned away was not carried out, so it is sent again after the wait that the forge asks for, if that is
short. Bodies of errors are shown bounded, on one line, and without the token.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from shipline.clients.deadlines import deadline
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.domain.secrecy import redacted_json
from shipline.ports.clock import Clock

ANSWER_BYTES_MAX = 16 << 20
COMPLAINT_LENGTH_MAX = 300
REDIRECTS_MAX = 3
WAITS_MAX = 3
WAIT_S_MAX = 120.0
UPLOAD_CHUNK_BYTES = 1 << 16
DIGITS_MAX = 10
# 405 and 406: GitHub and GitLab do not merge this as it is.
CONFLICTS = frozenset({405, 406, 409, 422})
TAKEN_WORDS = ("already exists", "already been taken", "already being used")

T = TypeVar("T")
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where a file goes: a path of the API, or a whole address that the forge's own rule gives. `form_field` is the
    form's field for the bytes; "" sends them as the body."""

    method: str
    place: str
    query: Query = field(default_factory=dict)
    form_field: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """What is sent: JSON, and what of it is a secret."""

    fields: Mapping[str, Any] | None = None
    secret: str = field(default="", repr=False)


@dataclass(slots=True)
class Allowance:
    """What a forge said last about the token: how many requests are left, and until when (UTC microseconds).

    `scopes` are those of a classic token on GitHub, None for all others.
    """

    remaining: int | None = None
    resets_us: int | None = None
    scopes: frozenset[str] | None = None

    def note(self, headers: httpx.Headers) -> None:
        """Keep what an answer says: GitHub's `x-ratelimit-*`, GitLab's `ratelimit-*`, the reset in epoch seconds."""
        for prefix in ("x-ratelimit-", "ratelimit-"):
            remaining, resets_s = headers.get(f"{prefix}remaining", ""), headers.get(f"{prefix}reset", "")
            if remaining.isascii() and remaining.isdigit() and len(remaining) <= DIGITS_MAX:
                self.remaining = int(remaining)
            if resets_s.isascii() and resets_s.isdigit() and len(resets_s) <= DIGITS_MAX:
                self.resets_us = int(resets_s) * 1_000_000
        if "x-oauth-scopes" in headers:
            self.scopes = frozenset(word.strip() for word in headers["x-oauth-scopes"].split(","))


@dataclass(frozen=True, slots=True)
class ForgeHTTP:
    """A forge's API at `url`, without a slash at its end.

    `who` begins sentences ("GitHub at 127.0.0.1"). `headers` gives the headers of each request, the token's among them;
    it is asked each time, so that no secret is kept. `token_hint` says where a token is looked for.
    `timeout_s` bounds an answer, `upload_timeout_s` an upload. `page_parameter` is what the forge calls the length of
    a page, `page_size` the most that it gives. `allowance` is kept from answer to answer.
    """

    who: str
    url: str
    clock: Clock
    headers: Callable[[], Mapping[str, str]] = field(repr=False)
    token_hint: str
    timeout_s: float
    upload_timeout_s: float
    page_parameter: str = "per_page"
    page_size: int = 100
    allowance: Allowance = field(default_factory=Allowance)

    def find(self, path: str, query: Query | None = None, *, need: str = "") -> Any | None:
        """GET: the JSON that is there, None for 404. `need` names the permission that it takes, for errors."""
        answer = self._ask("GET", path, need, query=query)
        return None if answer.status == httpx.codes.NOT_FOUND else answer.json(self.who)

    def get(self, path: str, query: Query | None = None, *, need: str = "") -> Any:
        """GET what must be there. A 404 may also mean that the token may not see it: RefusedError."""
        found = self.find(path, query, need=need)
        if found is None:
            raise self._hidden(need)
        return found

    def pages(self, path: str, query: Query | None = None, *, items_max: int, need: str = "") -> Iterator[Any]:
        """The items of a list, page by page as they are consumed. A list that is longer: ShiplineError.

        The next page is where the `Link` header says (RFC 8288), which must be on the same origin.
        """
        place: str | None = path
        asked: Query | None = {self.page_parameter: self.page_size} | dict(query or {})
        count = 0
        while place is not None:
            answer = self._ask("GET", place, need, query=asked)
            if answer.status == httpx.codes.NOT_FOUND:
                raise self._hidden(need)
            items = answer.json(self.who)
            if not isinstance(items, list):
                raise ShiplineError(f"{self.who} answered with something that is no list")
            for item in items:
                count += 1
                if count > items_max:
                    raise ShiplineError(
                        f"{self.who} lists more than {items_max} items",
                        why="Shipline does not guess from a part of a list",
                    )
                yield item
            place, asked = (answer.next_page if items else None), None

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, need: str, secret: str = ""
    ) -> Any:
        """Change something, once; what looks like a secret in `body` is masked, since many will see it.

        But for a body that holds a `secret` by intention: no error repeats that. 409 and 422 are ConflictErrors; 404 is
        a RefusedError, since it must be there.
        """
        told = body if body is None or secret else redacted_json(dict(body))
        answer = self._ask(method, path, need, body=Payload(told, secret))
        if answer.status == httpx.codes.NOT_FOUND:
            raise self._hidden(need)
        return answer.json(self.who) if answer.content else None

    def remove(self, path: str, *, need: str) -> None:
        """DELETE; gone already is as good."""
        self._ask("DELETE", path, need)

    def upload(self, file: Path, target: UploadTarget, *, need: str) -> Any:
        """Send a file's bytes, once, raw or in a form."""
        with file.open("rb") as stream:
            if target.form_field:
                form = {target.form_field: (file.name, stream, "application/octet-stream")}
                given: dict[str, Any] = {"files": form}
            else:
                size = file.stat().st_size
                headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
                given = {"content": iter(lambda: stream.read(UPLOAD_CHUNK_BYTES), b""), "headers": headers}
            answer = self._once(target.method, self._address(target.place), target.query, self.upload_timeout_s, given)
        if answer.wait_s(self.clock.now_us()) is not None:
            raise UnavailableError(f"{self.who} limits how much is asked of it", todo="run this again later")
        if answer.status == httpx.codes.NOT_FOUND:
            raise self._hidden(need)
        self._check(answer, need)
        return answer.json(self.who) if answer.content else None

    def _ask(
        self,
        method: str,
        path: str,
        need: str,
        *,
        query: Query | None = None,
        body: Payload | None = None,
    ) -> Answer:
        """One request, its waits and its redirects; 404 is handed to the caller."""
        address = self._address(path)
        sent = body or Payload()
        given: dict[str, Any] = {} if sent.fields is None else {"json": dict(sent.fields)}
        waits = redirects = 0
        while True:
            answer = self._once(method, address, query, self.timeout_s, given)
            wait_s = answer.wait_s(self.clock.now_us())
            if wait_s is not None:
                self._wait(wait_s, waits)
                waits += 1
            elif answer.location and method == "GET" and redirects < REDIRECTS_MAX:
                address, query = self._same_origin(address, answer.location), None
                redirects += 1
            else:
                self._check(answer, need, sent.secret)
                return answer

    def _wait(self, wait_s: float, waits: int) -> None:
        if wait_s > WAIT_S_MAX or waits >= WAITS_MAX:
            raise UnavailableError(
                f"{self.who} limits how much is asked of it, for another {wait_s:.0f} s",
                todo="run this again later: it goes on from where it is",
            )
        self.clock.sleep(max(wait_s, 1.0))

    def _once(
        self, method: str, address: str, query: Query | None, timeout_s: float, given: Mapping[str, Any]
    ) -> Answer:
        headers = {**self.headers(), **given.get("headers", {})}
        rest = {name: value for name, value in given.items() if name != "headers"}
        deadline_us = self.clock.now_us() + int(timeout_s * 1_000_000)
        try:
            with (
                deadline(timeout_s) as limit,
                httpx.Client(timeout=timeout_s, verify=_tls()) as client,
                client.stream(method, address, params=query, headers=headers, extensions=limit, **rest) as answer,
            ):
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"{self.who} answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                    if self.clock.now_us() > deadline_us:
                        raise UnavailableError(f"{self.who} did not finish its answer in {timeout_s:g} s")
                self.allowance.note(answer.headers)
                next_page = answer.links.get("next", {}).get("url")
                following = None if next_page is None else self._same_origin(address, next_page)
                return Answer(answer.status_code, answer.headers, bytes(body), following)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(
                f"{self.who} cannot be reached, or did not answer in time",
                why=str(error)[:200] or type(error).__name__,
                todo="when it is back, run this again: only what is missing will be done",
            ) from None

    def _address(self, path: str) -> str:
        return path if path.startswith(("http://", "https://")) else f"{self.url}{path}"

    def _same_origin(self, base: str, reference: str) -> str:
        """The address that `reference`, seen from `base`, leads to."""
        try:
            address = urljoin(base, reference)
            host = urlsplit(address).hostname
        except ValueError:
            raise ShiplineError(f"{self.who} sends this request on to something that is no address") from None
        if urlsplit(address)[:2] == urlsplit(self.url)[:2]:
            return address
        raise ConfigurationError(
            f"{self.who} sends this request on to {host or 'an address without a host'}",
            why="the token is for the configured forge alone",
            todo="if the forge has moved, set api_url in [forge] to its new address",
        )

    def _check(self, answer: Answer, need: str, secret: str = "") -> None:
        """Raise what the status stands for; 404 is left to the caller."""
        status, said = answer.status, self._clean(answer.complaint(), secret)
        if status < httpx.codes.MULTIPLE_CHOICES or status == httpx.codes.NOT_FOUND:
            return
        if status < httpx.codes.BAD_REQUEST:
            raise ConfigurationError(
                f"{self.who} says that the repository is elsewhere", todo="set repository in [forge] to its new name"
            )
        if status == httpx.codes.UNAUTHORIZED:
            raise RefusedError(f"{self.who} does not take the token", why=said, todo=self.token_hint)
        if status == httpx.codes.FORBIDDEN:
            named = answer.headers.get("x-accepted-github-permissions", "")[:100] or need
            raise RefusedError(
                f"{self.who} does not allow this",
                why=said,
                todo=f"give the token the permission {named!r}" if named else self.token_hint,
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425):
            raise UnavailableError(
                f"{self.who} has trouble of its own (HTTP {status})", why=said, todo="run this again later"
            )
        # GitLab says 400 for a branch, tag or milestone that is there.
        if status in CONFLICTS or any(words in said for words in TAKEN_WORDS):
            raise ConflictError(f"{self.who} does not take this (HTTP {status})", why=said)
        raise ShiplineError(f"{self.who} refused the request (HTTP {status})", why=said)

    def _hidden(self, need: str) -> RefusedError:
        return RefusedError(
            f"{self.who} does not know this, or the token may not see it (HTTP 404)",
            todo=f"check `repository` in [forge], and that the token has the permission {need!r}"
            if need
            else "check `repository` in [forge], and what the token may see",
        )

    def _clean(self, said: str, secret: str) -> str:
        """What the forge said, without anything that was in our headers, and the secret: some echo what they got."""
        said = said.replace(secret, "***") if secret else said
        for value in self.headers().values():
            borne = value.rpartition(" ")[2]
            if len(borne) > len("application"):
                said = said.replace(borne, "***")
        return said[:COMPLAINT_LENGTH_MAX]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole."""

    status: int
    headers: httpx.Headers
    content: bytes
    next_page: str | None

    @property
    def location(self) -> str:
        """Where a redirect leads, "" for any other answer."""
        is_redirect = self.status in (301, 302, 307, 308)
        return str(self.headers.get("location", "")) if is_redirect else ""

    def json(self, who: str) -> Any:
        """The body as JSON. ShiplineError where it is none, a proxy's page for instance."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise ShiplineError(
                f"{who} answered with something that is no JSON", todo="check api_url in [forge]"
            ) from None

    def wait_s(self, now_us: int) -> float | None:
        """The seconds that a rate limit asks to wait, None if this is no rate limit.

        `retry-after` goes first, then the reset of the primary limit; a secondary limit that says neither asks for a
        minute. From: docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api; GitLab and Gitea say 429.
        """
        retry_after, left = self.headers.get("retry-after", ""), self.headers.get("x-ratelimit-remaining", "")
        limited = self.status == httpx.codes.TOO_MANY_REQUESTS or (
            self.status == httpx.codes.FORBIDDEN
            and (retry_after != "" or left == "0" or "secondary rate limit" in self.complaint().lower())
        )
        if not limited:
            return None
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        reset = self.headers.get("x-ratelimit-reset", self.headers.get("ratelimit-reset", ""))
        if reset.isascii() and reset.isdigit() and len(reset) < len("99999999999"):
            return max(0.0, int(reset) - now_us / 1_000_000)
        return 60.0

    def complaint(self) -> str:
        """What an error's body says, on one line: GitHub's and Gitea's `message` and `errors`, GitLab's `error`."""
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(body, dict):
            return ""
        parts = [body.get("message"), body.get("error_description"), body.get("error"), body.get("errors")]
        words = "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts if part)
        return " ".join("".join(char if char.isprintable() else " " for char in words).split())


def made(look: Callable[[], T | None], make: Callable[[], T]) -> T:
    """Create what is not there yet. An answer that was lost, or one that says that somebody was first, is looked into:
    the creation is never sent twice."""
    found = look()
    if found is not None:
        return found
    try:
        return make()
    except (UnavailableError, ConflictError):
        found = look()
        if found is None:
            raise
        return found


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates costs more than a request on loopback."""
    return httpx.create_ssl_context()
