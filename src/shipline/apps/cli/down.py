"""`shipline down`: stop what an environment runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.domain.errors import RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="down")
@click.argument("environment", required=False)
@click.pass_obj
def command(application: Application, *, environment: str | None) -> None:
    """Stop ENVIRONMENT's proxy and instances on this machine. Users are not served any more."""
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import open_rollout_of, stop_environment

    where = chosen_environment(application, environment)
    with application.store.begin() as tx:
        rollout = open_rollout_of(tx, where.name)
    if rollout is not None:
        raise RefusedError(
            f"{where.name} is being rolled out to", todo=f"end that first: shipline rollout abort {where.name}"
        )
    stopped = stop_environment(application.rollout_ground(where), revision=application.clock.now_us())
    click.echo(f"stopped {', '.join(stopped)} and the proxy" if stopped else "nothing was running", err=True)
