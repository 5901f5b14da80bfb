"""The groups of a GitOps environment: versions that are staged, and the image that each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from shipline.clients.durable_state import DurableState
from shipline.domain.errors import ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.target import GroupSpec

SHARED = "gitops"


@dataclass(frozen=True, slots=True)
class Staged:
    """A group. `digest` is that of the image, one of `spec.digests`; `started_us` is when it was staged first, UTC
    microseconds."""

    spec: GroupSpec
    digest: str
    started_us: int


@dataclass(frozen=True, slots=True)
class StagedGroups:
    """What the state file holds: the newest revision, the groups by id, and the image's digest of what was prepared.

    `applied` is the group that was brought last, "" for none, `size` its size; `accepted` are the texts that the file
    had then, none before anything was brought.
    """

    revision: int = 0
    groups: dict[str, Staged] = field(default_factory=dict)
    prepared: dict[str, str] = field(default_factory=dict)
    applied: str = ""
    size: int = 1
    accepted: tuple[str, ...] = ()


def shared_folder(state: Path) -> Path:
    """The folder that target and traffic of one environment share, beside the folders that each has for itself."""
    return state.parent / SHARED


def groups_state(folder: Path, clock: Clock) -> DurableState[StagedGroups]:
    """The groups in a shared folder."""
    return DurableState(folder / "groups.json", StagedGroups(), clock)


def must_be_staged(groups: StagedGroups, group_id: str) -> Staged:
    """The group. ShiplineError where it is not there."""
    found = groups.groups.get(group_id)
    if found is None:
        raise ShiplineError(f"group {group_id} is not staged here", todo="let its target run it first")
    return found
