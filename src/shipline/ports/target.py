"""The Target port: where versions run, as groups of copies.

A group is what a rollout thinks in; what it is made of differs: processes of one machine, a Deployment, a service, a
revision, a folder. `docs/adr/0010-targets-run-groups.md` says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shipline.domain.errors import InvalidValue

GROUP_ID = re.compile(r"[a-z0-9-]{1,60}")
SIZE_MAX = 1000


class Role(StrEnum):
    """What a group is for. A baseline is a clone of the stable version that is as young as the canary."""

    STABLE = "stable"
    BASELINE = "baseline"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one copy of a group answers. `id` is 1 to 60 of `[a-z0-9-]`, unique in its group; `address` host:port."""

    id: str
    address: str


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """What shall run: `size` copies (1 to SIZE_MAX) of one version.

    `id` is chosen by the caller, 1 to 60 of `[a-z0-9-]`, and names the group everywhere (also in the proxy). `role` is
    what the group was begun for and stays with it: a promoted canary is the stable version, and the proxy says so.
    """

    id: str
    role: Role
    package: str
    version: str
    size: int

    def __post_init__(self) -> None:
        """Refuse what could not run anywhere (InvalidValue)."""
        checked_group_id(self.id)
        if not 1 <= self.size <= SIZE_MAX:
            raise InvalidValue(f"a group has 1 to {SIZE_MAX} copies, not {self.size}")


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it stands. It exists from the first `run` to its `stop`, however many of its copies have died.

    `ready` copies answer their health check now, 0 to `size`. `endpoints` are the copies that are alive, ready or not;
    empty where the platform routes by itself. `started_us` is when the group first ran, UTC microseconds. `trouble`
    says in words why copies are not ready, with the end of their output where there is one; "" while nothing is known
    to be wrong. `hopeless`: waiting does not help any more, since a copy has ended, or has had its time.
    """

    id: str
    role: Role
    package: str
    version: str
    size: int
    ready: int
    endpoints: tuple[Endpoint, ...]
    started_us: int
    trouble: str = ""
    hopeless: bool = False

    @property
    def spec(self) -> GroupSpec:
        """What it shall be."""
        return GroupSpec(self.id, self.role, self.package, self.version, self.size)

    @property
    def is_whole(self) -> bool:
        """True if all copies that are wanted are ready."""
        return self.ready >= self.size

    @property
    def lives(self) -> bool:
        """True if some copy runs, though perhaps none is ready."""
        return self.ready > 0 or bool(self.endpoints)


def checked_group_id(text: str) -> str:
    """Return `text` if it is a group's (or endpoint's) id; raise InvalidValue otherwise. Ids become paths and names."""
    if not GROUP_ID.fullmatch(text):
        raise InvalidValue(f"{text[:80]!r} is not the id of a group", todo="ids are 1 to 60 of a-z, 0-9 and -")
    return text


class Target(Protocol):
    """Runs the groups of one environment. `revision` is a fencing number: a call with an older one than the newest
    seen is refused (RefusedError), so that a zombie's late call takes no effect."""

    api_version: int

    def prepare(self, package: str, version: str) -> None:
        """Bring the version to where it will run (install it). Idempotent; half a preparation is done over."""
        ...

    def run(self, spec: GroupSpec, *, revision: int) -> Group:
        """Order that the group runs, and return at once with how it stands: nobody waits for health here.

        Idempotent by `spec.id`. Copies that died are started again; copies that live are left alone. A larger size
        starts more. A smaller one never cuts a request off: a platform that takes traffic from a copy before it stops
        it may shrink the group, any other raises RefusedError and changes nothing (begin a smaller group, and stop
        this one). ConflictError if the id runs another package, version or role; ShiplineError where the version was
        not prepared, or cannot be run at all.
        """
        ...

    def groups(self) -> tuple[Group, ...]:
        """All groups that were run and not stopped, by id, as they stand now. Takes a few seconds at most."""
        ...

    def stop(self, group_id: str, *, revision: int) -> None:
        """Stop all copies of a group and forget it: ask, wait, then kill. Idempotent; nothing where it is not running.

        The caller has verified that the group's share is 0 and that its open requests have ended.
        """
        ...
