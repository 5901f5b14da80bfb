"""`shipline policy`: policies asked about manifests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.asking import Chosen, policy_options
from shipline.apps.cli.policy_webhook import webhook
from shipline.apps.cli.wording import json_text, printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.gates import ManifestsReport

_FILE = click.Path(path_type=Path)


@click.group("policy")
def command() -> None:
    """Policies: what Kubernetes manifests must hold to."""


@command.command("check")
@click.argument("folder", metavar="[DIR]", required=False, type=_FILE)
@policy_options
@click.option("--resources", multiple=True, type=_FILE, help="A file or folder of manifests to check. Repeatable.")
@click.option("--verify-images", is_flag=True, help="Ask registries about signatures of images.")
@click.option("--namespace", default="default", help="Where manifests go that state no namespace.")
@click.option("--sarif", "sarif_file", type=_FILE, help="Write what blocks and warns as SARIF to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.policy-check/1.")
@click.pass_obj
def check(  # noqa: PLR0913, PLR0917 - one parameter an option
    application: Application,
    folder: Path | None,
    policies: tuple[Path, ...],
    resources: tuple[Path, ...],
    sets: tuple[str, ...],
    registries: tuple[str, ...],
    keys: tuple[Path, ...],
    namespace: str,
    sarif_file: Path | None,
    *,
    verify_images: bool,
    as_json: bool,
) -> None:
    """Check the manifests in DIR, or those named, against policies. Ends with 3 where one fails or cannot be asked."""
    import json

    from shipline import __version__
    from shipline.bootstrap.image_proofs import prove
    from shipline.capabilities.gates import (
        ManifestsQuestion,
        check_manifests,
        manifests_block,
        manifests_document,
        manifests_sarif,
    )
    from shipline.domain.errors import ExitCode

    trusted = Chosen(policies, sets, registries, keys).trusted(application)
    question = ManifestsQuestion(folder, policies, resources, sets, registries, trusted, namespace)
    report = check_manifests(question, prove if verify_images else None)
    if sarif_file is not None:
        log = manifests_sarif(report.results, __version__)
        sarif_file.write_text(json.dumps(log, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if as_json:
        click.echo(json_text(manifests_document(report.results, report.notes)))
    else:
        _show(report)
    raise SystemExit(ExitCode.REFUSED if manifests_block(report.results) else ExitCode.DONE)


command.add_command(webhook)


def _show(report: ManifestsReport) -> None:
    """A table, what blocks last so that it is read first, each with its reason below it."""
    order = ("pass", "skip", "warn", "error", "fail")
    results = sorted(report.results, key=lambda result: order.index(result.outcome.value))
    rows = [("POLICY", "RULE", "RESOURCE", "RESULT")]
    rows += [(each.policy, each.rule, each.resource or "-", each.outcome.value) for each in results]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row, result in zip(rows, [None, *results], strict=True):
        cells = [printable(cell).replace("\n", " ").ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join((*cells, row[3])))
        if result is not None and result.outcome.value in ("fail", "error", "warn"):
            place = f" ({result.file}:{result.line})" if result.file else ""
            click.echo(f"    {printable(' '.join(result.message.split()) + place)}")
    for note in report.notes:
        click.echo(f"note: {printable(note.about)}: {printable(note.text)}")
    counts = {name: sum(each.outcome.value == name for each in results) for name in reversed(order)}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no policy is about any of them"
    click.echo(f"{report.resources} manifest{'' if report.resources == 1 else 's'}: {told}")
