"""`shipline evidence`: reports, read in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.group("evidence")
def command() -> None:
    """Evidence about a release: test results, coverage."""


@command.command("read")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence/1.")
def read(file: Path, *, as_json: bool) -> None:
    """Read the report FILE, whatever its format, and show its figures. Nothing is stored."""
    from shipline.capabilities.evidence import read_report

    report = read_report(file)
    if as_json:
        click.echo(json.dumps(report.document(), indent=2, ensure_ascii=False))
        return
    click.echo(f"{report.kind.value} by {report.tool} ({report.format}), {len(report.items)} items")
    for name, value in report.summary.items():
        click.echo(f"  {name:<18}{_shown(value)}")


def _shown(value: Any) -> str:
    if value is None:
        return "not measured"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
