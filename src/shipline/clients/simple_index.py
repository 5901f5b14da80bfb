"""Read a Python package index by the simple repository API: PEP 503 (HTML), PEP 691 (JSON), PEP 592 (yanked).

Reads only, and only the origin that it was given: a redirect to another host is an error, never followed, since a
package of the same name elsewhere is somebody else's. Answers are bounded in size and time.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from packaging.utils import InvalidName, canonicalize_name

from shipline.clients.confidential import check_confidential
from shipline.clients.deadlines import deadline
from shipline.domain.errors import (
    ConfigurationError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.ports.clock import Clock
from shipline.ports.registry import PublishedFile

# The order of preference that PEP 691 recommends ("Version + Format Selection").
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
ANSWER_BYTES_MAX = 32 * 1024 * 1024
REDIRECTS_MAX = 5
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class SimpleIndex:
    """An index at `url` (the page above the projects' pages). `credentials` are user name and password, or None.

    `timeout_s` bounds a whole answer, from the first byte sent to the last one read.
    """

    url: str
    clock: Clock
    timeout_s: float
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def files(self, project: str) -> tuple[PublishedFile, ...]:
        """All files of `project`, of every version; empty where the index does not know it.

        UnavailableError: no answer, one of 500 or more, or 429. RefusedError: 401 and 403. ConfigurationError: a
        redirect to another origin. ShiplineError: an answer that is no simple index.
        """
        if self.credentials is not None or "@" in urlsplit(self.url).netloc:
            check_confidential(self.url, name="the index's url")
        place = f"{self.url.rstrip('/')}/{normalized(project)}/"
        deadline_us = self.clock.now_us() + int(self.timeout_s * 1_000_000)
        try:
            with (
                deadline(self.timeout_s) as limit,
                httpx.Client(timeout=self.timeout_s, auth=self.credentials, verify=_tls()) as client,
            ):
                for _ in range(REDIRECTS_MAX):
                    with client.stream("GET", place, headers={"Accept": ACCEPT}, extensions=limit) as answer:
                        if answer.next_request is None:
                            return self._read(answer, deadline_us)
                        place = self._next(place, str(answer.next_request.url))
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"the index {shown(self.url)} cannot be reached",
                why=str(error)[:200] or type(error).__name__,
                todo="when it is back, run this again: only what is missing will be done",
            ) from None
        raise ShiplineError(f"the index {shown(self.url)} redirects in a circle")

    def _next(self, place: str, target: str) -> str:
        if urlsplit(target)[:2] == urlsplit(place)[:2]:
            return target
        raise ConfigurationError(
            f"the index {shown(self.url)} sends this request on to {shown(target)}",
            why="only the index that is configured is asked: a package of this name elsewhere may be somebody else's",
            todo="if the index has moved, set index_url to its new address; pypiserver: start it with "
            "--disable-fallback",
        )

    def _read(self, answer: httpx.Response, deadline_us: int) -> tuple[PublishedFile, ...]:
        status = answer.status_code
        if status == httpx.codes.NOT_FOUND:
            return ()
        if status != httpx.codes.OK:
            raise refusal(f"the index {shown(self.url)}", status)
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise ShiplineError(f"the index {shown(self.url)} answered with more than {ANSWER_BYTES_MAX} bytes")
            if self.clock.now_us() > deadline_us:
                raise UnavailableError(f"the index {shown(self.url)} did not finish its answer in {self.timeout_s:g} s")
        return parse(bytes(body), answer.headers.get("content-type", ""))


def normalized(project: str) -> str:
    """A project's name as PEP 503 normalises it; InvalidValue where it is no project name."""
    try:
        return canonicalize_name(project, validate=True)
    except InvalidName:
        raise InvalidValue(f"{project[:80]!r} is not the name of a Python package") from None


def shown(url: str) -> str:
    """An address for people: without user name, password, query and fragment."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def refusal(who: str, status: int, why: str = "") -> ShiplineError:
    """The error that an HTTP status stands for. `who` begins the sentence; `why` is what it said, scrubbed."""
    if status in (401, 403):
        return RefusedError(
            f"{who} refused the credentials (HTTP {status})",
            why=why or ("it wants credentials" if status == httpx.codes.UNAUTHORIZED else "they do not allow this"),
            todo="set username and password_environment for this registry, or the client's own configuration "
            "(.pypirc, keyring); the account must be allowed to publish this package",
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425, 429):
        return UnavailableError(
            f"{who} is in trouble (HTTP {status})",
            why=why,
            todo="when it is well again, run this again: only what is missing will be done",
        )
    return ShiplineError(f"{who} answered HTTP {status}", why=why)


def parse(body: bytes, content_type: str) -> tuple[PublishedFile, ...]:
    """The files that a project's page lists. ShiplineError for anything that is no such page."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith(("+json", "/json")):
        return _from_json(body)
    if kind.endswith(("+html", "/html")):
        return _from_html(body)
    raise ShiplineError(f"the index answered with {kind[:60]!r}, which is no simple index (PEP 503, PEP 691)")


def _from_json(body: bytes) -> tuple[PublishedFile, ...]:
    try:
        page = json.loads(body)
        major = page["meta"]["api-version"].partition(".")[0]
        if major != "1":
            raise ShiplineError(f"the index speaks version {major[:20]} of the simple API; this one knows version 1")
        return tuple(_json_file(file) for file in page["files"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ShiplineError("the index's answer is not the JSON that PEP 691 describes") from None


def _json_file(file: dict[str, Any]) -> PublishedFile:
    # PEP 691: `yanked` is absent, a boolean, or the reason as a string.
    yanked = file.get("yanked")
    return PublishedFile(str(file["filename"]), _digest(file["hashes"].get("sha256", "")), yanked not in (None, False))


def _from_html(body: bytes) -> tuple[PublishedFile, ...]:
    page = _Page()
    try:
        page.feed(body.decode(errors="replace"))
        page.close()
    except (ValueError, AssertionError):  # An address or a declaration that cannot be parsed.
        raise ShiplineError("the index's answer is not the HTML that PEP 503 describes") from None
    return tuple(page.files)


def _digest(hexadecimal: str) -> str | None:
    return f"sha256:{hexadecimal.lower()}" if _SHA256.fullmatch(hexadecimal) else None


class _Page(HTMLParser):
    """The anchors of a PEP 503 page: the URL's last part is the file's name, its fragment the hash."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[PublishedFile] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        href = attributes.get("href")
        if tag != "a" or href is None:
            return
        parts = urlsplit(href)
        name = unquote(parts.path.rpartition("/")[2])
        digest = _digest(parts.fragment.removeprefix("sha256="))
        self.files.append(PublishedFile(name, digest, "data-yanked" in attributes))


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
