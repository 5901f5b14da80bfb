"""What was shipped, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipline.capabilities.releases import find_release, matching_releases
from shipline.capabilities.rollouts import DEPLOYMENTS
from shipline.domain.release import Release, ReleaseStatus
from shipline.store.transaction import Transaction

RELEASES_MAX = 5000
"""So many published releases are looked at, the newest first; what is deployed is looked at in any case."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """A release that is published, or that an environment serves whatever became of it. `environments` are sorted."""

    release: Release
    environments: tuple[str, ...]


def shipped_releases(tx: Transaction) -> tuple[Shipped, ...]:
    """The newest published releases and all that are deployed, with the environments that serve them now."""
    serving = environments_by_version(tx)
    found = {one.id: one for one in matching_releases(tx, status=ReleaseStatus.PUBLISHED, limit=RELEASES_MAX)}
    deployed = (find_release(tx, package, version) for package, version in serving)
    found |= {one.id: one for one in deployed if one is not None}
    return tuple(Shipped(one, serving.get((one.package, one.version), ())) for one in found.values())


def environments_by_version(tx: Transaction) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """By package and version the environments that serve it to users, the canary of a rollout under way too."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in DEPLOYMENTS.where(tx, ended_us=None):
        found.setdefault((one.package, one.version), set()).add(one.environment)
    return {key: tuple(sorted(names)) for key, names in found.items()}
