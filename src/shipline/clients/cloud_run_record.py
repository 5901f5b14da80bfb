"""What Shipline notes on a Cloud Run service, in two annotations: one of what runs groups, one of what routes to them.

Each holds the newest revision of its own (a number, and no revision of Cloud Run), and is changed in one request with
what it tells of, which carries the etag of what was read. So a call that comes late changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shipline.clients.saved_routes import SavedRoutes
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ConflictError, ShiplineError
from shipline.ports.target import GroupSpec

PREFIX = "shipline.dev/"
TARGET, TRAFFIC = f"{PREFIX}target", f"{PREFIX}traffic"
# On each revision: whose group it is.
ENVIRONMENT, GROUP = f"{PREFIX}environment", f"{PREFIX}group"
D = TypeVar("D", bound="SavedTarget | SavedTraffic")


@dataclass(frozen=True, slots=True)
class SavedGroup:
    """A group: what it shall be, the name of its Cloud Run revision, and when it was begun and last ordered, UTC
    microseconds."""

    spec: GroupSpec
    name: str
    started_us: int
    ordered_us: int


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """Whose service it is, the newest revision, images by the key of the version that was prepared, groups by id."""

    environment: str
    revision: int = 0
    prepared: dict[str, str] = field(default_factory=dict)
    groups: dict[str, SavedGroup] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedTraffic:
    """The newest revision and the routes. `scaling` is that of the service before it was closed, as JSON, or ""."""

    routes: SavedRoutes
    revision: int = 0
    scaling: str = ""

    @property
    def environment(self) -> str:
        """Whose service it is."""
        return self.routes.environment


def saved_in(service: Mapping[str, Any], name: str, initial: D) -> D:
    """The document of that annotation; `initial` where there is none yet.

    ConflictError where it belongs to another environment, ShiplineError where it is not what Shipline wrote.
    """
    text = (service.get("annotations") or {}).get(name)
    if text is None:
        return initial
    try:
        saved = from_json(type(initial), json.loads(text))
    except (ValueError, RecursionError, TypeError, ShiplineError) as failure:
        raise ShiplineError(
            f"the annotation {name} of the Cloud Run service is not what Shipline wrote",
            why=failure.what if isinstance(failure, ShiplineError) else "",
            todo="set it back, or remove it and deploy again",
        ) from None
    if saved.environment != initial.environment:
        raise ConflictError(
            f"this Cloud Run service belongs to the environment {saved.environment[:60]}",
            todo="give each environment a service of its own",
        )
    return saved


def noting(service: Mapping[str, Any], name: str, document: SavedTarget | SavedTraffic) -> dict[str, Any]:
    """The annotations of the service with that document among them."""
    text = json.dumps(to_json(document), separators=(",", ":"), sort_keys=True)
    return {"annotations": {**(service.get("annotations") or {}), name: text}}
