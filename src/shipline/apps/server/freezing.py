"""Freezing a stage and lifting that, on the page Calendar and by `/api/v1`: what `shipline freeze` does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.params import Depends as Checked
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from shipline.apps.server.commands import keyed, read_body
from shipline.apps.server.sessions import Sessions
from shipline.apps.server.site import Site
from shipline.bootstrap.spoken import API, WEB
from shipline.capabilities.freezes import FreezeOrder, ends_at, freezes_document, freezes_in_force
from shipline.domain.actor import Actor
from shipline.domain.errors import RefusedError
from shipline.domain.freeze import Freeze

Text: TypeAlias = Annotated[str, Form(max_length=200)]
Key: TypeAlias = Annotated[str, Form(pattern="^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class FreezeBody:
    """`stage` is what is closed, `until` when that ends, `reason` why: as for `shipline freeze`."""

    stage: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class LiftBody:
    """`stage` is what the freeze was declared for, "" where there are those of one stage alone."""

    stage: str = ""


def _declare(site: Site, body: FreezeBody, key: str, actor: Actor) -> Freeze:
    if site.freeze is None:
        raise RefusedError("nothing can be frozen here")
    ends_us = ends_at(body.until.strip(), site.clock.now_us())
    return site.freeze(FreezeOrder(body.stage.strip(), ends_us, body.reason.strip(), key), actor)


def _lift(site: Site, stage: str, actor: Actor) -> tuple[Freeze, ...]:
    if site.lift is None:
        raise RefusedError("nothing can be lifted here")
    return site.lift(stage.strip() or None, actor)


class FreezeEndpoints:
    """`/api/v1/freezes`."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def add_to(self, router: APIRouter, checks: Sequence[Checked]) -> None:
        """All of them; who only looks needs no token of its own."""
        router.add_api_route("/freezes", self.freezes)
        router.add_api_route("/freezes", self.declare, methods=["POST"], dependencies=checks)
        router.add_api_route("/freezes/lift", self.lift, methods=["POST"], dependencies=checks)

    def freezes(self) -> dict[str, Any]:
        """Those that are in force: `shipline freeze --json`."""
        with self.site.reading() as tx:
            return freezes_document(freezes_in_force(tx, self.site.clock.now_us()))

    async def declare(self, request: Request) -> JSONResponse:
        """Freeze a stage; the answer is the freeze."""
        body = await read_body(request, FreezeBody)
        sent = keyed(request, "freeze", body).key
        key = f"api-{hashlib.sha256(sent.encode()).hexdigest()[:32]}" if sent else ""
        return JSONResponse(freezes_document((await run_in_threadpool(_declare, self.site, body, key, API),)))

    async def lift(self, request: Request) -> JSONResponse:
        """End what was frozen; the answer is what was lifted."""
        body = await read_body(request, LiftBody)
        return JSONResponse(freezes_document(await run_in_threadpool(_lift, self.site, body.stage, API)))


class FreezePages:
    """The buttons of the page Calendar."""

    def __init__(self, site: Site, sessions: Sessions) -> None:
        self.site = site
        self.sessions = sessions

    def router(self) -> APIRouter:
        """Both of them."""
        router, checked = APIRouter(), [Depends(self.check_form)]
        router.add_api_route("/calendar/freeze", self.freeze, methods=["POST"], dependencies=checked)
        router.add_api_route("/calendar/lift", self.lift, methods=["POST"], dependencies=checked)
        return router

    def check_form(self, request: Request, csrf: Annotated[str, Form(max_length=100)] = "") -> None:
        """Only a form of this session may close or open anything."""
        if not self.sessions.may_change(str(request.state.session), csrf):
            raise HTTPException(403, "This form is not from an open session of yours. Reload the page and try again.")

    def freeze(self, stage: Text, until: Text, reason: Text, key: Key) -> Response:
        """Close it."""
        _declare(self.site, FreezeBody(stage, until, reason), f"web-{key}", WEB)
        return RedirectResponse("/calendar", status_code=303)

    def lift(self, stage: Text) -> Response:
        """End what was declared for this stage."""
        _lift(self.site, stage, WEB)
        return RedirectResponse("/calendar", status_code=303)
