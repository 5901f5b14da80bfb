"""`/api/v1`: the documents of the reading commands, over HTTP; alerts, which turn rollouts back; and commands."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from shipline.apps.server import documents
from shipline.apps.server.asking import AskEndpoints
from shipline.apps.server.calendar_views import Days, coming
from shipline.apps.server.commands import Commands
from shipline.apps.server.evidence import EvidenceEndpoints
from shipline.apps.server.freezing import FreezeEndpoints
from shipline.apps.server.guard import BODY_BYTES_MAX
from shipline.apps.server.log_search import Searched
from shipline.apps.server.site import Site
from shipline.capabilities.gates import calendar_document
from shipline.capabilities.rollouts import read_alerts
from shipline.domain.strict_json import read_json

Identity: TypeAlias = Annotated[str, Path(max_length=64)]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=1000)]


class API:
    """The endpoints that answer with JSON."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def router(self) -> APIRouter:
        """All of them."""
        router = APIRouter(prefix="/api/v1")
        router.add_api_route("/releases", self.releases)
        router.add_api_route("/releases/{release_id}", self.release)
        router.add_api_route("/releases/{release_id}/compliance", self.compliance)
        router.add_api_route("/rollouts", self.rollouts)
        router.add_api_route("/rollouts/{rollout_id}", self.rollout)
        router.add_api_route("/environments", self.environments)
        router.add_api_route("/environments/{name}/deployments", self.deployments)
        router.add_api_route("/incidents", self.incidents)
        router.add_api_route("/log", self.log)
        router.add_api_route("/calendar", self.calendar)
        by_token = [Depends(_only_with_the_token)]
        router.add_api_route("/alerts", self.alerts, methods=["POST"], dependencies=by_token)
        Commands(self.site).add_to(router, by_token)
        EvidenceEndpoints(self.site).add_to(router, by_token)
        AskEndpoints(self.site).add_to(router, by_token)
        FreezeEndpoints(self.site).add_to(router, by_token)
        return router

    def releases(self, limit: Limit = 20) -> dict[str, Any]:
        """The newest releases: `shipline releases --json`."""
        return documents.releases_document(self.site, limit=limit)

    def release(self, release_id: Identity) -> dict[str, Any]:
        """One release, in the same document."""
        return _found(documents.release_document(self.site, release_id), "release")

    def compliance(self, release_id: Identity) -> dict[str, Any]:
        """What a release keeps of each framework that is required: `shipline compliance report --json` of each."""
        return _found(documents.compliance_documents(self.site, release_id), "release")

    def rollouts(
        self, limit: Limit = 20, environment: Annotated[str | None, Query(max_length=64)] = None
    ) -> dict[str, Any]:
        """The newest rollouts, of one environment or of all."""
        return documents.rollout_list(self.site, environment=environment, limit=limit)

    def rollout(self, rollout_id: Identity) -> dict[str, Any]:
        """One rollout: `shipline rollout show --json`."""
        return _found(documents.rollout_document(self.site, rollout_id), "rollout")

    def environments(self) -> dict[str, Any]:
        """What each environment serves: `shipline env list --json`."""
        return documents.environment_list(self.site)

    def deployments(self, name: Identity, limit: Limit = 20) -> dict[str, Any]:
        """An environment's deployments, the newest first: `shipline env history --json`."""
        return _found(documents.deployment_list(self.site, name, limit=limit), "environment")

    def incidents(self, limit: Limit = 100) -> dict[str, Any]:
        """The newest incidents: `shipline incidents --json`."""
        return documents.incident_list(self.site, limit=limit)

    def calendar(self, days: Days = 30) -> dict[str, Any]:
        """How each stage stands, and what comes: `shipline calendar --json`."""
        rules, now_us = self.site.calendar(), self.site.clock.now_us()
        return calendar_document(rules, self.site.stages, coming(self.site, days), now_us)

    def log(
        self,
        search: Searched,
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    ) -> dict[str, Any]:
        """The last events, or the last of those that are searched for: `shipline log show --json`."""
        return documents.log_document(self.site, search.wanted, limit=limit, before=before)

    async def alerts(self, request: Request) -> dict[str, Any]:
        """A webhook of Alertmanager: rollouts during which an alert began are turned back, and those soon after."""
        alerts = read_alerts(read_json(await request.body(), what="the webhook", limit_bytes=BODY_BYTES_MAX))
        return await run_in_threadpool(documents.answered, self.site, alerts)


def _only_with_the_token(request: Request) -> None:
    """A browser's session is for people, whose forms carry what a page elsewhere cannot know."""
    if request.state.session:
        raise HTTPException(403, "What changes something comes with the token, in a header `Authorization: Bearer`.")


def _found(document: dict[str, Any] | None, noun: str) -> dict[str, Any]:
    if document is None:
        raise HTTPException(404, f"There is no such {noun}.")
    return document
