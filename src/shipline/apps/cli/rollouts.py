"""What the commands about rollouts share: ordering one as the person at this machine, and watching it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.person import local_person
from shipline.apps.cli.progress import follow
from shipline.bootstrap import orders
from shipline.bootstrap.orders import DeploymentWish, RollbackWish, chosen_environment, way_of
from shipline.capabilities.rollouts import ROLLOUTS
from shipline.domain.errors import ExitCode, ShiplineError
from shipline.domain.rollout import RolloutPurpose

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.rollout import Rollout

__all__ = ["chosen_environment", "foretell", "order_deployment", "order_rollback", "watch", "way_of"]


def order_deployment(  # noqa: PLR0913 - as the command's options
    application: Application,
    version: str | None,
    environment: str | None,
    package: str | None,
    expedited: str = "",
    *,
    dry_run: bool = False,
) -> Rollout:
    """Order the rollout of a published version; with `expedited`, a reason, by the shorter way of a hotfix."""
    wish = DeploymentWish(version, environment, package, expedited=expedited)
    return orders.order_deployment(application, wish, local_person(), dry_run=dry_run)


def order_rollback(  # noqa: PLR0913 - as the command's options
    application: Application,
    environment: str | None,
    version: str | None,
    past_migrations: str = "",
    reason: str = "",
    *,
    dry_run: bool = False,
) -> Rollout:
    """Order the way back to `version`, or to what the environment served before."""
    wish = RollbackWish(environment, version, reason=reason, past_migrations=past_migrations)
    return orders.order_rollback(application, wish, local_person(), dry_run=dry_run)


def foretell(rollout: Rollout) -> int:
    """Say what a dry run would have ordered."""
    back = " back" if rollout.purpose is RolloutPurpose.ROLLBACK else ""
    name = f"{rollout.package} {rollout.version}"
    click.echo(f"{rollout.environment} would get{back} {name}, by {rollout.strategy}; nothing was done", err=True)
    return int(ExitCode.DONE)


def watch(application: Application, rollout: Rollout) -> Rollout:
    """Follow a rollout, from now on, to its end; returns it as it is then."""
    follow(application, f"rollout:{rollout.id}", since_us=application.clock.now_us())
    with application.store.begin() as tx:
        ended = ROLLOUTS.find(tx, rollout.id)
    if ended is None:
        raise ShiplineError(f"the rollout {rollout.id} is gone from the store")
    return ended
