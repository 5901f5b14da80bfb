"""`shipline doctor`: whether this machine has what the settings need, and everything is in its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.domain.errors import ExitCode

if TYPE_CHECKING:
    from shipline.apps.cli.checks.check import Check
    from shipline.bootstrap import Application

COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON, schema shipline.doctor/1.")
@click.pass_obj
def command(application: Application, *, as_json: bool) -> int:
    """Check what this machine has and what the settings need. Ends with 1 if anything is wrong.

    Programs, repository, settings, plan, store, registry, forge, ports, engine and secrets: no address is asked but
    theirs.
    """
    from shipline.apps.cli.checks.check import State
    from shipline.apps.cli.checks.examine import examine
    from shipline.domain.codec import to_json

    checks = tuple(examine(application))
    healthy = all(check.state is not State.WRONG for check in checks)
    if as_json:
        document = {"schema": "shipline.doctor/1", "healthy": healthy, "checks": to_json(checks)}
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo("\n".join(_block(check) for check in checks))
        wrong = sum(check.state is State.WRONG for check in checks)
        click.echo("nothing is wrong" if healthy else f"{wrong} of {len(checks)} checks found something wrong")
    return int(ExitCode.DONE if healthy else ExitCode.FAILED)


def _block(check: Check) -> str:
    from shipline.apps.cli.wording import printable

    state = click.style(f"{check.state.value:<8}", fg=COLOURS[check.state.value])
    lines = [f"{state}{check.name}: {printable(check.words)}"]
    if check.todo:
        lines.append(f"        do: {printable(check.todo)}")
    return "\n".join(lines)
