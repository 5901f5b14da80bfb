"""`shipline scan`: scanners of others, run where they are installed, and their reports read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import duration, json_text, printable
from shipline.domain.errors import ExitCode, NothingToDo

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.evidence import Planned, Scanned

SEVERITIES = ("critical", "high", "medium", "low", "info")
MARKS = {"clean": ("✓", "green"), "read": ("✓", "green"), "found": ("!", "yellow")}
WHY_LINES_MAX = 6


@click.command("scan")
@click.argument("names", metavar="[SCANNER...]", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="Show the scanners, and which of them would run. Runs nothing.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default=None, help="End with 3 where something as bad was found."
)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.scan/1.")
@click.pass_obj
def command(
    application: Application, names: tuple[str, ...], *, only_list: bool, fail_on: str | None, as_json: bool
) -> None:
    """Run the scanners that are installed and have something to look at here, or those named.

    Without a name and without [scan] in shipline.toml, nothing runs that asks another machine. Reports lie in
    .shipline/scans. Ends with 1 where a scanner failed or could not look at everything.
    """
    from shipline.bootstrap.scanning import planned_here, scanned
    from shipline.capabilities.evidence import Scanned, is_reached, scan_document

    if only_list:
        application.only_read()
    asked, planned = planned_here(application, names)
    if only_list:
        results = [Scanned(one.scanner, one.state, one.required) for one in planned]
        if as_json:
            click.echo(json_text(scan_document(str(application.root), results)))
        else:
            _list(results)
        return
    progress = _Progress()
    results = []
    for each in planned:
        progress.begin(each)
        results.append(scanned(application, asked, each))
        progress.end(results[-1])
    if as_json:
        click.echo(json_text(scan_document(str(application.root), results)))
    if any(result.is_bad for result in results):
        raise SystemExit(ExitCode.FAILED)
    if not any(result.has_run for result in results):
        raise NothingToDo("no scanner ran", todo="see `shipline scan --list`, or name one: `shipline scan NAME`")
    raise SystemExit(ExitCode.REFUSED if is_reached(results, fail_on or "") else ExitCode.DONE)


def _list(results: list[Scanned]) -> None:
    for one in results:
        asks = f"; asks {one.scanner.asks}" if one.scanner.asks else ""
        click.echo(f"{one.scanner.name:<16}{one.state.value:<21}{one.scanner.about}{asks}")


class _Progress:
    """A line a scanner: on a terminal it stands there while the scanner runs, elsewhere once it has ended."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()

    def begin(self, planned: Planned) -> None:
        if self._live and planned.state.value == "ready":
            click.echo(f"\r\x1b[2K  … {planned.scanner.name}", nl=False, err=True)

    def end(self, result: Scanned) -> None:
        if self._live:
            click.echo("\r\x1b[2K", nl=False, err=True)
        if not (result.has_run or result.required):
            return  # Nobody has asked for it: `--list` tells why it did not run.
        mark, colour = MARKS.get(result.state.value, ("✗", "red") if result.is_bad else ("-", "white"))
        took = f" ({duration(result.seconds)})" if result.has_run else ""
        click.echo(f"  {click.style(mark, fg=colour)} {result.scanner.name}: {_words(result)}{took}", err=True)
        for line in printable(result.why).splitlines()[:WHY_LINES_MAX]:
            click.echo(f"      {line}", err=True)
        if result.report is not None:
            click.echo(f"      {_relative(result.place)}", err=True)


def _words(result: Scanned) -> str:
    if result.report is None:
        return result.state.value
    counted = {name: value for name, value in result.report.summary.items() if isinstance(value, int) and value}
    figures = ", ".join(f"{value} {name}" for name, value in counted.items())
    return f"{result.state.value}, {figures}" if figures else result.state.value


def _relative(place: str) -> str:
    path = Path(place)
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))
