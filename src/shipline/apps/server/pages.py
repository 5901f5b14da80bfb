"""The pages: each is a frame around parts, and the parts are what is pushed when something changes."""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from jinja2 import Environment

from shipline.apps.server.calendar_views import FEED_DAYS, Days, calendar_view, coming
from shipline.apps.server.guard import FEED
from shipline.apps.server.live import Frame, Hub, Render
from shipline.apps.server.log_search import Searched
from shipline.apps.server.overview_views import overview, versions_to_go_back_to
from shipline.apps.server.release_views import release_lines, release_view
from shipline.apps.server.rendering import render
from shipline.apps.server.rollout_views import rollout_view
from shipline.apps.server.sessions import Sessions
from shipline.apps.server.site import Site
from shipline.bootstrap.orders import RollbackWish
from shipline.bootstrap.spoken import WEB as PERSON
from shipline.capabilities.freezes import freezes_in_force, told
from shipline.capabilities.gates import calendar_feed
from shipline.capabilities.incidents import all_incidents
from shipline.capabilities.rollouts import (
    ROLLOUTS,
    RolloutCommand,
    all_rollouts,
    command_rollout,
    deployment_history,
    environment_state,
    order_adoption,
    restore_recorded,
)
from shipline.domain.errors import UsageError
from shipline.store.search import latest_found

LIST_MAX = 100
PAGE_SIZE = 50

Identity: TypeAlias = Annotated[str, Path(max_length=64)]

OVERVIEW_PARTS = ("environments", "incidents", "rollouts", "releases")
RELEASE_PARTS = (
    "headline",
    "plan",
    "steps",
    "artifacts",
    "verdicts",
    "checklists",
    "evidence",
    "compliance",
    "findings",
    "rollouts",
    "events",
)
ENVIRONMENT_VERBS = ("adopt", "restore")
ROLLOUT_PARTS = ("headline", "waiting", "controls", "plot", "counts", "steps")


