"""Asking for a release, a promotion or a hotfix: told first what would be done, then exactly that is begun.

The page and `/api/v1` ask for the same, by the same functions as comments and the command line do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from fastapi.params import Depends as Checked
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment
from starlette.concurrency import run_in_threadpool

from shipline.apps.server.commands import keyed, read_body
from shipline.apps.server.rendering import render
from shipline.apps.server.sessions import Sessions
from shipline.apps.server.site import Site
from shipline.bootstrap.orders import DeploymentWish
from shipline.bootstrap.spoken import API, WEB
from shipline.capabilities.automation import (
    ASKED,
    AUTOMATION_WORKFLOW,
    LOOK,
    Asking,
    Foretold,
    Spoken,
    Verb,
    Wish,
    asked_before,
    order_asked,
    plan_digest,
    read_command,
)
from shipline.capabilities.rollouts import KeyedRequest
from shipline.domain.actor import Actor
from shipline.domain.errors import InvalidValue, RefusedError, UsageError
from shipline.engine import journal
from shipline.engine.journal import Run
from shipline.engine.rules import RunStatus

Identity: TypeAlias = Annotated[str, Path(max_length=64)]
Text: TypeAlias = Annotated[str, Form(max_length=200)]
KEY_PATTERN = r"[0-9a-f]{32}"
Key: TypeAlias = Annotated[str, Form(pattern=f"^{KEY_PATTERN}$")]
ASKABLE = {"promote": Verb.PROMOTE, "hotfix": Verb.HOTFIX}


@dataclass(frozen=True, slots=True)
class ReleaseBody:
    """`version` is what is to be released, "" for what is due; `package` which, "" for all. `dry_run` is "yes" where it
    is only to be told."""

    version: str = ""
    package: str = ""
    dry_run: str = ""


@dataclass(frozen=True, slots=True)
class AskedView:
    """What was asked for: the line, when, how it stands, and in words."""

    run_id: str
    line: str
    created_us: int
    status: str
    words: str

    @property
    def ended(self) -> bool:
        """True once nothing more comes of it."""
        return self.status != "under way"


def spoken(verb: Verb, *, environment: str = "", version: str = "", package: str = "") -> Spoken:
    """A command, by the same rules as in a comment. InvalidValue for what it does not take."""
    said = Spoken(verb, environment or None, version.removeprefix("v") or None, package or None)
    if read_command(said.line) != said:
        raise InvalidValue(f"{said.line[:120]!r} cannot be asked for", todo="name a version, a package and no more")
    return said


class Asks:
    """What the page and the interface share."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def foretell(self, said: Spoken, actor: Actor, key: str) -> Foretold:
        """What would be done. RefusedError where this server does nothing for anybody."""
        if self.site.foretell is None:
            raise RefusedError("nothing can be asked for here")
        return self.site.foretell(Wish(said, actor, f"{said.line} by {actor}", key))

    def release(self, via: str, key: str, said: Spoken, digest: str) -> str:
        """Have it released; the id of what follows it."""
        with self.site.store.begin() as tx:
            return order_asked(tx, self.site.engine, Asking(via, key, digest, said))

    def view(self, run_id: str) -> AskedView | None:
        """How it stands, None for what nobody has asked for."""
        with self.site.reading() as tx:
            run = journal.load_run(tx, run_id)
        if run is None or run.workflow != AUTOMATION_WORKFLOW or run.input["command"]["kind"] != ASKED:
            return None
        asking = Asking.read(run.input["command"]["about"])
        return AskedView(run.id, asking.spoken.line, run.created_us, *_stands(run))


def _stands(run: Run) -> tuple[str, str]:
    state = run.state
    if state.status is RunStatus.ACTIVE:
        return "under way", state.waiting_for
    words = str(state.results.get(LOOK, {}).get("words", "")) or state.reason
    return "ended", words


class AskEndpoints:
    """`/api/v1`: a release, asked for by a program."""

    def __init__(self, site: Site) -> None:
        self.asks = Asks(site)

    def add_to(self, router: APIRouter, checks: Sequence[Checked]) -> None:
        """Both of them; who only looks needs no token of its own."""
        router.add_api_route("/releases", self.release, methods=["POST"], dependencies=checks)
        router.add_api_route("/release-orders/{run_id}", self.order)

    async def release(self, request: Request) -> JSONResponse:
        """Release what is due, as `shipline release` does: 202 with what follows it, or 200 with what would be done."""
        body = await read_body(request, ReleaseBody)
        sent = keyed(request, "release", body).key
        key = hashlib.sha256(sent.encode()).hexdigest()[:32] if sent else token_hex(16)
        said = spoken(Verb.RELEASE, version=body.version, package=body.package)
        return await run_in_threadpool(self._release, key, said, dry_run=body.dry_run == "yes")

    def _release(self, key: str, said: Spoken, *, dry_run: bool) -> JSONResponse:
        with self.asks.site.store.begin() as tx:
            run_id = None if dry_run else asked_before(tx, "api", key, said)
        if run_id is None:
            foretold = self.asks.foretell(said, API, key)
            if dry_run:
                return JSONResponse({"schema": "shipline.release-foretold/1", "sentences": list(foretold.sentences)})
            run_id = self.asks.release("api", key, said, plan_digest(foretold.plan))
        return JSONResponse(self.order(run_id), 202, headers={"Location": f"/api/v1/release-orders/{run_id}"})

    def order(self, run_id: Identity) -> dict[str, Any]:
        """How a release stands that was asked for."""
        view = self.asks.view(run_id)
        if view is None:
            raise HTTPException(404, "There is no such order.")
        about = {"id": view.run_id, "line": view.line, "status": view.status, "words": view.words}
        return {"schema": "shipline.release-order/1"} | about


