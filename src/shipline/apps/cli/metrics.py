"""`shipline metrics`: the five DORA figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.metrics import Dora, Figure, Report

DAYS_MAX = 3650


@click.command(name="metrics")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON, schema shipline.metrics/1.")
@click.option("--environment", "name", metavar="NAME", help="Only this environment; else all that are production.")
@click.option(
    "--days", type=click.IntRange(1, DAYS_MAX), default=30, show_default=True, help="How many days, today included."
)
@click.pass_obj
def command(application: Application, *, as_json: bool, name: str | None, days: int) -> None:
    """Show deployment frequency, lead time, change fail rate, recovery time and rework rate. Changes nothing."""
    from datetime import UTC

    from shipline.capabilities.metrics import dora, last_days, metrics_document

    application.only_read()
    environments = _environments(application, name)
    now_us = application.clock.now_us()
    window = last_days(days, now_us=now_us, zone=UTC)
    report = dora(application.store, window, now_us=now_us, environments=environments)
    if as_json:
        click.echo(json.dumps(metrics_document(report), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(report)))


def _environments(application: Application, name: str | None) -> tuple[str, ...]:
    if name is None:
        return tuple(each.name for each in application.policy.environments if each.production)
    return (application.environment(name).name,)


def _lines(report: Report) -> Iterator[str]:
    days = report.window.days()
    where = ", ".join(report.environments) or "no environment"
    yield f"{where}: {days[0]} to {days[-1]} ({len(days)} days, {report.window.zone})"
    yield from _block("project", report.project)
    if len(report.services) > 1:
        for service in report.services:
            yield from _block(f"{service.package} in {service.environment}", service.dora)
    if report.erased_events > 0:
        yield ""
        yield f"erased events that could not be read: {report.erased_events}"


def _block(name: str, dora: Dora) -> Iterator[str]:
    rows = (
        ("deployment frequency", dora.deployment_frequency, "deployments"),
        ("lead time for changes, median", dora.lead_time_median, "commits"),
        ("lead time for changes, 90th percentile", dora.lead_time_p90, "commits"),
        ("change fail rate", dora.change_fail_rate, "deployments"),
        ("failed deployment recovery time, median", dora.recovery_time_median, "failed deployments"),
        ("deployment rework rate", dora.rework_rate, "deployments"),
    )
    yield ""
    yield click.style(name, bold=True)
    for title, figure, sample in rows:
        yield f"  {title:<41}{_value(figure, sample)}"
    yield from _left_out(dora)


def _value(figure: Figure, sample: str) -> str:
    if figure.value is None:
        return f"no data: {figure.reason}"
    return f"{_measured(figure.value, figure.unit):<16}n = {figure.n} {sample}"


def _measured(value: float, unit: str) -> str:
    from shipline.apps.cli.wording import duration, percentage

    if unit == "seconds":
        return duration(value)
    return percentage(value) if unit == "ratio" else f"{value:.2f} {unit}"


def _left_out(dora: Dora) -> Iterator[str]:
    counts = (
        ("negative lead times dropped", dora.left_out.negative_lead_times),
        ("negative recovery times dropped", dora.left_out.negative_recovery_times),
        ("first deployments, without lead time", dora.left_out.baselines),
        ("deployments without known commits", dora.left_out.deployments_without_known_commits),
        ("failed deployments not recovered yet", dora.left_out.open_recoveries),
    )
    for words, count in counts:
        if count > 0:
            yield f"  {words}: {count}"
