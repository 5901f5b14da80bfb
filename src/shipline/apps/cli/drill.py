"""`shipline drill`: rehearse the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.domain.errors import ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="drill")
@click.argument("environment", required=False)
@click.pass_obj
def command(application: Application, *, environment: str | None) -> None:
    """Rehearse the way back in ENVIRONMENT: to the version before, and forward again. Users are served all the time.

    Exit codes: 0 it went there and back, 1 it did not, 3 refused.
    """
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.bootstrap.drills import drill_order
    from shipline.capabilities.rollouts import order_drill
    from shipline.engine.rules import RunStatus

    where = chosen_environment(application, environment)
    since_us = application.clock.now_us()
    with engine_running(application):
        order = drill_order(application, where)
        with application.store.begin() as tx:
            subject = order_drill(tx, application.engine, order, local_person())
        run = follow(application, subject, since_us=since_us)
    if run.state.status is not RunStatus.DONE:
        raise ShiplineError(f"the drill in {where.name} did not go there and back", why=run.state.reason)
    seconds = float(run.state.results["back"]["seconds"])
    click.echo(f"the way back to {order.back.package} {order.back.version} took {seconds:.1f} s", err=True)
    click.echo(f"{where.name} serves {order.forth.package} {order.forth.version} again", err=True)
