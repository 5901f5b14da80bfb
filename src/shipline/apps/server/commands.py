"""`/api/v1`: deploying, rolling back, and saying something to a rollout: what the command line and the page do, too.

A request that comes with an `Idempotency-Key` is done once, however often it is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.params import Depends
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from shipline.apps.server.guard import BODY_BYTES_MAX
from shipline.apps.server.site import Site
from shipline.bootstrap.orders import DeploymentWish, RollbackWish, way_of
from shipline.bootstrap.spoken import API as PROGRAM
from shipline.capabilities.rollouts import (
    ROLLOUTS,
    KeyedRequest,
    RolloutCommand,
    command_rollout,
    ordered_once,
    ordered_with,
    promotable_version,
)
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import Rollout
from shipline.domain.strict_json import read_json

T = TypeVar("T")
Identity: TypeAlias = Annotated[str, Path(max_length=64)]
KEY = re.compile(r"[!-~]{1,200}")
TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class CommandBody:
    """`reason` is why; kept in the log."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentBody:
    """`version` is a published one. `package` is whose, "" where only one has it. `expedite` is why it is to take the
    shorter way of a hotfix, "" for the usual one."""

    version: str
    package: str = ""
    expedite: str = ""


@dataclass(frozen=True, slots=True)
class PromotionBody:
    """`package` is whose version, "" where the environment before serves only one."""

    package: str = ""


@dataclass(frozen=True, slots=True)
class RollbackBody:
    """`version` is what to go back to, `reason` what is wrong with what serves. `past_migrations` is why a migration
    that cannot be undone is no obstacle, "" where there is none."""

    version: str
    reason: str
    past_migrations: str = ""


class Commands:
    """The endpoints that change something. Each answers 202 with the rollout, which goes on by itself."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def add_to(self, router: APIRouter, checks: Sequence[Depends]) -> None:
        """All of them, after these checks."""
        for path, endpoint in (
            ("/rollouts/{rollout_id}/{verb}", self.command),
            ("/environments/{name}/deployments", self.deploy),
            ("/environments/{name}/promotion", self.promote),
            ("/environments/{name}/rollback", self.roll_back),
        ):
            router.add_api_route(path, endpoint, methods=["POST"], dependencies=checks)

    async def command(
        self, rollout_id: Identity, verb: Annotated[str, Path(max_length=20)], request: Request
    ) -> JSONResponse:
        """Say something to a rollout, as `shipline rollout` does."""
        body = await read_body(request, CommandBody)
        asked = keyed(request, f"{verb} {rollout_id}", body)
        return _answer(
            await run_in_threadpool(self._say, rollout_id, RolloutCommand(verb, body.reason, PROGRAM), asked)
        )

    async def deploy(self, name: Identity, request: Request) -> JSONResponse:
        """Bring a published version to an environment, as `shipline deploy` does."""
        body = await read_body(request, DeploymentBody)
        asked = keyed(request, f"deploy to {name}", body)
        wish = DeploymentWish(body.version, name, body.package or None, asked, body.expedite.strip())
        self._check_environment(name)
        return _answer(await run_in_threadpool(self.site.deploy, wish, PROGRAM))

    async def promote(self, name: Identity, request: Request) -> JSONResponse:
        """Bring to an environment what the one before serves, as `shipline promote` does."""
        body = await read_body(request, PromotionBody)
        asked = keyed(request, f"promote to {name}", body)
        self._check_environment(name)
        return _answer(await run_in_threadpool(self._promote, name, body.package or None, asked))

    def _promote(self, name: str, package: str | None, asked: KeyedRequest) -> Rollout:
        with self.site.store.begin() as tx:
            known = ordered_with(tx, asked)
            if known is not None:
                return known
            where = next(one for one in self.site.environments() if one.name == name)
            found, version = promotable_version(tx, way_of(where), package)
        return self.site.deploy(DeploymentWish(version, name, found, asked), PROGRAM)

    async def roll_back(self, name: Identity, request: Request) -> JSONResponse:
        """Bring an environment back to an earlier version, as `shipline rollback --to` does."""
        body = await read_body(request, RollbackBody)
        if not body.reason.strip():
            raise InvalidValue("a way back needs a reason", todo="say in `reason` what is wrong with what serves")
        asked = keyed(request, f"roll back {name}", body)
        wish = RollbackWish(name, body.version, body.reason.strip(), body.past_migrations.strip(), asked)
        self._check_environment(name)
        return _answer(await run_in_threadpool(self.site.roll_back, wish, PROGRAM))

    def _say(self, rollout_id: str, command: RolloutCommand, asked: KeyedRequest) -> Rollout:
        with self.site.store.begin() as tx:
            rollout = ROLLOUTS.find(tx, rollout_id)
            if rollout is None:
                raise HTTPException(404, "There is no such rollout.")

            def say() -> Rollout:
                command_rollout(tx, self.site.engine, rollout, command)
                return ROLLOUTS.find(tx, rollout_id) or rollout

            return ordered_once(tx, self.site.engine, asked, PROGRAM, say)

    def _check_environment(self, name: str) -> None:
        if name not in {one.name for one in self.site.environments()}:
            raise HTTPException(404, "There is no such environment.")


async def read_body(request: Request, kind: type[T]) -> T:
    """The body, strictly; nothing at all stands for an empty object."""
    data = await request.body()
    document = read_json(data, what="the request", limit_bytes=BODY_BYTES_MAX) if data.strip() else {}
    try:
        body = from_json(kind, document)
    except InvalidValue as error:
        # People know what they have sent, and not what we call it.
        raise InvalidValue(
            error.what.replace(kind.__name__, "the request", 1), why=error.why, todo=error.todo
        ) from None
    for name, text in to_json(body).items():
        if len(text) > TEXT_MAX or not text.isprintable():
            raise InvalidValue(f"`{name}` is one line of at most {TEXT_MAX} characters")
    return body


def keyed(request: Request, what: str, body: Any) -> KeyedRequest:
    """The request's key, and all that it asks for."""
    key = request.headers.get("idempotency-key", "")
    if key and not KEY.fullmatch(key):
        raise InvalidValue(
            "the Idempotency-Key is 1 to 200 printable characters without spaces", todo="a random UUID will do"
        )
    return KeyedRequest(key, f"{what}: {json.dumps(to_json(body), sort_keys=True)}")


def _answer(rollout: Rollout) -> JSONResponse:
    document = {"schema": "shipline.rollout/1", "rollout": to_json(rollout)}
    return JSONResponse(document, 202, headers={"Location": f"/api/v1/rollouts/{rollout.id}"})
