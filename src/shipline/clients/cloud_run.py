"""One service of Google Cloud Run, by its Admin API v2: read it, change it as it was read, and its revisions.

From: cloud.google.com/run/docs/reference/rest/v2/projects.locations.services (and .revisions)

A change carries the `etag` of what was read: of two that were made from the same state one is refused (ABORTED). One
exchange a call, bounded; no redirect is followed: the token is for the configured address alone.
"""

from __future__ import annotations

import functools
import json
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from shipline.clients.aws_api import is_origin
from shipline.clients.deadlines import deadline
from shipline.domain.errors import (
    ConfigurationError,
    ConflictError,
    InvalidValue,
    RefusedError,
    ShiplineError,
    UnavailableError,
)
from shipline.domain.strict_json import read_json

API = "https://run.googleapis.com"
ANSWER_TIMEOUT_S = 15.0
ANSWER_BYTES_MAX = 8 << 20
PAGES_MAX = 50
ATTEMPTS_MAX = 5
COMPLAINT_LENGTH_MAX = 400
PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]{1,20}")
LOCATION = re.compile(r"[a-z][a-z0-9-]{1,40}")
# Names of services: 49 characters at most, so that revisions have room for theirs.
SERVICE = re.compile(r"[a-z](?:[a-z0-9-]{0,47}[a-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
R = TypeVar("R")


class CloudRunComplaint(ShiplineError):
    """A call was understood and not carried out. `status` is Google's own: `FAILED_PRECONDITION`."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(f"Cloud Run does not take this ({status[:40]})", why=why)
        self.status = status


@dataclass(frozen=True, slots=True)
class CloudRunPlace:
    """Which service it is. `token_environment` names the variable with an access token, `url` is the API's origin."""

    project: str
    location: str
    service: str
    token_environment: str
    url: str = API

    def __post_init__(self) -> None:
        """Refuse what cannot be a name or an address (ConfigurationError)."""
        for name, pattern in (("project", PROJECT), ("location", LOCATION), ("service", SERVICE)):
            if not pattern.fullmatch(getattr(self, name)):
                raise ConfigurationError(f"{name}: {getattr(self, name)[:80]!r} is no name of one")
        if not VARIABLE.fullmatch(self.token_environment):
            raise ConfigurationError("token_environment is the name of an environment variable")
        if not is_origin(self.url):
            raise ConfigurationError("url is not the origin of a server: https://host:port, or http on this machine")

    @property
    def path(self) -> str:
        """The service's name in the API."""
        return f"v2/projects/{self.project}/locations/{self.location}/services/{self.service}"


class CloudRunService:
    """The calls. Objects come as they are in the API."""

    def __init__(self, place: CloudRunPlace) -> None:
        self._place = place

    def read(self) -> dict[str, Any]:
        """The service. ConfigurationError where there is none."""
        found = self._call("GET", self._place.path)
        if found is None:
            raise ConfigurationError(
                f"there is no Cloud Run service {self._place.service} in {self._place.location}",
                todo="create it (gcloud run deploy, with any image) before the first rollout",
            )
        if not isinstance(found.get("etag"), str):
            raise ShiplineError("Cloud Run answered with a service that has no etag")
        return found

    def change(self, found: Mapping[str, Any], changes: Mapping[str, Any], *, dry_run: bool = False) -> None:
        """Replace fields of the service as it was `found`. ConflictError (retryable) where it is another by now."""
        query = {"updateMask": ",".join(sorted(changes))} | ({"validateOnly": "true"} if dry_run else {})
        body = {"name": self._place.path.removeprefix("v2/"), "etag": found["etag"], **changes}
        if self._call("PATCH", self._place.path, query, body) is None:
            raise ConfigurationError(f"the Cloud Run service {self._place.service} has been deleted")

    def revisions(self) -> dict[str, dict[str, Any]]:
        """All revisions of the service, by the last part of their names."""
        return {str(each.get("name", "")).rpartition("/")[2]: each for each in self._revisions()}

    def remove_revision(self, name: str) -> None:
        """Delete a revision; nothing where there is none, or Cloud Run keeps it."""
        try:
            self._call("DELETE", f"{self._place.path}/revisions/{name}")
        except CloudRunComplaint as complaint:
            if complaint.status != "FAILED_PRECONDITION":
                raise

    def _revisions(self) -> Iterator[dict[str, Any]]:
        more = ""
        for _ in range(PAGES_MAX):
            query = {"pageSize": "100"} | ({"pageToken": more} if more else {})
            page = self._call("GET", f"{self._place.path}/revisions", query) or {}
            yield from page.get("revisions") or ()
            more = str(page.get("nextPageToken") or "")
            if not more:
                return
        raise ShiplineError(f"the Cloud Run service {self._place.service} has more revisions than can be read")

    def _call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any] | None:
        """The answer; None for 404."""
        status, content = self._exchange(method, path, query or {}, b"" if body is None else json.dumps(body).encode())
        if status == httpx.codes.NOT_FOUND:
            return None
        try:
            found: Any = read_json(content or b"{}", what="the answer of Cloud Run", limit_bytes=ANSWER_BYTES_MAX)
        except InvalidValue:
            found = None
        table: dict[str, Any] = found if isinstance(found, dict) else {}
        if status >= httpx.codes.MULTIPLE_CHOICES:
            error = table.get("error")
            raise _error(status, error if isinstance(error, dict) else {})
        if not isinstance(found, dict):
            raise ShiplineError(
                "Cloud Run answered with something that it does not say", todo="check url: something else answers there"
            )
        return table

    def _exchange(self, method: str, path: str, query: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        token = self._token()
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "shipline", "Accept-Encoding": "identity"}
        if content:
            headers["Content-Type"] = "application/json"
        url, got = f"{self._place.url.rstrip('/')}/{path}", bytearray()
        try:
            with (
                deadline(ANSWER_TIMEOUT_S) as limit,
                httpx.Client(timeout=ANSWER_TIMEOUT_S, verify=_tls()) as client,
                client.stream(
                    method, url, params=dict(query), headers=headers, content=content, extensions=limit
                ) as answer,
            ):
                for chunk in answer.iter_raw():
                    got += chunk
                    if len(got) > ANSWER_BYTES_MAX:
                        raise ShiplineError(f"Cloud Run answered with more than {ANSWER_BYTES_MAX >> 20} MiB")
                return answer.status_code, bytes(got)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise UnavailableError(
                f"Cloud Run cannot be reached, or did not answer within {ANSWER_TIMEOUT_S:g} s",
                why=(str(error) or type(error).__name__).replace(token, "***")[:COMPLAINT_LENGTH_MAX],
                todo="when it is back, run this again: only what is missing will be done",
            ) from None

    def _token(self) -> str:
        """Read for each call and never kept, so that one that was renewed is taken."""
        token = os.environ.get(self._place.token_environment, "").strip()
        if not token or not all(" " < char <= "~" for char in token):
            raise ConfigurationError(
                f"Cloud Run needs an access token, and {self._place.token_environment} holds none",
                todo=f"set {self._place.token_environment} (say, from `gcloud auth print-access-token`)",
            )
        return token


