"""A file from an http or https address, taken only if its digest is one that is known."""

from __future__ import annotations

import functools
import hashlib
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from shipline.clients.confidential import check_confidential
from shipline.clients.deadlines import paced
from shipline.clients.named_secrets import named_secret
from shipline.domain.errors import RefusedError, ShiplineError, UnavailableError

AGAIN = "when it is well again, run this again"
REDIRECTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Download:
    """Where from. `password_environment` names the variable with the password of `username`, or without one with a
    bearer token; "" sends no credentials. `answer_timeout_s` is as for Pace."""

    url: str
    username: str = ""
    password_environment: str = ""
    answer_timeout_s: float = 60.0

    @property
    def shown(self) -> str:
        """The server, as errors name it."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def download(what: Download, destination: Path, *, digests: Collection[str], bytes_max: int) -> None:
    """Save the file. ShiplineError where it is not there, is too large, or has another digest (`sha256:…`).

    Redirects are followed, as storage behind a forge needs it, to https only where it began with https; credentials do
    not go to another host with them. UnavailableError for trouble that may pass.
    """
    sha256, size = hashlib.sha256(), 0
    try:
        with (
            paced(what.answer_timeout_s) as pace,
            _client(what) as client,
            client.stream("GET", what.url, extensions=pace.extensions) as answer,
            destination.open("wb") as file,
        ):
            _expect(what, answer)
            for chunk in answer.iter_bytes():
                pace.moved(len(chunk))
                size += len(chunk)
                if size > bytes_max:
                    raise ShiplineError(f"{what.shown} serves more than {bytes_max} bytes")
                sha256.update(chunk)
                file.write(chunk)
    except httpx.TooManyRedirects:
        raise ShiplineError(f"{what.shown} leads from one address to the next") from None
    except httpx.HTTPError as error:
        why = str(error)[:200] or type(error).__name__
        raise UnavailableError(f"{what.shown} cannot be reached", why=why, todo=AGAIN) from None
    found = f"sha256:{sha256.hexdigest()}"
    if found not in digests:
        raise ShiplineError(
            f"{what.shown} serves other bytes than were released: {found}",
            why=f"the release has {', '.join(sorted(digests))}",
        )


def _client(what: Download) -> httpx.Client:
    secret = named_secret(what.password_environment)
    if secret != "":
        check_confidential(what.url, name="url")
    login = (what.username, secret) if what.username != "" else None
    bearer = {"Authorization": f"Bearer {secret}"} if secret != "" and login is None else {}
    is_secure = urlsplit(what.url).scheme == "https"
    return httpx.Client(
        timeout=what.answer_timeout_s,
        auth=login,
        headers={"Accept-Encoding": "identity", **bearer},
        verify=_tls(),
        follow_redirects=True,
        max_redirects=REDIRECTS_MAX,
        event_hooks={"request": [functools.partial(_check_scheme, what)] if is_secure else []},
    )


def _check_scheme(what: Download, request: httpx.Request) -> None:
    if request.url.scheme != "https":
        raise ShiplineError(f"{what.shown} leads from https to an address without it")


def _expect(what: Download, answer: httpx.Response) -> None:
    code = answer.status_code
    if answer.is_success:
        return
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise RefusedError(f"{what.shown} refused the credentials (HTTP {code})")
    if code >= httpx.codes.INTERNAL_SERVER_ERROR or code in (408, 425, 429):
        raise UnavailableError(f"{what.shown} is in trouble (HTTP {code})", todo=AGAIN)
    raise ShiplineError(f"{what.shown} does not have it (HTTP {code})", todo="see that the version was published there")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
