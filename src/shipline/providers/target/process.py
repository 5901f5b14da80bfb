"""Versions run as processes of this machine, each from a virtual environment of its own.

A Python package is installed by pip at exactly one version; pip's own configuration holds, and `index_url` comes
before it. Instances outlive the engine: each is a detached program (`clients/detached.py`) in a session of its own,
with its output in a bounded log, on a free loopback port. The port is recorded before the process is started, and the
process records itself before it becomes the instance, so a crash at any point leaves nothing unknown. An instance
that died is started again on the port it had, if that is still free, so that routes to it hold again.

Instances get the engine's environment without its `SHIPLINE_` variables, which may hold credentials.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from shipline.clients.detached import Detached, Program
from shipline.clients.durable_state import LOCK_TIMEOUT_S, DurableState, check_fence, locked
from shipline.clients.programs import without_secrets
from shipline.domain.errors import ConfigurationError, ConflictError, InvalidValue, ShiplineError
from shipline.ports.provider import ProviderContext
from shipline.ports.target import Instance, checked_instance_id

HOST = "127.0.0.1"
PORTS = range(20_000, 30_000)
PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")  # PyPA core metadata: name
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]{0,99}")  # what PEP 440 and semver write; never an option
PLACEHOLDERS = ("host", "port", "version", "prefix")
PLACEHOLDER = re.compile(r"\{([a-z]*)\}")
PROBE_TIMEOUT_S = 2.0
POLL_S = 0.05
INSTALL_TIMEOUT_S = 600
LOG_BYTES_MAX = 4 << 20
STOPPED_LOGS_KEPT = 10
READY = "prepared"


@dataclass(frozen=True, slots=True)
class Intent:
    """An instance that shall run."""

    package: str
    version: str
    port: int
    started_us: int


@dataclass(frozen=True, slots=True)
class SavedTarget:
    """What the state file holds: the newest revision and the instances that shall run, by id."""

    revision: int = 0
    instances: dict[str, Intent] = field(default_factory=dict)


class ProcessTarget:
    """Runs the instances of one environment as processes."""

    api_version = 1

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
        self._folder = context.state
        # The lock is held while an instance is being stopped; the next call waits for that.
        lock_timeout_s = settings.stop_timeout_s + LOCK_TIMEOUT_S
        self._state = DurableState(
            context.state / "target.json", SavedTarget(), context.clock, lock_timeout_s=lock_timeout_s
        )

    def prepare(self, package: str, version: str) -> None:
        """Install the version into its own virtual environment; one that was left half done is made anew."""
        prefix = self._prefix(package, version)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(prefix.with_name(prefix.name + ".lock"), self._clock, timeout_s=INSTALL_TIMEOUT_S):
            if (prefix / READY).exists():
                return
            shutil.rmtree(prefix, ignore_errors=True)
            environment = installing_environment(os.environ, self._settings.index_url)
            _run((sys.executable, "-m", "venv", "--without-pip", str(prefix)), environment, "make an environment for")
            install = ("-m", "pip", "--python", str(prefix / "bin" / "python"), "install", f"{package}=={version}")
            _run((sys.executable, *install), environment, "install")
            (prefix / READY).touch()

    def start(self, instance_id: str, package: str, version: str, *, revision: int) -> Instance:
        """Start an instance, or find it, and return it once it is healthy; one that does not become so is stopped.

        RefusedError for an older revision, ConflictError if the id runs something else.
        """
        prefix = self._prefix(package, version)
        process = self._process(instance_id)
        with self._state.locked():
            saved = self._fenced(revision)
            intent = self._intent(saved, instance_id, package, version)
            self._state.write(SavedTarget(revision, {**saved.instances, instance_id: intent}))
            process.start(self._program(prefix, intent))
        if not self._becomes_healthy(process, intent):
            raise self._given_up(instance_id, intent, revision)
        return _instance(instance_id, intent)

    def instances(self) -> tuple[Instance, ...]:
        """The instances whose processes are alive, by id."""
        known = sorted(self._state.read().instances.items())
        return tuple(_instance(name, intent) for name, intent in known if self._process(name).pid() is not None)

    def is_healthy(self, instance_id: str) -> bool:
        """True if the instance's own process is alive and answers its health check now."""
        intent = self._state.read().instances.get(instance_id)
        return intent is not None and self._answers(self._process(instance_id), intent)

    def stop(self, instance_id: str, *, revision: int) -> None:
        """SIGTERM to the instance's process group, then SIGKILL after `stop_timeout_s`."""
        process = self._process(instance_id)
        with self._state.locked():
            saved = self._fenced(revision)
            self._state.write(replace(saved, revision=revision))
            self._stop(instance_id, process)

    def _stop(self, instance_id: str, process: Detached) -> None:
        """Stop an instance and take it out of the record, under the lock: what a newer revision starts is not hit.

        The logs of the last ones stay for people.
        """
        process.stop(first=signal.SIGTERM, timeout_s=self._settings.stop_timeout_s)
        saved = self._state.read()
        left = {name: intent for name, intent in saved.instances.items() if name != instance_id}
        self._state.write(replace(saved, instances=left))
        folders = self._folder.glob("instances/*")
        stopped = sorted((path for path in folders if path.name not in left), key=lambda path: path.stat().st_mtime)
        for folder in stopped[:-STOPPED_LOGS_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)

    def _fenced(self, revision: int) -> SavedTarget:
        saved = self._state.read()
        check_fence(saved.revision, revision)
        return saved

    def _process(self, instance_id: str) -> Detached:
        return Detached(self._folder / "instances" / checked_instance_id(instance_id), self._clock)

    def _prefix(self, package: str, version: str) -> Path:
        if not PACKAGE.fullmatch(package) or not VERSION.fullmatch(version):
            raise InvalidValue(f"{package[:80]!r} {version[:80]!r} is not a package and a version")
        return self._folder / "versions" / f"{package}-{version}"

    def _intent(self, saved: SavedTarget, instance_id: str, package: str, version: str) -> Intent:
        """The recorded intent if it still stands, or one with a fresh port."""
        known = saved.instances.get(instance_id)
        alive = self._process(instance_id).pid() is not None
        if known is not None and (known.package, known.version) != (package, version):
            raise ConflictError(f"instance {instance_id} is {known.package} {known.version}, not {package} {version}")
        if known is not None and (alive or _is_free(known.port)):
            return known if alive else replace(known, started_us=self._clock.now_us())
        if not (self._prefix(package, version) / READY).exists():
            raise ShiplineError(f"{package} {version} is not installed here", todo="prepare the version first")
        taken = {intent.port for intent in saved.instances.values()}
        return Intent(package, version, _free_port(taken, f"{self._folder} {instance_id}"), self._clock.now_us())

    def _program(self, prefix: Path, intent: Intent) -> Program:
        values = {"host": HOST, "port": str(intent.port), "version": intent.version, "prefix": str(prefix)}
        argv = tuple(PLACEHOLDER.sub(lambda found: values[found[1]], part) for part in self._settings.command)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIPLINE_")}
        return Program(argv, environment, LOG_BYTES_MAX)

    def _becomes_healthy(self, process: Detached, intent: Intent) -> bool:
        """Wait until the instance answers; False when it ends, or when its time is over."""
        deadline_us = self._clock.now_us() + self._settings.health_timeout_s * 1_000_000
        while process.pid() is not None and self._clock.now_us() < deadline_us:
            if self._answers(process, intent):
                return True
            self._clock.sleep(POLL_S)
        return False

    def _given_up(self, instance_id: str, intent: Intent, revision: int) -> ShiplineError:
        """Stop an instance that did not become healthy, unless a newer revision has taken over, and say so."""
        process = self._process(instance_id)
        ended = process.pid() is None
        with self._state.locked():
            self._fenced(revision)
            self._stop(instance_id, process)
        what = "ended" if ended else f"was not healthy within {self._settings.health_timeout_s} s"
        return ShiplineError(
            f"instance {instance_id} of {intent.package} {intent.version} {what}",
            why=f"the end of its output:\n{process.output_end()}",
            todo=f"run its command by hand, and see that GET {self._settings.health_path} answers 2xx",
        )

    def _answers(self, process: Detached, intent: Intent) -> bool:
        """Healthy, and by the process that was started: another program on its port is not the instance."""
        return process.pid() is not None and self._probe(intent.port) and process.pid() is not None

    def _probe(self, port: int) -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request("GET", self._settings.health_path, headers={"Connection": "close"})
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def installing_environment(environment: Mapping[str, str], index_url: str | None) -> dict[str, str]:
    """What pip is started with: an sdist among the dependencies runs code of its own, and is told no secret."""
    chosen = {**without_secrets(environment), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    # Not as an argument: it may hold credentials, and arguments are for every user to see.
    return chosen | ({} if index_url is None else {"PIP_INDEX_URL": index_url})


def _instance(instance_id: str, intent: Intent) -> Instance:
    return Instance(
        id=instance_id, version=intent.version, address=f"{HOST}:{intent.port}", started_us=intent.started_us
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port(taken: set[int], key: str) -> int:
    """A port that nobody listens on and no instance has been promised; `key` decides where the search begins.

    Below the ports that systems give to outgoing connections (Linux from 32768, macOS from 49152), so that none of
    those can take it before the instance listens, or while it is being started again.
    """
    begin = zlib.crc32(key.encode()) % len(PORTS)
    ports: tuple[int, ...] = (*PORTS[begin:], *PORTS[:begin])
    for port in ports:
        if port not in taken and _is_free(port):
            return port
    raise ShiplineError(f"there is no free port from {PORTS[0]} to {PORTS[-1]} on the loopback interface")


def _run(argv: tuple[str, ...], environment: dict[str, str], purpose: str) -> None:
    """Run a step of the preparation; its output's end is in the error."""
    try:
        done = subprocess.run(
            argv,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise ShiplineError(f"could not {purpose} {argv[-1]}", why=str(failure)) from failure
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace").strip()[-2000:]
        raise ShiplineError(f"could not {purpose} {argv[-1]}", why=output)
