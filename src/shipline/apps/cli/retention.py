"""`shipline retention`: what has been kept long enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.releases import RetentionPlan

KINDS = {"reports": "reports", "dist": "copies of what was built"}


@click.group(name="retention")
def command() -> None:
    """Show and remove what has been kept as long as [retention] says."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.retention/1.")
@click.pass_obj
def plan(application: Application, *, as_json: bool) -> None:
    """Show what would be removed now. Nothing is."""
    application.only_read()
    found = _plan(application)
    if as_json:
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
        return
    click.echo(printable("\n".join(_lines(found))))


@command.command()
@click.pass_obj
def apply(application: Application) -> None:
    """Remove it. Each removal is in the log. Ends with 4 where nothing is due."""
    from shipline.capabilities.releases import apply_retention
    from shipline.domain.errors import NothingToDo

    found = _plan(application)
    if found.is_empty:
        raise NothingToDo("nothing has been kept for longer than it is to be")
    apply_retention(application.release_ground, found)
    click.echo(printable("\n".join(["removed:", *_lines(found)])))


def _plan(application: Application) -> RetentionPlan:
    from shipline.bootstrap.retention import keep_of
    from shipline.capabilities.releases import plan_retention

    return plan_retention(application.release_ground, keep_of(application))


def _lines(found: RetentionPlan) -> Iterator[str]:
    for one in found.removals:
        yield f"{one.package} {one.version}: {KINDS[one.kind]}, {one.size} bytes"
    if found.journals:
        yield f"the journals of {len(found.journals)} runs that came to their end"
    if found.is_empty:
        yield "nothing is due"


def _document(found: RetentionPlan) -> dict[str, object]:
    from shipline.domain.codec import to_json

    return {"schema": "shipline.retention/1", "removals": to_json(found.removals), "journals": list(found.journals)}
