"""What the first page shows: what serves where, what is under way, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.apps.server.release_views import ReleaseLine, release_lines
from shipline.apps.server.site import Site
from shipline.capabilities.incidents import open_incidents
from shipline.capabilities.rollouts import DEPLOYMENTS, all_rollouts, open_rollout_of
from shipline.domain.deployment import Deployment
from shipline.domain.incident import Incident
from shipline.domain.rollout import Rollout
from shipline.store.transaction import Transaction

NEWEST = 8


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment: what it serves, one deployment a package, and the rollout that has not ended."""

    name: str
    production: bool
    url: str
    serves: tuple[Deployment, ...]
    rollout: Rollout | None


@dataclass(frozen=True, slots=True)
class Overview:
    """One moment of the project."""

    environments: tuple[EnvironmentView, ...]
    incidents: tuple[Incident, ...]
    rollouts: tuple[Rollout, ...]
    releases: tuple[ReleaseLine, ...]


def overview(site: Site) -> Overview:
    """All that is to be shown."""
    with site.reading() as tx:
        environments = tuple(
            EnvironmentView(one.name, one.production, one.url, _serves(tx, one.name), open_rollout_of(tx, one.name))
            for one in site.environments()
        )
        return Overview(
            environments=environments,
            incidents=open_incidents(tx, limit=NEWEST),
            rollouts=all_rollouts(tx, limit=NEWEST),
            releases=release_lines(tx, limit=NEWEST),
        )


def _serves(tx: Transaction, environment: str) -> tuple[Deployment, ...]:
    """The newest deployment of each package that took all traffic and has not ended."""
    found = DEPLOYMENTS.where(tx, environment=environment, ended_us=None, order="began_us")
    return tuple({one.package: one for one in found if one.finished_us is not None}.values())
