"""`shipline rehearse`: let a version fail on purpose, and send load, to see what becomes of it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import duration, percentage, printable
from shipline.domain.errors import ShiplineError
from shipline.ports.load import RATE_MAX, SECONDS_MAX
from shipline.ports.traffic import LATENCY_MS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from shipline.bootstrap import Application
    from shipline.capabilities.rollouts import Forecast, Found, RehearsalOrder
    from shipline.configuration import EnvironmentSettings
    from shipline.engine.journal import Run
    from shipline.ports.load import LoadReport
    from shipline.ports.traffic import Traffic

AMOUNT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(%|ms|s)")


class _Amount(click.ParamType):  # type: ignore[type-arg]  # click 8.3 has no arguments there
    """A number with its unit, as `5%` or `200ms`; the value is a part of 1, or whole milliseconds."""

    def __init__(self, name: str, units: dict[str, float], most: float) -> None:
        self.name, self.units, self.most = name, units, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = AMOUNT.fullmatch(str(value))
        factor = self.units.get(found[2]) if found is not None else None
        amount = float(found[1]) * factor if found is not None and factor is not None else 0.0
        if not 0 < amount <= self.most:
            units = " or ".join(self.units)
            self.fail(f"{str(value)[:20]!r} is not a number of {units} above 0 and not too large.", param, ctx)
        return amount


PART = _Amount("percent", {"%": 0.01}, 1.0)
DELAY = _Amount("time", {"ms": 1.0, "s": 1000.0}, LATENCY_MS_MAX)


@click.command(name="rehearse")
@click.argument("environment", required=False)
@click.option("--rate", type=click.FloatRange(0, RATE_MAX), default=0.0, help="Requests a second to send meanwhile.")
@click.option(
    "--seconds", type=click.IntRange(1, SECONDS_MAX), default=60, show_default=True, help="After these it all ends."
)
@click.option("--errors", type=PART, help="Part of the answers that fail, as in 5%.")
@click.option("--latency", type=DELAY, help="How much later answers come, as in 200ms.")
@click.option(
    "--on",
    type=click.Choice(["canary", "stable"]),
    default="canary",
    show_default=True,
    help="Whose answers fail or come late.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.rehearsal/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    environment: str | None,
    rate: float,
    seconds: int,
    errors: float | None,
    latency: float | None,
    on: str,
    as_json: bool,
) -> None:
    """Let the canary of ENVIRONMENT fail on purpose, and send load, to see whether its analysis finds it.

    Only where `[environment.rehearsal]` allows it. What was injected ends after the time, whatever becomes of this.

    Exit codes: 0 it went as it should, 1 the canary was not turned back, 3 refused.
    """
    from shipline.apps.cli.progress import engine_running
    from shipline.apps.cli.rollouts import chosen_environment
    from shipline.bootstrap.rehearsals import check_rehearsal, promised
    from shipline.capabilities.rollouts import RehearsalOrder
    from shipline.ports.target import Role

    where = chosen_environment(application, environment)
    order = RehearsalOrder(where.name, Role(on), seconds, errors or 0.0, int(latency or 0), rate)
    traffic = application.rollout_ground(where).traffic
    check_rehearsal(where, order, traffic)
    with engine_running(application), _interrupted_by_sigterm():
        run, sent = _carried_out(application, where, order, traffic)
    rollout_id = run.input["rollout_id"]
    foreseen = None if rollout_id is None else promised(application, where, order, rollout_id)
    _report(_Outcome(order, run, sent, foreseen), as_json=as_json)


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Have SIGTERM do what Ctrl-C does: who stops this from elsewhere wants no faults to go on either."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _carried_out(
    application: Application, where: EnvironmentSettings, order: RehearsalOrder, traffic: Traffic
) -> tuple[Run, LoadReport | None]:
    """Order it, send what is to be sent, and see it to its end, which an interrupt or any trouble brings on."""
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import follow
    from shipline.bootstrap.rehearsals import load_plan
    from shipline.capabilities.rollouts import end_rehearsal, order_rehearsal
    from shipline.engine.journal import runs_of
    from shipline.engine.rules import ENDED

    since_us = application.clock.now_us()
    with application.store.begin() as tx:
        subject = order_rehearsal(tx, application.engine, order, local_person())

    def is_over(_report: LoadReport) -> bool:
        with application.store.begin() as tx:
            return runs_of(tx, subject)[-1].state.status in ENDED or application.engine.trouble is not None

    try:
        sent = None
        if order.rate_per_s:
            seconds = float(order.seconds)
            plan = load_plan(where, traffic.address(), rate_per_s=order.rate_per_s, seconds=seconds)
            click.echo(f"sending {order.rate_per_s:g} requests a second to {plan.address}", err=True)
            sent = application.load.send(plan, is_over=is_over)
        return follow(application, subject, since_us=since_us), sent
    except BaseException:
        with application.store.begin() as tx:
            end_rehearsal(tx, application.engine, where.name)
        if application.engine.trouble is not None:
            raise  # Nobody ends it then but the deadline.
        follow(application, subject, since_us=since_us)
        click.echo("no requests are sent any more, and no answers fail", err=True)
        raise


@dataclass(frozen=True, slots=True)
class _Outcome:
    order: RehearsalOrder
    run: Run
    sent: LoadReport | None
    foreseen: Forecast | None

    @property
    def is_awaited(self) -> bool:
        """True if a canary was to be turned back."""
        return self.run.input["rollout_id"] is not None


def _report(outcome: _Outcome, *, as_json: bool) -> None:
    from shipline.capabilities.rollouts import found_by
    from shipline.domain.codec import to_json

    found = found_by(outcome.run)
    if as_json:
        document = {"schema": "shipline.rehearsal/1", "order": to_json(outcome.order), "found": to_json(found)}
        document |= {"load": to_json(outcome.sent), "promised": to_json(outcome.foreseen)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    if outcome.sent is not None:
        sent = outcome.sent
        skipped = f"; {sent.skipped} were due while too many were open" if sent.skipped else ""
        click.echo(f"sent {sent.sent} requests, {sent.failed} failed{skipped}", err=True)
    if outcome.foreseen is not None:
        click.echo(f"promised: {_promise(outcome.foreseen)}", err=True)
    where = outcome.order.environment
    if found is None:
        raise ShiplineError(f"the rehearsal in {where} came to nothing", why=printable(outcome.run.state.reason))
    if not outcome.is_awaited:
        click.echo(f"the rehearsal in {where} is over: {found.words}", err=True)
    elif found.turned_back:
        click.echo(f"found: {_finding(found)}", err=True)
    else:
        raise ShiplineError(
            f"the canary in {where} was not sent back within {duration(found.seconds)}",
            why=found.words,
            todo="see what the promise says of so much traffic, and try it for longer, with more --rate or --errors",
        )


def _finding(found: Found) -> str:
    return f"{found.words} after {duration(found.seconds)} and {found.failed_requests} failed requests"


def _promise(one: Forecast) -> str:
    """In the words of `shipline simulate`: of a canary that is as bad from its first request on."""
    if not one.rolled_back:
        return f"of {one.runs} imagined canaries that are as bad from the start none is rolled back"
    within = (
        f"half of them within {duration(one.rollback_s or 0.0)} and {one.failed_requests or 0.0:.0f} failed requests"
    )
    return f"a canary as bad from the start is rolled back {percentage(one.rolled_back / one.runs)}, {within}"
