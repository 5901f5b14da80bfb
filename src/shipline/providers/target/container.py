"""Versions run as containers of one Docker or Podman engine, each copy published on a loopback port of its own.

The image is the one that was released, by its digest; the engine fetches it from `image` and checks the bytes. The
port is recorded before a container is made, and its name follows from group and number, so a crash at any point leaves
nothing unknown. Copies outlive Shipline. One that died is started again by `run`, where it was if its port is still
free. Only containers with this environment's own label are touched.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shipline.clients.container_engine import Container, ContainerEngine, Login, engine_at
from shipline.clients.durable_state import LOCK_TIMEOUT_S, DurableState, check_fence
from shipline.clients.loopback_ports import HOST, free_port, is_free
from shipline.clients.released_names import check_released
from shipline.domain.errors import ConflictError, ShiplineError, UnavailableError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import (
    Endpoint,
    Group,
    GroupSpec,
    check_leaving,
    check_same,
    checked_digests,
    checked_group_id,
)
from shipline.ports.variables import Variables
from shipline.providers.target.container_body import OWNER, body_of
from shipline.providers.target.container_settings import ContainerSettings
from shipline.providers.target.container_template import Template

PROBE_TIMEOUT_S = 1.0
THREADS_MAX = 20
PREPARED_MAX = 100
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that shall run: on which port of the loopback interface, and when it was last started."""

    port: int
    started_us: int


@dataclass(frozen=True, slots=True)
class SavedGroup:
    """A group that shall run, with its copies by number, "1" and up: as many as `spec` has."""

    spec: GroupSpec
    started_us: int
    copies: dict[str, Copy]


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """What the state file holds: the newest revision, the groups that shall run, by id, and what was prepared last."""

    revision: int = 0
    groups: dict[str, SavedGroup] = field(default_factory=dict)
    prepared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """How a copy stands. `trouble` says why it is not ready, with its own words; None while it may still become so."""

    is_alive: bool
    is_ready: bool
    trouble: ShiplineError | None


