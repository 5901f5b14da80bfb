"""The command line as people run it: a process of its own, in a folder, of which only words and an exit code come."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import shipline

SOURCE = Path(shipline.__file__).parents[1]
DEADLINE_S = 240


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        """For a failing test."""
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


def arguments_of(*arguments: str) -> list[str]:
    """The command line of `shipline` with these arguments."""
    return [sys.executable, "-m", "shipline", *arguments]


def environment_of(extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """This process's environment, finding this source; `extra` is added, None takes a variable away."""
    chosen: dict[str, str | None] = {**os.environ, "PYTHONPATH": str(SOURCE), **(extra or {})}
    return {name: value for name, value in chosen.items() if value is not None}


class CommandServer:
    """The process that commands are forked from; it ends with this one."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="shipline-commands-")
        self._path = f"{self._folder.name}/socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.command_server", self._path],
            cwd=Path(__file__).parents[1],
            env=environment_of(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self.stop)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the server of commands did not start"

    def run(self, folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> Said:
        """A command, to its end."""
        request = {"arguments": arguments, "folder": str(folder), "environment": environment}
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.settimeout(DEADLINE_S)
            connection.connect(self._path)
            socket.send_fds(connection, [b" "], [out.fileno(), err.fileno()])
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answer:
                process = int(answer.readline())
                try:
                    code = int(answer.readline())
                except TimeoutError:
                    os.kill(process, signal.SIGKILL)
                    raise
            words = []
            for stream in (out, err):
                stream.seek(0)
                words.append(stream.read().decode("utf-8", "replace"))
        return Said(code, *words)

    def stop(self) -> None:
        """End it."""
        self._process.communicate()
        self._folder.cleanup()


@cache
def _server() -> CommandServer:
    return CommandServer()


def _started(
    folder: Path, arguments: tuple[str, ...], environment: dict[str, str], before: Callable[[], object]
) -> Said:
    done = subprocess.run(
        arguments_of(*arguments),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=DEADLINE_S,
        preexec_fn=before,
    )
    return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def run_shipline(
    folder: Path,
    *arguments: str,
    extra: Mapping[str, str | None] | None = None,
    before: Callable[[], object] | None = None,
) -> Said:
    """Run the command to its end. `before` is called in the child just before. No end may show a traceback.

    The process is forked from one that has all loaded (`tests/command_server.py`), unless it is begun in its own way.
    """
    if before is None:
        said = _server().run(folder, arguments, environment_of(extra))
    else:
        said = _started(folder, arguments, environment_of(extra), before)
    assert "Traceback" not in said.err + said.out, said
    assert "something unexpected" not in said.err, said
    return said
