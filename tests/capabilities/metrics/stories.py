"""A project's history told in events, as the rooms write them; times are minutes after START_US."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipline.domain.actor import SYSTEM
from shipline.domain.event import Event

START_US = 1_793_491_200_000_000  # 2026-11-01T00:00:00Z
MINUTE_US = 60_000_000
DAY = 24 * 60


def at(minute: float) -> int:
    """UTC microseconds."""
    return START_US + int(minute * MINUTE_US)


@dataclass
class Story:
    """Appends what is told to `events`."""

    package: str = "quotes"
    environment: str = "production"
    events: list[Event] = field(default_factory=list)

    def release(self, version: str, *, after: str | None, commits: dict[str, float], minute: float = 0) -> None:
        """A version is released; `commits` are their minutes by name."""
        listed = [[commit, at(made)] for commit, made in commits.items()]
        self._add(minute, "ReleaseStarted", version, previous_version=after, commits=listed)
        self._add(minute, "ReleasePublished", version, tag=f"v{version}", commits=listed)

    def deploy(
        self,
        version: str,
        *,
        minute: float,
        began: float | None = None,
        rollback: bool = False,
        purpose: str = "release",
    ) -> str:
        """A version takes all traffic at `minute`; returns the deployment's id."""
        start = minute if began is None else began
        deployment_id = self.expose(version, minute=start, rollback=rollback, purpose=purpose)
        self._add(minute, "DeploymentFinished", version, deployment_id=deployment_id, rollback=rollback, commit=None)
        return deployment_id

    def expose(self, version: str, *, minute: float, rollback: bool = False, purpose: str = "release") -> str:
        """A canary of a version can get requests from now on."""
        deployment_id = self._name("dep")
        common = {"deployment_id": deployment_id, "rollback": rollback, "commit": None, "purpose": purpose}
        self._add(minute, "DeploymentBegan", version, **common)
        return deployment_id

    def turn_back(self, deployment_id: str | None, *, minute: float, restored: float | None, by: str = "") -> None:
        """A rollout is turned back, for the sake of the version `by`; None as the deployment: nobody had met it."""
        common = {"deployment_id": deployment_id, "exposed": deployment_id is not None, "failed_requests": 3}
        common |= {"superseded_by": by}
        self._add(minute, "RollbackBegan", "?", **common)
        if restored is not None:
            self._add(restored, "RolloutRolledBack", "?", **common)

    def incident(self, deployment_id: str | None, *, opened: float, resolved: float | None) -> None:
        """An incident, tied to a deployment or to none that is known."""
        incident_id = self._name("inc")
        self._add(opened, "IncidentOpened", "?", incident_id=incident_id, deployment_id=deployment_id)
        if resolved is not None:
            self._add(resolved, "IncidentResolved", "?", incident_id=incident_id, deployment_id=deployment_id)

    def _add(self, minute: float, kind: str, version: str, **body: Any) -> None:
        common = {"package": self.package, "version": version, "environment": self.environment}
        self.events.append(Event(self._name("evt"), f"story:{self.package}", kind, at(minute), SYSTEM, common | body))

    def _name(self, prefix: str) -> str:
        return f"{prefix}_{self.package}_{self.environment}_{len(self.events)}"
