"""`shipline calendar`, and what a freeze does to a deployment and to the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from icalendar import Calendar

from shipline.apps.cli import approve, calendar
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.capabilities.releases import verdicts_of
from shipline.domain.errors import ConfigurationError, RefusedError
from shipline.domain.verdict import Answer
from shipline.providers.clock.system import SystemClock
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.clients.test_ssh_signatures import new_key, public
from tests.clients.test_ssh_signatures import pytestmark as keys

NOW = datetime.fromtimestamp(SystemClock().now_us() // 1_000_000, UTC)
FREEZE = f"""
[[calendar]]
name = "year end"
kind = "freeze"
stages = ["production"]
begins = "{NOW - timedelta(days=1):%Y-%m-%d %H:%M}"
ends = "{NOW + timedelta(days=2):%Y-%m-%d %H:%M}"
exemptions = [
  {{ release = "quotes 1.0.1", reason = "the till does not open", approver = "ann", until = "2100-01-01 00:00" }},
]
"""
ANN = """
[[approver]]
name = "ann"
roles = ["operations"]
key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6Yq1nqCq0vVq8s1l2m4n5o6p7q8r9s0t1u2v3w4x5y"
"""
TRAIN = """
[[calendar]]
name = "weekly"
kind = "train"
stages = ["release"]
cron = "0 10 * * TUE"
lasts = "2h"
timezone = "Europe/Berlin"
coordinator = "ann"
"""


def opened(folder: Path, more: str) -> Iterator[Application]:
    (folder / "shipline.toml").write_text(CONFIGURATION + more)
    made = Application(folder)
    yield made
    made.store.close()


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Application]:
    yield from opened(tmp_path, FREEZE + TRAIN + ANN)


def shown(application: Application, *arguments: str) -> str:
    result = CliRunner().invoke(calendar.command, list(arguments), obj=application, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_freeze_refuses_a_deployment_with_its_end_and_keeps_the_answer(frozen: Application) -> None:
    published(frozen, "quotes", "1.0.0", created_us=1)
    with pytest.raises(RefusedError) as refused:
        order_deployment(frozen, "1.0.0", None, None)
    assert "calendar says FAIL: production is frozen by 'year end' until" in refused.value.why
    with frozen.store.begin() as tx:
        assert [verdict.gate for verdict in verdicts_of(tx, "rel_quotes_1.0.0")] == ["calendar"]


@keys
def test_an_exemption_goes_through_once_its_approver_has_signed_it(tmp_path: Path) -> None:
    key = new_key(tmp_path, "ann")
    ann = ANN.replace(ANN.split('key = "')[1].split('"', maxsplit=1)[0], public(key).strip())
    for made in opened(tmp_path, FREEZE + ann):
        published(made, "quotes", "1.0.1", created_us=1)
        with pytest.raises(RefusedError) as refused:
            order_deployment(made, "1.0.1", None, None)
        assert "counts once ann has approved it: shipline approve 1.0.1 --stage production" in refused.value.why
        arguments = ["1.0.1", "--stage", "production", "--key", str(key)]
        assert CliRunner().invoke(approve.command, arguments, obj=made, catch_exceptions=False).exit_code == 0
        rollout = order_deployment(made, "1.0.1", None, None)
        assert rollout.version == "1.0.1"
        assert made.rollout_ground(made.environment("production")).closed(rollout) == ""
        with made.store.begin() as tx:
            said = verdicts_of(tx, "rel_quotes_1.0.1")[-1]
        assert (said.gate, said.answer) == ("calendar", Answer.PASS)
        assert "the till does not open (approved by ann)" in said.reasons[0]


def test_an_exemption_by_somebody_who_may_not_approve_stops_the_settings(tmp_path: Path) -> None:
    for made in opened(tmp_path, FREEZE):
        with pytest.raises(ConfigurationError, match="names 'ann' as approver") as refused:
            _ = made.store
        assert "known ones: none" in refused.value.todo
        break


def test_no_freeze_holds_up_the_way_back(frozen: Application) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(frozen, "quotes", version, created_us=number)
    served(frozen, "quotes", "1.0.0", began_us=10, ended_us=20)
    served(frozen, "quotes", "1.1.0", began_us=20, ended_us=None)
    assert order_rollback(frozen, None, None).version == "1.0.0"


def test_it_shows_each_stage_and_what_comes(frozen: Application) -> None:
    lines = shown(frozen, "--days", "8").splitlines()
    assert lines[0].startswith("release: ")
    assert lines[1].startswith("production: closed  production is frozen by 'year end' until ")
    assert any("freeze 'year end' of production" in line for line in lines[2:])
    assert any("train 'weekly' of release  coordinator: ann" in line for line in lines[2:])


def test_its_document_says_when_each_stage_opens(frozen: Application) -> None:
    document = json.loads(shown(frozen, "--json", "--days", "8"))
    assert document["schema"] == "shipline.calendar/1"
    stages = {each["stage"]: each for each in document["stages"]}
    ends_us = next(each["ends_us"] for each in document["periods"] if each["name"] == "year end")
    assert (stages["production"]["open"], stages["production"]["opens_us"]) == (False, ends_us)


def test_its_feed_is_read_by_a_calendar_and_names_each_period_once(frozen: Application) -> None:
    feed = Calendar.from_ical(shown(frozen, "--ics", "--days", "30"))
    events = {str(event["uid"]): event for event in feed.walk("VEVENT")}
    assert sorted({str(event["summary"]) for event in events.values()}) == ["freeze: year end", "train: weekly"]
    again = Calendar.from_ical(shown(frozen, "--ics", "--days", "30"))
    assert [str(event["uid"]) for event in again.walk("VEVENT")] == list(events)


def test_without_a_calendar_everything_is_open(tmp_path: Path) -> None:
    for made in opened(tmp_path, ""):
        assert "production: open" in shown(made)
        assert "nothing in the next 30 days" in shown(made)


def test_a_rule_that_cannot_be_is_named(tmp_path: Path) -> None:
    for made in opened(tmp_path, ANN + FREEZE.replace('["production"]', '["prod"]')):
        with pytest.raises(ConfigurationError, match="freeze 'year end' names the unknown stage 'prod'"):
            _ = made.store
        break
