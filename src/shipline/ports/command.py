"""The Command port: programs of the user's own, run on a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

API_VERSION = 2
OUTPUT_BYTES_MAX = 512 * 1024 * 1024
"""So much standard output is kept in a file: the largest report that is read."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended. `exit_code` is negative for a signal; `output_tail` is the end of both its streams."""

    exit_code: int
    output_tail: str


class Commands(Protocol):
    """Runs programs by argument list, never through a shell."""

    api_version: int

    def find(self, program: str) -> str | None:
        """How `run` has to name a program so that it is found: the name itself where it is on the path, its place
        where it was installed together with Shipline, None where it is not installed."""
        ...

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        folder: Path,
        environment: Mapping[str, str],
        timeout_s: int,
        output: Path | None = None,
    ) -> CommandResult:
        """Run to the end. `environment` is added to this process's own without what is a secret by its name.

        With `output`, standard output goes into this file, whole, and not into `output_tail`.

        MissingProgram if it is not there; ShiplineError if it takes longer than `timeout_s`, or writes more than
        OUTPUT_BYTES_MAX into `output` (it is killed then, with whatever it started).
        """
        ...
