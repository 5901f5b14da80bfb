"""`shipline automate housekeeping`: what keeps the repository in order on its forge, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="housekeeping")
@click.argument("name", required=False)
@click.option("--pull", "number", type=click.IntRange(min=1), metavar="NUMBER", help="This pull request alone.")
@click.option("--dry-run", "dry_run", is_flag=True, help="Print what would be done, and do nothing.")
@click.pass_obj
def command(application: Application, *, name: str | None, number: int | None, dry_run: bool) -> int:
    """Do what `[housekeeping]` asks for, or NAME of it alone.

    Each thing is printed after it was done. It can be stopped and run again at any time.

    Exit codes: 0 done, 1 stopped before the end, 2 it is not switched on, 4 nothing was to be done.
    """
    if keep(application, name, number, dry_run=dry_run) == 0:
        raise NothingToDo("everything is in order")
    return int(ExitCode.DONE)


def keep(application: Application, name: str | None, number: int | None, *, dry_run: bool) -> int:
    """Do it, or with `dry_run` only tell it, of one pull request or of everything. Returns how much there was to do."""
    from shipline.bootstrap.housekeeping import forge_of, named_housekeeping
    from shipline.capabilities.automation import keep_all, keep_pull

    keeping, forge = named_housekeeping(application, name), forge_of(application)
    if number is None:
        sentences = keep_all(forge, keeping, dry_run=dry_run)
    else:
        sentences = keep_pull(forge, keeping, number, dry_run=dry_run)
    done = 0
    for sentence in sentences:
        click.echo(printable(sentence))
        done += 1
    return done
