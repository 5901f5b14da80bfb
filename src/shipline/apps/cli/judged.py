"""What is told of gates that were asked anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.capabilities.releases import Reevaluated


def tell_reevaluated(found: Reevaluated, *, err: bool = False) -> None:
    """Each verdict, by its stage, and whether the release goes on."""
    for stage in found.stages:
        for verdict in stage.verdicts:
            mark = " (was another)" if verdict.gate in stage.changed else ""
            click.echo(printable(f"{stage.stage}: {verdict.answer.value} {verdict.gate}{mark}"), err=err)
    if found.goes_on:
        name = f"{found.release.package} {found.release.version}"
        click.echo(printable(f"{name} goes on: under `shipline up`, or with `shipline release`"), err=True)
