"""What is known of rollouts and deployments."""

from __future__ import annotations

from shipline.domain.deployment import Deployment
from shipline.domain.rollout import ENDED, Rollout
from shipline.store import tables
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

ROLLOUTS = Rows(tables.rollout, Rollout)
DEPLOYMENTS = Rows(tables.deployment, Deployment)


def current_deployment(tx: Transaction, environment: str, package: str) -> Deployment | None:
    """What the environment serves now, None before the first deployment."""
    found = DEPLOYMENTS.where(
        tx, environment=environment, package=package, ended_us=None, order="began_us", newest_first=True
    )
    finished = [deployment for deployment in found if deployment.finished_us is not None]
    return finished[0] if finished else None


def open_rollout_of(tx: Transaction, environment: str) -> Rollout | None:
    """The rollout that has not ended, None if there is none."""
    recent = ROLLOUTS.where(tx, environment=environment, order="started_us", newest_first=True, limit=10)
    unended = [rollout for rollout in recent if rollout.status not in ENDED]
    return unended[0] if unended else None


def latest_rollout(tx: Transaction, environment: str) -> Rollout | None:
    """The newest rollout of an environment."""
    recent = ROLLOUTS.where(tx, environment=environment, order="started_us", newest_first=True, limit=1)
    return recent[0] if recent else None


def rollouts_of_version(tx: Transaction, environment: str, version: str) -> tuple[Rollout, ...]:
    """All attempts to bring a version to an environment, oldest first."""
    return ROLLOUTS.where(tx, environment=environment, version=version, order="started_us")


def all_rollouts(tx: Transaction, *, limit: int = 100) -> tuple[Rollout, ...]:
    """The newest rollouts of the project."""
    return ROLLOUTS.where(tx, order="started_us", newest_first=True, limit=limit)


def served_before(tx: Transaction, environment: str) -> Deployment | None:
    """What the environment served before what it serves now, None if nothing did."""
    ended = DEPLOYMENTS.where(tx, environment=environment, order="began_us", newest_first=True, limit=100)
    current = [one.version for one in ended if one.finished_us is not None and one.ended_us is None]
    before = [one for one in ended if one.finished_us is not None and one.version not in current]
    return before[0] if before else None
