"""`shipline down`: stop what an environment runs here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.domain.errors import RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="down")
@click.argument("environment", required=False)
@click.pass_obj
def command(application: Application, *, environment: str | None) -> None:
    """Stop ENVIRONMENT's proxy and instances on this machine. Users are not served any more."""
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import stopped_by, take_down
    from shipline.engine.rules import RunStatus

    chosen = chosen_environment(application, environment)
    if chosen.controller is not None:
        raise RefusedError(
            f"what {chosen.name} runs is not Shipline's to stop",
            why="a controller of the platform runs and routes there",
            todo="scale it down, or remove it, by its own means",
        )
    where = chosen.name
    since_us = application.clock.now_us()
    with engine_running(application):
        with application.store.begin() as tx:
            subject = take_down(tx, application.engine, where, local_person())
        run = follow(application, subject, since_us=since_us)
    if run.state.status is not RunStatus.DONE:
        raise ShiplineError(
            f"{where} is not wholly down", why=run.state.reason, todo=f"mend that, then `shipline down {where}` again"
        )
    stopped = stopped_by(run)
    click.echo(f"stopped {', '.join(stopped)} and the proxy" if stopped else "nothing was running", err=True)
