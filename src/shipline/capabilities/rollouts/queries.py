"""What is known of rollouts and deployments."""

from __future__ import annotations

from shipline.domain.deployment import Deployment
from shipline.domain.rollout import ENDED, UNBEGUN, Rollout, RolloutPurpose, RolloutStatus
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

ROLLOUTS = Rows("rollout", Rollout)
DEPLOYMENTS = Rows("deployment", Deployment)

BEGUN = tuple(sorted(status.value for status in set(RolloutStatus) - UNBEGUN))

SERVED_MAX = 200
"""So many deployments are looked through for versions to go back to."""


def current_deployment(tx: Transaction, environment: str, package: str) -> Deployment | None:
    """What the environment serves now, None before the first deployment."""
    found = DEPLOYMENTS.where(
        tx, environment=environment, package=package, ended_us=None, order="began_us", newest_first=True
    )
    finished = [deployment for deployment in found if deployment.finished_us is not None]
    return finished[0] if finished else None


def recorded_deployment(tx: Transaction, environment: str) -> Deployment | None:
    """What the environment serves by the record, None for nothing."""
    found = DEPLOYMENTS.where(tx, environment=environment, ended_us=None, order="began_us", newest_first=True)
    return next((one for one in found if one.finished_us is not None), None)


def open_rollout_of(tx: Transaction, environment: str) -> Rollout | None:
    """The rollout that has begun and not ended, None if there is none. Nothing begins there before it has ended."""
    recent = ROLLOUTS.where(tx, environment=environment, status=BEGUN, order="started_us", newest_first=True, limit=10)
    unended = [rollout for rollout in recent if rollout.status not in ENDED]
    return unended[0] if unended else None


def queued_rollouts(tx: Transaction, environment: str) -> tuple[Rollout, ...]:
    """Those that wait for their turn, the next one first: ways back, then in the order in which they were ordered."""
    found = ROLLOUTS.where(tx, environment=environment, status=RolloutStatus.QUEUED.value, order="started_us")
    return tuple(sorted(found, key=lambda one: one.purpose is RolloutPurpose.RELEASE))


def latest_rollout(tx: Transaction, environment: str) -> Rollout | None:
    """The newest rollout of an environment that has begun."""
    recent = ROLLOUTS.where(tx, environment=environment, status=BEGUN, order="started_us", newest_first=True, limit=1)
    return recent[0] if recent else None


def rollouts_of_version(tx: Transaction, environment: str, version: str) -> tuple[Rollout, ...]:
    """All attempts to bring a version to an environment, oldest first."""
    return ROLLOUTS.where(tx, environment=environment, version=version, order="started_us")


def all_rollouts(tx: Transaction, *, limit: int = 100) -> tuple[Rollout, ...]:
    """The newest rollouts of the project."""
    return ROLLOUTS.where(tx, order="started_us", newest_first=True, limit=limit)


def unfinished_deployments(tx: Transaction, environment: str) -> tuple[Deployment, ...]:
    """What may serve there though no rollout brings it on: it was given up while users may have been served by it."""
    return tuple(
        one for one in DEPLOYMENTS.where(tx, environment=environment, ended_us=None) if one.finished_us is None
    )


def served_before(tx: Transaction, environment: str) -> Deployment | None:
    """What the environment served before what it serves now, None if nothing did."""
    ended = DEPLOYMENTS.where(tx, environment=environment, order="began_us", newest_first=True, limit=100)
    current = [one.version for one in ended if one.finished_us is not None and one.ended_us is None]
    before = [one for one in ended if one.finished_us is not None and one.version not in current]
    return before[0] if before else None


def served_earlier(tx: Transaction, environment: str) -> tuple[Deployment, ...]:
    """What has served all users there and does not now: the newest deployment of each version, the newest first."""
    found = DEPLOYMENTS.where(tx, environment=environment, order="began_us", newest_first=True, limit=SERVED_MAX)
    finished = [one for one in found if one.finished_us is not None]
    serving = {(one.package, one.version) for one in finished if one.ended_us is None}
    packages = {package for package, _ in serving}
    earlier = [one for one in finished if (one.package, one.version) not in serving and one.package in packages]
    return tuple({(one.package, one.version): one for one in reversed(earlier)}.values())[::-1]


def has_served(tx: Transaction, environment: str, package: str, version: str) -> bool:
    """True if a rollout has brought this version to all users of the environment before, so that its gates were open.
    What somebody brought there by hand does not count."""
    found = DEPLOYMENTS.where(tx, environment=environment, package=package, version=version)
    rollouts = (ROLLOUTS.find(tx, one.rollout_id) for one in found if one.finished_us is not None)
    return any(one is not None and one.purpose is not RolloutPurpose.ADOPTION for one in rollouts)
