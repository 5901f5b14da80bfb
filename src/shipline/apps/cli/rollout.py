"""`shipline rollout`: look at a rollout, or say something to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import moment, printable
from shipline.domain.errors import ExitCode, ShiplineError, UnknownName, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import RolloutCommand
    from shipline.domain.rollout import Rollout
    from shipline.engine.engine import Engine


@click.group(name="rollout")
def command() -> None:
    """Watch a rollout, try its checks, or pause, resume, promote or abort it."""


@command.command()
@click.argument("environment", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, schema shipline.rollout/1, with its analysis.")
@click.pass_obj
def show(application: Application, *, environment: str | None, as_json: bool) -> None:
    """Show the newest rollout of ENVIRONMENT."""
    from shipline.capabilities.rollouts import analysis_of
    from shipline.domain.codec import to_json
    from shipline.domain.rollout import RolloutStatus

    application.only_read()
    rollout = _latest(application, environment)
    with application.store.begin() as tx:
        points = analysis_of(tx, rollout.id)
    if as_json:
        document: dict[str, Any] = {"schema": "shipline.rollout/1", "rollout": to_json(rollout)}
        click.echo(json.dumps(document | {"analysis": to_json(points)}, indent=2))
        return
    click.echo(f"{rollout.package} {rollout.version} to {rollout.environment}: {rollout.status.value}")
    if points:
        click.echo(f"  weight {rollout.weight:.1%}, evidence that it is worse {rollout.evidence_value:.3g}")
        click.echo(f"  failed requests seen {rollout.failed_requests}, looks {len(points)}")
    if rollout.status is RolloutStatus.PAUSED and rollout.paused_until_us is not None:
        since, until = moment(rollout.paused_us or rollout.started_us), moment(rollout.paused_until_us)
        click.echo(f"  paused since {since}; it turns back at {until} if nobody says anything")
    for label, text in (("now", rollout.waiting_for), ("reason", rollout.reason)):
        if text:
            click.echo(f"  {label}: {printable(text)}")


@command.command()
@click.argument("environment", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.rollout-check/1.")
@click.pass_obj
def check(application: Application, *, environment: str | None, as_json: bool) -> None:
    """Try the checks of ENVIRONMENT on what serves: what each asks, what is answered, what it says. Changes nothing."""
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.apps.cli.thresholds import document, imagined_rollout, is_well, lines, tried_counts

    application.only_read()
    where = chosen_environment(application, environment)
    rollout = imagined_rollout(application, where.name)
    tried, counts = application.checks(where).trials(rollout), tried_counts(application, where)
    if as_json:
        click.echo(json.dumps(document(rollout, tried, counts), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(lines(rollout, tried, counts)))
    raise SystemExit(ExitCode.DONE if is_well(tried, counts) else ExitCode.REFUSED)


def _verb(verb: str, help_text: str, *, is_waiting: bool = False) -> None:
    @command.command(name=verb, help=help_text)
    @click.argument("environment", required=False)
    @click.option("--reason", default="", help="Why; kept in the log.")
    @click.pass_obj
    def say(application: Application, *, environment: str | None, reason: str) -> None:
        from shipline.apps.cli.person import local_person
        from shipline.apps.cli.progress import engine_running, follow
        from shipline.capabilities.rollouts import RolloutCommand

        said = RolloutCommand(verb, reason, local_person())
        since_us = application.clock.now_us()
        try:
            engine = application.engine
            rollout = (_waiting if is_waiting else _latest)(application, environment)
        except ShiplineError as trouble:
            _say_all_the_same(application, environment, said, trouble)
            return
        _say(engine, rollout, said)  # Before anything else can go wrong.
        with engine_running(application) as mine:
            if mine:  # Nobody else would carry it out.
                follow(application, f"rollout:{rollout.id}", since_us=since_us)


def _say(engine: Engine, rollout: Rollout, said: RolloutCommand) -> None:
    from shipline.capabilities.rollouts import command_rollout

    with engine.store.begin() as tx:
        command_rollout(tx, engine, rollout, said)
    click.echo(f"{said.verb}: said to the rollout of {rollout.package} {rollout.version}", err=True)


def _say_all_the_same(
    application: Application, environment: str | None, said: RolloutCommand, trouble: ShiplineError
) -> None:
    """A word must reach a rollout that is under way also where the settings or the policy are refused."""
    engine = application.speaker
    _say(engine, _under_way(engine, environment, trouble, is_waiting=said.verb == "withdraw"), said)
    click.echo("it is on record: an engine that runs obeys it, or else the next that starts", err=True)
    click.echo(printable(f"this command could not start one: {trouble.diagnosis()}"), err=True)


def _under_way(engine: Engine, environment: str | None, trouble: ShiplineError, *, is_waiting: bool) -> Rollout:
    """The open rollout of that environment, or the only open one, of those that wait for their turn or of the others.

    Raises `trouble` where there is none.
    """
    from shipline.capabilities.rollouts import all_rollouts
    from shipline.domain.rollout import ENDED, RolloutStatus

    with engine.store.begin() as tx:
        known = all_rollouts(tx)
    unended = [one for one in known if one.status not in ENDED and environment in (None, one.environment)]
    found = [one for one in unended if (one.status is RolloutStatus.QUEUED) is is_waiting]
    if not found:
        raise trouble
    if len({one.environment for one in found}) > 1:
        names = ", ".join(sorted({one.environment for one in found}))
        raise UsageError("say which environment", why=trouble.what, todo=f"rolled out to now: {names}")
    return found[0]


_verb("pause", "Hold the canary's weight; the analysis goes on and still rolls back.")
_verb("resume", "Let a paused rollout go on.")
_verb("promote", "Promote now, without waiting for more evidence.")
_verb("skip", "End the wait that it is in: a step's time, a preview, the time after the switch.")
_verb("abort", "Give all traffic back to the stable version.")
_verb("withdraw", "Take back the rollout that waits for its turn; of several the newest.", is_waiting=True)
_verb("retry", "Try the way back again, for a rollout whose way back had failed.")


@command.command(name="give-up")
@click.argument("environment", required=False)
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.option("--accept-exposure", is_flag=True, help="Also while users are, or may be, served by that version.")
@click.pass_obj
def give_up(application: Application, *, environment: str | None, reason: str, accept_exposure: bool) -> None:
    """End a rollout whose way back has failed, as it is. The rollback has not succeeded, and is not tried again."""
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import GivingUp, exposure_of, give_up_rollout

    rollout = _latest(application, environment)
    exposure = exposure_of(application.rollout_ground(chosen_environment(application, environment)), rollout)
    said = GivingUp(reason, local_person(), exposure, accepts_exposure=accept_exposure)
    with application.store.begin() as tx:
        given_up = give_up_rollout(tx, application.engine, rollout, said)
    click.echo(f"given up: the rollout of {rollout.package} {rollout.version} is {given_up.status.value}", err=True)
    click.echo(f"  what is left there is as it was; {rollout.environment} is free for the next rollout", err=True)
    if exposure:
        click.echo(f"  {printable(exposure)}: deploy a version that is good", err=True)


def _waiting(application: Application, environment: str | None) -> Rollout:
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import queued_rollouts

    name = chosen_environment(application, environment).name
    with application.store.begin() as tx:
        queued = queued_rollouts(tx, name)
    if not queued:
        raise UnknownName(
            f"no rollout waits for its turn in {name}", todo=f"what is under way: shipline rollout show {name}"
        )
    return max(queued, key=lambda one: one.started_us)


def _latest(application: Application, environment: str | None) -> Rollout:
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import latest_rollout

    name = chosen_environment(application, environment).name
    with application.store.begin() as tx:
        rollout = latest_rollout(tx, name)
    if rollout is None:
        raise UnknownName(f"nothing has been rolled out to {name} yet", todo="shipline deploy")
    return rollout
