"""Programs that are Python functions, on a clock that tests own; nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from shipline.domain.errors import MissingProgram, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.command import CommandResult

OUTPUT_TAIL_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Call:
    """What a program is started with; `arguments` are those after its name."""

    arguments: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ends. `takes_s` is how long it runs; what it writes it writes at the end of that, `complaint` to
    standard error."""

    exit_code: int = 0
    output: str = ""
    complaint: str = ""
    takes_s: float = 0.0
    files: Mapping[Path, str] = field(default_factory=dict)


Program: TypeAlias = Callable[[Call], Ending]


class FakeCommands:
    """The Commands port over `programs`, by name. `calls` are all that were started, in order."""

    api_version = 2

    def __init__(self, clock: Clock, programs: Mapping[str, Program]) -> None:
        self.programs = dict(programs)
        self.calls: list[Call] = []
        self._clock = clock

    def find(self, program: str) -> str | None:
        """It is installed if there is a function."""
        return program if program in self.programs else None

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        folder: Path,
        environment: Mapping[str, str],
        timeout_s: int,
        output: Path | None = None,
    ) -> CommandResult:
        """One call of the function."""
        name, *rest = arguments
        if name not in self.programs:
            raise MissingProgram(name, package=name)
        call = Call(tuple(rest), folder, environment)
        self.calls.append(call)
        ending = self.programs[name](call)
        self._clock.sleep(min(ending.takes_s, timeout_s))
        if ending.takes_s > timeout_s:
            raise ShiplineError(f"{name!r} did not end within {timeout_s} s and was killed")
        for path, content in ending.files.items():
            path.write_text(content)
        if output is not None:
            output.write_text(ending.output)
        said = ending.complaint if output is not None else ending.output + ending.complaint
        return CommandResult(ending.exit_code, said[-OUTPUT_TAIL_CHARACTERS:])
