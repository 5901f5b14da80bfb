"""Scanners run, and their reports read. Nothing here saves a row: that is the caller's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from shipline.capabilities.evidence.scanning.rules import Planned, Scanned, ScanOrder, ScanState, plan_scan, state_of
from shipline.capabilities.evidence.scanning.scanners import REPORT, SCANNERS
from shipline.capabilities.evidence.scanning.tree import read_tree
from shipline.capabilities.evidence.usecases import digest_of_file, summarise_report
from shipline.domain.errors import InvalidValue, ShiplineError
from shipline.ports.clock import Clock
from shipline.ports.command import Commands

REPORT_NAME = "report"
WHY_CHARACTERS_MAX = 1000
# Nobody who is asked by one of them could answer, and an update is not what was ordered.
ENVIRONMENT = {"CI": "true", "NO_COLOR": "1", "NPM_CONFIG_UPDATE_NOTIFIER": "false", "PYTHONUTF8": "1"}


def plan_scan_of(folder: Path, asked: ScanOrder, commands: Commands) -> tuple[Planned, ...]:
    """What would run in a folder. Nothing is started. UsageError for a scanner that is not known."""
    programs = {scanner.program: commands.find(scanner.program) for scanner in SCANNERS}
    return plan_scan(asked, read_tree(folder), programs)


def run_scanner(  # noqa: PLR0913 - each is named where it is given
    planned: Planned, asked: ScanOrder, *, folder: Path, place: Path, commands: Commands, clock: Clock
) -> Scanned:
    """Run one in `folder` and read what it writes into the folder `place`; what was there is gone.

    It fails as a value: one scanner that breaks must not keep the others from being heard.
    """
    scanner = planned.scanner
    if planned.state is not ScanState.READY:
        return Scanned(scanner, planned.state, planned.required)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    path = place.absolute() / REPORT_NAME
    started_us = clock.now_us()
    added = (asked.arguments or {}).get(scanner.name, ())
    own = tuple(part.replace(REPORT, str(path)) for part in scanner.arguments)
    try:
        ended = commands.run(
            (planned.program, *own, *added, *planned.targets),
            folder=folder,
            environment=ENVIRONMENT,
            timeout_s=asked.timeout_s,
            output=None if scanner.writes_report else path,
        )
    except ShiplineError as error:
        return Scanned(scanner, ScanState.FAILED, planned.required, error.sentence()[:WHY_CHARACTERS_MAX])
    seconds = (clock.now_us() - started_us) / 1_000_000
    result = _read(planned, path, ended.exit_code, ended.output_tail)
    return replace(result, exit_code=ended.exit_code, seconds=seconds)


def _read(planned: Planned, path: Path, exit_code: int, said: str) -> Scanned:
    scanner, required = planned.scanner, planned.required
    told = said.strip()[-WHY_CHARACTERS_MAX:]
    if not path.is_file():
        why = f"it left no report (exit code {exit_code})"
        return Scanned(scanner, ScanState.FAILED, required, f"{why}: {told}" if told else why)
    try:
        report = summarise_report(path, format_name=scanner.format)
    except InvalidValue as error:
        why = f"its report cannot be read (exit code {exit_code}): {error.sentence()}"
        return Scanned(scanner, ScanState.FAILED, required, f"{why}; {told}" if told else why)
    state, why = state_of(scanner, exit_code, report)
    why = f"{why}: {told}" if state is ScanState.FAILED and told else why
    return Scanned(scanner, state, required, why, report, str(path), digest_of_file(path))
