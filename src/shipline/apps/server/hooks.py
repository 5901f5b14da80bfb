"""`POST /hooks/{forge}`: what GitHub, GitLab and Gitea tell.

It stands before everything else that is served: there may be hundreds a second, and each is signed by who sends it, so
that neither the page's token nor the name of the host says anything about it.

Promises: what is not signed with a secret of `[[hook]]` leaves nothing but a line in the log and a count. What is
answered with 202 is on the disk: all that wait are written in one transaction, since it is the disk that takes time.
How much is held in memory at once is bounded, whoever sends it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shipline.apps.server.problems import Problem
from shipline.apps.server.site import Site
from shipline.capabilities.automation import (
    FORGES,
    NewDelivery,
    event_name,
    forge_of_headers,
    is_signed,
    keep_deliveries,
)
from shipline.domain.codec import JSON
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.domain.strict_json import read_json

HOOKS = "/hooks/"
# GitHub sends no more: docs.github.com/webhooks/webhook-events-and-payloads.
BODY_BYTES_MAX = 25 << 20
HELD_BYTES_MAX = 4 * BODY_BYTES_MAX
WAITING_MAX = 2000
BATCH_MAX = 500
BODY_TIMEOUT_S = 10.0
SECRETS_KEPT_S = 10.0
BUSY = 503
# Larger ones are checked and read beside the event loop.
INLINE_BYTES_MAX = 128 << 10
# The forge's own name for an event, the same in each attempt to deliver it. From: each forge's documentation of hooks.
IDENTITIES = {
    "github": ("x-github-delivery",),
    "gitea": ("x-gitea-delivery", "x-forgejo-delivery"),
    "gitlab": ("idempotency-key", "webhook-id", "x-gitlab-event-uuid"),
}

log = logging.getLogger(__name__)


class Refused(Exception):
    """A delivery that is not taken. `count` is what it is counted as."""

    def __init__(self, status: int, what: str, count: str, todo: str = "") -> None:
        super().__init__(what)
        self.problem = Problem(status, what, todo=todo)
        self.count = count


@dataclass
class Counts:
    """What came since this process began: accepted, forged, oversize, busy, unusual. For the page."""

    by_outcome: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Writes deliveries down: all that wait, in one transaction. Used by one event loop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: list[tuple[NewDelivery, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, delivery: NewDelivery) -> None:
        """Return once it is on the disk. Refused where too many wait; ShiplineError where the store takes nothing."""
        if len(self._waiting) >= WAITING_MAX:
            raise Refused(BUSY, "Too many deliveries wait for the disk.", "busy")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            new = [delivery for delivery, _ in batch]
            trouble: Exception | None = None
            try:
                await run_in_threadpool(keep_deliveries, self._site.store, new, self._site.clock.now_us())
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and this goes on for the others
                trouble = error
            for _, done in batch:
                if done.done():
                    continue  # Whoever has waited for it is gone.
                if trouble is None:
                    done.set_result(None)
                else:
                    done.set_exception(trouble)


class Hooks:
    """ASGI: the endpoint, and `app` for all other paths. `counts` is shown on the page."""

    def __init__(self, app: ASGIApp, site: Site, counts: Counts) -> None:
        self._app = app
        self._site = site
        self._counts = counts.by_outcome
        self._ledger = Ledger(site)
        self._held_bytes = 0
        self._secrets: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http" or not scope["path"].startswith(HOOKS):
            await self._app(scope, receive, send)
            return
        answer = await self.receive(Request(scope, receive))
        await answer(scope, receive, send)

    async def receive(self, request: Request) -> Response:
        """Take a delivery, or say why not. A 2xx keeps forges from switching the hook off."""
        held = 0
        try:
            forge = await self._checked(request)
            body = bytearray()
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for piece in request.stream():
                    held += len(piece)
                    self._held_bytes += len(piece)
                    self._check_size(held)
                    body += piece
            delivery = await self._read(forge, request, bytes(body))
            await self._ledger.keep(delivery)
        except Refused as refused:
            return self._refuse(request, refused)
        except (TimeoutError, ClientDisconnect):
            return self._refuse(request, Refused(408, "The delivery did not come whole in time.", "unusual"))
        except ShiplineError as error:
            log.warning("a delivery could not be kept: %s", error.sentence())
            return self._refuse(request, Refused(BUSY, "It cannot be kept now: send it again later.", "busy"))
        finally:
            self._held_bytes -= held
        self._counts["accepted"] += 1
        # Without a body it is one send instead of two: under load each waits for the interpreter's lock.
        return Response(status_code=202)

    async def _checked(self, request: Request) -> str:
        """The forge, once all is right that can be seen before the body is read."""
        forge, headers = request.url.path.removeprefix(HOOKS), request.headers
        if request.method != "POST":
            raise Refused(405, "A hook is sent by POST.", "unusual")
        if forge not in FORGES:
            raise Refused(404, "There is no such hook.", "unusual", "known ones: " + ", ".join(FORGES))
        sender = forge_of_headers(headers)
        if sender != forge:
            words = f"These are the headers of {sender}." if sender else f"No header says that this is from {forge}."
            raise Refused(400, words, "unusual", f"the address for it is {HOOKS}{sender or forge}")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "Deliveries are JSON.", "unusual", "set the hook's content type to application/json")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 12:
            raise Refused(400, "The length is no number.", "unusual")
        self._check_size(int(length))
        return forge

    def _check_size(self, length: int) -> None:
        if length > BODY_BYTES_MAX:
            raise Refused(413, f"A delivery has at most {BODY_BYTES_MAX >> 20} MB.", "oversize")
        if self._held_bytes > HELD_BYTES_MAX:
            raise Refused(BUSY, "Too much is being received at once: send it again later.", "busy")

    async def _read(self, forge: str, request: Request, body: bytes) -> NewDelivery:
        """The delivery, once it is known who sent it."""
        secrets = await self._secrets_of(forge)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if len(body) > INLINE_BYTES_MAX:
            return await run_in_threadpool(self._judge, forge, headers, body, secrets)
        return self._judge(forge, headers, body, secrets)

    async def _secrets_of(self, forge: str) -> tuple[str, ...]:
        """Read beside the event loop, where they are kept, and again after SECRETS_KEPT_S."""
        now_s = asyncio.get_running_loop().time()
        kept_s, secrets = self._secrets.get(forge, (float("-inf"), ()))
        if now_s - kept_s < SECRETS_KEPT_S:
            return secrets
        try:
            secrets = await run_in_threadpool(self._site.hook_secrets, forge)
        except ShiplineError as error:
            log.warning("a delivery of %s was refused: %s", forge, error.sentence())
            raise Refused(404, f"No hooks of {forge} are taken here.", "unusual") from None
        self._secrets[forge] = (now_s, secrets)
        return secrets

    def _judge(self, forge: str, headers: dict[str, str], body: bytes, secrets: tuple[str, ...]) -> NewDelivery:
        if not is_signed(forge, headers, body, secrets, now_us=self._site.clock.now_us()):
            raise Refused(401, "The signature is not that of a secret that is known here.", "forged")
        try:
            document: JSON = read_json(body, what="the delivery", limit_bytes=BODY_BYTES_MAX)
        except InvalidValue as error:
            raise Refused(400, f"{error.what}.", "unusual") from None
        if not isinstance(document, dict):
            raise Refused(400, "A delivery is a JSON object.", "unusual")
        named = (headers.get(name, "") for name in IDENTITIES[forge])
        # What the forge does not name is taken for new: a look too many does no harm.
        identity = next((name for name in named if name), "") or self._site.engine.ids.new("dlv")
        return NewDelivery(forge, identity, event_name(forge, headers, document), body)

    def _refuse(self, request: Request, refused: Refused) -> Response:
        self._counts[refused.count] += 1
        if refused.count in ("forged", "oversize"):
            peer = request.client.host if request.client is not None else "somebody"
            log.warning("a delivery to %s from %s was refused: %s", request.url.path[:80], peer, refused.problem.what)
        headers = {"Retry-After": "5"} if refused.problem.status == BUSY else {}
        document = refused.problem.document()
        return JSONResponse(document, refused.problem.status, headers, media_type="application/problem+json")
