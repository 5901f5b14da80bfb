"""`shipline deploy`: a released version to an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.domain.errors import ExitCode, RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.rollout import Rollout

REASON_MAX = 500


@click.command(name="deploy")
@click.argument("version", required=False)
@click.option("--to", "environment", metavar="ENVIRONMENT", help="Where to; the only one if there is only one.")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--expedite", metavar="REASON", default="", help="Take the shorter way of a hotfix; kept in the log.")
@click.option("--dry-run", "dry_run", is_flag=True, help="Say what would be ordered, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON, schema shipline.rollout/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    version: str | None,
    environment: str | None,
    package: str | None,
    expedite: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring VERSION (default: the newest published one) to an environment and watch it get there.

    Where another rollout is under way there it is refused, or waits for its turn, as `concurrency` says.

    Exit codes: 0 promoted, 1 rolled back or stuck, 3 refused or withdrawn, 4 it is there already.
    """
    from shipline.apps.cli.progress import engine_running
    from shipline.apps.cli.rollouts import foretell, order_deployment, watch

    said = expedite.strip()[:REASON_MAX]
    if dry_run:
        return foretell(order_deployment(application, version, environment, package, said, dry_run=True))
    with engine_running(application):
        rollout = watch(application, order_deployment(application, version, environment, package, said))
    return report(rollout, as_json=as_json)


def report(rollout: Rollout, *, as_json: bool) -> int:
    """Say how it ended, and give the exit code."""
    from shipline.domain.codec import to_json
    from shipline.domain.rollout import RolloutStatus

    if as_json:
        click.echo(json.dumps({"schema": "shipline.rollout/1", "rollout": to_json(rollout)}, indent=2))
    name = f"{rollout.package} {rollout.version}"
    if rollout.status is RolloutStatus.PROMOTED:
        click.echo(f"{name} serves {rollout.environment}", err=True)
        return int(ExitCode.DONE)
    if rollout.status is RolloutStatus.WITHDRAWN:
        raise RefusedError(f"{name} was not deployed to {rollout.environment}", why=rollout.reason)
    back = f"{rollout.environment} serves {rollout.stable_version}" if rollout.stable_version else "nothing serves"
    raise ShiplineError(
        f"{name} is {rollout.status.value.replace('_', ' ')}; {back}", why=rollout.reason or rollout.waiting_for
    )
