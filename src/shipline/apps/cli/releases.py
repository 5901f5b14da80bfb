"""`shipline releases`: what was released, and what the gates said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="releases")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, schema shipline.releases/1.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@click.pass_obj
def command(application: Application, *, as_json: bool, limit: int) -> None:
    """List the releases, the newest first."""
    from shipline.capabilities.releases import all_releases, verdicts_of
    from shipline.domain.codec import to_json

    with application.store.begin() as tx:
        found = [(release, verdicts_of(tx, release.id)) for release in all_releases(tx, limit=limit)]
    if as_json:
        releases = [to_json(release) | {"verdicts": to_json(verdicts)} for release, verdicts in found]
        click.echo(json.dumps({"schema": "shipline.releases/1", "releases": releases}, indent=2))
        return
    for release, verdicts in found:
        newest = {verdict.gate: verdict.answer.value for verdict in verdicts}  # A gate may be asked again.
        answers = ", ".join(f"{gate} {answer}" for gate, answer in newest.items())
        click.echo(f"{release.package} {release.version}  {release.status.value}  {answers or 'no gates'}")
    if not found:
        click.echo("nothing has been released yet: `shipline release` does")
