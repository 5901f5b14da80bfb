"""Processes that tests start, kill, pause and start again, to see what is left of them and what becomes of it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import shipline

DEADLINE_S = 60.0
LOOK_S = 0.02
STARTS_MAX = 20


class Process(Protocol):
    """What tests do with a process."""

    pid: int
    stdin: IO[bytes] | None

    def kill(self) -> None: ...
    def send_signal(self, sig: int) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


def environment() -> dict[str, str]:
    """Of a script that imports what these tests import, and for which every warning is an error."""
    source = str(Path(shipline.__file__).parents[1])
    return os.environ | {"PYTHONPATH": source, "PYTHONWARNINGS": "error"}


# Starts a process with arguments, a file for its standard output and one for its errors.
Start = Callable[[tuple[str, ...], Path, Path], Process]


def fresh(script: Path) -> Start:
    """By an interpreter of its own."""

    def start(arguments: tuple[str, ...], output: Path, errors: Path) -> Process:
        with output.open("wb") as out, errors.open("wb") as err:
            return subprocess.Popen(
                [sys.executable, str(script), *arguments],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                env=environment(),
            )

    return start


class Nursery:
    """By a process that has imported the script, and forks: what is born costs no imports. See nursery.py."""

    def __init__(self, script: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("nursery.py")), str(script)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), bufsize=0
        )
        self._ends: dict[int, int] = {}
        self._said = b""
        self._await("ready", DEADLINE_S)

    def __call__(self, arguments: tuple[str, ...], output: Path, errors: Path) -> Process:
        """Start one."""
        pipe = output.with_suffix(".in")
        os.mkfifo(pipe)
        for file in (output, errors):
            file.touch()  # The newborn opens them a little later.
        birth = {"arguments": arguments, "input": str(pipe), "output": str(output), "errors": str(errors)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(birth).encode() + b"\n")
        born = self._await("born", DEADLINE_S)["born"]
        self._ends.pop(born, None)  # Of one that had this id before it and has ended: the system gives ids anew.
        # Opened for both, so that this does not wait for the other side; the newborn waits for this side.
        return Born(born, pipe.open("wb", buffering=0), self)

    def end_of(self, process: int, timeout_s: float) -> int:
        """The exit code of one that was born here, or minus the signal. TimeoutError where it lives on."""
        until_s = time.monotonic() + timeout_s
        while process not in self._ends:
            self._await("ended", max(0.0, until_s - time.monotonic()))
        return self._ends[process]

    def close(self) -> None:
        """No more births."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=DEADLINE_S)

    def _await(self, kind: str, timeout_s: float) -> dict[str, int]:
        """The next answer of this kind; ends that come before it are kept."""
        until_s = time.monotonic() + timeout_s
        while True:
            while b"\n" in self._said:
                line, _, self._said = self._said.partition(b"\n")
                answer: dict[str, int] = json.loads(line)
                if "ended" in answer:
                    self._ends[answer["ended"]] = answer["code"]
                if kind in answer:
                    return answer
            assert self._process.stdout is not None
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, until_s - time.monotonic()))
            if not ready:
                raise TimeoutError(f"nothing {kind} within {timeout_s} s")
            piece = os.read(self._process.stdout.fileno(), 65536)
            assert piece, "the nursery has died"
            self._said += piece


class Born:
    """A process out of a nursery."""

    def __init__(self, pid: int, stdin: IO[bytes], nursery: Nursery) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self._nursery = nursery
        self._code: int | None = None

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int) -> None:
        """Its id may belong to another once it was waited for."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or minus the signal that ended it."""
        if self._code is None:
            self._code = self._nursery.end_of(self.pid, DEADLINE_S if timeout is None else timeout)
        return self._code


class Child:
    """A running Python script, with its standard output in `output` and its standard error in `errors`."""

    def __init__(self, start: Start, arguments: tuple[str, ...], folder: Path) -> None:
        number = len(list(folder.glob("child-*.out")))
        self.output = folder / f"child-{number}.out"
        self.errors = folder / f"child-{number}.err"
        self.process = start(arguments, self.output, self.errors)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()
        self._close()

    def pause(self) -> None:
        """SIGSTOP: the process does nothing until `resume`.

        The signal is sent before it is obeyed: a thread on another processor went on for milliseconds.
        """
        self.process.send_signal(signal.SIGSTOP)
        await_that("every thread stopped", lambda: _is_stopped(self.process.pid))

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Close its standard input, which asks a script that serves to stop; returns the exit code."""
        self._close()
        return self.wait()

    def wait(self) -> int:
        """The exit code, or minus the signal that ended it."""
        code = self.process.wait(timeout=DEADLINE_S)
        self._close()
        return code

    def said(self) -> list[dict[str, Any]]:
        """The lines of JSON on its standard output so far."""
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def _close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()


def _is_stopped(pid: int) -> bool:
    """True if no thread of the process runs (proc(5): the state stands behind the name in parentheses)."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return all((thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


@contextlib.contextmanager
def family(start_one: Start, folder: Path) -> Iterator[Callable[..., Child]]:
    """Gives a function that starts the script with arguments; whoever lives at the end of the block is killed."""
    children: list[Child] = []

    def start(*arguments: str) -> Child:
        child = Child(start_one, arguments, folder)
        children.append(child)
        return child

    try:
        yield start
    finally:
        for child in children:
            child.kill()


def run_to_the_end(start: Callable[[int], Child]) -> tuple[Child, int]:
    """Start a child, and start it again after each SIGKILL; returns the one that ended by itself, and the deaths.

    `start` is told how often it was killed so far. Any other end than exit code 0 is an error.
    """
    for deaths in range(STARTS_MAX):
        child = start(deaths)
        code = child.wait()
        if code == 0:
            return child, deaths
        if code != -signal.SIGKILL:
            raise AssertionError(f"a child ended with {code}:\n{child.errors.read_text()[-4000:]}")
    raise AssertionError(f"killed {STARTS_MAX} times, and still not done")


def await_that(what: str, holds: Callable[[], object], *, deadline_s: float = DEADLINE_S) -> float:
    """Look until it holds; returns the seconds that it took. AssertionError where it never does."""
    began_s = time.monotonic()
    while not holds():
        if time.monotonic() - began_s > deadline_s:
            raise AssertionError(f"after {deadline_s} s still not: {what}")
        time.sleep(LOOK_S)  # noqa: TID251 - other processes are waited for
    return time.monotonic() - began_s
