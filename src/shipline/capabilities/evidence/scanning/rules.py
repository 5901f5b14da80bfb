"""Which scanners run, and what their endings mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shipline.capabilities.evidence.reports import Report
from shipline.capabilities.evidence.reports.severity import Severity
from shipline.capabilities.evidence.scanning.scanners import SCANNERS, Scanner
from shipline.capabilities.evidence.scanning.tree import Tree
from shipline.domain.errors import UsageError
from shipline.domain.evidence import EvidenceKind

SCHEMA = "shipline.scan/1"


class ScanState(StrEnum):
    """What came of a scanner. Nothing but CLEAN, FOUND and READ is a whole report."""

    READY = "ready"  # It has not run yet.
    CLEAN = "clean"
    FOUND = "found"
    READ = "read"  # What it reports are no findings: licences.
    INCOMPLETE = "incomplete"  # It says itself that it could not look at everything.
    FAILED = "failed"
    ABSENT = "not installed"
    IDLE = "nothing to look at"
    WAITING = "needs the network"  # And nobody has named it.


_BAD = frozenset({ScanState.FAILED, ScanState.INCOMPLETE})
_DONE = frozenset({ScanState.CLEAN, ScanState.FOUND, ScanState.READ, *_BAD})


@dataclass(frozen=True, slots=True)
class ScanOrder:
    """What is wanted. `names` are scanners by name, which have to be there; none: all that can run without the
    network. `arguments` are added to a scanner's own, by its name. `timeout_s` bounds each of them, in seconds."""

    names: tuple[str, ...] = ()
    arguments: Mapping[str, tuple[str, ...]] | None = None
    timeout_s: int = 600


@dataclass(frozen=True, slots=True)
class Planned:
    """A scanner, and whether it runs: `state` is READY then. `targets` are its last arguments."""

    scanner: Scanner
    state: ScanState
    required: bool
    program: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scanned:
    """What came of a scanner. `why` says it in a sentence, "" where there is nothing to be said. `report` is None where
    none was read; `place` is where it lies, `digest` the `sha256:…` of it, both "" then. `exit_code` is None where it
    did not run or did not end; `seconds` is what it took."""

    scanner: Scanner
    state: ScanState
    required: bool
    why: str = ""
    report: Report | None = None
    place: str = ""
    digest: str = ""
    exit_code: int | None = None
    seconds: float = 0.0

    @property
    def is_bad(self) -> bool:
        """True where nobody may take this for "nothing found"."""
        return self.state in _BAD or (self.required and self.state is ScanState.ABSENT)

    @property
    def has_run(self) -> bool:
        """True if it was started."""
        return self.state in _DONE

    def document(self) -> dict[str, Any]:
        """The scanner in shipline.scan/1."""
        report = self.report
        return {
            "name": self.scanner.name,
            "about": self.scanner.about,
            "asks": self.scanner.asks,
            "state": self.state.value,
            "why": self.why,
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 3),
            "report": self.place,
            "digest": self.digest,
            "kind": report.kind.value if report is not None else None,
            "tool": report.tool if report is not None else None,
            "format": self.scanner.format,
            "summary": report.summary if report is not None else None,
            "notes": list(report.notes) if report is not None else [],
        }


def scanner_named(name: str) -> Scanner:
    """UsageError, which lists the known ones, where there is none of this name."""
    for scanner in SCANNERS:
        if scanner.name == name:
            return scanner
    known = ", ".join(scanner.name for scanner in SCANNERS)
    raise UsageError(f"there is no scanner {name[:60]!r}", todo=f"known ones: {known}")


def plan_scan(asked: ScanOrder, tree: Tree, programs: Mapping[str, str | None]) -> tuple[Planned, ...]:
    """Each scanner that comes into question, in the table's order. `programs` says how each program is started, None
    where it is not installed."""
    named = [scanner_named(name) for name in asked.names]
    return tuple(
        _planned(scanner, tree, programs.get(scanner.program), required=bool(named))
        for scanner in SCANNERS
        if not named or scanner in named
    )


def _planned(scanner: Scanner, tree: Tree, program: str | None, *, required: bool) -> Planned:
    targets = scanner.targets(tree)
    if targets is None:
        return Planned(scanner, ScanState.IDLE, required)
    if program is None:
        return Planned(scanner, ScanState.ABSENT, required)
    if scanner.asks and not required:
        return Planned(scanner, ScanState.WAITING, required)
    return Planned(scanner, ScanState.READY, required, program, targets)


def state_of(scanner: Scanner, exit_code: int, report: Report) -> tuple[ScanState, str]:
    """What a report that could be read says, and why it is not taken for whole where it is not."""
    if exit_code not in scanner.clean | scanner.found:
        return ScanState.FAILED, f"it ended with exit code {exit_code}, which is a failure"
    if report.kind is not EvidenceKind.FINDINGS:
        return ScanState.READ, ""
    listed = int(report.summary["total"]) + int(report.summary["suppressed"])
    if exit_code in scanner.found and not listed:
        return ScanState.FAILED, f"exit code {exit_code} says that it found something, and its report lists nothing"
    if report.summary["errors"]:
        return ScanState.INCOMPLETE, f"it could not look at everything, and says so {report.summary['errors']} times"
    return (ScanState.FOUND if report.summary["total"] else ScanState.CLEAN), ""


def is_reached(results: Sequence[Scanned], severity: str) -> bool:
    """True if something open of this severity or a worse one was found; "" is reached by nothing."""
    order = list(Severity)
    reaching = [each.value for each in order[: order.index(Severity(severity)) + 1]] if severity else []
    findings = [one.report.summary for one in results if one.report and one.report.kind is EvidenceKind.FINDINGS]
    return any(summary[name] for summary in findings for name in reaching)


def scan_document(folder: str, results: Sequence[Scanned]) -> dict[str, Any]:
    """The document shipline.scan/1."""
    return {"schema": SCHEMA, "folder": folder, "scanners": [result.document() for result in results]}