class AskPages:
    """The pages: what would be done, with a button that has it done; and how a release stands that was asked for."""

    def __init__(self, site: Site, sessions: Sessions, made: Environment) -> None:
        self.asks = Asks(site)
        self.sessions = sessions
        self.made = made

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(default_response_class=HTMLResponse)
        checked = [Depends(self.check_form)]
        router.add_api_route("/asked/{run_id}", self.asked)
        for path, endpoint in (
            ("/ask/release", self.ask_release),
            ("/ask/release/order", self.order_release),
            ("/ask/environments/{name}", self.ask_rollout),
            ("/ask/environments/{name}/order", self.order_rollout),
        ):
            router.add_api_route(path, endpoint, methods=["POST"], dependencies=checked)
        return router

    def check_form(self, request: Request, csrf: Annotated[str, Form(max_length=100)] = "") -> None:
        """Only a form of this session may ask for anything."""
        if not self.sessions.may_change(str(request.state.session), csrf):
            raise HTTPException(403, "This form is not from an open session of yours. Reload the page and try again.")

    def ask_release(self, request: Request, version: Text = "", package: Text = "") -> Response:
        """What would be released."""
        said, key = spoken(Verb.RELEASE, version=version.strip(), package=package.strip()), token_hex(16)
        foretold = self.asks.foretell(said, WEB, f"web-{key}")
        hidden = {"version": said.version or "", "package": said.package or "", "key": key}
        return self._confirm(
            request, said, foretold, "/ask/release/order", hidden | {"digest": plan_digest(foretold.plan)}
        )

    def order_release(self, key: Key, digest: Key, version: Text = "", package: Text = "") -> Response:
        """Begin exactly that: the same as `shipline release`."""
        said = spoken(Verb.RELEASE, version=version, package=package)
        run_id = self.asks.release("web", key, said, digest)
        return RedirectResponse(f"/asked/{run_id}", status_code=303)

    def ask_rollout(
        self, request: Request, name: Identity, verb: Annotated[str, Form(max_length=20)], version: Text = ""
    ) -> Response:
        """Which version would come to an environment."""
        self._check(name, verb)
        said, key = spoken(ASKABLE[verb], environment=name, version=version.strip()), token_hex(16)
        foretold = self.asks.foretell(said, WEB, f"web-{key}")
        plan = foretold.plan
        hidden = {"verb": verb, "version": str(plan["version"]), "package": str(plan["package"]), "key": key}
        return self._confirm(request, said, foretold, f"/ask/environments/{name}/order", hidden)

    def order_rollout(  # noqa: PLR0913, PLR0917 - one a field of the form
        self,
        name: Identity,
        verb: Annotated[str, Form(max_length=20)],
        version: Text,
        package: Text,
        key: Key,
        reason: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        """Bring exactly that version there: the same as `shipline promote`, or `shipline deploy --expedite`."""
        self._check(name, verb)
        is_hotfix = ASKABLE[verb] is Verb.HOTFIX
        if is_hotfix and not reason.strip():
            raise UsageError("a shorter way needs a reason", todo="say why it is in a hurry")
        request = KeyedRequest(f"web-{key}", f"{verb} {package} {version} to {name}")
        expedited = reason.strip() if is_hotfix else ""
        rollout = self.asks.site.deploy(DeploymentWish(version, name, package, request, expedited), WEB)
        return RedirectResponse(f"/rollouts/{rollout.id}", status_code=303)

    def asked(self, run_id: Identity) -> HTMLResponse:
        """How it stands."""
        view = self.asks.view(run_id)
        if view is None:
            raise HTTPException(404, "Nobody has asked for this.")
        return HTMLResponse(render(self.made, "asked.html", section="releases", view=view))

    def _check(self, name: str, verb: str) -> None:
        if name not in {one.name for one in self.asks.site.environments()}:
            raise HTTPException(404, "There is no such environment.")
        if verb not in ASKABLE:
            raise UsageError(f"{verb!r} cannot be asked for", todo="known ones: " + ", ".join(ASKABLE))

    def _confirm(
        self, request: Request, said: Spoken, foretold: Foretold, action: str, hidden: dict[str, str]
    ) -> HTMLResponse:
        csrf = self.sessions.csrf(str(request.state.session))
        context = {"said": said, "sentences": foretold.sentences, "action": action, "hidden": hidden, "csrf": csrf}
        section = "releases" if said.verb is Verb.RELEASE else "overview"
        return HTMLResponse(render(self.made, "ask.html", section=section, **context))
