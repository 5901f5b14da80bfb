"""`shipline automate housekeeping`: what keeps the repository in order on its forge, in one run."""

from __future__ import annotations

from itertools import chain
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
    about = "all" if number is None else str(number)
    if keep(application, name, about, dry_run=dry_run) == 0:
        raise NothingToDo("everything is in order")
    return int(ExitCode.DONE)


def keep(application: Application, name: str | None, about: str, *, dry_run: bool) -> int:
    """Do it, or with `dry_run` only tell it; `about` is that of a command. Returns how much there was to do."""
    from shipline.bootstrap.housekeeping import forge_of, named_housekeeping
    from shipline.capabilities import automation

    keeping, forge = named_housekeeping(application, name), forge_of(application)
    done = 0
    abouts = (automation.QUEUE, about) if about == automation.ALL else (about,)
    for sentence in chain.from_iterable(automation.keep(forge, keeping, each, dry_run=dry_run) for each in abouts):
        click.echo(printable(sentence))
        done += 1
    return done
