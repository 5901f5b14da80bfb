"""`shipline env diff`, `drift`, `adopt` and `restore`: how environments differ, from each other and from the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import json_text, printable
from shipline.domain.errors import ExitCode, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import Drift, EnvironmentState
    from shipline.configuration import EnvironmentSettings
    from shipline.configuration.differences import Difference

DIGEST_SHOWN = len("sha256:") + 12
LOOK_TIMEOUT_S, LOOK_EVERY_S = 600, 0.5


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.environment-diff/1.")
@click.pass_obj
def diff(application: Application, *, left: str, right: str, as_json: bool) -> None:
    """Show where LEFT and RIGHT differ: versions, digests, and settings. No secret is shown."""
    from shipline.capabilities.rollouts import environment_state
    from shipline.configuration.differences import differences

    one, other = application.environment(left), application.environment(right)
    with application.store.begin() as tx:
        states = environment_state(tx, left), environment_state(tx, right)
    served = [_served(state) for state in states]
    found = differences(one, other)
    if as_json:
        document: dict[str, Any] = {"schema": "shipline.environment-diff/1", "left": left, "right": right}
        settings = [{"key": each.key, "left": each.left, "right": each.right} for each in found]
        click.echo(json_text(document | {"serves": {"left": served[0], "right": served[1]}, "settings": settings}))
        return
    for line in _served_lines(left, right, served[0], served[1]):
        click.echo(printable(line))
    for each in found:
        click.echo(printable(_setting_line(each)))
    if served[0] == served[1] and not found:
        click.echo(f"{left} and {right} do not differ", err=True)


def _served(state: EnvironmentState) -> list[dict[str, Any]]:
    return [
        {
            "package": one.deployment.package,
            "version": one.deployment.version,
            "digests": [] if one.rollout is None else list(one.rollout.digests),
        }
        for one in state.serves
    ]


def _served_lines(left: str, right: str, one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[str]:
    if one == other:
        return []
    return [f"serves: {_names(one)} in {left}, {_names(other)} in {right}"]


def _names(served: list[dict[str, Any]]) -> str:
    named = []
    for one in served:
        digests = ", ".join(digest[:DIGEST_SHOWN] for digest in one["digests"])
        named.append(f"{one['package']} {one['version']} ({digests or 'no digest'})")
    return ", ".join(named) or "nothing"


def _setting_line(each: Difference) -> str:
    left, right = ("not set" if value is None else str(value) for value in (each.left, each.right))
    return f"{each.key}: {left} | {right}"


@click.command()
@click.argument("environment", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.drift/1.")
@click.pass_obj
def drift(application: Application, *, environment: str | None, as_json: bool) -> None:
    """Compare what runs in ENVIRONMENT, or in all, with what is on record. Changes nothing.

    Exit codes: 0 as recorded, 1 not, or nobody can tell.
    """
    from shipline.capabilities.rollouts import DriftAnswer
    from shipline.domain.codec import to_json

    known = application.environments
    wanted = known if environment is None else (application.environment(environment),)
    found = {one.name: looked_to_the_end(application, one) for one in wanted}
    if as_json:
        environments = [{"environment": name, **to_json(each)} for name, each in found.items()]
        click.echo(json_text({"schema": "shipline.drift/1", "environments": environments}))
    else:
        for name, each in found.items():
            click.echo("\n".join(printable(line) for line in drift_lines(name, each)))
    is_well = all(each.answer is DriftAnswer.NONE for each in found.values())
    raise SystemExit(ExitCode.DONE if is_well else ExitCode.FAILED)


def looked_to_the_end(application: Application, environment: EnvironmentSettings) -> Drift:
    """What a look finds; one that a target has begun is waited for."""
    from shipline.capabilities.rollouts import look_for_drift

    ground, until_us = application.rollout_ground(environment), application.clock.now_us() + LOOK_TIMEOUT_S * 1_000_000
    while True:
        drift = look_for_drift(ground, environment.name)
        if not drift.is_pending or application.clock.now_us() >= until_us:
            return drift
        application.clock.sleep(LOOK_EVERY_S)


def drift_lines(name: str, drift: Drift) -> list[str]:
    """What was found in an environment, and what can be done about it."""
    if drift.why_unknown:
        return [f"{name}: nobody can tell: {drift.why_unknown}"]
    held = [f"{name}: {drift.held} is held: it is not brought there again before another one"] if drift.held else []
    if not drift.findings:
        return [f"{name}: as recorded", *held]
    lines = [*(f"{name}: {one.words}" for one in drift.findings), *held]
    return lines + _ways_out(name, drift) if drift.is_by_hand else lines


def _ways_out(name: str, drift: Drift) -> list[str]:
    """To keep what serves, and to undo it."""
    if drift.is_adoptable:
        keeping = f"shipline env adopt {name} --reason TEXT", "records what serves"
    else:
        keeping = f"shipline rollback {name} --to VERSION", "brings there what was set by hand, as what it is"
    restoring = f"shipline env restore {name} --reason TEXT", "brings back what is recorded"
    width = max(len(keeping[0]), len(restoring[0]))
    return [
        "  what serves there is not what git and the record say:",
        *(f"  {command:<{width}}  {what}" for command, what in (keeping, restoring)),
    ]


@click.command()
@click.argument("environment", required=False)
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.pass_obj
def adopt(application: Application, *, environment: str | None, reason: str) -> None:
    """Record what runs in ENVIRONMENT as what it serves: a released version that was brought there by hand."""
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.capabilities.rollouts import order_adoption
    from shipline.engine.rules import RunStatus

    where = chosen_environment(application, environment).name
    since_us = application.clock.now_us()
    with engine_running(application):
        with application.store.begin() as tx:
            subject = order_adoption(tx, application.engine, where, reason, local_person())
        run = follow(application, subject, since_us=since_us)
    if run.state.status is not RunStatus.DONE:
        raise RefusedError(f"what runs in {where} is not adopted", why=run.state.reason)
    adopted = run.state.results["adopt"]
    click.echo(f"on record: {where} serves {adopted['package']} {adopted['version']}", err=True)


@click.command()
@click.argument("environment", required=False)
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.pass_obj
def restore(application: Application, *, environment: str | None, reason: str) -> int:
    """Bring back to ENVIRONMENT what is on record there. All traffic moves at once, as by a rollback."""
    from shipline.apps.cli.deploy import report
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running
    from shipline.apps.cli.rollouts import chosen_environment, watch
    from shipline.capabilities.rollouts import restore_recorded

    where = chosen_environment(application, environment).name
    with engine_running(application):
        with application.store.begin() as tx:
            rollout = restore_recorded(tx, application.engine, where, reason, local_person())
        ended = watch(application, rollout)
    return report(ended, as_json=False)