def until_settled(attempt: Callable[[], R]) -> R:
    """What `attempt` returns. It is made anew, from reading on, where somebody else has changed the service meanwhile.
    Each attempt checks again who may write."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return attempt()
        except ConflictError as conflict:
            if not conflict.retryable:
                raise
    try:
        return attempt()
    except ConflictError as conflict:
        if not conflict.retryable:
            raise
        raise UnavailableError("Cloud Run: others go on changing the same service", why=conflict.why) from None


def _error(status: int, error: Mapping[str, Any]) -> ShiplineError:
    code, message = str(error.get("status") or f"HTTP {status}"), str(error.get("message") or "")
    why = " ".join("".join(char if char.isprintable() else " " for char in message).split())[:COMPLAINT_LENGTH_MAX]
    if status in (401, 403):
        return RefusedError(
            f"Cloud Run does not let Shipline do this (HTTP {status})",
            why=why,
            todo="renew the access token; its account needs what the how-to 'Deploy to Cloud Run' lists",
        )
    if status == httpx.codes.CONFLICT or code == "ABORTED":
        return ConflictError("Cloud Run: somebody else has changed this", why=why, retryable=True)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425, 429):
        return UnavailableError(f"Cloud Run has trouble of its own, or is too busy (HTTP {status})", why=why)
    return CloudRunComplaint(code, why)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading all authorities takes longer than most exchanges."""
    return httpx.create_ssl_context()
