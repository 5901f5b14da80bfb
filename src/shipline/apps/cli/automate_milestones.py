"""`shipline automate milestones`: what milestones ask for, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="milestones")
@click.option("--dry-run", "dry_run", is_flag=True, help="Print what would be done, and do nothing.")
@click.pass_obj
def command(application: Application, *, dry_run: bool) -> int:
    """Do what milestones ask for, and release what was merged where HEAD is on the release branch.

    No event is read: all milestones are looked at. It can be stopped and run again at any time.

    Exit codes: 0 done, also where nothing was due, 3 where something stands in the way.
    """
    return keep(application, dry_run=dry_run, releases=False)


def _release(application: Application, *, dry_run: bool) -> int:
    from shipline.apps.cli.release import ReleaseOptions, release

    asked = ReleaseOptions((), None, None, only_pull_request=False, dry_run=dry_run, as_json=False)
    return release(application, asked)


def keep(application: Application, *, dry_run: bool, releases: bool) -> int:
    """Do what milestones ask for, release what was merged where HEAD is on the release branch, and say so then.

    `releases`: the event asks for a release whatever milestones say. RefusedError for what stands in the way.
    """
    from shipline.bootstrap.milestones import due_milestones, keep_milestones, milestone_ground
    from shipline.bootstrap.places import trusted_settings

    settings = trusted_settings(application)
    ground = milestone_ground(application, settings)
    due, seen = due_milestones(ground, application.clock.now_us())
    for _, title, why in seen.ignored:
        click.echo(printable(f"the milestone {title!r} leads to nothing: {why}"), err=True)
    merged = [one.version for one in seen.milestones if one.is_merged and not one.is_tagged]
    is_here = application.branch == settings.release.branch
    if dry_run:
        _say([effect.sentence for _, effect in due.effects], due.troubles, seen.waits)
        return _release(application, dry_run=True) if is_here and (merged or releases) else 0
    done, seen = keep_milestones(application, ground)
    _say(done.words, done.troubles, seen.waits)
    if is_here and (merged or releases):
        try:
            _release(application, dry_run=False)
        except NothingToDo as nothing:
            click.echo(printable(nothing.sentence()), err=True)
        done, seen = keep_milestones(application, ground)
        _say(done.words, (), seen.waits)
    if done.troubles:
        raise RefusedError("; ".join(done.troubles), todo=done.todo)
    return 0


def _say(words: Sequence[str], troubles: Sequence[str], waits: bool) -> None:  # noqa: FBT001 - said as it is
    for each in words:
        click.echo(printable(each))
    for each in troubles:
        click.echo(printable(f"held up: {each}"), err=True)
    if waits:
        click.echo("checks have not ended, or no commit is green yet: run this again then", err=True)
