"""`shipline hooks`: what the forge has told the server, and having it taken up once more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import UnknownName

if TYPE_CHECKING:
    from shipline.bootstrap import Application

LIMIT_MAX = 1000


@click.group(name="hooks")
def command() -> None:
    """Show what the forge has told the server by hooks, and have it taken up once more."""


@command.command(name="list")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.deliveries/1.")
@click.pass_obj
def list_(application: Application, *, limit: int, as_json: bool) -> None:
    """List the newest deliveries, the newest first."""
    from shipline.capabilities.automation import deliveries_document, latest_deliveries

    application.only_read()
    with application.store.begin() as tx:
        found = latest_deliveries(tx, limit=limit)
    if as_json:
        click.echo(json.dumps(deliveries_document(found), indent=2))
        return
    for each in found:
        said = each.said or "not taken up yet"
        again = f" (came {each.repeats + 1} times)" if each.repeats else ""
        click.echo(printable(f"{each.number:>6}  {each.status.value:<10}  {each.hook} {each.event}: {said}{again}"))
    if not found:
        click.echo("nothing has come yet", err=True)


@command.command(name="show")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.delivery/1, with what it holds.")
@click.pass_obj
def show(application: Application, *, number: int, as_json: bool) -> None:
    """Show one delivery, with what came of it."""
    from shipline.capabilities.automation import delivery_document, find_delivery

    application.only_read()
    with application.store.begin() as tx:
        found = find_delivery(tx, number)
    if found is None:
        raise UnknownName(f"there is no delivery {number}", todo="`shipline hooks list` shows those that there are")
    if as_json:
        click.echo(json.dumps(delivery_document(found), indent=2))
        return
    for name, value in (
        ("from", found.hook),
        ("event", found.event),
        ("named", found.identity),
        ("status", found.status.value),
        ("says", found.said or "not taken up yet"),
        ("led to", ", ".join(found.commands) or "nothing"),
        ("came", f"{found.repeats + 1} times"),
    ):
        click.echo(printable(f"{name:<7} {value}"))


@command.command(name="replay")
@click.argument("number", type=click.IntRange(min=1))
@click.pass_obj
def replay(application: Application, *, number: int) -> None:
    """Have a delivery taken up once more, by the server."""
    from shipline.capabilities.automation import replay_delivery

    with application.store.begin() as tx:
        replay_delivery(tx, number)
    click.echo(f"delivery {number} waits to be taken up once more; `shipline up` does that", err=True)