class Pages:
    """The endpoints that answer with HTML. Plain functions: they read the store outside of the event loop."""

    def __init__(self, site: Site, sessions: Sessions, made: Environment, hub: Hub) -> None:
        self.site = site
        self.sessions = sessions
        self.made = made
        self.hub = hub

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(default_response_class=HTMLResponse)
        router.add_api_route("/", self.overview)
        router.add_api_route("/live", self.overview_live)
        router.add_api_route("/releases", self.releases)
        router.add_api_route("/releases/{release_id}", self.release)
        router.add_api_route("/releases/{release_id}/live", self.release_live)
        router.add_api_route("/rollouts/{rollout_id}", self.rollout)
        router.add_api_route("/rollouts/{rollout_id}/live", self.rollout_live)
        router.add_api_route("/environments/{name}", self.environment)
        router.add_api_route("/incidents", self.incidents)
        router.add_api_route("/calendar", self.calendar)
        router.add_api_route(FEED, self.feed)
        router.add_api_route("/log", self.log)
        checked = [Depends(self.check_form)]
        router.add_api_route("/rollouts/{rollout_id}/commands", self.command, methods=["POST"], dependencies=checked)
        path = "/environments/{name}/commands"
        router.add_api_route(path, self.environment_command, methods=["POST"], dependencies=checked)
        path = "/environments/{name}/rollback"
        router.add_api_route(path, self.roll_back, methods=["POST"], dependencies=checked)
        return router

    # --- reading -----------------------------------------------------------------------------------------------

    def overview(self) -> HTMLResponse:
        """What serves where, what is under way, what went wrong."""
        return self._page("overview.html", "overview", frame=self._overview_frame())

    def releases(self, request: Request) -> HTMLResponse:
        """The newest releases, and what asks for another one."""
        with self.site.reading() as tx:
            lines = release_lines(tx, limit=LIST_MAX)
        asks = self.site.foretell is not None
        return self._page("releases.html", "releases", lines=lines, asks=asks, csrf=self._csrf(request))

    def release(self, release_id: Identity) -> HTMLResponse:
        """One release, from its plan to what became of it."""
        view = release_view(self.site, release_id)
        if view is None:
            raise HTTPException(404, "There is no such release.")
        return self._page("release.html", "releases", frame=self._release_frame(release_id), view=view)

    def rollout(
        self, request: Request, rollout_id: Identity, said: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        """One rollout, live."""
        view = rollout_view(self.site, rollout_id)
        if view is None:
            raise HTTPException(404, "There is no such rollout.")
        known = {control.verb for control in view.controls}
        context = {"view": view, "csrf": self._csrf(request), "said": said if said in known else ""}
        return self._page("rollout.html", "rollouts", frame=self._rollout_frame(rollout_id), **context)

    def environment(
        self, request: Request, name: Identity, said: Annotated[str, Query(max_length=20)] = ""
    ) -> HTMLResponse:
        """One environment: what it serves, and all that it has served."""
        configured = next((one for one in self.site.environments() if one.name == name), None)
        with self.site.reading() as tx:
            state, history = environment_state(tx, name), deployment_history(tx, name, limit=LIST_MAX)
            earlier = versions_to_go_back_to(tx, name) if configured is not None else ()
        if configured is None and not history:
            raise HTTPException(404, "There is no such environment.")
        said = said if said in ENVIRONMENT_VERBS else ""
        context = {"state": state, "history": history, "configured": configured, "csrf": self._csrf(request)}
        asks = self.site.foretell is not None and configured is not None
        return self._page("environment.html", "overview", **context, earlier=earlier, said=said, asks=asks)

    def incidents(self) -> HTMLResponse:
        """The newest incidents."""
        with self.site.reading() as tx:
            found = all_incidents(tx, limit=LIST_MAX)
            rollouts = {rollout.id: rollout for rollout in all_rollouts(tx, limit=LIST_MAX)}
        return self._page("incidents.html", "incidents", incidents=found, rollouts=rollouts)

    def calendar(self, request: Request) -> HTMLResponse:
        """Whether each stage is open, the freezes, windows and trains to come, and the address of the feed."""
        address = f"{request.url.scheme}://{request.headers['host']}{FEED}?token={self.sessions.feed_token}"
        with self.site.reading() as tx:
            frozen = [(one.stage, told(one)) for one in freezes_in_force(tx, self.site.clock.now_us())]
        form = {"csrf": self._csrf(request), "key": token_hex(16), "freezes": self.site.freeze is not None}
        view = calendar_view(self.site)
        stages = ("all", *(line.stage for line in view.stages))
        return self._page("calendar.html", "calendar", view=view, address=address, frozen=frozen, stages=stages, **form)

    def feed(self, days: Days = FEED_DAYS) -> Response:
        """The same as an iCalendar feed, for whoever has its own token, too: `shipline calendar --ics`."""
        text = calendar_feed(coming(self.site, days), self.site.clock.now_us())
        return Response(text, media_type="text/calendar; charset=utf-8")

    def log(
        self,
        search: Searched,
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> HTMLResponse:
        """The event log, or what is searched for in it, a page of it, newest first."""
        entries = latest_found(self.site.store, search.wanted, PAGE_SIZE + 1, before_number=before)
        older = entries[-PAGE_SIZE].number if len(entries) > PAGE_SIZE else None
        shown = tuple(reversed(entries[-PAGE_SIZE:]))
        return self._page("log.html", "log", entries=shown, older=older, before=before, search=search)

    # --- live --------------------------------------------------------------------------------------------------

    async def overview_live(self, request: Request) -> StreamingResponse:
        """The overview's changes."""
        return self._stream(request, self._overview_frame)

    async def release_live(self, request: Request, release_id: Identity) -> StreamingResponse:
        """A release's changes."""
        return self._stream(request, lambda: self._release_frame(release_id))

    async def rollout_live(self, request: Request, rollout_id: Identity) -> StreamingResponse:
        """A rollout's changes."""
        return self._stream(request, lambda: self._rollout_frame(rollout_id))

    def _stream(self, request: Request, render_frame: Render) -> StreamingResponse:
        stream = self.hub.join(request.url.path, render_frame)
        return StreamingResponse(stream, media_type="text/event-stream")

    def _overview_frame(self) -> Frame:
        return self._frame("overview", OVERVIEW_PARTS, overview(self.site), ended=False)

    def _release_frame(self, release_id: str) -> Frame:
        view = release_view(self.site, release_id)
        if view is None:
            return Frame({}, ended=True)
        return self._frame("release", RELEASE_PARTS, view, ended=view.ended)

    def _rollout_frame(self, rollout_id: str) -> Frame:
        view = rollout_view(self.site, rollout_id)
        if view is None:
            return Frame({}, ended=True)
        return self._frame("rollout", ROLLOUT_PARTS, view, ended=view.ended)

    def _frame(self, page: str, names: tuple[str, ...], view: object, *, ended: bool) -> Frame:
        parts = {name: render(self.made, f"parts/{page}_{name}.html", view=view) for name in names}
        return Frame(parts, ended)

    # --- saying ------------------------------------------------------------------------------------------------

    def check_form(self, request: Request, csrf: Annotated[str, Form(max_length=100)] = "") -> None:
        """Only a form of this session may change anything."""
        if not self.sessions.may_change(self._session(request), csrf):
            raise HTTPException(403, "This form is not from an open session of yours. Reload the page and try again.")

    def command(
        self,
        request: Request,
        rollout_id: Identity,
        verb: Annotated[str, Form(max_length=20)],
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Say something to a rollout: the same command as that of `shipline rollout`."""
        with self.site.store.begin() as tx:
            rollout = ROLLOUTS.find(tx, rollout_id)
            if rollout is None:
                raise HTTPException(404, "There is no such rollout.")
            command_rollout(tx, self.site.engine, rollout, RolloutCommand(verb, reason.strip(), PERSON))
        if "hx-request" not in request.headers:
            return RedirectResponse(f"/rollouts/{rollout.id}?said={verb}", status_code=303)
        context = {"rollout": rollout, "verb": verb, "csrf": self._csrf(request)}
        return HTMLResponse(render(self.made, "parts/said.html", **context))

    def environment_command(
        self,
        name: Identity,
        verb: Annotated[str, Form(max_length=20)],
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """What was changed there by hand is adopted, or taken back: the same as `shipline env adopt` and `restore`."""
        if name not in {one.name for one in self.site.environments()}:
            raise HTTPException(404, "There is no such environment.")
        if verb not in ENVIRONMENT_VERBS:
            raise UsageError(f"an environment does not know {verb!r}", todo="known ones: adopt, restore")
        order = order_adoption if verb == "adopt" else restore_recorded
        with self.site.store.begin() as tx:
            order(tx, self.site.engine, name, reason, PERSON)
        return RedirectResponse(f"/environments/{name}?said={verb}", status_code=303)

    def roll_back(
        self,
        name: Identity,
        version: Annotated[str, Form(max_length=200)],
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Back to an earlier version: the same as `shipline rollback --to`."""
        if name not in {one.name for one in self.site.environments()}:
            raise HTTPException(404, "There is no such environment.")
        if not reason.strip():
            raise UsageError("a way back needs a reason", todo="say what is wrong with the version that serves")
        rollout = self.site.roll_back(RollbackWish(name, version, reason.strip()), PERSON)
        return RedirectResponse(f"/rollouts/{rollout.id}", status_code=303)

    # --- common ------------------------------------------------------------------------------------------------

    def _page(self, name: str, section: str, **context: Any) -> HTMLResponse:
        return HTMLResponse(render(self.made, name, section=section, **context))

    def _session(self, request: Request) -> str:
        return str(request.state.session)

    def _csrf(self, request: Request) -> str:
        return self.sessions.csrf(self._session(request))
