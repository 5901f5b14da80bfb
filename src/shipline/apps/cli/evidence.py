"""`shipline evidence`: reports, read in and compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from shipline.apps.cli import evidence_kept

ITEMS_SHOWN_MAX = 20


@click.group("evidence")
def command() -> None:
    """Evidence about a release: test results, coverage, findings, licences, benchmarks, sizes."""


command.add_command(evidence_kept.add)
command.add_command(evidence_kept.list_)
command.add_command(evidence_kept.findings)


@command.command("read")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="", help="Its format by name, where it is not to be found out.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence/1.")
def read(file: Path, *, format_name: str, as_json: bool) -> None:
    """Read the report FILE, whatever its format, and show its figures. Nothing is stored."""
    from shipline.apps.cli.wording import inert, printable
    from shipline.capabilities.evidence import report_document, summarise_report

    if as_json:
        for lines in report_document(file, format_name=format_name):
            click.echo(inert(lines))
        return
    report = summarise_report(file, format_name=format_name)
    click.echo(printable(f"{report.kind.value} by {report.tool} ({report.format})"))
    for name, value in report.summary.items():
        click.echo(f"  {name:<18}{_shown(value)}")
    for note in report.notes:
        click.echo(printable(f"  note: {note}"))


@command.command("compare")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="", help="The format of both, where it is not to be found out.")
@click.option("--diff", type=click.Path(path_type=Path), help="A unified diff: how far its lines are covered, too.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1000),
    metavar="PERCENT",
    help="How much worse a benchmark may be; 5 if not given, and 10 where its noise is not known.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.evidence-comparison/1.")
def compare(  # noqa: PLR0913 - one argument an option
    base: Path, head: Path, *, format_name: str, diff: Path | None, tolerance: float | None, as_json: bool
) -> None:
    """Compare the report HEAD with an earlier one, BASE: tests, coverage, benchmarks or sizes. Nothing is stored."""
    from shipline.apps.cli.wording import inert, printable
    from shipline.capabilities.evidence import compare_reports

    found = compare_reports(base, head, format_name=format_name, diff=diff, tolerance_percent=tolerance)
    if as_json:
        click.echo(inert(json.dumps(found.document(), indent=2, ensure_ascii=False)))
        return
    click.echo(printable(f"{found.head.kind.value} by {found.head.tool}, compared with {base}"))
    for name, value in found.difference.summary.items():
        click.echo(f"  {name:<20}{_shown(value)}")
    for note in found.difference.notes:
        click.echo(printable(f"  note: {note}"))
    notable = [item for item in found.difference.items if item.get("verdict") != "same"]
    for item in notable[:ITEMS_SHOWN_MAX]:
        click.echo("  " + printable(_line(item)))
    if len(notable) > ITEMS_SHOWN_MAX:
        click.echo(f"  and {len(notable) - ITEMS_SHOWN_MAX} more, all with --json")


def _line(item: dict[str, Any]) -> str:
    """A row of a comparison on one line: what it is about, and then what is known of it."""
    word = item.get("change") or item.get("verdict") or item.get("scope") or "size"
    name = item.get("name") or item.get("path") or ""
    rest = [
        f"{key.replace('_', ' ')} {value:.4g}" if isinstance(value, float) else f"{key.replace('_', ' ')} {value}"
        for key, value in item.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    where = f" ({item['classname']})" if item.get("classname") else ""
    return f"{word:<10}{name}{where}" + (": " + ", ".join(rest) if rest else "")


def _shown(value: Any) -> str:
    if value is None:
        return "not measured"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
