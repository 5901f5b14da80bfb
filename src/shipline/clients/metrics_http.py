"""HTTP to a source of metrics: one exchange, bounded in size and time, with errors in words and without secrets.

Nothing is retried and no redirect is followed: the credentials are for the configured address alone. A compressed
answer is not asked for, since it may unpack to any size.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import httpx

from shipline.clients.deadlines import deadline
from shipline.domain.codec import JSON
from shipline.domain.errors import ConfigurationError, InvalidValue, RefusedError, UnavailableError
from shipline.domain.strict_json import read_json
from shipline.ports.metrics import ManySeries, WrongType

ANSWER_BYTES_MAX = 1 << 20
COMPLAINT_LENGTH_MAX = 300
TIMEOUT_S_MAX = 60.0
SECRET_LENGTH_MIN = 4  # What is shorter would be struck out of half of all sentences.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Asked:
    """One POST. `headers` may hold secrets, `secrets` are those that no error may show."""

    url: str
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was read whole. `taken` is False for 4xx: the query was not; `document` is its JSON, None where
    an answer of that kind has none."""

    taken: bool
    status: int
    document: JSON


@dataclass(frozen=True, slots=True)
class MetricsHTTP:
    """How a source is asked. `who` begins sentences ("Prometheus at 127.0.0.1"), `timeout_s` bounds the exchange,
    `credentials_hint` says where credentials are looked for, `answer_bytes_max` is where an answer is cut off."""

    who: str
    timeout_s: float
    credentials_hint: str
    answer_bytes_max: int = ANSWER_BYTES_MAX

    def ask(self, asked: Asked) -> Answered:
        """Send it once. Raises as `Metrics.query` says; what a 4xx means beyond credentials is left to the caller."""
        status, content = self._exchange(asked)
        if status in (401, 403):
            raise RefusedError(
                f"{self.who} does not let Shipline in (HTTP {status})",
                why=self.complaint(_said(content), asked),
                todo=self.credentials_hint,
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _BUSY:
            raise UnavailableError(
                f"{self.who} has trouble of its own, or is too busy (HTTP {status})",
                why=self.complaint(_said(content), asked),
                todo="it is asked again later",
            )
        if status in range(300, 400) or status in (404, 405):
            raise ConfigurationError(
                f"{self.who} does not answer queries there (HTTP {status})",
                why="a redirect is not followed: the credentials are for the configured address alone"
                if status < httpx.codes.BAD_REQUEST
                else "",
                todo="set url to the address that answers them",
            )
        taken = status < httpx.codes.BAD_REQUEST
        return Answered(taken, status, self._document(content) if taken else _said(content))

    def complaint(self, said: object, asked: Asked) -> str:
        """What an error said, on one line, bounded, and without our secrets: some sources echo what they were sent."""
        words = said if isinstance(said, str) else _words(said)
        for secret in asked.secrets:
            if len(secret) >= SECRET_LENGTH_MIN:
                words = words.replace(secret, "***")
        return " ".join("".join(char if char.isprintable() else " " for char in words).split())[:COMPLAINT_LENGTH_MAX]

    def _exchange(self, asked: Asked) -> tuple[int, bytes]:
        headers = {"User-Agent": "shipline", "Accept": "application/json", "Accept-Encoding": "identity"}
        body = bytearray()
        try:
            with (
                deadline(self.timeout_s) as limit,
                httpx.Client(timeout=self.timeout_s, verify=_tls()) as client,
                client.stream(
                    "POST", asked.url, content=asked.content, headers={**headers, **asked.headers}, extensions=limit
                ) as answer,
            ):
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > self.answer_bytes_max:
                        raise ManySeries(
                            f"{self.who} answered with more than {self.answer_bytes_max >> 20} MiB",
                            todo="aggregate in the query, so that the answer is one number",
                        )
                return answer.status_code, bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # The last: for a host that is no name.
            raise UnavailableError(
                f"{self.who} cannot be reached, or did not answer within {self.timeout_s:g} s",
                why=self.complaint(str(error) or type(error).__name__, asked),
                todo="check that it runs, and the url in the check's metrics table",
            ) from None

    def _document(self, content: bytes) -> JSON:
        try:
            return read_json(content, what=f"the answer of {self.who}", limit_bytes=self.answer_bytes_max)
        except InvalidValue as error:
            raise WrongType(error.what, why=error.why, todo="check the url: something else may answer there") from None


def checked_address(url: str, *, name: str = "url") -> str:
    """An http or https address without credentials, without a slash at its end. ConfigurationError else."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        valid = parts.scheme in ("http", "https") and host != b"" and parts.port != 0
    except ValueError:  # Also a UnicodeError, for a part of a name that is empty or too long.
        valid = False
    if not valid or any(char.isspace() or not char.isprintable() for char in url):
        raise ConfigurationError(f"{name} is not an http or https address")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{name} is a plain address", todo="name the environment variables that hold credentials instead"
        )
    return url.rstrip("/")


def checked_timeout(seconds: float) -> None:
    """ConfigurationError for a time limit that is none."""
    if not 0 < seconds <= TIMEOUT_S_MAX:
        raise ConfigurationError(f"answer_timeout_s is more than 0 and at most {TIMEOUT_S_MAX:g} seconds")


def checked_variable(variable: str, *, name: str) -> None:
    """ConfigurationError for what cannot be the name of an environment variable; "" may stand for none."""
    if variable and not _VARIABLE.fullmatch(variable):
        raise ConfigurationError(
            f"{name} is the name of an environment variable", why="the secret itself has no place in a file"
        )


def secret_in(variable: str, *, optional: bool = False) -> str:
    """What the environment variable holds. ConfigurationError where that is nothing that a header can carry, or nothing
    at all; "" for the latter where it is `optional`."""
    found = os.environ.get(variable, "").strip()
    if found == "" and not optional:
        raise ConfigurationError(
            f"the source of metrics needs credentials, and {variable} is not set",
            todo=f"set {variable} (in CI: from its secret store), then run this again",
        )
    if not all(" " <= char <= "~" for char in found):
        raise ConfigurationError(f"{variable} holds characters that no credential has", todo=f"set {variable} again")
    return found


def host_of(url: str) -> str:
    """The host that an address names, for people."""
    return urlsplit(url).hostname or url


def _said(content: bytes) -> JSON:
    """What an error's body holds: its JSON, or its text."""
    try:
        return read_json(content, what="the answer", limit_bytes=ANSWER_BYTES_MAX)
    except InvalidValue:
        return content[: 4 * COMPLAINT_LENGTH_MAX].decode("utf-8", "replace")


def _words(said: object) -> str:
    """The words in an error's document, whatever the source calls them."""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return "; ".join(filter(None, (_words(item) for item in said)))
    if not isinstance(said, dict):
        return ""
    found = (said.get(name) for name in ("error", "errors", "message", "Message", "detail", "title"))
    return "; ".join(filter(None, (_words(item) for item in found)))


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates costs more than a request on loopback."""
    return httpx.create_ssl_context()
