"""`shipline metrics` and `shipline incidents`, as their group calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shipline.apps.cli import incidents, metrics, rollout
from shipline.apps.cli.wording import duration, moment, percentage
from shipline.bootstrap import Application
from shipline.capabilities.incidents import follow_rollout
from shipline.capabilities.rollouts import ROLLOUTS
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import UnknownName
from shipline.domain.event import Event
from shipline.domain.rollout import Rollout, RolloutStatus
from tests.capabilities.metrics.stories import START_US, Story

CONFIGURATION = """
schema = 1
[[environment]]
name = "staging"
target.command = ["serve", "{port}"]
traffic.port = 8001
[[environment]]
name = "production"
production = true
target.command = ["serve", "{port}"]
traffic.port = 8002
"""


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION)
    made = Application(tmp_path)
    yield made
    made.store.close()


def run(application: Application, command: click.Command, *arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), obj=application, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def tell(application: Application, story: Story) -> None:
    """Append a story as if it had begun an hour ago."""
    shift_us = application.clock.now_us() - 3600 * 1_000_000 - START_US
    with application.store.begin() as tx:
        for event in story.events:
            tx.append(replace(event, time_us=event.time_us + shift_us))


def rollout_event(kind: str, time_us: int, **body: object) -> Event:
    common = {"rollout_id": "rol_1", "package": "quotes", "version": "1.2.0", "environment": "production"}
    return Event(f"evt_{kind}", "rollout:rol_1", kind, time_us, SYSTEM, common | body)


def test_figures_without_data_say_why(application: Application) -> None:
    shown = run(application, metrics.command)
    assert shown.startswith("production: ")
    assert "(30 days, UTC)" in shown
    assert shown.count("no data: no deployment finished") == 6


def test_figures_are_shown_with_their_samples(application: Application) -> None:
    told = Story()
    told.deploy("1.0.0", minute=0)
    told.turn_back(told.expose("1.1.0", minute=5), minute=6, restored=7)
    tell(application, told)
    lines = run(application, metrics.command, "--days", "2").splitlines()
    shown = {line[2:43].strip(): line[43:] for line in lines if line.startswith("  ")}
    assert shown["deployment frequency"] == "0.50 per day    n = 1 deployments"
    assert shown["change fail rate"] == "50.0 %          n = 2 deployments"
    assert shown["failed deployment recovery time, median"] == "2 min           n = 1 failed deployments"
    assert shown["lead time for changes, median"].startswith("no data: a first deployment is the baseline")


def test_the_document_is_of_production_or_of_the_chosen_environment(application: Application) -> None:
    told = Story(environment="staging")
    told.deploy("1.0.0", minute=0)
    tell(application, told)
    production = json.loads(run(application, metrics.command, "--json"))
    staging = json.loads(run(application, metrics.command, "--json", "--environment", "staging"))
    assert (production["environments"], production["services"]) == (["production"], [])
    assert (staging["environments"], len(staging["services"])) == (["staging"], 1)


def test_an_unknown_environment_is_refused_with_the_known_ones(application: Application) -> None:
    with pytest.raises(UnknownName) as refused:
        run(application, metrics.command, "--environment", "prod")
    assert "staging, production" in refused.value.todo


def test_no_incident_is_said_in_words(application: Application) -> None:
    assert run(application, incidents.command) == "no incident is known\n"
    assert json.loads(run(application, incidents.command, "--json"))["incidents"] == []


def test_incidents_are_listed_with_what_they_cost(application: Application) -> None:
    body = {"deployment_id": "dep_1", "exposed": True, "reason": "5 % of\x1b[31m requests fail"}
    with application.store.begin() as tx:
        follow_rollout(tx, rollout_event("RollbackBegan", START_US, failed_requests=7, **body))
    shown = run(application, incidents.command)
    assert shown.startswith("open  quotes 1.2.0 is rolled back in production: 5 % of [31m requests fail\n")
    assert "opened 2026-11-01 00:00:00 UTC, not resolved yet; failed requests: 7" in shown
    with application.store.begin() as tx:
        follow_rollout(tx, rollout_event("RolloutRolledBack", START_US + 2_500_000, failed_requests=9, **body))
    shown = run(application, incidents.command)
    assert "resolved after 2.5 s; failed requests: 9" in shown
    assert "caused by dep_1" in shown
    (entry,) = json.loads(run(application, incidents.command, "--json"))["incidents"]
    assert (entry["status"], entry["resolved"]) == ("resolved", "2026-11-01T00:00:02.500+00:00")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0.0 s"), (0.44, "0.4 s"), (45, "45 s"), (60, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")),
        *((86_400, "1 d"), (273_600, "3 d 4 h"), (59.7, "1 min")),
    ],
)
def test_durations_are_written_with_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_moments_and_shares_are_written_one_way() -> None:
    assert moment(START_US) == "2026-11-01 00:00:00 UTC"
    assert percentage(0.125) == "12.5 %"


def test_what_an_instance_wrote_does_not_steer_the_terminal(application: Application) -> None:
    """The end of its output is the reason of a rollout that failed, and it writes what its users send."""
    reason = "the end of its output:\nGET /\x1b]0;owned\x07\x1b[2J\x9b31m"
    failed = Rollout("rol_1", "quotes", "1.2.0", "production", "canary", RolloutStatus.FAILED, START_US, reason=reason)
    with application.store.begin() as tx:
        ROLLOUTS.save(tx, failed)
    shown = run(application, rollout.command, "show", "production")
    assert "the end of its output:\nGET / ]0;owned" in shown
    assert all(each.isprintable() or each == "\n" for each in shown)
