"""Versions run as processes of this machine, each from a virtual environment of its own.

A Python package is installed by pip at exactly one version, from one of the released files and no other; pip's own
configuration holds, and `index_url` comes before it. Copies outlive the engine: each is a detached program
(`clients/detached.py`) in a session of its own, with its output in a bounded log, on a free loopback port. The port is
recorded before the process is started, and the process records itself before it becomes the copy, so a crash at any
point leaves nothing unknown. A copy that died is started again by `run`, on the port it had, if that is still free, so
that routes to it hold again.

A group of processes gets smaller only by copies that the caller names. The error texts call a copy an instance, as the
settings do.

Copies get the engine's environment without its `SHIPLINE_` variables, which may hold credentials, and over it what the
settings of the environment give them. Secrets are read when a copy is started, and are in no file.
"""

from __future__ import annotations

import http.client
import itertools
import os
import re
import shutil
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from shipline.clients.detached import Detached, Program
from shipline.clients.durable_state import LOCK_TIMEOUT_S, DurableState, check_fence
from shipline.clients.loopback_ports import HOST, free_port, is_free
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Endpoint, Group, GroupSpec, check_leaving, check_same, checked_group_id
from shipline.ports.variables import Variables
from shipline.providers.target.python_versions import Distribution, install, is_installed, prefix_of

