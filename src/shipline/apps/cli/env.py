"""`shipline env`: the environments, what they serve, what they have served, and how they differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli import env_by_hand, env_ephemeral
from shipline.apps.cli.wording import moment, printable
from shipline.domain.rollout import RolloutPurpose

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import EnvironmentState, Served

HISTORY_MAX = 1000


@click.group(name="env")
def command() -> None:
    """Environments: what they serve, what they have served, and how they differ."""


for _beside in (
    env_by_hand.diff,
    env_by_hand.drift,
    env_by_hand.adopt,
    env_by_hand.restore,
    env_ephemeral.up,
    env_ephemeral.down,
):
    command.add_command(_beside)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.environments/1.")
@click.pass_obj
def list_(application: Application, *, as_json: bool) -> None:
    """Show what each environment serves, since when, by whom and from which release."""
    from shipline.capabilities.rollouts import environment_state, environments_document

    application.only_read()
    environments = application.environments
    with application.store.begin() as tx:
        states = [environment_state(tx, one.name) for one in environments]
    if as_json:
        click.echo(json.dumps(environments_document(states), indent=2, ensure_ascii=False))
        return
    if not states:
        click.echo("no environment is configured: add an [[environment]] to shipline.toml", err=True)
    for state in states:
        click.echo(_line(state))


@command.command()
@click.argument("environment", required=False)
@click.option("--limit", type=click.IntRange(1, HISTORY_MAX), default=20, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.deployments/1.")
@click.pass_obj
def history(application: Application, *, environment: str | None, limit: int, as_json: bool) -> None:
    """Show the deployments of ENVIRONMENT, the newest first, with how each rollout went."""
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import deployment_history, deployments_document

    application.only_read()
    where = chosen_environment(application, environment).name
    with application.store.begin() as tx:
        found = deployment_history(tx, where, limit=limit)
    if as_json:
        click.echo(json.dumps(deployments_document(where, found), indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo(f"{where} has served nothing yet", err=True)
    for served in found:
        click.echo(_row(served))


def _line(state: EnvironmentState) -> str:
    from shipline.capabilities.rollouts import drift_words

    parts = [
        f"{one.deployment.package} {one.deployment.version} since {moment(one.deployment.began_us)}{_by(one)}"
        for one in state.serves
    ]
    rollout = state.rollout
    if rollout is not None:
        parts.append(f"{rollout.package} {rollout.version} is {rollout.status.value.replace('_', ' ')} there")
    parts += [f"{one.package} {one.version} waits for its turn" for one in state.queued]
    if state.drift is not None and (state.drift.findings or state.drift.why_unknown):
        parts.append(drift_words(state.drift))
    if state.warm is not None and state.warm.warm_until_us is not None:
        parts.append(f"{state.warm.stable_version} is kept running until {moment(state.warm.warm_until_us)}")
    if state.life:
        parts.append(state.life)
    if state.mending:
        parts.append(f"copies had died: {state.mending.splitlines()[0]}")
    return printable(f"{state.name}: {'; '.join(parts) or 'nothing'}")


def _by(served: Served) -> str:
    return f" by {served.rollout.ordered_by}" if served.rollout is not None and served.rollout.ordered_by else ""


def _analysed(served: Served) -> str:
    last = served.analysis
    if last is None:
        return ""
    looks = "look" if last.number == 1 else "looks"
    return f"; the analysis said {last.verdict} after {last.number} {looks} (evidence {last.evidence_value:.3g})"


def _row(served: Served) -> str:
    deployment, rollout = served.deployment, served.rollout
    name = f"{deployment.package} {deployment.version}"
    if rollout is None:
        return printable(f"{moment(deployment.began_us)}  {name}")
    outcome = rollout.status.value.replace("_", " ")
    if rollout.failed_requests:
        outcome += f" after {rollout.failed_requests} failed requests"
    is_usual = rollout.purpose in (RolloutPurpose.RELEASE, RolloutPurpose.ROLLBACK)
    kind = ("rollback" if deployment.rollback else rollout.strategy) if is_usual else rollout.purpose.value
    if rollout.purpose is RolloutPurpose.DRILL and rollout.ended_us is not None:
        outcome += f" after {(rollout.ended_us - rollout.started_us) / 1e6:.1f} s"
    serving = "  serves now" if deployment.finished_us is not None and deployment.ended_us is None else ""
    line = f"{moment(deployment.began_us)}  {name}  {kind}, {outcome}{_by(served)}{_analysed(served)}{serving}"
    return printable(line) + (f"\n    {printable(rollout.reason)}" if rollout.reason else "")
