"""What is served: reviews, whether it is well, and what was counted. Plain ASGI: it is on the way of every request."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from shipline.apps.admission.counts import CONTENT_TYPE, Counts
from shipline.apps.admission.namespaces import Namespaces
from shipline.apps.admission.policies import Policies
from shipline.apps.admission.proving import Proofs
from shipline.capabilities.gates import (
    REVIEW_BYTES_MAX,
    AdmissionDecision,
    AdmissionReview,
    read_review,
    review_answer,
)
from shipline.domain.errors import InvalidValue

PATH = "/validate"
TIMEOUT_S = 10.0
"""What a cluster takes for the time where a webhook's configuration states none."""
TIMEOUT_S_MAX = 30.0
ASKING, SPENT = 0.7, 0.85
"""Parts of the time that the cluster waits: for others, half of it for registries, and to an answer. The rest is for
the way back."""
BODY_S_MAX = 5.0
LARGE_BYTES = 128 * 1024
_SECONDS = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,9})?)(ms|s|m)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


class _NoReview(Exception):
    """What was sent is none. It is answered with this status and these words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


@dataclass(frozen=True, slots=True)
class Admission:
    """The application. `fails_open` is whether what cannot be checked is let in; `now_s` a clock that never goes back.

    `namespaces` is None where the cluster is not asked about them. `wants_certificate` is whether reviews are for those
    alone who have shown a certificate: the server has checked it.
    """

    policies: Policies
    proofs: Proofs
    namespaces: Namespaces | None
    counts: Counts
    now_s: Callable[[], float]
    fails_open: bool = False
    wants_certificate: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began_s = self.now_s()
        method, path = scope["method"], scope["path"]
        if path == PATH:
            status, body = await self._reviewed(scope, receive, began_s)
            await _send(send, status, body, "application/json")
        elif method in ("GET", "HEAD") and path in ("/healthz", "/readyz"):
            words = "ok" if path == "/healthz" or not self.policies.trouble else f"ok, but {self.policies.trouble}"
            await _send(send, 200, words.encode(), "text/plain; charset=utf-8")
        elif method in ("GET", "HEAD") and path == "/metrics":
            await _send(send, 200, self.counts.text().encode(), CONTENT_TYPE)
        else:
            await _send(send, 404, b"there is no such page", "text/plain; charset=utf-8")

    async def _reviewed(self, scope: Scope, receive: Receive, began_s: float) -> tuple[int, bytes]:
        try:
            body = await self._body(scope, receive)
            review = await asyncio.to_thread(_read, body) if len(body) > LARGE_BYTES else _read(body)
            decision = await self._decided(review, body, _timeout_s(scope) - (self.now_s() - began_s))
        except _NoReview as error:
            self.counts.refused[str(error.status)] += 1
            return error.status, json.dumps({"error": error.words}).encode()
        self.counts.reviews[self._kind(decision)] += 1
        self.counts.took(self.now_s() - began_s)
        return 200, json.dumps(review_answer(review.uid, decision, fails_open=self.fails_open)).encode()

    def _kind(self, decision: AdmissionDecision) -> str:
        if decision.denied:
            return "denied"
        if decision.unknown:
            return "failed_open" if self.fails_open else "failed_closed"
        return "allowed"

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if self.wants_certificate and not scope.get("state", {}).get("certificate"):
            raise _NoReview(403, "a client certificate is wanted here")
        if scope["method"] != "POST":
            raise _NoReview(405, "a review is sent by POST")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _NoReview(415, "a review is application/json")
        if int(headers.get(b"content-length", "0")) > REVIEW_BYTES_MAX:  # The server has checked that it is a number.
            raise _NoReview(413, f"a review has at most {REVIEW_BYTES_MAX} bytes")
        try:
            async with asyncio.timeout(BODY_S_MAX):
                return await _received(receive)
        except TimeoutError:
            raise _NoReview(408, "the body did not come in time") from None

    async def _decided(self, review: AdmissionReview, body: bytes, left_s: float) -> AdmissionDecision:
        """The answer before the time is over. What takes longer than that is an answer that was not found."""
        try:
            async with asyncio.timeout(SPENT * left_s):
                return await self._judged(review, ASKING * left_s, aside=len(body) > LARGE_BYTES)
        except TimeoutError:
            return AdmissionDecision((), ("the policies were not done in time",), ())
        except InvalidValue as error:
            raise _NoReview(400, error.sentence()) from None
        except Exception as error:  # noqa: BLE001 - an error of ours is no answer, and the cluster has to be told
            return AdmissionDecision((), (f"the policies could not be asked ({type(error).__name__})",), ())

    async def _judged(self, review: AdmissionReview, within_s: float, *, aside: bool) -> AdmissionDecision:
        """In the event loop, since most take less time than a thread costs; large ones keep none waiting."""
        standing = self.policies.standing
        admission = standing.admission(review)
        name = admission.namespace
        if self.namespaces is not None and name and admission.around.namespace(name) is None:
            found = await self.namespaces.of([name], within_s=within_s / 2)
            admission = standing.admission(review, found[name])
        demands = standing.demands(admission)
        proofs = await self.proofs.of(demands, within_s=within_s / 2) if demands else {}
        admission = replace(admission, proofs=proofs)
        if aside:
            return await asyncio.to_thread(standing.decide, admission)
        return standing.decide(admission)


def _read(body: bytes) -> AdmissionReview:
    try:
        return read_review(body)
    except InvalidValue as error:
        raise _NoReview(400, error.sentence()) from None


async def _received(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _NoReview(400, "the body was cut off")
        body += message.get("body", b"")
        if len(body) > REVIEW_BYTES_MAX:
            raise _NoReview(413, f"a review has at most {REVIEW_BYTES_MAX} bytes")
        if not message.get("more_body"):
            return bytes(body)


def _timeout_s(scope: Scope) -> float:
    """How long the cluster waits, which it says in the address (`?timeout=5s`)."""
    stated = parse_qs(scope["query_string"].decode("latin-1")).get("timeout", [""])[0]
    found = _SECONDS.fullmatch(stated)
    seconds = float(found[1]) * _UNITS[found[2]] if found else TIMEOUT_S
    return min(seconds, TIMEOUT_S_MAX) or TIMEOUT_S


async def _send(send: Send, status: int, body: bytes, kind: str) -> None:
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": HTTPStatus(status), "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
