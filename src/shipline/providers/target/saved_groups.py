"""What a target keeps of its groups where the platform keeps nothing: a state file with a fence."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipline.clients.durable_state import DurableState, check_fence
from shipline.ports.target import Group, GroupSpec


@dataclass(frozen=True, slots=True)
class SavedGroup:
    """A group that is there; `started_us` is when it was first run, UTC microseconds."""

    spec: GroupSpec
    started_us: int

    def as_one(self, *, is_ready: bool, trouble: str) -> Group:
        """How it stands where all copies are one thing: ready or not, and hopeless with any trouble."""
        spec = self.spec
        return Group(
            id=spec.id,
            role=spec.role,
            package=spec.package,
            version=spec.version,
            size=spec.size,
            ready=spec.size if is_ready else 0,
            endpoints=(),
            started_us=self.started_us,
            digests=spec.digests,
            trouble=trouble,
            hopeless=bool(trouble),
        )


@dataclass(frozen=True, slots=True)
class SavedGroups:
    """What the state file holds: the newest revision and the groups by id."""

    revision: int = 0
    groups: dict[str, SavedGroup] = field(default_factory=dict)


def fenced(state: DurableState[SavedGroups], revision: int) -> SavedGroups:
    """What is saved; RefusedError for a revision older than the newest seen."""
    saved = state.read()
    check_fence(saved.revision, revision)
    return saved