class ContainerTarget:
    """Runs the groups of one environment as containers."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("oci",)
    gives = ("variables", "secrets")
    Settings = ContainerSettings

    def __init__(self, settings: ContainerSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._variables = context.variables
        self._root = context.root
        self._clock = context.clock
        self._environment = context.environment
        self._owner = hashlib.sha256(str(context.state).encode()).hexdigest()[:12]
        # The lock is held while groups are stopped and started; the next call waits for that.
        lock_timeout_s = 2 * (settings.stop_timeout_s + LOCK_TIMEOUT_S)
        path = context.state / "target.json"
        self._state = DurableState(path, SavedTarget(), context.clock, lock_timeout_s=lock_timeout_s)

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Have the engine fetch the image that has one of these digests, unless it has it."""
        check_released(package, version)
        checked_digests(digests)
        image, login = self._settings.template(self._root).image, self._settings.login()
        with engine_at(self._settings.engine) as engine:
            if self._found(engine, image, digests) is None:
                failures = [failure for digest in digests if (failure := _pulled(engine, image, digest, login))]
                if self._found(engine, image, digests) is None:
                    raise failures[0] if failures else ShiplineError(f"the engine pulled {image}, and does not have it")
        with self._state.locked():
            saved, what = self._state.read(), _identity(package, version, digests)
            others = tuple(one for one in saved.prepared if one != what)
            self._state.write(replace(saved, prepared=(*others, what)[-PREPARED_MAX:]))

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        """Start the copies that do not run, and return how the group stands; nobody waits for health.

        RefusedError for an older revision, and for a smaller size that does not name the copies that go.
        """
        check_released(spec.package, spec.version)
        template = self._settings.template(self._root)
        with self._state.locked(), engine_at(self._settings.engine) as engine:
            saved = self._fenced(revision)
            known = saved.groups.get(spec.id, SavedGroup(spec, self._clock.now_us(), {}))
            check_same(known.spec, spec)
            image = self._found(engine, template.image, spec.digests)
            is_prepared = _identity(spec.package, spec.version, spec.digests) in saved.prepared
            if image is None or not (is_prepared or spec.id in saved.groups):
                raise ShiplineError(
                    f"{spec.package} {spec.version} is not prepared here", todo="prepare the version first"
                )
            staying = {number: copy for number, copy in known.copies.items() if number not in leaving}
            check_leaving(spec, len(known.copies), len(staying))
            gone = sorted(known.copies.keys() - staying.keys())
            group, dead = self._wanted(engine, saved, replace(known, spec=spec, copies=staying))
            # Read before anything is changed, and not where nothing is started: they may not be to be had.
            given = self._variables.values() if dead else {}
            _side_by_side(self._remove, [(engine, spec.id, number) for number in gone])
            self._state.write(replace(saved, revision=revision, groups={**saved.groups, spec.id: group}))
            full = replace(template, given=tuple(given.items()))
            calls = [(engine, group, number, image, full) for number in dead]
            _side_by_side(self._start, calls)
        return self._look({spec.id: group})[0]

    def groups(self) -> tuple[Group, ...]:
        """The groups that shall run, by id, as they stand."""
        return self._look(self._state.read().groups)

    def stop(self, group_id: str, *, revision: int) -> None:
        """SIGTERM to each copy, SIGKILL after `stop_timeout_s`; then the containers are removed."""
        checked_group_id(group_id)
        with self._state.locked(), engine_at(self._settings.engine) as engine:
            saved = replace(self._fenced(revision), revision=revision)
            self._state.write(saved)
            copies = saved.groups[group_id].copies if group_id in saved.groups else {}
            _side_by_side(self._remove, [(engine, group_id, number) for number in copies])
            left = {name: group for name, group in saved.groups.items() if name != group_id}
            self._state.write(replace(saved, groups=left))

    def _fenced(self, revision: int) -> SavedTarget:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved

    def _found(self, engine: ContainerEngine, image: str, digests: tuple[str, ...]) -> str | None:
        references = (f"{image}@{digest}" for digest in digests)
        return next((reference for reference in references if engine.has_image(reference)), None)

    def _name(self, group_id: str, number: str) -> str:
        return f"shipline-{self._owner}-{group_id}-{number}"

    def _find(self, engine: ContainerEngine, group_id: str, number: str) -> Container | None:
        found = engine.find(self._name(group_id, number))
        if found is not None and found.labels.get(OWNER) != self._owner:
            raise ConflictError(f"the container {self._name(group_id, number)} is none of this environment's")
        return found

    def _remove(self, engine: ContainerEngine, group_id: str, number: str) -> None:
        found = self._find(engine, group_id, number)
        if found is not None:
            engine.stop(found.id, timeout_s=self._settings.stop_timeout_s)
            engine.remove(found.id)

    def _wanted(
        self, engine: ContainerEngine, saved: SavedTarget, group: SavedGroup
    ) -> tuple[SavedGroup, tuple[str, ...]]:
        """The group as it shall be recorded, and the numbers of the copies that are to be started."""
        copies, spec = dict(group.copies), group.spec
        taken = {copy.port for each in saved.groups.values() for copy in each.copies.values()}
        fresh = (number for number in map(str, itertools.count(1)) if number not in copies)
        dead = []
        for number in [*copies, *itertools.islice(fresh, spec.size - len(copies))]:
            found = self._find(engine, spec.id, number)
            if number in copies and found is not None and found.is_running:
                continue
            if number in copies and is_free(copies[number].port):
                port = copies[number].port
            else:
                port = free_port(taken, f"{self._owner} {spec.id}-{number}")
            copies[number] = Copy(port, self._clock.now_us())
            taken.add(port)
            dead.append(number)
        return replace(group, copies=copies), tuple(dead)

    def _start(self, engine: ContainerEngine, group: SavedGroup, number: str, image: str, template: Template) -> None:
        """Make the container anew: what died had its time, and may have had another port."""
        found = self._find(engine, group.spec.id, number)
        if found is not None:
            engine.remove(found.id)
        labels = {OWNER: self._owner, "shipline.environment": self._environment, "shipline.copy": number}
        name = self._name(group.spec.id, number)
        engine.create(name, body_of(template, group.spec, image, port=group.copies[number].port, labels=labels))
        engine.start(name)

    def _look(self, groups: dict[str, SavedGroup]) -> tuple[Group, ...]:
        """How the groups stand. All copies are asked side by side: one that hangs holds nobody up."""
        places = [(name, number) for name, group in groups.items() for number in group.copies]
        with engine_at(self._settings.engine) as engine:
            calls = [(engine, groups[name], number) for name, number in places]
            seen = dict(zip(places, _side_by_side(self._see, calls), strict=True))
        return tuple(
            _group(groups[name], {n: seen[name, n] for n in groups[name].copies}, self._variables)
            for name in sorted(groups)
        )

    def _see(self, engine: ContainerEngine, group: SavedGroup, number: str) -> Seen:
        spec, copy = group.spec, group.copies[number]
        found = self._find(engine, spec.id, number)
        is_alive = found is not None and found.is_running
        # A health check of its own can only take back what the probe says: not every engine carries it out.
        is_ill = found is not None and found.is_ill
        is_ready = is_alive and not is_ill and self._probe(copy.port)
        is_late = self._clock.now_us() - copy.started_us >= self._settings.health_timeout_s * 1_000_000
        if is_ready or (is_alive and not is_late):
            return Seen(is_alive, is_ready, None)
        what = f"was not healthy within {self._settings.health_timeout_s} s"
        if is_ill:
            what = "is not well, as its own health check says"
        if not is_alive:
            what = "is gone" if found is None else f"ended with exit code {found.exit_code}"
        output = engine.output_end(found.id) if found is not None else ""
        said = ShiplineError(
            f"container {self._name(spec.id, number)} of {spec.package} {spec.version} {what}",
            why=f"the end of its output:\n{output}",
            todo=f"see that GET {self._settings.health_path} answers 2xx on the port that it is given",
        )
        return Seen(is_alive, is_ready, said)

    def _probe(self, port: int) -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request("GET", self._settings.health_path, headers={"Connection": "close"})
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _identity(package: str, version: str, digests: tuple[str, ...]) -> str:
    return " ".join((package, version, *sorted(digests)))


