"""The ASGI application: pages, documents and files behind the guard."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from shipline.apps.server.api import API
from shipline.apps.server.asking import AskPages
from shipline.apps.server.delivery_pages import DeliveryPages
from shipline.apps.server.freezing import FreezePages
from shipline.apps.server.guard import Guard
from shipline.apps.server.hooks import Counts, Hooks
from shipline.apps.server.live import Hub
from shipline.apps.server.pages import Pages
from shipline.apps.server.problems import Answers, Problem, problem_of
from shipline.apps.server.rendering import STATIC, templates
from shipline.apps.server.sessions import Sessions
from shipline.apps.server.site import Site
from shipline.apps.server.verdicts import Verdicts
from shipline.domain.errors import ShiplineError


def make_web(site: Site, token: str, hub: Hub) -> ASGIApp:
    """Everything that is served. `hub` is closed by whoever runs the server."""
    made = templates(site.clock, project=site.name)
    sessions, answers = Sessions(token, site.clock), Answers(made)
    # No generated documentation: its pages load scripts from elsewhere.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    counts = Counts()
    app.include_router(Pages(site, sessions, made, hub).router())
    app.include_router(DeliveryPages(site, sessions, made, counts).router())
    app.include_router(AskPages(site, sessions, made).router())
    app.include_router(FreezePages(site, sessions).router())
    app.include_router(API(site).router())
    app.include_router(Verdicts(site).router())
    app.add_api_route("/healthz", healthz)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _answer_errors(app, answers)
    return Hooks(Guard(app, sessions, answers), site, counts)


def healthz() -> JSONResponse:
    """Alive; says nothing else, since it asks for no token."""
    return JSONResponse({"status": "ok"})


def _answer_errors(app: FastAPI, answers: Answers) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ShiplineError)  # noqa: S101 - registered for nothing else
        return answers.problem(request.scope, problem_of(error))

    async def not_served(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
        what = "There is no such page." if error.detail == "Not Found" else error.detail
        return answers.problem(request.scope, Problem(error.status_code, what))

    async def not_understood(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
        places = ", ".join(str(place["loc"][-1]) for place in error.errors()[:5])
        return answers.problem(request.scope, Problem(400, f"This is not understood: {places[:200]}."))

    async def failed(request: Request, _error: Exception) -> Response:
        return answers.problem(
            request.scope, Problem(500, "Something unexpected happened; the server's log says what.")
        )

    app.add_exception_handler(ShiplineError, refused)
    app.add_exception_handler(HTTPException, not_served)
    app.add_exception_handler(RequestValidationError, not_understood)
    app.add_exception_handler(Exception, failed)
