"""A target in memory: versions are prepared, instances start, stop and die; nothing runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from shipline.domain.errors import ConflictError, InvalidValue, RefusedError, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.target import Instance, checked_instance_id
from shipline.testing.fakes.faults import Fault, suffer

FIRST_PORT = 20_000


@dataclass(slots=True)
class TargetWorld:
    """What outlives a FakeTarget, as processes outlive the engine.

    `missing` and `broken` name versions that cannot be installed, or that never become healthy.
    """

    revision: int = 0
    prepared: set[tuple[str, str]] = field(default_factory=set)
    instances: dict[str, Instance] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    ports_given: int = 0


class FakeTarget:
    """The Target port over a TargetWorld. Set `fault` to inject one; LYING says that dead instances are started."""

    api_version = 1

    def __init__(self, clock: Clock, world: TargetWorld | None = None) -> None:
        self.world = TargetWorld() if world is None else world
        self.fault: Fault | None = None
        self._clock = clock

    def prepare(self, package: str, version: str) -> None:
        suffer(self.fault, self._clock, "the target")
        if not package or not version or version.startswith("-"):
            raise InvalidValue(f"{package!r} {version!r} is not a package and a version")
        if version in self.world.missing:
            raise ShiplineError(f"could not install {package}=={version}", why="no such version")
        self.world.prepared.add((package, version))

    def start(self, instance_id: str, package: str, version: str, *, revision: int) -> Instance:
        suffer(self.fault, self._clock, "the target")
        checked_instance_id(instance_id)
        self._fence(revision)
        known = self.world.instances.get(instance_id)
        if known is not None:
            if (self.world.packages[instance_id], known.version) != (package, version):
                raise ConflictError(f"instance {instance_id} is {known.version}, not {version}")
            return known
        if (package, version) not in self.world.prepared:
            raise ShiplineError(f"{package} {version} is not installed here", todo="prepare the version first")
        if version in self.world.broken:
            raise ShiplineError(f"instance {instance_id} ended", why="the end of its output:\nit is broken")
        return self._started(instance_id, package, version)

    def _started(self, instance_id: str, package: str, version: str) -> Instance:
        self.world.ports_given += 1
        address = f"127.0.0.1:{FIRST_PORT + self.world.ports_given}"
        instance = Instance(instance_id, version, address, self._clock.now_us())
        if self.fault is not Fault.LYING:
            self.world.instances[instance_id] = instance
            self.world.packages[instance_id] = package
        return instance

    def instances(self) -> tuple[Instance, ...]:
        suffer(self.fault, self._clock, "the target")
        return tuple(self.world.instances[name] for name in sorted(self.world.instances))

    def is_healthy(self, instance_id: str) -> bool:
        suffer(self.fault, self._clock, "the target")
        return instance_id in self.world.instances and instance_id not in self.world.sick

    def stop(self, instance_id: str, *, revision: int) -> None:
        suffer(self.fault, self._clock, "the target")
        checked_instance_id(instance_id)
        self._fence(revision)
        if self.fault is not Fault.LYING:
            self.kill(instance_id)

    def kill(self, instance_id: str) -> None:
        """The instance dies by itself."""
        self.world.instances.pop(instance_id, None)
        self.world.packages.pop(instance_id, None)

    def _fence(self, revision: int) -> None:
        if revision < self.world.revision:
            raise RefusedError(f"revision {revision} is older than {self.world.revision}, which was seen here already")
        self.world.revision = revision
