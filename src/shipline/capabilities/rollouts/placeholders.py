"""What a check's query says about the rollout: who is asked about, and what it may be called by. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shipline.capabilities.rollouts.routing import group_id
from shipline.domain.rollout import Rollout
from shipline.ports.target import Role

PLACEHOLDERS = ("environment", "package", "version", "stable_version", "group", "role")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a query is about. `stable_version` and `group` are None where that is not known."""

    environment: str
    package: str
    version: str
    stable_version: str | None
    group: str | None
    role: Role

    @property
    def values(self) -> dict[str, str | None]:
        """What is filled in, by placeholder."""
        return {name: getattr(self, name) for name in PLACEHOLDERS}


def canary_of(rollout: Rollout) -> Subject:
    """The new version of a rollout, as its own group."""
    return Subject(
        environment=rollout.environment,
        package=rollout.package,
        version=rollout.version,
        stable_version=rollout.stable_version,
        group=group_id(rollout.package, rollout.version, rollout.attempt, Role.CANARY),
        role=Role.CANARY,
    )


def stable_of(rollout: Rollout) -> Subject:
    """What serves before a rollout begins, in the place of the new version: to try a query on something that runs."""
    return Subject(
        environment=rollout.environment,
        package=rollout.package,
        version=rollout.stable_version or rollout.version,
        stable_version=rollout.stable_version,
        group=None,
        role=Role.STABLE,
    )
