"""`shipline calendar`: what is closed and what is open, now and in the next weeks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.calendar import CalendarRule

DAYS_MAX = 366
DAY_US = 86_400_000_000


@click.command(name="calendar")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=30, show_default=True, help="How far to look ahead.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.calendar/1.")
@click.option("--ics", is_flag=True, help="Print an iCalendar feed, for calendars of people.")
@click.pass_obj
def command(application: Application, *, days: int, as_json: bool, ics: bool) -> None:
    """Show whether each stage is open now, and the freezes, windows and trains to come."""
    from shipline.bootstrap.freezing import calendar_of
    from shipline.capabilities.gates import CALENDAR_PERIODS_MAX, calendar_document, calendar_feed, periods_of

    rules, now_us = calendar_of(application), application.clock.now_us()
    coming = periods_of(rules, now_us, now_us + days * DAY_US)[:CALENDAR_PERIODS_MAX]
    if ics:
        click.echo(calendar_feed(coming, now_us), nl=False)
    elif as_json:
        click.echo(
            json.dumps(calendar_document(rules, _stages(application), coming, now_us), indent=2, ensure_ascii=False)
        )
    else:
        _show(application, rules, now_us, days)


def _stages(application: Application) -> tuple[str, ...]:
    return ("release", *(environment.name for environment in application.policy.environments))


def _show(application: Application, rules: tuple[CalendarRule, ...], now_us: int, days: int) -> None:
    from shipline.capabilities.gates import CALENDAR_PERIODS_MAX, periods_of, shown, standing

    coming = periods_of(rules, now_us, now_us + days * DAY_US)[:CALENDAR_PERIODS_MAX]

    for stage in _stages(application):
        here = standing(rules, stage, now_us)
        word = click.style("open", fg="green") if here.is_open else click.style("closed", fg="red")
        click.echo(f"{stage}: {word}  {printable(here.sentence)}")
    click.echo("" if coming else f"nothing in the next {days} days")
    for period in coming:
        rule = period.rule
        who = f"  coordinator: {rule.coordinator}" if rule.coordinator else ""
        about = f"{rule.kind.value} {rule.name!r} of {', '.join(rule.stages)}"
        click.echo(printable(f"{shown(period.begins_us, rule)} to {shown(period.ends_us, rule)}  {about}{who}"))
