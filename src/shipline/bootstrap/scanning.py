"""`shipline scan`, wired: what the settings ask for, run on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipline.capabilities.evidence import Planned, Scanned, ScanOrder, plan_scan_of, run_scanner, scanner_named

if TYPE_CHECKING:
    from shipline.bootstrap.application import Application
    from shipline.ports.command import Commands

FOLDER = "scans"


def _commands(application: Application) -> Commands:
    from shipline.bootstrap.application import build_provider

    built: Commands = build_provider("command", {}, application.context("command"), default="local")
    return built


def planned_here(application: Application, names: tuple[str, ...]) -> tuple[ScanOrder, tuple[Planned, ...]]:
    """What would run at the project's root: the scanners named, those of `[scan]`, or what works offline."""
    said = application.settings.scan
    for name in (*said.scanners, *said.arguments):
        scanner_named(name)
    asked = ScanOrder(names or said.scanners, said.arguments, said.timeout_s)
    return asked, plan_scan_of(application.root, asked, _commands(application))


def scanned(application: Application, asked: ScanOrder, planned: Planned) -> Scanned:
    """Run one scanner; its report lies in the folder of this project's state."""
    return run_scanner(
        planned,
        asked,
        folder=application.root,
        place=application.state / FOLDER / planned.scanner.name,
        commands=_commands(application),
        clock=application.clock,
    )
