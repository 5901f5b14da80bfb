"""`shipline remediate`: what rules ask for about findings, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="remediate")
@click.option("--dry-run", "dry_run", is_flag=True, help="Print what would be done, and do nothing.")
@click.pass_obj
def command(application: Application, *, dry_run: bool) -> int:
    """Do what `[[remediation]]` asks for about the findings of the newest versions, and about advisories.

    Each thing is printed after it was done. It can be stopped and run again at any time.

    Exit codes: 0 done, 1 stopped before the end, 2 there are no rules, 3 something stands in the way, 4 nothing was
    to be done.
    """
    from shipline.bootstrap.remediation import remediate
    from shipline.capabilities.automation import Note, Trouble

    done, stuck = 0, []
    for each in remediate(application, dry_run=dry_run):
        if isinstance(each, Trouble):
            stuck.append(each)
            click.echo(printable(f"held up: {each.words}"), err=True)
        elif isinstance(each, Note):
            click.echo(printable(each.words), err=True)
        else:
            done += 1
            click.echo(printable(each))
    if stuck:
        raise RefusedError(
            f"{len(stuck)} things could not be done", todo=next((each.todo for each in stuck if each.todo), "")
        )
    if done == 0:
        raise NothingToDo("nothing is due about findings")
    return int(ExitCode.DONE)
