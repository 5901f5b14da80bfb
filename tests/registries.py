"""Real registries on loopback: what starts them, and what skips, in words, where they are missing."""

from __future__ import annotations

import fcntl
import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TOP = Path(__file__).parents[1]
VERDACCIO = TOP / "tests" / "providers" / "registry" / "verdaccio"
INSTALLED = TOP / ".cache" / "verdaccio"
INSTALL_TIMEOUT_S = 240
START_TIMEOUT_S = 60.0


class RegistryMissing(Exception):
    """There is no such registry on this machine. Says what brings it."""


def verdaccio() -> Path:
    """Verdaccio's program, installed once into .cache from its lock; RegistryMissing where that cannot be."""
    if shutil.which("npm") is None:
        raise RegistryMissing("npm is not installed (scripts/setup.sh tests installs it)")
    lock = (VERDACCIO / "package-lock.json").read_bytes()
    program = INSTALLED / "node_modules" / "verdaccio" / "bin" / "verdaccio"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stamp = INSTALLED / ".installed"
        if not (program.is_file() and stamp.is_file() and stamp.read_bytes() == lock):
            _install(stamp, lock)
    return program


def _install(stamp: Path, lock: bytes) -> None:
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(VERDACCIO / name, INSTALLED / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    try:
        done = subprocess.run(
            command, cwd=INSTALLED, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise RegistryMissing(f"npm did not install verdaccio within {INSTALL_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise RegistryMissing(f"npm could not install verdaccio: {done.stderr[-300:]}")
    stamp.write_bytes(lock)


def docker_registry() -> str:
    """Debian's registry of the Docker distribution; RegistryMissing where it is not."""
    found = shutil.which("docker-registry")
    if found is None:
        raise RegistryMissing("docker-registry is not installed (scripts/setup.sh tests installs it)")
    return found


class Served:
    """A registry that runs on a loopback port, until it is stopped."""

    def __init__(self, command: list[str], port: int, folder: Path, *, path: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "log.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        self._await(path)

    def _await(self, path: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", path)
                if connection.getresponse().status < 500:
                    connection.close()
                    return
            connection.close()
            time.sleep(0.05)  # noqa: TID251 - real time: a process starts
        raise AssertionError(f"the registry did not start: {self._log.read_text(errors='replace')[-1000:]}")

    @property
    def runs(self) -> bool:
        """True until it is stopped, or ends by itself."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


def free_port() -> int:
    """A port that the kernel gives out now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, folder: Path, *, path: str) -> Iterator[Served]:
    """A registry for the time of the block."""
    served = Served(command, port, folder, path=path)
    try:
        yield served
    finally:
        served.stop()


_DOCKER_REGISTRY = """
version: 0.1
log: {{ level: error }}
storage:
  filesystem: {{ rootdirectory: {folder}/storage }}
  delete: {{ enabled: true }}
http:
  addr: 127.0.0.1:{port}
"""


@contextmanager
def docker_registry_in(folder: Path) -> Iterator[Served]:
    """Debian's registry of the Docker distribution, empty, for the time of the block; RegistryMissing without it."""
    program, port = docker_registry(), free_port()
    folder.mkdir()
    (folder / "config.yml").write_text(_DOCKER_REGISTRY.format(folder=folder, port=port))
    with running([program, "serve", str(folder / "config.yml")], port, folder, path="/v2/") as served:
        yield served
