"""`/api/v1/verdicts`: the verdict on what is being rolled out, for the controllers that ask: read, and no more.

A token of its own opens it, for each environment another one; it opens nothing else, and the page's does not open it.
Argo Rollouts reads a document (its web metric); Flagger asks yes or no (its webhooks), by the type of the webhook.
Nothing that is unknown is a yes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.concurrency import run_in_threadpool

from shipline.apps.server.guard import BODY_BYTES_MAX
from shipline.apps.server.site import Site
from shipline.bootstrap.driven import VERDICT_TOKEN_CHARACTERS_MIN
from shipline.capabilities.rollouts import HOOKS, VerdictNow, about_image, verdict_now
from shipline.configuration import EnvironmentSettings
from shipline.domain.errors import ShiplineError
from shipline.domain.strict_json import read_json
from shipline.domain.verdict import Answer

Name: TypeAlias = Annotated[str, Path(max_length=40)]
Hook: TypeAlias = Annotated[str, Path(max_length=40)]
SCHEMA = "shipline.rollout-verdict/1"
FRESH_LOOKS, FRESH_S_MIN = 6, 60.0
"""A look is as good as none after so many of them were due, and not before a minute is over."""
TOKEN_EVERY_US = 30_000_000
REASON_MAX = 500


class Verdicts:
    """The endpoints for controllers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._tokens: dict[str, tuple[int, str]] = {}

    def router(self) -> APIRouter:
        """Both of them."""
        router = APIRouter(prefix="/api/v1/verdicts")
        router.add_api_route("/{name}", self.verdict)
        router.add_api_route("/{name}/{hook}", self.hook, methods=["POST"])
        return router

    def verdict(self, name: Name, request: Request) -> dict[str, Any]:
        """`shipline.rollout-verdict/1`: `pass`, `fail` or `unknown`."""
        return document_of(name, self._now(self._known(name, request)))

    async def hook(self, name: Name, hook: Hook, request: Request) -> dict[str, Any]:
        """200 for yes, 409 for no."""
        environment = await run_in_threadpool(self._known, name, request)
        if hook not in HOOKS:
            raise HTTPException(404, f"There is no webhook of this type; known ones: {', '.join(HOOKS)}.")
        payload = read_json(await request.body(), what="the webhook", limit_bytes=BODY_BYTES_MAX)
        complaint = another_canary(payload, environment)
        if complaint:
            raise HTTPException(409, complaint)
        now = await run_in_threadpool(self._now, environment)
        if not now.agrees(hook):
            raise HTTPException(409, f"No ({hook}): {now.reason[:REASON_MAX]}")
        return document_of(name, now)

    def _now(self, environment: EnvironmentSettings) -> VerdictNow:
        settings = self.site.analysis(environment.name)
        fresh_s = max(FRESH_S_MIN, FRESH_LOOKS * settings.tick_s)
        try:
            # Asked at every question: between two looks somebody may set another image by hand.
            image = self.site.wanted_image(environment)
        except ShiplineError as error:
            return VerdictNow(Answer.UNKNOWN, f"nobody can say which image is there now: {error.what}")
        now_us = self.site.clock.now_us()
        with self.site.reading() as tx:
            now = verdict_now(tx, environment.name, now_us, fresh_s=fresh_s, evidence_calm=settings.evidence_calm)
            return now if image is None else about_image(tx, now, image)

    def _known(self, name: str, request: Request) -> EnvironmentSettings:
        """The environment that the request has the token of. Anything else is answered alike: 401."""
        environment = next((one for one in self.site.environments() if one.name == name), None)
        wanted = "" if environment is None else self._token(environment)
        given = given_token(request.headers.get("authorization", ""))
        # Compared in any case, so that the time tells nothing about which environments there are.
        is_same = hmac.compare_digest(wanted.encode(), given.encode())
        if environment is None or len(wanted) < VERDICT_TOKEN_CHARACTERS_MIN or not is_same:
            least = f"{VERDICT_TOKEN_CHARACTERS_MIN} characters at least"
            raise HTTPException(401, f"This needs the environment's verdict token, which has {least}.")
        return environment

    def _token(self, environment: EnvironmentSettings) -> str:
        """As it was at most TOKEN_EVERY_US ago: whoever asks must not make a secret manager work."""
        now_us = self.site.clock.now_us()
        read_us, token = self._tokens.get(environment.name, (None, ""))
        if read_us is None or not 0 <= now_us - read_us < TOKEN_EVERY_US:
            try:
                token = self.site.verdict_token(environment)
            except ShiplineError:
                token = ""  # Nobody is let in by a token that cannot be read.
            self._tokens[environment.name] = (now_us, token)
        return token


def given_token(header: str) -> str:
    """The token in an Authorization header: a bearer's, or the password of Basic, which is all that Flagger can send
    (its webhooks have an address, and no headers)."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def another_canary(payload: Any, environment: EnvironmentSettings) -> str:
    """Why a webhook is not about this environment's Canary, "" if it is.

    Payload: CanaryWebhookPayload, https://docs.flagger.app/usage/webhooks (1.41).
    """
    if not isinstance(payload, dict):
        return "The webhook is no object."
    controller = environment.controller or {}
    for name, wanted in (("name", controller.get("canary")), ("namespace", controller.get("namespace"))):
        if wanted and payload.get(name) != wanted:
            return f"The webhook is about another Canary: its {name} is {str(payload.get(name))[:80]!r}."
    return ""


def document_of(environment: str, now: VerdictNow) -> dict[str, Any]:
    """What is read by a program. `verdict` is a word, so that what is missing equals nothing."""
    rollout = now.rollout
    return {
        "schema": SCHEMA,
        "environment": environment,
        "verdict": {Answer.PASS: "pass", Answer.FAIL: "fail", Answer.UNKNOWN: "unknown"}[now.answer],
        "reason": now.reason[:REASON_MAX],
        "rollout_id": None if rollout is None else rollout.id,
        "package": None if rollout is None else rollout.package,
        "version": None if rollout is None else rollout.version,
        "looked_us": now.looked_us,
    }
