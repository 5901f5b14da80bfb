"""The Command port: programs of the user's own, run on a tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

API_VERSION = 1


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a program ended. `exit_code` is negative for a signal; `output_tail` is the end of both its streams."""

    exit_code: int
    output_tail: str


class Commands(Protocol):
    """Runs programs by argument list, never through a shell."""

    api_version: int

    def run(
        self, arguments: tuple[str, ...], *, folder: Path, environment: Mapping[str, str], timeout_s: int
    ) -> CommandResult:
        """Run to the end. `environment` is added to this process's own without what is a secret by its name.

        MissingProgram if it is not there; ShiplineError if it takes longer than `timeout_s` (it is killed then,
        with whatever it started).
        """
        ...
