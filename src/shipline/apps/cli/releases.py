"""`shipline releases`: what was released, what the gates said, and what still waits for its release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.releases import Begun


@click.command(name="releases")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, schema shipline.releases/1.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@click.pass_obj
def command(application: Application, *, as_json: bool, limit: int) -> None:
    """List what is committed or tagged and waits for its release, then the releases, the newest first."""
    from shipline.capabilities.releases import all_releases, verdicts_of
    from shipline.domain.codec import to_json

    application.only_read()
    with application.store.begin() as tx:
        found = [(release, verdicts_of(tx, release.id)) for release in all_releases(tx, limit=limit)]
    waiting = _waiting(application)
    if as_json:
        releases = [to_json(release) | {"verdicts": to_json(verdicts)} for release, verdicts in found]
        click.echo(
            json.dumps({"schema": "shipline.releases/1", "releases": releases, "waiting": to_json(waiting)}, indent=2)
        )
        return
    for one in waiting or ():
        click.echo(printable(f"{one.package} {one.version}  waiting  {one.reason}"))
    for release, verdicts in found:
        newest = {verdict.gate: verdict.answer.value for verdict in verdicts}  # A gate may be asked again.
        answers = ", ".join(f"{gate} {answer}" for gate, answer in newest.items())
        click.echo(f"{release.package} {release.version}  {release.status.value}  {answers or 'no gates'}")
    if not found and not waiting:
        click.echo("nothing has been released yet: `shipline release` does")


def _waiting(application: Application) -> tuple[Begun, ...] | None:
    """By git and the registries; None where they cannot tell, which keeps nobody from seeing the releases."""
    from shipline.capabilities.releases import begun_versions

    try:
        merged_alone = application.settings.release.mode == "pull-request"
        return begun_versions(application.release_ground, application.candidates(()), merged_alone=merged_alone)
    except ShiplineError as error:
        click.echo(printable(f"what waits for its release cannot be told: {error.what}"), err=True)
        return None
