"""Processes that tests start, kill, pause and start again, to see what is left of them and what becomes of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import shipline

DEADLINE_S = 60.0
LOOK_S = 0.02
STARTS_MAX = 20


class Child:
    """A running Python script, with its standard output in `output` and its standard error in `errors`."""

    def __init__(self, script: Path, arguments: tuple[str, ...], folder: Path, **options: Any) -> None:
        number = len(list(folder.glob("child-*.out")))
        self.output = folder / f"child-{number}.out"
        self.errors = folder / f"child-{number}.err"
        source = str(Path(shipline.__file__).parents[1])
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(script), *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": source, "PYTHONWARNINGS": "error"},
                **options,
            )

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()
        self._close()

    def pause(self) -> None:
        """SIGSTOP: the process does nothing until `resume`."""
        self.process.send_signal(signal.SIGSTOP)

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


@contextlib.contextmanager
def family(script: Path, folder: Path) -> Iterator[Callable[..., Child]]:
    """Gives a function that starts the script with arguments; whoever lives at the end of the block is killed."""
    children: list[Child] = []

    def start(*arguments: str, **options: Any) -> Child:
        child = Child(script, arguments, folder, **options)
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
