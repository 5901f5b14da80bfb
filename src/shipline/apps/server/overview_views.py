"""What the first page shows: what serves where, what is under way, what went wrong; and an environment's ways back."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.apps.server.release_views import ReleaseLine, release_lines
from shipline.apps.server.site import Site
from shipline.capabilities.incidents import open_incidents
from shipline.capabilities.releases import find_release
from shipline.capabilities.rollouts import EnvironmentState, all_rollouts, environment_state, served_earlier
from shipline.domain.deployment import Deployment
from shipline.domain.incident import Incident
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.rollout import Rollout
from shipline.store.transaction import Transaction

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


def versions_to_go_back_to(tx: Transaction, environment: str) -> tuple[Deployment, ...]:
    """What the environment can be brought back to: what has served there and is released still, the newest first."""
    known = ((one, find_release(tx, one.package, one.version)) for one in served_earlier(tx, environment))
    return tuple(one for one, release in known if _is_released(release))


def _is_released(release: Release | None) -> bool:
    return release is not None and release.status is ReleaseStatus.PUBLISHED
