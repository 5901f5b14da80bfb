"""The durable step that has scanners look at the released source, and keeps what they report as evidence.

Only those that the settings name run, and they have to be there: what a release is judged by must not depend on what
happens to be installed. What they find stops nothing here; the gates decide.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from shipline.capabilities.evidence import REPORT_NAME, Scanned, ScanState, plan_scan_of, run_scanner
from shipline.capabilities.releases.ground import ReleaseGround, exported, package_of
from shipline.capabilities.releases.scan_reports import scan_folder
from shipline.capabilities.releases.stored.keeping import keep_report
from shipline.capabilities.releases.stored.reading import ReadReport, read_to_keep
from shipline.domain.errors import ShiplineError
from shipline.domain.release import Release
from shipline.engine.workflow import Done, Outcome, StepContext
from shipline.store.transaction import Transaction


class ScanSteps:
    """Scanners."""

    def __init__(self, ground: ReleaseGround) -> None:
        self.ground = ground

    def scan(self, context: StepContext) -> Outcome:
        """Run each of them on the tagged source, in the package's folder, as the tests are."""
        if not self.ground.scan.names:
            return Done({"reports": 0}, idle="none are configured")
        release = self.ground.release(context)
        with exported(self.ground, str(context.results["tag"]["commit"]), tag=release.tag) as source:
            results = self._results(release, source / package_of(context).path)
        idle = [one.scanner.name for one in results if one.state is ScanState.IDLE]
        read = [self._read(release, one) for one in results if one.report is not None]

        def save(tx: Transaction) -> None:
            for one in read:
                keep_report(tx, self.ground.events, release, one)

        return Done({"reports": len(read), "idle": idle}, save=save)

    def _results(self, release: Release, source: Path) -> list[Scanned]:
        ground = self.ground
        results: list[Scanned] = []
        for each in plan_scan_of(source, ground.scan, ground.commands):
            place = scan_folder(ground, release, each.scanner.name)
            # An earlier attempt's must not be taken for this one's.
            shutil.rmtree(place, ignore_errors=True)
            results.append(
                run_scanner(
                    each, ground.scan, folder=source, place=place, commands=ground.commands, clock=ground.events.clock
                )
            )
            _check(results[-1])
        return results

    def _read(self, release: Release, result: Scanned) -> ReadReport:
        scanner = result.scanner
        place = scan_folder(self.ground, release, scanner.name)
        return read_to_keep(place / REPORT_NAME, name=place.name, format_name=scanner.format)


def _check(result: Scanned) -> None:
    """What a scanner could not look at is a fact that gates judge (`findings.errors`); one that broke is not."""
    name = result.scanner.name
    if result.state is ScanState.ABSENT:
        raise ShiplineError(
            f"the scanner {name!r} is not installed",
            why="[scan] names it, so releases are looked at by it",
            todo=f"install the program {result.scanner.program!r}, or take it out of [scan] scanners",
        )
    if result.state is ScanState.FAILED:
        raise ShiplineError(
            f"the scanner {name!r} failed",
            why=result.why,
            todo=f"run `shipline scan {name}`, mend what it says, then run this again",
        )
