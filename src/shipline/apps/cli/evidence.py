"""`shipline evidence`: reports, read in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group("evidence")
def command() -> None:
    """Evidence about a release: test results, coverage, findings."""


@command.command("read")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="", help="Its format by name, where it is not to be found out.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence/1.")
def read(file: Path, *, format_name: str, as_json: bool) -> None:
    """Read the report FILE, whatever its format, and show its figures. Nothing is stored."""
    from shipline.capabilities.evidence import report_document, summarise_report

    if as_json:
        for lines in report_document(file, format_name=format_name):
            click.echo(lines)
        return
    report = summarise_report(file, format_name=format_name)
    click.echo(f"{report.kind.value} by {report.tool} ({report.format})")
    for name, value in report.summary.items():
        click.echo(f"  {name:<18}{_shown(value)}")
    for note in report.notes:
        click.echo(f"  note: {note}")


def _shown(value: Any) -> str:
    if value is None:
        return "not measured"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
