"""`shipline rollback`: back to an earlier version, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="rollback")
@click.argument("environment", required=False)
@click.option("--to", "version", metavar="VERSION", help="The version to go back to; default: the one before.")
@click.option("--reason", metavar="TEXT", default="", help="What is wrong with the version that serves.")
@click.option(
    "--past-migrations", "past", metavar="REASON", default="", help="Go back past migrations that cannot be undone."
)
@click.option("--dry-run", "dry_run", is_flag=True, help="Say what would be ordered, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON, schema shipline.rollout/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    environment: str | None,
    version: str | None,
    reason: str,
    past: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring ENVIRONMENT back to the version that it served before. All traffic moves at once."""
    from shipline.apps.cli.deploy import report
    from shipline.apps.cli.progress import engine_running
    from shipline.apps.cli.rollouts import foretell, order_rollback, watch

    if dry_run:
        return foretell(order_rollback(application, environment, version, past, reason, dry_run=True))
    with engine_running(application):
        rollout = watch(application, order_rollback(application, environment, version, past, reason))
    return report(rollout, as_json=as_json)
