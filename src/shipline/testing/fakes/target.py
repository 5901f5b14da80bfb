"""A target in memory: versions are prepared, groups run, grow, lose copies and stop; nothing runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count, islice

from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.target import (
    Endpoint,
    Group,
    GroupSpec,
    check_leaving,
    check_same,
    checked_digests,
    checked_group_id,
)
from shipline.testing.fakes.faults import Fault, suffer

FIRST_PORT = 20_000


@dataclass(frozen=True, slots=True)
class FakeCopy:
    """A copy that is alive, and from when on it is healthy."""

    address: str
    ready_us: int


@dataclass(slots=True)
class FakeGroup:
    """What shall run, as copies of these `numbers`, and those that are alive, by number."""

    spec: GroupSpec
    started_us: int
    numbers: tuple[int, ...] = ()
    copies: dict[int, FakeCopy] = field(default_factory=dict)


@dataclass(slots=True)
class TargetWorld:
    """What outlives a FakeTarget, as processes outlive the engine.

    `missing` and `broken` name versions that cannot be installed, or whose copies end at once; `slow_s` says how many
    seconds the copies of a version need until they are healthy, and copies of the groups in `sick` never are. `runs`
    counts the calls that have started something, by group. `registry` has the digests of a version's files; what is
    not in it has those that are asked for.
    """

    revision: int = 0
    prepared: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)
    groups: dict[str, FakeGroup] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    registry: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    slow_s: dict[str, float] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    ports_given: int = 0


class FakeTarget:
    """The Target port over a TargetWorld. Set `fault` to inject one; LYING says that groups are ready that do not run.

    A copy that is started again gets another address.
    """

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("file",)

    def __init__(self, clock: Clock, world: TargetWorld | None = None) -> None:
        self.world = TargetWorld() if world is None else world
        self.fault: Fault | None = None
        self._clock = clock

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        suffer(self.fault, self._clock, "the target")
        checked_digests(digests)
        if not package or not version or version.startswith("-"):
            raise InvalidValue(f"{package!r} {version!r} is not a package and a version")
        if version in self.world.missing:
            raise ShiplineError(f"could not install {package}=={version}", why="no such version")
        known = self.world.registry.get((package, version), digests)
        if not set(known) & set(digests):
            raise ShiplineError(f"could not install {package}=={version}", why="the registry has other bytes")
        self.world.prepared.add((package, version, digests))

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        suffer(self.fault, self._clock, "the target")
        self._fence(revision)
        known = self.world.groups.get(spec.id)
        group = FakeGroup(spec, self._clock.now_us()) if known is None else known
        check_same(group.spec, spec)
        if (spec.package, spec.version, spec.digests) not in self.world.prepared:
            raise ShiplineError(
                f"{spec.package} {spec.version} is not installed here", todo="prepare the version first"
            )
        if self.fault is Fault.LYING:
            return replace(self._seen(group), size=spec.size, ready=spec.size, trouble="", hopeless=False)
        staying = tuple(number for number in group.numbers if str(number) not in leaving)
        check_leaving(spec, len(group.numbers), len(staying))
        group.spec = spec
        group.numbers = staying + tuple(islice((n for n in count(1) if n not in staying), spec.size - len(staying)))
        group.copies = {number: copy for number, copy in group.copies.items() if number in group.numbers}
        self.world.groups[spec.id] = group
        self._start_missing(group)
        return self._seen(group)

    def _start_missing(self, group: FakeGroup) -> None:
        missing = [number for number in group.numbers if number not in group.copies]
        if missing:
            self.world.runs[group.spec.id] = self.world.runs.get(group.spec.id, 0) + 1
        for number in missing if group.spec.version not in self.world.broken else []:
            self.world.ports_given += 1
            ready_us = self._clock.now_us() + int(self.world.slow_s.get(group.spec.version, 0.0) * 1_000_000)
            group.copies[number] = FakeCopy(f"127.0.0.1:{FIRST_PORT + self.world.ports_given}", ready_us)

    def groups(self) -> tuple[Group, ...]:
        suffer(self.fault, self._clock, "the target")
        return tuple(self._seen(self.world.groups[name]) for name in sorted(self.world.groups))

    def _seen(self, group: FakeGroup) -> Group:
        spec, now_us = group.spec, self._clock.now_us()
        is_sick = spec.id in self.world.sick
        ready = 0 if is_sick else sum(copy.ready_us <= now_us for copy in group.copies.values())
        has_ended = len(group.copies) < spec.size
        words = f"an instance of {spec.package} {spec.version} ended: it is broken" if has_ended else ""
        return Group(
            id=spec.id,
            role=spec.role,
            package=spec.package,
            version=spec.version,
            size=spec.size,
            ready=ready,
            endpoints=tuple(Endpoint(str(number), copy.address) for number, copy in sorted(group.copies.items())),
            started_us=group.started_us,
            digests=spec.digests,
            trouble=words or (f"{spec.id} does not answer its health check" if is_sick else ""),
            hopeless=has_ended,
        )

    def stop(self, group_id: str, *, revision: int) -> None:
        suffer(self.fault, self._clock, "the target")
        checked_group_id(group_id)
        self._fence(revision)
        if self.fault is not Fault.LYING:
            self.world.groups.pop(group_id, None)

    def kill(self, group_id: str, *numbers: int) -> None:
        """These copies of a group, or all of them, die by themselves."""
        copies = self.world.groups[group_id].copies
        for number in numbers or tuple(copies):
            del copies[number]

    def _fence(self, revision: int) -> None:
        if revision < self.world.revision:
            raise RefusedError(f"revision {revision} is older than {self.world.revision}, which was seen here already")
        self.world.revision = revision
