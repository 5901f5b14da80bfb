"""`shipline automate queue`: which pull requests are to be merged, and what each waits for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ConfigurationError, NothingToDo

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Standing

SCHEMA = "shipline.queue/1"


@click.command(name="queue")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.queue/1.")
@click.pass_obj
def command(application: Application, *, as_json: bool) -> None:
    """Show what is to be merged when it is ready, and all that is in the way of it. Changes nothing on the forge.

    Exit codes: 0 there is something, 2 it is not switched on, 4 nothing is to be merged.
    """
    from shipline.bootstrap.housekeeping import forge_of, housekeeping_of
    from shipline.capabilities.automation import told_of_queue

    queue = housekeeping_of(application).queue
    if queue is None:
        raise ConfigurationError("nothing is merged by itself here", todo="add [housekeeping.merge] to shipline.toml")
    standings = queue.standings(forge_of(application))
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "pulls": [_document(each) for each in standings]}, indent=2))
        return
    for each in standings:
        click.echo(printable(f"{each.pull.number} to {each.pull.base}, {each.pull.title}: {told_of_queue(each)}"))
    if not standings:
        raise NothingToDo("nothing is to be merged")


def _document(one: Standing) -> dict[str, Any]:
    pull = one.pull
    return {
        "number": pull.number,
        "title": pull.title,
        "base": pull.base,
        "head_commit": pull.head_commit,
        "turn": one.turn.value,
        "blocks": list(one.blocks),
        "tested_commit": one.tested or None,
        "waits_for": one.waits_for,
    }
