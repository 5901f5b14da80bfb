"""`shipline incidents`: what went wrong, and whether it has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.incident import Incident


@click.command(name="incidents")
@click.option("--json", "as_json", is_flag=True, help="Print the incidents as JSON, schema shipline.incidents/1.")
@click.pass_obj
def command(application: Application, *, as_json: bool) -> None:
    """List the newest incidents and what they cost. Changes nothing."""
    from shipline.capabilities.incidents import all_incidents, incidents_document

    application.only_read()
    with application.store.begin() as tx:
        incidents = all_incidents(tx)
    if as_json:
        click.echo(json.dumps(incidents_document(incidents), indent=2, ensure_ascii=False))
    elif incidents:
        click.echo("\n\n".join(_block(incident) for incident in incidents))
    else:
        click.echo("no incident is known")


def _block(incident: Incident) -> str:
    from shipline.apps.cli.wording import duration, moment

    title = "".join(each if each.isprintable() else " " for each in incident.title)
    if incident.resolved_us is None:
        status, ended = click.style("open", fg="red", bold=True), "not resolved yet"
    else:
        status = click.style("resolved", fg="green")
        ended = f"resolved after {duration((incident.resolved_us - incident.opened_us) / 1e6)}"
    suffered = "unknown" if incident.failed_requests is None else str(incident.failed_requests)
    return "\n".join(
        (
            f"{status}  {click.style(title, bold=True)}",
            f"  opened {moment(incident.opened_us)}, {ended}; failed requests: {suffered}",
            f"  {incident.id}, caused by {incident.deployment_id or 'no known deployment'}",
        )
    )