PLACEHOLDERS = ("host", "port", "version", "prefix")
PLACEHOLDER = re.compile(r"\{([a-z]*)\}")
PROBE_TIMEOUT_S = 1.0
LOG_BYTES_MAX = 4 << 20
STOPPED_LOGS_KEPT = 10
STATE_SCHEMA = 3
THREADS_MAX = 100
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that shall run: on which port, and when it was last started."""

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
    """What the state file holds: the newest revision and the groups that shall run, by id."""

    revision: int = 0
    groups: dict[str, SavedGroup] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """How a copy stands. `trouble` says why it is not ready, with its own words; None while it may still become so."""

    is_alive: bool
    is_ready: bool
    trouble: ShiplineError | None


class ProcessTarget:
    """Runs the groups of one environment as processes."""

    api_version = 3
    artifact_kinds: tuple[str, ...] = ("wheel", "sdist")
    gives = ("variables", "secrets")

    @dataclass(frozen=True, slots=True)
    class Settings:
        """How an instance is run.

        `command` is a list of arguments, where {host}, {port}, {version} and {prefix} (the version's own virtual
        environment) are filled in. Healthy is: `health_path` answers 2xx to GET. `health_timeout_s` is how long an
        instance may take until then, `stop_timeout_s` how long it may take to end when asked; both in seconds.
        `index_url` is where pip installs from; None leaves that to pip's configuration.
        """

        command: tuple[str, ...]
        health_path: str = "/healthz"
        health_timeout_s: int = 30
        stop_timeout_s: int = 10
        index_url: str | None = None

        def __post_init__(self) -> None:
            """Refuse a command that could not be filled in, and times that are none."""
            if not self.command:
                raise ConfigurationError("command: an instance needs a command")
            for name in (name for part in self.command for name in PLACEHOLDER.findall(part)):
                if name not in PLACEHOLDERS:
                    known = ", ".join(f"{{{item}}}" for item in PLACEHOLDERS)
                    raise ConfigurationError(f"command: unknown placeholder {{{name}}}", todo=f"known are {known}")
            if not re.fullmatch(r"/[\x21-\x7e]{0,500}", self.health_path):
                raise ConfigurationError(f"health_path: {self.health_path[:80]!r} is not the path of a URL")
            if self.health_timeout_s < 1 or self.stop_timeout_s < 1:
                raise ConfigurationError("health_timeout_s and stop_timeout_s are 1 second or more")

    def __init__(self, settings: Settings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._variables = context.variables
        self._folder = context.state
        # The lock is held while a group is being stopped; the next call waits for that.
        lock_timeout_s = settings.stop_timeout_s + LOCK_TIMEOUT_S
        self._state = DurableState(
            context.state / "target.json",
            SavedTarget(),
            context.clock,
            schema=STATE_SCHEMA,
            lock_timeout_s=lock_timeout_s,
        )

    def prepare(self, package: str, version: str, digests: tuple[str, ...]) -> None:
        """Install the version into its own virtual environment; one that was left half done is made anew."""
        what = Distribution(package, version, digests)
        install(prefix_of(self._versions, what), what, clock=self._clock, index_url=self._settings.index_url)

    def run(self, spec: GroupSpec, *, revision: int, leaving: tuple[str, ...] = ()) -> Group:
        """Start the copies that do not run, and return how the group stands; nobody waits for health.

        RefusedError for an older revision, and for a smaller size that does not name the copies that go: a process
        that is stopped cuts its requests off.
        """
        prefix = self._prefix(spec)
        with self._state.locked():
            saved = self._fenced(revision)
            group = self._wanted(saved, spec, prefix, leaving)
            processes = {number: self._process(spec.id, number) for number in group.copies}
            starting = [number for number, process in processes.items() if not process.is_whole()]
            # Read before anything is changed, and not where nothing is started: they may not be to be had.
            given = self._variables.values() if starting else {}
            gone = saved.groups[spec.id].copies.keys() - group.copies.keys() if spec.id in saved.groups else set()
            _side_by_side(self._stop_copy, [(self._process(spec.id, number),) for number in sorted(gone)])
            self._state.write(SavedTarget(revision, {**saved.groups, spec.id: group}))
            programs = [(processes[number], self._program(prefix, group, number, given)) for number in starting]
            _side_by_side(_start, programs)
        return self._look({spec.id: group})[0]

    def groups(self) -> tuple[Group, ...]:
        """The groups that shall run, by id, as they stand."""
        return self._look(self._state.read().groups)

    def stop(self, group_id: str, *, revision: int) -> None:
        """SIGTERM to the process group of each copy, then SIGKILL after `stop_timeout_s`.

        Under the lock, so that what a newer revision starts is not hit. The logs of the last copies stay for people.
        """
        checked_group_id(group_id)
        with self._state.locked():
            saved = replace(self._fenced(revision), revision=revision)
            self._state.write(saved)
            copies = saved.groups[group_id].copies if group_id in saved.groups else {}
            _side_by_side(self._stop_copy, [(self._process(group_id, number),) for number in copies])
            left = {name: group for name, group in saved.groups.items() if name != group_id}
            self._state.write(replace(saved, groups=left))
            self._drop_old_logs(left)

    def _stop_copy(self, process: Detached) -> None:
        process.stop(first=signal.SIGTERM, timeout_s=self._settings.stop_timeout_s)

    def _drop_old_logs(self, left: dict[str, SavedGroup]) -> None:
        running = {f"{name}-{number}" for name, group in left.items() for number in group.copies}
        folders = self._folder.glob("instances/*")
        stopped = sorted((path for path in folders if path.name not in running), key=lambda path: path.stat().st_mtime)
        for folder in stopped[:-STOPPED_LOGS_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)

    def _fenced(self, revision: int) -> SavedTarget:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved

    def _process(self, group_id: str, number: str) -> Detached:
        return Detached(self._folder / "instances" / f"{group_id}-{number}", self._clock)

    @property
    def _versions(self) -> Path:
        return self._folder / "versions"

    def _prefix(self, spec: GroupSpec) -> Path:
        return prefix_of(self._versions, Distribution(spec.package, spec.version, spec.digests))

    def _wanted(self, saved: SavedTarget, spec: GroupSpec, prefix: Path, leaving: tuple[str, ...]) -> SavedGroup:
        """The group as it shall be recorded: what runs, or can run again where it was, stays there."""
        known = saved.groups.get(spec.id, SavedGroup(spec, self._clock.now_us(), {}))
        check_same(known.spec, spec)
        copies = {number: copy for number, copy in known.copies.items() if number not in leaving}
        check_leaving(spec, len(known.copies), len(copies))
        taken = {copy.port for group in saved.groups.values() for copy in group.copies.values()}
        fresh = (number for number in map(str, range(1, len(known.copies) + spec.size + 1)) if number not in copies)
        for number in [*copies, *itertools.islice(fresh, spec.size - len(copies))]:
            if self._process(spec.id, number).pid() is None:
                self._check_installed(prefix, spec)
                copies[number] = self._fresh(copies.get(number), taken, f"{self._folder} {spec.id}-{number}")
                taken.add(copies[number].port)
        return replace(known, spec=spec, copies=copies)

    def _check_installed(self, prefix: Path, spec: GroupSpec) -> None:
        if not is_installed(prefix):
            raise ShiplineError(
                f"{spec.package} {spec.version} is not installed here", todo="prepare the version first"
            )

    def _fresh(self, died: Copy | None, taken: set[int], key: str) -> Copy:
        """A copy that is about to be started: on the port that it had, if that is still free, so that routes hold."""
        if died is not None and is_free(died.port):
            return replace(died, started_us=self._clock.now_us())
        return Copy(free_port(taken, key), self._clock.now_us())

    def _program(self, prefix: Path, group: SavedGroup, number: str, given: dict[str, str]) -> Program:
        port = str(group.copies[number].port)
        values = {"host": HOST, "port": port, "version": group.spec.version, "prefix": str(prefix)}
        argv = tuple(PLACEHOLDER.sub(lambda found: values[found[1]], part) for part in self._settings.command)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIPLINE_")}
        return Program(argv, environment | given, LOG_BYTES_MAX)

    def _look(self, groups: dict[str, SavedGroup]) -> tuple[Group, ...]:
        """How the groups stand. All copies are asked side by side: one that hangs holds nobody up."""
        places = [(name, group, number) for name, group in groups.items() for number in group.copies]
        seen = _side_by_side(self._see, places)
        by_group: dict[str, dict[str, Seen]] = {name: {} for name in groups}
        for (name, _, number), one in zip(places, seen, strict=True):
            by_group[name][number] = one
        return tuple(_group(groups[name], by_group[name], self._variables) for name in sorted(groups))

    def _see(self, group_id: str, group: SavedGroup, number: str) -> Seen:
        process, copy = self._process(group_id, number), group.copies[number]
        # By the process that was started, before and after: another program on its port is not the copy.
        is_ready = process.pid() is not None and self._probe(copy.port) and process.pid() is not None
        is_alive = is_ready or process.pid() is not None
        is_late = self._clock.now_us() - copy.started_us >= self._settings.health_timeout_s * 1_000_000
        if is_ready or (is_alive and not is_late):
            return Seen(is_alive, is_ready, None)
        what = f"was not healthy within {self._settings.health_timeout_s} s" if is_alive else "ended"
        said = ShiplineError(
            f"instance {group_id}-{number} of {group.spec.package} {group.spec.version} {what}",
            why=f"the end of its output:\n{process.output_end()}",
            todo=f"run its command by hand, and see that GET {self._settings.health_path} answers 2xx",
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


def _group(group: SavedGroup, seen: dict[str, Seen], variables: Variables) -> Group:
    spec = group.spec
    numbers = sorted(group.copies, key=int)
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


def _start(process: Detached, program: Program) -> None:
    process.start(program)


def _side_by_side(call: Callable[..., R], arguments: Sequence[tuple[Any, ...]]) -> list[R]:
    """The results of `call` with each of the arguments, in order; the first error, once all have ended."""
    if len(arguments) <= 1:
        return [call(*each) for each in arguments]
    with ThreadPoolExecutor(min(len(arguments), THREADS_MAX)) as pool:
        return [future.result() for future in [pool.submit(call, *each) for each in arguments]]
