"""The pages of deliveries: what forges told, what came of it, and having one taken up once more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from shipline.apps.server.hooks import Counts
from shipline.apps.server.rendering import render
from shipline.apps.server.sessions import Sessions
from shipline.apps.server.site import Site
from shipline.capabilities.automation import (
    AUTOMATION_WORKFLOW,
    count_deliveries,
    find_delivery,
    hook_health,
    latest_deliveries,
    replay_delivery,
)
from shipline.engine import journal
from shipline.engine.journal import Run
from shipline.engine.rules import RunStatus

PAGE_SIZE = 50
RUNS_SHOWN = 10
PAYLOAD_SHOWN_MAX = 64 * 1024
TONES = {RunStatus.ACTIVE: "live", RunStatus.DONE: "good"}


@dataclass(frozen=True, slots=True)
class RunLine:
    """A look that was ordered. `words` say how it stands, or what came of it."""

    about: str
    created_us: int
    tone: str
    status: str
    words: str


class DeliveryPages:
    """The endpoints, plain functions: they read the store outside of the event loop."""

    def __init__(self, site: Site, sessions: Sessions, made: Environment, counts: Counts) -> None:
        self.site = site
        self.sessions = sessions
        self.made = made
        self.counts = counts

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(default_response_class=HTMLResponse)
        router.add_api_route("/deliveries", self.deliveries)
        router.add_api_route("/deliveries/{number}", self.delivery)
        checked = [Depends(self.check_form)]
        router.add_api_route("/deliveries/{number}/replay", self.replay, methods=["POST"], dependencies=checked)
        return router

    def deliveries(self, before: Annotated[int | None, Query(ge=1, le=2**62)] = None) -> HTMLResponse:
        """The newest, a page of them, and the looks that they led to."""
        with self.site.reading() as tx:
            found = latest_deliveries(tx, limit=PAGE_SIZE + 1, before=before)
            kept = count_deliveries(tx)
            watched = self.site.watched_forge()
            health = hook_health(tx, watched) if watched else None
            runs = journal.recent_runs(tx, AUTOMATION_WORKFLOW, limit=RUNS_SHOWN)
        older = found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None
        lines = () if before else tuple(_line(run) for run in runs)
        context = {"deliveries": found[:PAGE_SIZE], "older": older, "before": before, "runs": lines, "kept": kept}
        hook = {"watched": watched, "health": health}
        return self._page("deliveries.html", **context, **hook, came=self.counts.by_outcome)

    def delivery(
        self,
        request: Request,
        number: Annotated[int, Path(ge=1, le=2**62)],
        said: Annotated[str, Query(max_length=20)] = "",
    ) -> HTMLResponse:
        """One, with what it holds."""
        with self.site.reading() as tx:
            found = find_delivery(tx, number)
        if found is None:
            raise HTTPException(404, "There is no such delivery.")
        payload = json.dumps(json.loads(found.payload), indent=2, ensure_ascii=False)
        csrf = self.sessions.csrf(str(request.state.session))
        context = {"delivery": found, "payload": payload[:PAYLOAD_SHOWN_MAX], "csrf": csrf, "said": said == "replay"}
        return self._page("delivery.html", **context, cut=len(payload) > PAYLOAD_SHOWN_MAX)

    def replay(self, number: Annotated[int, Path(ge=1, le=2**62)]) -> Response:
        """Have it taken up once more: the same as `shipline hooks replay`."""
        with self.site.store.begin() as tx:
            if find_delivery(tx, number) is None:
                raise HTTPException(404, "There is no such delivery.")
            replay_delivery(tx, number)
        return RedirectResponse(f"/deliveries/{number}?said=replay", status_code=303)

    def check_form(self, request: Request, csrf: Annotated[str, Form(max_length=100)] = "") -> None:
        """Only a form of this session may change anything."""
        if not self.sessions.may_change(str(request.state.session), csrf):
            raise HTTPException(403, "This form is not from an open session of yours. Reload the page and try again.")

    def _page(self, name: str, **context: object) -> HTMLResponse:
        return HTMLResponse(render(self.made, name, section="deliveries", **context))


def _line(run: Run) -> RunLine:
    status, state = run.state.status, run.state
    words = state.waiting_for or state.reason or str(state.results.get("look", {}).get("words", ""))
    is_waiting = status is RunStatus.ACTIVE and bool(state.waiting_for)
    return RunLine(
        about=run.subject.removeprefix("automation:"),
        created_us=run.created_us,
        tone="warn" if is_waiting else TONES.get(status, "bad"),
        status="waiting" if is_waiting else status.value,
        words=words,
    )
