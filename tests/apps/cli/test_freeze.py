"""`shipline freeze`: what somebody closes now holds wherever the calendar is asked, and ends by itself or by a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import calendar, freeze
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.bootstrap.freezing import calendar_of, in_force
from shipline.bootstrap.opening import closed_by_calendar
from shipline.bootstrap.orders import DeploymentWish
from shipline.bootstrap.orders import order_deployment as order
from shipline.capabilities.releases import RELEASES
from shipline.capabilities.rollouts import ROLLOUTS
from shipline.domain.actor import SYSTEM
from shipline.domain.errors import NothingToDo, RefusedError, UsageError
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus
from tests.apps.cli.test_calendar import ANN, FREEZE
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served
from tests.capabilities.events import bodies

HOTFIX = "[environment.hotfix]\nallowed = true\n"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + HOTFIX + '[freezes]\nlongest = "1d"\n')
    made = Application(tmp_path)
    yield made
    made.store.close()


def said(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(freeze.command, list(arguments), obj=application, catch_exceptions=False)


def frozen(application: Application, stage: str) -> None:
    assert said(application, stage, "--until", "4h", "--reason", "a move").exit_code == 0


def test_a_deployment_waits_for_it_and_the_way_back_does_not(application: Application) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(application, "quotes", version, created_us=number)
    served(application, "quotes", "1.0.0", began_us=10, ended_us=20)
    served(application, "quotes", "1.1.0", began_us=20, ended_us=None)
    frozen(application, "all")
    with pytest.raises(RefusedError) as refused:
        order_deployment(application, None, None, None)
    assert "production is frozen by 'a move (" in refused.value.why
    waiting = Rollout("rol_1", "quotes", "1.1.0", "production", "canary", RolloutStatus.QUEUED, started_us=1)
    assert "is frozen by 'a move" in closed_by_calendar(application, waiting)
    assert closed_by_calendar(application, replace(waiting, purpose=RolloutPurpose.ROLLBACK)) == ""
    assert order_rollback(application, None, None).version == "1.0.0"


def test_a_hotfix_passes_it_by_its_shorter_way_alone(application: Application) -> None:
    published(application, "quotes", "1.1.0", created_us=1)
    with application.store.begin() as tx:
        (release,) = RELEASES.where(tx)
        RELEASES.save(tx, replace(release, hotfix=True))
    frozen(application, "production")
    with pytest.raises(RefusedError):
        order(application, DeploymentWish("1.1.0", None), SYSTEM)
    rollout = order(application, DeploymentWish("1.1.0", None, expedited="the till does not open"), SYSTEM)
    assert closed_by_calendar(application, rollout) == ""
    with application.store.begin() as tx:
        assert ROLLOUTS.find(tx, rollout.id) is not None


def test_it_closes_releases_is_on_record_once_and_is_lifted(application: Application) -> None:
    for _ in range(2):
        frozen(application, "release")
    assert [rule.stages for rule in application.release_ground.calendar_now()][:1] == [("release",)]
    lines = CliRunner().invoke(calendar.command, [], obj=application, catch_exceptions=False).output.splitlines()
    assert lines[0].startswith("release: closed  release is frozen by 'a move (")
    document = json.loads(said(application, "--json").output)
    assert document["schema"] == "shipline.freezes/1"
    assert len(document["freezes"]) in (1, 2)  # Two, where a minute began in between.
    assert said(application, "--lift").output.startswith("lifted: release is frozen until")
    assert (application.release_ground.calendar_now(), in_force(application)) == ((), ())
    declared, lifted = bodies(application.store, "FreezeDeclared"), bodies(application.store, "FreezeLifted")
    assert len(declared) == len(lifted) == len(document["freezes"])
    with pytest.raises(NothingToDo):
        said(application, "--lift")


def test_it_ends_by_itself_and_lasts_no_longer_than_the_policy_allows(application: Application) -> None:
    with pytest.raises(RefusedError, match="at most 1d"):
        said(application, "production", "--until", "25h", "--reason", "a move")
    with pytest.raises(UsageError):
        said(application, "production")
    frozen(application, "production")
    (rule,) = calendar_of(application)
    assert rule.ends != ""
    (found,) = in_force(application)
    assert not found.is_in_force(found.ends_us)


def test_lifting_opens_nothing_that_the_policy_closes(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").write_text(CONFIGURATION + FREEZE + ANN)
    application = Application(tmp_path)
    published(application, "quotes", "1.0.0", created_us=1)
    with pytest.raises(NothingToDo):
        said(application, "--lift", "production")
    frozen(application, "production")
    said(application, "--lift", "production")
    with pytest.raises(RefusedError) as refused:
        order_deployment(application, None, None, None)
    assert "frozen by 'year end'" in refused.value.why
    application.store.close()
