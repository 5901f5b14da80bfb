"""`shipline calendar`: what is closed and what is open, now and in the next weeks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.calendar import Period

DAYS_MAX = 366
PERIODS_MAX = 1000
DAY_US = 86_400_000_000


@click.command(name="calendar")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=30, show_default=True, help="How far to look ahead.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.calendar/1.")
@click.option("--ics", is_flag=True, help="Print an iCalendar feed, for calendars of people.")
@click.pass_obj
def command(application: Application, *, days: int, as_json: bool, ics: bool) -> None:
    """Show whether each stage is open now, and the freezes, windows and trains to come."""
    from shipline.capabilities.gates import calendar_feed, periods_of

    rules, now_us = application.policy.calendar, application.clock.now_us()
    coming = periods_of(rules, now_us, now_us + days * DAY_US)[:PERIODS_MAX]
    if ics:
        click.echo(calendar_feed(coming, now_us), nl=False)
    elif as_json:
        click.echo(json.dumps(_document(application, coming, now_us), indent=2, ensure_ascii=False))
    else:
        _show(application, coming, now_us, days)


def _stages(application: Application) -> tuple[str, ...]:
    return ("release", *(environment.name for environment in application.policy.environments))


def _show(application: Application, coming: tuple[Period, ...], now_us: int, days: int) -> None:
    from shipline.capabilities.gates import shown, standing

    for stage in _stages(application):
        here = standing(application.policy.calendar, stage, now_us)
        word = click.style("open", fg="green") if here.is_open else click.style("closed", fg="red")
        click.echo(f"{stage}: {word}  {printable(here.sentence)}")
    click.echo("" if coming else f"nothing in the next {days} days")
    for period in coming:
        rule = period.rule
        who = f"  coordinator: {rule.coordinator}" if rule.coordinator else ""
        about = f"{rule.kind.value} {rule.name!r} of {', '.join(rule.stages)}"
        click.echo(printable(f"{shown(period.begins_us, rule)} to {shown(period.ends_us, rule)}  {about}{who}"))


def _document(application: Application, coming: tuple[Period, ...], now_us: int) -> dict[str, Any]:
    from shipline.capabilities.gates import opens_us, standing

    rules = application.policy.calendar
    stages = {stage: standing(rules, stage, now_us) for stage in _stages(application)}
    return {
        "schema": "shipline.calendar/1",
        "now_us": now_us,
        "stages": [
            {
                "stage": stage,
                "open": here.is_open,
                "reason": here.sentence,
                "opens_us": opens_us(rules, stage, now_us),
            }
            for stage, here in stages.items()
        ],
        "periods": [
            {
                "name": period.rule.name,
                "kind": period.rule.kind.value,
                "stages": list(period.rule.stages),
                "begins_us": period.begins_us,
                "ends_us": period.ends_us,
                "timezone": period.rule.timezone,
                "coordinator": period.rule.coordinator,
            }
            for period in coming
        ],
    }
