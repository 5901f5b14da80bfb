"""Moto's server, which keeps what AWS would keep: installed once into .cache, and run in a process of its own."""

from __future__ import annotations

import fcntl
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.machine import free_port

TOP = Path(__file__).parents[1]
LOCK = TOP / "tests" / "moto" / "requirements.txt"
SERVE = LOCK.with_name("serve.py")
INSTALLED = TOP / ".cache" / "moto"
INSTALL_TIMEOUT_S = 240
START_TIMEOUT_S = 60.0
# Moto has a thousand machine images otherwise, which it makes anew after each reset.
NO_IMAGES = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}


class MotoMissing(Exception):
    """Moto's server is not to be had on this machine. Says why."""


def moto() -> Path:
    """A Python with moto's server, installed once into .cache; MotoMissing where that cannot be."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stamp, python = INSTALLED / ".installed", INSTALLED / "bin" / "python"
        if not (python.is_file() and stamp.is_file() and stamp.read_bytes() == LOCK.read_bytes()):
            _install(python)
            stamp.write_bytes(LOCK.read_bytes())
    return python


def _install(python: Path) -> None:
    # Most of it is never imported, so that compiling all of it would cost more than it saves.
    how = ("-q", "--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes")
    pip = [str(python), "-m", "pip", "install", *how, "-r", str(LOCK)]
    for command in ([sys.executable, "-m", "venv", str(INSTALLED)], pip):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise MotoMissing(f"moto was not installed within {INSTALL_TIMEOUT_S} s") from None
        if done.returncode != 0:
            raise MotoMissing(f"moto could not be installed: {done.stderr[-300:]}")


@contextmanager
def moto_server(folder: Path) -> Iterator[int]:
    """Moto's server, its port, for the time of the block."""
    port = free_port()
    command = [str(moto()), str(SERVE), "-H", "127.0.0.1", "-p", str(port)]
    log = folder / "moto.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=folder, env={**os.environ, **NO_IMAGES})
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not has_forgotten(port):
            alive = process.poll() is None and time.monotonic() < deadline
            assert alive, f"moto did not start: {log.read_text(errors='replace')[-1000:]}"
            time.sleep(0.05)  # noqa: TID251 - real time: a process starts
        yield port
    finally:
        process.kill()
        process.wait()


def has_forgotten(port: int, timeout_s: float = 2.0) -> bool:
    """Let the server forget all that it was told; False where it does not answer (yet)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/moto-api/reset")
            return connection.getresponse().status == http.client.OK
        return False
    finally:
        connection.close()