def _pulled(engine: ContainerEngine, image: str, digest: str, login: Login | None) -> ShiplineError | None:
    """Why this one could not be pulled. UnavailableError is raised: another digest would fare no better."""
    try:
        engine.pull(image, digest, login)
    except UnavailableError:
        raise
    except ShiplineError as error:
        return error
    return None


def _group(group: SavedGroup, seen: dict[str, Seen], variables: Variables) -> Group:
    spec, numbers = group.spec, sorted(group.copies, key=int)
    troubles = [trouble for number in numbers if (trouble := seen[number].trouble) is not None]
    return Group(
        id=spec.id,
        role=spec.role,
        package=spec.package,
        version=spec.version,
        size=spec.size,
        ready=sum(one.is_ready for one in seen.values()),
        endpoints=tuple(
            Endpoint(number, f"{HOST}:{group.copies[number].port}") for number in numbers if seen[number].is_alive
        ),
        started_us=group.started_us,
        digests=spec.digests,
        trouble=variables.diagnosis(troubles[0]) if troubles else "",
        hopeless=bool(troubles),
    )


def _side_by_side(call: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
    """The results of `call` with each of the arguments, in order; the first error, once all have ended."""
    if len(arguments) <= 1:
        return [call(*each) for each in arguments]
    with ThreadPoolExecutor(min(len(arguments), THREADS_MAX)) as pool:
        return [future.result() for future in [pool.submit(call, *each) for each in arguments]]
