"""`shipline backport`: bring a released hotfix, or any change, to another branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.releases import Backport


@click.command(name="backport")
@click.argument("what")
@click.option("--to", "target", required=True, metavar="BRANCH", help="The branch that lacks it.")
@click.option("--package", metavar="NAME", help="Which package, where several have this version.")
@click.option("--push", is_flag=True, help="Push the branch, and open a pull request where a forge is configured.")
@click.pass_obj
def command(application: Application, *, what: str, target: str, package: str | None, push: bool) -> None:
    """Carry WHAT (a release, a branch, a range A..B or a commit) over to another branch, on a branch of its own.

    Nothing is checked out, and what conflicts changes nothing.

    Exit codes: 0 prepared, 1 a person has to carry it over, 3 too many commits, 4 it is there, or prepared, already.
    """
    from shipline.bootstrap.backports import backport_ground
    from shipline.capabilities.releases import BackportWish, bring_back

    made = bring_back(backport_ground(application, push=push), BackportWish(what, target, package, push))
    for line in _lines(made, target):
        click.echo(printable(line), err=True)
    click.echo(made.branch if made.pull is None else made.pull.url)


def _lines(made: Backport, target: str) -> list[str]:
    from shipline.capabilities.releases import named_commit

    lines = [f"carried over: {named_commit(one)}" for one in made.found.to_pick]
    lines += [f"{target} has it: {named_commit(one)}" for one, _ in made.found.there]
    lines += [f"left out, as a release made it for itself: {named_commit(one)}" for one in made.found.own]
    proposed = "" if made.pull is None else f", and #{made.pull.number} proposes it"
    return [*lines, f"the branch {made.branch} stands on {made.commit[:12]}{proposed}"]
