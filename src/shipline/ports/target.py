"""The Target port: where versions run, as groups of copies.

A group is what a rollout thinks in; what it is made of differs: processes of one machine, a Deployment, a service, a
revision, a folder. `docs/adr/0010-targets-run-groups.md` says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from shipline.domain.artifact import DIGEST
from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, UnavailableError

API_VERSION = 3
GROUP_ID = re.compile(r"[a-z0-9-]{1,60}")
SIZE_MAX = 1000
DIGESTS_MAX = 100


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
    `digests` are those of the artifacts of which one is what runs (`sha256:` and 64 hex digits each): a platform that
    has other bytes under that version does not run them.
    """

    id: str
    role: Role
    package: str
    version: str
    size: int
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what could not run anywhere (InvalidValue)."""
        checked_group_id(self.id)
        if not 1 <= self.size <= SIZE_MAX:
            raise InvalidValue(f"a group has 1 to {SIZE_MAX} copies, not {self.size}")
        checked_digests(self.digests)


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it stands. It exists from the first `run` to its `stop`, however many of its copies have died.

    `ready` copies answer their health check now, 0 to `size`. `endpoints` are the copies that are alive, ready or not;
    empty where the platform routes by itself. `started_us` is when the group first ran, UTC microseconds. `trouble`
    says in words why copies are not ready, with the end of their output where there is one; "" while nothing is known
    to be wrong. Of a group that is whole it says what somebody else has made of it: it is not its version any more, and
    nothing is built upon it. `hopeless`: waiting does not help any more, since a copy has ended, or has had its time.
    """

    id: str
    role: Role
    package: str
    version: str
    size: int
    ready: int
    endpoints: tuple[Endpoint, ...]
    started_us: int
    digests: tuple[str, ...]
    trouble: str = ""
    hopeless: bool = False

    @property
    def spec(self) -> GroupSpec:
        """What it shall be."""
        return GroupSpec(self.id, self.role, self.package, self.version, self.size, self.digests)

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


def check_same(known: GroupSpec, spec: GroupSpec) -> None:
    """Refuse to make something else of a group that is there (ConflictError)."""
    if (known.role, known.package, known.version) != (spec.role, spec.package, spec.version):
        raise ConflictError(
            f"group {spec.id} is {known.package} {known.version} ({known.role.value}), "
            f"not {spec.package} {spec.version} ({spec.role.value})"
        )
    if known.digests != spec.digests:
        raise ConflictError(f"group {spec.id} runs {known.package} {known.version} from other artifacts")


def check_leaving(spec: GroupSpec, before: int, staying: int) -> None:
    """Refuse (RefusedError) to make a group of `before` copies smaller by others than those that are said to leave.

    For platforms that stop a copy whatever it is doing. `staying` is how many are not said to leave.
    """
    if staying > spec.size or staying < min(before, spec.size):
        raise RefusedError(
            f"group {spec.id} has {before} copies, {before - staying} of which may stop: {spec.size} cannot be left",
            why="a copy that is stopped cuts its open requests off",
            todo="take the traffic from as many copies as it gets smaller by, and name those",
        )


def checked_digests(digests: tuple[str, ...]) -> tuple[str, ...]:
    """Return them if they are 1 to DIGESTS_MAX digests of artifacts; raise InvalidValue otherwise."""
    if not 1 <= len(digests) <= DIGESTS_MAX or not all(DIGEST.fullmatch(digest) for digest in digests):
        raise InvalidValue(f"what runs is told by 1 to {DIGESTS_MAX} sha256 digests")
    return digests


class Target(Protocol):
    """Runs the groups of one environment. `revision` is a fencing number: a call with an older one than the newest
    seen is refused (RefusedError), so that a zombie's late call takes no effect. A call that changes nothing is seen,
    too: whoever takes a step over stops a group that there never was. What was ordered is in `groups` at once.

    `artifact_kinds` are the kinds of artifact (`domain/artifact.py`) that it can run; empty: of any kind.

    One whose platform routes by itself names its traffic provider as `routed_by`; that one names it as `run_by`.

    A target that gives the `variables` of its context to what it starts has a class attribute `gives`, a tuple of
    "variables", "secrets" or both. It reads secrets when it starts something, before it changes anything, writes them
    nowhere, and takes them out of the `trouble` that it tells (`Variables.masked`).
    """

    api_version: int
    artifact_kinds: tuple[str, ...]

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Bring the version to where it will run (install it), by one of the artifacts with these digests.

        Idempotent; half a preparation is done over. ShiplineError where none of them is to be had: other bytes under
        the same version are not taken.
        """
        ...

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        """Order that the group runs, and return at once with how it stands: nobody waits for health here.

        Idempotent by `spec.id`. Copies that died are started again; copies that live are left alone. A larger size
        starts more. A smaller one stops the copies whose endpoints' ids are `leaving`: no route leads to them, and
        their requests have ended. A platform that takes traffic from a copy before it stops it may choose for itself
        where none are named; any other raises RefusedError then and changes nothing, as it does where they are not as
        many as the group gets smaller by. Ids that the group does not have any more are nobody. ConflictError if the
        id runs another package, version or role, or other digests; ShiplineError where the version was not prepared,
        or cannot be run at all.
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


@dataclass(frozen=True, slots=True)
class PlannedChanges:
    """What is done once a group gets the traffic, by a plan that was made before. `digest` is that of the plan's file
    (`sha256:…`), `tool` what made it, `words` how it sums up. `changes` are by address what is done to each thing;
    no values."""

    digest: str
    tool: str
    words: str
    changes: tuple[tuple[str, tuple[str, ...]], ...]


@runtime_checkable
class Planning(Protocol):
    """What a Target has, too, whose groups are plans."""

    def planned(self, group_id: str) -> PlannedChanges | None:
        """The plan of a group; None where there is none yet."""
        ...


class StillLooking(UnavailableError):
    """A look that takes long is under way: ask again, in a second or in a minute."""


@runtime_checkable
class Comparing(Protocol):
    """What a Target has, too, that can compare what stands with what it was made from, and needs longer for that than
    `groups` may take."""

    def stands_otherwise(self, group_id: str) -> str:
        """What of a group that serves was changed by hand, in words for people; "" where nothing was. Changes nothing.

        Returns at once: StillLooking where a look has been begun, or goes on. What a look has found is told once; the
        next call begins another. UnavailableError where it could not look.
        """
        ...
