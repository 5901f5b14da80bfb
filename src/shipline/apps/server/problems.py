"""What is said when a request cannot be answered: RFC 9457 problem documents for programs, a page for people."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from jinja2 import Environment
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from shipline.domain.errors import NothingToDo, RefusedError, ShiplineError, UnknownName, UsageError

API = "/api/"
# The first that fits.
STATUS_BY_ERROR: tuple[tuple[type[ShiplineError], int], ...] = (
    (UsageError, 400),
    (UnknownName, 400),
    (RefusedError, 409),
    (NothingToDo, 409),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """`status` is an HTTP status; `what` says what happened, `why` the cause, `todo` what one can do, "" if nothing."""

    status: int
    what: str
    why: str = ""
    todo: str = ""

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def document(self) -> dict[str, Any]:
        """As RFC 9457, section 3: without a `type` of its own the title is the status's phrase. `what`, `why` and
        `todo` are members of our own (3.2), the last two where there is something to say."""
        detail = self.what + (f" ({self.why})" if self.why else "")
        document = {"type": "about:blank", "title": self.title, "status": self.status, "detail": detail}
        said = {"what": self.what, "why": self.why, "todo": self.todo}
        return document | {name: words for name, words in said.items() if words}


def problem_of(error: ShiplineError) -> Problem:
    """An error of ours as a problem."""
    fallback = 503 if error.retryable else 500
    status = next((status for kind, status in STATUS_BY_ERROR if isinstance(error, kind)), fallback)
    return Problem(status, error.what, error.why, error.todo)


class Answers:
    """Writes problems in the form that the request understands."""

    def __init__(self, templates: Environment) -> None:
        self.templates = templates

    def problem(self, scope: Scope, problem: Problem) -> Response:
        """A document under /api/, a few words for htmx, a page otherwise."""
        if scope["path"].startswith(API):
            return JSONResponse(problem.document(), problem.status, media_type="application/problem+json")
        is_part = "hx-request" in Headers(scope=scope)
        name = "parts/refusal.html" if is_part else "problem.html"
        return HTMLResponse(self.templates.get_template(name).render(problem=problem), problem.status)

    def unauthorised(self, scope: Scope) -> Response:
        """Says where the token is, and never what it is."""
        problem = Problem(
            401,
            "This page needs the token that was printed when it was started.",
            todo="open the address that `shipline up` has printed, which carries the token; "
            "it is also kept in the file web-token in the project's .shipline folder; "
            "a calendar program takes the address that the page Calendar shows",
        )
        response = self.problem(scope, problem)
        response.headers["WWW-Authenticate"] = 'Bearer realm="shipline"'
        return response
