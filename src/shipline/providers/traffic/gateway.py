"""Traffic split by a gateway that your cluster has: weights in a rule of an HTTPRoute of yours (Gateway API v1).

The route's own object holds all that is known: weights, the groups as they were applied, and the newest revision. So
each change is one patch, which tests the resource version that was read: a late call, or one beside another, changes
nothing. Applied is what the gateway says that it has taken: its status names the generation that it serves.

A gateway does not tell how many requests are open. A group that gets none is drained when `drain_s` have gone by since
then; the time stands on the route.

Copies are found by the groups' Services: endpoints are noted as they are told, and route nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from shipline.clients.durable_state import check_fence
from shipline.clients.kubeconfig import find_access
from shipline.clients.kubernetes import HTTP_ROUTES, NAME, KubernetesClient, until_settled
from shipline.clients.kubernetes_marks import PREFIX, REVISION, document, notes, noting, number
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.traffic import Route
from shipline.providers.traffic.gateway_drivers import check_driver
from shipline.providers.traffic.gateway_plan import (
    Place,
    SavedRoute,
    SavedTraffic,
    checked_routes,
    merged,
    operations,
    planned,
    read_routes,
    rule_index,
)

ANSWER_TIMEOUT_S = 10.0
TAKEN_TIMEOUT_S = 10.0
POLL_S = 0.2
SECOND_US = 1_000_000
TRAFFIC = f"{PREFIX}traffic"
PREVIEW_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}: [A-Za-z0-9._-]{1,64}")


class GatewayTraffic:
    """The splitter of one environment: one rule of one HTTPRoute."""

    api_version = 4
    faults: tuple[str, ...] = ()
    splits = True
    mirrors = True

    @dataclass(frozen=True, slots=True)
    class Settings:
        """Which rule of which route leads to the groups.

        `route` is the name of an HTTPRoute, `rule` the `name` of one of its rules; "" is the only one. `port` is what
        the groups' Services listen on, 1 to 65535: the target's `port`. `preview_header` is what a request that asks
        for a preview has, as `Name: value`; "" means that none can. `drain_s` is how many seconds requests may take
        that were begun before a group lost its share, 0 to 3600. `address` is where users are served, host:port; "" is
        the route's first host name, port 443. `kubeconfig` is a file, "" what KUBECONFIG names, else the user's own,
        else the account of the pod; `context` is one of its contexts, "" the current one. `namespace` "" is that of
        the context.
        """

        route: str
        port: int
        rule: str = ""
        preview_header: str = ""
        drain_s: int = 30
        address: str = ""
        namespace: str = ""
        kubeconfig: str = ""
        context: str = ""

        def __post_init__(self) -> None:
            """Refuse what could not be in a route."""
            if not NAME.fullmatch(self.route):
                raise ConfigurationError(f"route: {self.route[:80]!r} is not the name of an HTTPRoute")
            if not 1 <= self.port <= 65535:
                raise ConfigurationError(f"port: {self.port} is not a port")
            if not 0 <= self.drain_s <= 3600:
                raise ConfigurationError(f"drain_s: {self.drain_s} is not a number of seconds from 0 to 3600")
            if self.preview_header and not PREVIEW_HEADER.fullmatch(self.preview_header):
                raise ConfigurationError(
                    f"preview_header: {self.preview_header[:80]!r} is no header", todo="write it as `Name: value`"
                )

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self.previews = bool(settings.preview_header)
        self._clock = context.clock
        self._environment = context.environment or "default"
        self._place = Place(settings.rule, settings.port, settings.preview_header)

    def claim(self, *, revision: int) -> None:
        """Note the number on the route; nothing where there is none."""
        if self._client.find(self._path) is not None:
            until_settled(lambda: self._claim(revision))

    def _claim(self, revision: int) -> None:
        found = self._read()
        self._saved(found)
        seen = number(found, REVISION) or 0
        check_fence(seen, revision)
        if seen < revision:
            self._client.change(self._path, found, noting(found, {REVISION: str(revision)}))

    def open(self, *, revision: int) -> None:
        """Find the route and its rule; where it was closed, give it back what it had."""
        until_settled(lambda: self._close(revision, closed=False))

    def address(self) -> str:
        """host:port on which users are served."""
        if self._settings.address:
            return self._settings.address
        hosts = self._read()["spec"].get("hostnames") or [self._settings.route]
        return f"{hosts[0]}:443"

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        """Change the rule in one patch, and return once the gateway serves it. UnavailableError: call again."""
        checked_routes(routes, previews=self.previews)
        until_settled(lambda: self._apply(routes, revision))
        self._taken()

    def _apply(self, routes: tuple[Route, ...], revision: int) -> None:
        found, saved = self._fenced(revision)
        check_driver(self._client, self._namespace, found)
        self._save(found, merged(saved, routes, self._clock.now_us()), revision)

    def routes(self) -> tuple[Route, ...]:
        """What the gateway does now, by group."""
        found = self._taken()
        return read_routes(_rules(found), self._place, self._opened(found))

    def open_requests(self, group_id: str, endpoint_id: str | None = None) -> int:  # noqa: ARG002 - none is told apart
        """0 once a group has got no request for `drain_s`, 1 before: a gateway does not tell how many there are."""
        found = self._read()
        saved = self._opened(found)
        now = next((one for one in read_routes(_rules(found), self._place, saved) if one.group_id == group_id), None)
        if now is None:
            return 0
        is_drained = not now.serves and self._is_idle(saved.groups[group_id]) and not _pending(found)
        return 0 if is_drained else 1

    def _is_idle(self, one: SavedRoute) -> bool:
        return self._clock.now_us() - one.idle_us >= self._settings.drain_s * SECOND_US

    def forget(self, group_id: str, *, revision: int) -> None:
        """Take a group out of the rule, once the gateway serves the rule as it is.

        RefusedError while it gets requests, or its drain time is not over.
        """
        until_settled(lambda: self._forget(group_id, revision))
        self._taken()

    def _forget(self, group_id: str, revision: int) -> None:
        # Somebody may have edited the route a moment ago: that the gateway is behind is no refusal, it is waited for.
        found = self._taken()
        check_fence(number(found, REVISION) or 0, revision)
        saved = self._opened(found)
        now = {route.group_id: route for route in read_routes(_rules(found), self._place, saved)}
        if group_id in now and now[group_id].serves:
            raise RefusedError(f"group {group_id} still has traffic")
        if group_id in now and not self._is_idle(saved.groups[group_id]):
            raise RefusedError(f"group {group_id} may still have open requests")
        kept = {name: one for name, one in saved.groups.items() if name != group_id}
        self._save(found, replace(saved, groups=kept), revision)

    def close(self, *, revision: int) -> None:
        """Take the groups out of the rule: nobody is served by it any more. What they had stays noted on the route."""
        if self._client.find(self._path) is not None:
            until_settled(lambda: self._close(revision, closed=True))

    def _close(self, revision: int, *, closed: bool) -> None:
        found = self._read()
        rule_index(_rules(found), self._place)
        saved = self._saved(found)
        check_fence(number(found, REVISION) or 0, revision)
        if saved.closed != closed:
            self._save(found, replace(saved, closed=closed), revision)

    def _fenced(self, revision: int) -> tuple[dict[str, Any], SavedTraffic]:
        found = self._read()
        check_fence(number(found, REVISION) or 0, revision)
        return found, self._opened(found)

    def _save(self, found: dict[str, Any], saved: SavedTraffic, revision: int) -> None:
        """One patch: the rules, what is noted of them, and who says so. Nothing where all of it holds already."""
        rules = _rules(found)
        changes = operations(rules, planned(rules, self._place, saved, self._saved(found)), self._place)
        noted = {TRAFFIC: json.dumps(to_json(saved)), REVISION: str(revision)}
        if changes or any(notes(found).get(name) != value for name, value in noted.items()):
            self._client.change(self._path, found, (*changes, *noting(found, noted)))

    def _opened(self, found: dict[str, Any]) -> SavedTraffic:
        saved = self._saved(found)
        if saved.closed:
            raise UnavailableError("the traffic is closed", todo="open the environment's traffic again")
        return saved

    def _saved(self, found: dict[str, Any]) -> SavedTraffic:
        if TRAFFIC not in notes(found):
            return SavedTraffic(self._environment)
        try:
            saved = from_json(SavedTraffic, document(found, TRAFFIC))
        except ShiplineError as failure:
            raise ShiplineError(
                f"the annotation {TRAFFIC} of the HTTPRoute {self._settings.route} is not what Shipline wrote",
                why=failure.what,
                todo="set it back, or remove it together with the backendRefs of the groups",
            ) from None
        if saved.environment != self._environment:
            raise ConflictError(
                f"the HTTPRoute {self._settings.route} belongs to the environment {saved.environment}",
                todo="give each environment a route of its own",
            )
        return saved

    def _taken(self) -> dict[str, Any]:
        """The route, as the gateway serves it. UnavailableError where it does not take it within TAKEN_TIMEOUT_S."""
        deadline_us = self._clock.now_us() + int(TAKEN_TIMEOUT_S * SECOND_US)
        while True:
            found = self._read()
            pending = _pending(found)
            if not pending:
                return found
            if self._clock.now_us() >= deadline_us:
                raise UnavailableError(
                    f"the gateway does not serve the HTTPRoute {self._settings.route} as it is", why=pending
                )
            self._clock.sleep(POLL_S)

    def _read(self) -> dict[str, Any]:
        found = self._client.find(self._path)
        if found is None:
            raise ConfigurationError(
                f"there is no HTTPRoute {self._settings.route} in the namespace {self._namespace}",
                todo="create it, with a parentRef to your gateway and a rule, before the first rollout",
            )
        return found

    @property
    def _path(self) -> str:
        return HTTP_ROUTES.path(self._namespace, self._settings.route)

    @property
    def _namespace(self) -> str:
        return self._settings.namespace or self._client.access.namespace

    @cached_property
    def _client(self) -> KubernetesClient:
        access = find_access(self._settings.kubeconfig, self._settings.context)
        return KubernetesClient(access, timeout_s=ANSWER_TIMEOUT_S)


def _rules(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(found["spec"].get("rules") or ())


def _pending(found: Mapping[str, Any]) -> str:
    """Why a route is not served as it is, in words; "" where all its gateways have taken this generation of it."""
    parents = found.get("status", {}).get("parents") or ()
    if not parents:
        return "no gateway has said anything of it"
    for parent in parents:
        conditions = parent.get("conditions") or ()
        accepted: Mapping[str, Any] = next((one for one in conditions if one.get("type") == "Accepted"), {})
        if int(accepted.get("observedGeneration") or 0) < found["metadata"]["generation"]:
            return "a gateway has not taken the newest change yet"
        if accepted.get("status") != "True":
            return f"a gateway refuses it: {str(accepted.get('message') or accepted.get('reason'))[:300]}"
    return ""
