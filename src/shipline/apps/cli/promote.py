"""`shipline promote`: what the environment before serves, to the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="promote")
@click.argument("environment")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--dry-run", "dry_run", is_flag=True, help="Say what would be ordered, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON, schema shipline.rollout/1.")
@click.pass_obj
def command(application: Application, *, environment: str, package: str | None, dry_run: bool, as_json: bool) -> int:
    """Bring to ENVIRONMENT what the one that it comes `after` serves: the same artifacts, by digest.

    Exit codes: 0 promoted, 1 rolled back or stuck, 3 refused, 4 it is there already.
    """
    from shipline.apps.cli.deploy import report
    from shipline.apps.cli.progress import engine_running
    from shipline.apps.cli.rollouts import chosen_environment, foretell, order_deployment, watch, way_of
    from shipline.capabilities.rollouts import promotable_version

    with application.store.begin() as tx:
        found, version = promotable_version(tx, way_of(chosen_environment(application, environment)), package)
    if dry_run:
        return foretell(order_deployment(application, version, environment, found, dry_run=True))
    with engine_running(application):
        rollout = watch(application, order_deployment(application, version, environment, found))
    return report(rollout, as_json=as_json)
