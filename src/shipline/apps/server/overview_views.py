"""What the first page shows: what serves where, what is under way, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.apps.server.release_views import ReleaseLine, release_lines
from shipline.apps.server.site import Site
from shipline.capabilities.incidents import open_incidents
from shipline.capabilities.rollouts import EnvironmentState, all_rollouts, environment_state
from shipline.domain.incident import Incident
from shipline.domain.rollout import Rollout

NEWEST = 8


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment, as it is set and as it stands."""

    production: bool
    url: str
    state: EnvironmentState


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
            EnvironmentView(one.production, one.url, environment_state(tx, one.name)) for one in site.environments()
        )
        return Overview(
            environments=environments,
            incidents=open_incidents(tx, limit=NEWEST),
            rollouts=all_rollouts(tx, limit=NEWEST),
            releases=release_lines(tx, limit=NEWEST),
        )
