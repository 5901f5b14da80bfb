"""`shipline env up` and `env down`: environments that come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.domain.errors import ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command()
@click.argument("environment")
@click.option("--branch", default="", metavar="BRANCH", help="Bring up one of its own for this branch.")
@click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.pass_obj
def up(application: Application, *, environment: str, branch: str, package: str | None) -> None:
    """Bring an ephemeral ENVIRONMENT up, or one of its own for a branch, and see that it is healthy.

    The newest version runs in it: that the branch holds, or of all. What does not become healthy is taken down again.

    Exit codes: 0 it is up, 1 it did not come up, 2 there is no such branch or no version, 3 refused.
    """
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.bootstrap.lives import begin_life, life_order, new_life
    from shipline.capabilities.rollouts import LifeOrder
    from shipline.engine.rules import ENDED

    template = application.environment(environment)
    life = new_life(application, template, branch)
    order = LifeOrder(life, life_order(application, template, life, package))
    since_us = application.clock.now_us()
    with engine_running(application):
        subject = begin_life(application, application.engine, order, local_person())
        run = follow(application, subject, since_us=since_us, is_enough=lambda run: run.state.step == "live")
    if run.state.status in ENDED or run.state.step != "live":
        raise ShiplineError(f"{life.name} did not come up", why=run.state.reason)
    click.echo(f"{life.name} is up: http://{run.state.results['check']['address']}/", err=True)


@click.command()
@click.argument("environment")
@click.option("--branch", default="", metavar="BRANCH", help="Take down that of this branch.")
@click.pass_obj
def down(application: Application, *, environment: str, branch: str) -> None:
    """Take an ephemeral ENVIRONMENT down, or that of a branch: nothing of it is left running.

    Exit codes: 0 it is down, 1 it is not wholly down, 3 there is none.
    """
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.capabilities.rollouts import LifeEnd, end_life, instance_name
    from shipline.engine.rules import ENDED

    template = application.environment(environment)
    name = instance_name(template.name, branch) if branch else template.name
    since_us, person = application.clock.now_us(), local_person()
    with engine_running(application):
        with application.store.begin() as tx:
            subject = end_life(tx, application.engine, name, LifeEnd(f"by {person}", person))
        run = follow(application, subject, since_us=since_us)
    if run.state.status not in ENDED:
        raise ShiplineError(
            f"{name} is not wholly down", why=run.state.reason, todo="mend that, then say `shipline env down` again"
        )
    click.echo(f"{name} is down", err=True)
