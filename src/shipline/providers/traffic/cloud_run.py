"""Traffic split by Google Cloud Run among the revisions of one service, in whole percents.

A share becomes the nearest whole percent, and none above 0 less than 1: a canary of 0.2 % gets 1 %. What holds is read
from the service's status. Each change carries the etag of what was read, so a call that comes late changes nothing.

Cloud Run does not tell how many requests are open. A group that gets none is drained when `drain_s` have gone by since
then. Requests cannot ask for a preview here, nor be copied: a revision's tag has an address of its own, and no header
leads there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from shipline.clients.cloud_run import API, CloudRunPlace, CloudRunService, until_settled
from shipline.clients.cloud_run_record import TARGET, TRAFFIC, SavedTarget, SavedTraffic, noting, saved_in
from shipline.clients.durable_state import check_fence
from shipline.clients.saved_routes import SavedRoutes, checked_routes
from shipline.domain.errors import ConfigurationError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Route

TAKEN_TIMEOUT_S = 30.0
POLL_S = 0.5
SECOND_US = 1_000_000
PINNED = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
# How a service is disabled, from the page "Manage services" of Cloud Run's documentation.
DISABLED = {"scalingMode": "MANUAL", "manualInstanceCount": 0}


@dataclass(frozen=True, slots=True)
class CloudRunTrafficSettings:
    """Which service leads to the groups.

    `project`, `location` and `service` are those of the target. `drain_s` is how many seconds requests may take that
    were begun before a group lost its share, 0 to 3600; Cloud Run's own limit begins with 300. `address` is where users
    are served, host:port; "" is the service's own. `token_environment` names the environment variable that holds an
    access token. `url` is the API's address.
    """

    project: str
    location: str
    service: str
    drain_s: int = 300
    address: str = ""
    token_environment: str = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
    url: str = API

    def __post_init__(self) -> None:
        """Refuse what could not be the name of something."""
        if not self.place.path or not 0 <= self.drain_s <= 3600:
            raise ConfigurationError(f"drain_s: {self.drain_s} is not a number of seconds from 0 to 3600")

    @property
    def place(self) -> CloudRunPlace:
        """Which service it is."""
        return CloudRunPlace(self.project, self.location, self.service, self.token_environment, self.url)


class CloudRunTraffic:
    """The splitter of one environment: the traffic of one service."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = True
    previews = False
    mirrors = False
    Settings = CloudRunTrafficSettings

    def __init__(self, settings: CloudRunTrafficSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._environment = context.environment or "default"
        self._service = CloudRunService(settings.place)

    def claim(self, *, revision: int) -> None:
        """Note the number on the service."""
        until_settled(lambda: self._claim(revision))

    def _claim(self, revision: int) -> None:
        service = self._service.read()
        saved = self._saved(service)
        check_fence(saved.revision, revision)
        if saved.revision < revision:
            self._service.change(service, noting(service, TRAFFIC, replace(saved, revision=revision)))

    def open(self, *, revision: int) -> None:
        """Find the service; where it was closed, give it back the scaling that it had, and so who had the traffic."""
        until_settled(lambda: self._close(revision, closed=False))

    def address(self) -> str:
        """host:port on which users are served."""
        host = urlsplit(str(self._service.read().get("uri", ""))).hostname
        if not self._settings.address and not host:
            raise UnavailableError("the Cloud Run service has no address yet")
        return self._settings.address or f"{host}:443"

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Change the service's traffic in one request, and return once its status says so."""
        checked_routes(routes, previews=False, mirrors=False)
        until_settled(lambda: self._apply(routes, revision))
        self._taken()

    def _apply(self, routes: tuple[Route, ...], revision: int) -> None:
        service = self._service.read()
        saved = self._fenced(service, revision)
        wanted = replace(saved, revision=revision, routes=saved.routes.with_applied(routes, self._clock.now_us()))
        traffic = self._traffic(service, routes)
        planned = _percents({"traffic": traffic}, "traffic")
        is_pinned = all(each.get("type") == PINNED for each in service.get("traffic") or ())
        holds = is_pinned and _percents(service, "traffic") == planned
        changes = {} if holds else {"traffic": traffic}
        if changes or wanted != saved:
            self._service.change(service, {**changes, **noting(service, TRAFFIC, wanted)})

    def routes(self) -> tuple[Route, ...]:
        """What Cloud Run does now, by group."""
        service = self._taken()
        return self._now(service, self._opened(service))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - none is told apart
        """0 once a group has got no request for `drain_s`, 1 before: how many there are nobody tells."""
        service = self._service.read()
        saved = self._opened(service)
        if group_id not in saved.routes.groups:
            return 0
        return 0 if self._is_drained(service, saved, group_id) else 1

    def forget(self, group_id: str, *, revision: int) -> None:
        """Take a group out of the notes. RefusedError while it gets requests, or its drain time is not over."""
        until_settled(lambda: self._forget(group_id, revision))

    def _forget(self, group_id: str, revision: int) -> None:
        service = self._taken()
        saved = self._fenced(service, revision)
        if group_id in saved.routes.groups and not self._is_drained(service, saved, group_id):
            raise RefusedError(f"group {group_id} still has traffic, or may have open requests")
        wanted = replace(saved, revision=revision, routes=saved.routes.without(group_id))
        if wanted != saved:
            self._service.change(service, noting(service, TRAFFIC, wanted))

    def close(self, *, revision: int) -> None:
        """Disable the service: nobody is served by it any more. What it had stays noted."""
        until_settled(lambda: self._close(revision, closed=True))

    def _close(self, revision: int, *, closed: bool) -> None:
        service = self._service.read()
        saved = self._saved(service)
        check_fence(saved.revision, revision)
        if saved.routes.closed == closed:
            return
        before = json.dumps(service.get("scaling") or {}, sort_keys=True)
        scaling = DISABLED if closed else json.loads(saved.scaling or "{}")
        routes = replace(saved.routes, closed=closed)
        wanted = replace(saved, revision=revision, routes=routes, scaling=before if closed else "")
        self._service.change(service, {"scaling": scaling, **noting(service, TRAFFIC, wanted)})

    def _traffic(self, service: Mapping[str, Any], routes: tuple[Route, ...]) -> list[dict[str, Any]]:
        """The service's traffic as it shall be. Tags of other revisions stay, without any requests by share."""
        names = self._names(service)
        missing = [route.group_id for route in routes if route.share > 0 and route.group_id not in names]
        if missing:
            raise ShiplineError(f"group {missing[0]} has no revision", todo="run the group before it gets traffic")
        shown = [route for route in routes if route.share > 0]
        percents = whole_percents([route.share for route in shown])
        given = [
            {"type": PINNED, "revision": names[route.group_id], "percent": percent}
            for route, percent in zip(shown, percents, strict=True)
        ]
        tagged = [{**each, "percent": 0} for each in service.get("traffic") or () if each.get("tag")]
        return given + tagged

    def _now(self, service: Mapping[str, Any], saved: SavedTraffic) -> tuple[Route, ...]:
        percents, names = _percents(service, "trafficStatuses"), self._names(service)
        groups = saved.routes.groups
        return tuple(
            replace(groups[name].route, share=percents.get(names.get(name, ""), 0) / 100) for name in sorted(groups)
        )

    def _is_drained(self, service: Mapping[str, Any], saved: SavedTraffic, group_id: str) -> bool:
        now = next(route for route in self._now(service, saved) if route.group_id == group_id)
        one = replace(saved.routes.groups[group_id], route=now)
        return one.is_drained(self._clock.now_us(), self._settings.drain_s) and not _pending(service)

    def _names(self, service: Mapping[str, Any]) -> dict[str, str]:
        """The names of the groups' revisions, as the target has noted them."""
        saved = saved_in(service, TARGET, SavedTarget(self._environment))
        return {name: group.name for name, group in saved.groups.items()}

    def _taken(self) -> dict[str, Any]:
        """The service, as it serves. UnavailableError where it does not within TAKEN_TIMEOUT_S."""
        deadline_us = self._clock.now_us() + int(TAKEN_TIMEOUT_S * SECOND_US)
        while True:
            service = self._service.read()
            pending = _pending(service)
            if not pending:
                return service
            if self._clock.now_us() >= deadline_us:
                raise UnavailableError("Cloud Run does not split the traffic as it shall yet", why=pending)
            self._clock.sleep(POLL_S)

    def _fenced(self, service: Mapping[str, Any], revision: int) -> SavedTraffic:
        saved = self._opened(service)
        check_fence(saved.revision, revision)
        return saved

    def _opened(self, service: Mapping[str, Any]) -> SavedTraffic:
        saved = self._saved(service)
        if saved.routes.closed:
            raise UnavailableError("the traffic is closed", todo="open the environment's traffic again")
        return saved

    def _saved(self, service: Mapping[str, Any]) -> SavedTraffic:
        return saved_in(service, TRAFFIC, SavedTraffic(SavedRoutes(self._environment)))


def whole_percents(shares: list[float]) -> list[int]:
    """Whole numbers from 1 that sum to 100 and are nearest to these shares, which are above 0: largest remainders."""
    found = [max(1, int(share * 100 + 1e-9)) for share in shares]
    order = sorted(range(len(shares)), key=lambda at: shares[at] * 100 - found[at], reverse=True)
    for at in order[: max(0, 100 - sum(found))]:
        found[at] += 1
    while sum(found) > 100:
        largest = max(range(len(found)), key=lambda at: found[at] - shares[at] * 100 if found[at] > 1 else -100.0)
        found[largest] -= 1
    return found


def _percents(service: Mapping[str, Any], name: str) -> dict[str, int]:
    """The percents of revisions that get any, by their names, as the field `name` of the service has them. What goes to
    the newest one is under the name of the revision that is that now."""
    newest = str(service.get("latestReadyRevision", "")).rpartition("/")[2]
    found: dict[str, int] = {}
    for each in service.get(name) or ():
        if each.get("percent"):
            revision = str(each.get("revision") or newest)
            found[revision] = found.get(revision, 0) + int(each["percent"])
    return found


def _pending(service: Mapping[str, Any]) -> str:
    """Why the traffic is not split as it shall be, in words; "" where it is."""
    if service.get("reconciling"):
        return "it is still changing the service"
    if _percents(service, "traffic") == _percents(service, "trafficStatuses"):
        return ""
    condition = service.get("terminalCondition") or {}
    return " ".join(str(condition.get("message") or "its status says other percents").split())[:300]
