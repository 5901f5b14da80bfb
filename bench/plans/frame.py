"""A case: programs that do the same work, taken in turns, and what was promised of ours."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from compileall import compile_dir
from dataclasses import dataclass, field
from pathlib import Path

import shipline
from bench.plans.measure import Run, measured

RUNS = 5
RUNS_QUICK = 1
LIMIT_S = 60.0

SHIPLINE = str(Path(sys.executable).with_name("shipline"))


@dataclass(frozen=True, slots=True)
class Program:
    """One program of a case.

    `runs` bounds how often it takes its turn: 1 for who is slow by orders of magnitude. `limit_s` ends it; `stdin` is
    what it reads. `codes` are the exit codes of a run that did its work. `prepare` is done before each,
    and not measured.
    """

    label: str
    command: tuple[str, ...]
    folder: Path
    runs: int = RUNS
    limit_s: float = LIMIT_S
    stdin: bytes = b""
    codes: tuple[int, ...] = (0,)
    prepare: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the program `label` may take: times the first one's CPU, CPU milliseconds, MiB. None: no bound."""

    label: str
    ratio_max: float | None = None
    cpu_ms_max: float | None = None
    memory_mib_max: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One table. `programs` prepares what they work on, and lists them; the others are set beside the first one.
    `afterwards` says what else was promised, once all have run."""

    name: str
    title: str
    programs: Callable[[], Sequence[Program]]
    promises: tuple[Promise, ...] = ()
    afterwards: Callable[[], str] | None = None


@dataclass(slots=True)
class Row:
    """A program's runs. `ratios` are those to the first program's run in the same turn."""

    program: Program
    runs: list[Run] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def cpu_s(self) -> float:
        """The median."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.ratios)

    @property
    def memory_mib(self) -> float:
        """The most."""
        return max(run.memory_mib for run in self.runs)

    @property
    def trouble(self) -> str:
        """Why the figures are not those of the work; "" if they are."""
        if not all(run.finished for run in self.runs):
            return f"stopped after {self.program.limit_s:.0f} s"
        wrong = [run.code for run in self.runs if run.code not in self.program.codes]
        return f"ended with {wrong[0]}" if wrong else ""


def run_case(case: Case, *, runs_max: int) -> list[Row]:
    """The rows of a case, in its own order."""
    rows = [Row(program) for program in case.programs()]
    for turn in range(runs_max):
        for row in rows:
            if turn < row.program.runs:
                one = row.program
                if one.prepare is not None:
                    one.prepare()
                row.runs.append(measured(one.command, one.folder, limit_s=one.limit_s, stdin=one.stdin))
                row.ratios.append(row.runs[-1].cpu_s / max(rows[0].runs[-1].cpu_s, 1e-6))
    return rows


def told(case: Case, rows: Sequence[Row]) -> str:
    """The case as a table."""
    width = max(len(row.program.label) for row in rows)
    first = "x " + rows[0].program.label
    lines = [
        case.title,
        f"{'':{width}}  {'CPU s':>8} {'ratio':>7} {'min':>6} {'max':>6} {'MiB':>5} {'runs':>4}  ({first})",
    ]
    lines += [
        f"{row.program.label:{width}}  {row.cpu_s:8.3f} {row.ratio:7.2f} {min(row.ratios):6.2f} {max(row.ratios):6.2f}"
        f" {row.memory_mib:5.0f} {len(row.runs):4}  {row.trouble}".rstrip()
        for row in rows
    ]
    known = {row.program.label: row for row in rows}
    lines += [f"  {_kept(promise, known[promise.label])}" for promise in case.promises if promise.label in known]
    if case.afterwards is not None:
        lines.append(f"  {case.afterwards()}")
    return "\n".join(lines)


def _kept(promise: Promise, row: Row) -> str:
    parts = [
        (promise.ratio_max, row.ratio, "x"),
        (promise.cpu_ms_max, row.cpu_s * 1000, "ms CPU"),
        (promise.memory_mib_max, row.memory_mib, "MiB"),
    ]
    said = [
        f"{found:.3g} of {bound:g} {unit}: {'kept' if found <= bound and not row.trouble else 'MISSED'}"
        for bound, found, unit in parts
        if bound is not None
    ]
    return f"{promise.label}: " + ", ".join(said)


def main(arguments: Sequence[str] = ()) -> int:
    """Run the cases named in `arguments`, or all; `--quick` takes one turn each. 2 for a name that no case has."""
    from bench.plans.cases import CASES  # noqa: PLC0415 - the cases are made of what stands here

    known = {case.name: case for case in CASES}
    names = [each for each in arguments if each != "--quick"]
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no case {unknown[0]!r}; known ones: {', '.join(known)}")
        return 2
    compile_dir(Path(shipline.__file__).parent, quiet=1)  # As an installed package is, whatever the environment says.
    for case in (known[name] for name in names or known):
        runs = RUNS_QUICK if "--quick" in arguments else RUNS
        print(f"\n{told(case, run_case(case, runs_max=runs))}", flush=True)
    return 0
