"""The command line as people run it: a process of its own, in a folder, of which only words and an exit code come."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


def run_shipline(
    folder: Path,
    *arguments: str,
    extra: Mapping[str, str | None] | None = None,
    before: Callable[[], object] | None = None,
) -> Said:
    """Run the command to its end. `before` is called in the child just before. No end may show a traceback."""
    done = subprocess.run(
        arguments_of(*arguments),
        cwd=folder,
        env=environment_of(extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=DEADLINE_S,
        preexec_fn=before,
    )
    said = Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    assert "Traceback" not in said.err + said.out, said
    assert "something unexpected" not in said.err, said
    return said
