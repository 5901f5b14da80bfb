"""When drills begin: by the clock of their time zone, where a deployment may, and between versions that may serve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from shipline.bootstrap import Application
from shipline.bootstrap.drills import drill_due, drill_order
from shipline.configuration import EnvironmentSettings, parse_settings
from shipline.configuration.check import problems
from shipline.domain.errors import RefusedError
from shipline.engine.journal import runs_of
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.capabilities.events import bodies

TUESDAYS = EnvironmentSettings("production", drill="0 10 * * TUE", drill_timezone="Europe/Berlin")
ALWAYS = CONFIGURATION + 'drill = "* * * * *"\n'
FROZEN = """
[[calendar]]
name = "december"
kind = "freeze"
stages = ["production"]
begins = "2000-01-01 00:00"
ends = "2200-01-01 00:00"
"""


def at(text: str) -> int:
    """UTC microseconds of a time in RFC 3339."""
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(ALWAYS)
    made = Application(tmp_path)
    yield made
    made.store.close()


def two_versions(application: Application) -> None:
    """1.1.0 serves, after 1.0.0."""
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(application, "quotes", version, created_us=number)
        served(application, "quotes", version, began_us=10 + number, ended_us=None if number else 11)


def drilled(application: Application) -> int:
    """How many drills were ordered so far, after one round of the engine's owner."""
    application._schedules.next_us = 0
    application._schedules()
    with application.store.begin() as tx:
        return len(runs_of(tx, "drill:production"))


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        ("2026-12-01T08:59:59Z", None, None),
        ("2026-12-01T09:00:00Z", None, "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:59:00Z", "2026-11-24T09:00:05Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:30:00Z", "2026-12-01T09:00:05Z", None),
        ("2026-12-01T10:00:00Z", None, None),
        ("2026-07-07T08:15:00Z", None, "2026-07-07T08:00:00Z"),
    ],
)
def test_a_drill_is_due_for_an_hour(now: str, last: str | None, due: str | None) -> None:
    """In the time of its zone, summer or winter; once."""
    found = drill_due(TUESDAYS, None if last is None else at(last), at(now))
    assert found == (None if due is None else at(due))
    assert drill_due(EnvironmentSettings("production"), None, at(now)) is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('drill = "often"', "has a `cron` that cannot be read: 'often'"),
        ('drill = "0 10 * * TUE"\ndrill_timezone = "Mars/Base"', "the unknown time zone 'Mars/Base'"),
    ],
)
def test_a_time_that_is_none_is_refused(lines: str, words: str) -> None:
    (problem,) = problems(parse_settings((CONFIGURATION + lines).encode()))
    assert "environment production, drill: " in problem.what
    assert words in problem.what


def test_the_engine_drills_when_it_is_due(application: Application) -> None:
    two_versions(application)
    assert drilled(application) == 1
    (started,) = bodies(application.store, "DrillStarted")
    assert (started["version"], started["back_to"], started["scheduled"]) == ("1.1.0", "1.0.0", True)


def test_what_keeps_it_from_drilling_is_told_once(application: Application) -> None:
    published(application, "quotes", "1.0.0", created_us=1)
    served(application, "quotes", "1.0.0", began_us=10, ended_us=None)
    for _ in range(2):
        assert drilled(application) == 0
    told = bodies(application.store, "DrillSkipped")
    assert {"it serves its first version" in body["reason"] for body in told} == {True}
    assert len(told) == len({body["due_us"] for body in told})


def test_a_drill_is_a_change_and_waits_for_the_end_of_a_freeze(application: Application) -> None:
    """A person is refused, with the words of the calendar."""
    two_versions(application)
    (application.root / "shipline.toml").write_text(ALWAYS + FROZEN)
    frozen = Application(application.root)
    assert drilled(frozen) == 0
    assert bodies(frozen.store, "DrillSkipped") == []
    with pytest.raises(RefusedError, match="a drill is a change, and production is frozen by 'december'"):
        drill_order(frozen, frozen.environment("production"))
    frozen.store.close()
