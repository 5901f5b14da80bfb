"""`shipline checklist`, from the gate that holds to the deployment and the release that it lets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipline.apps.cli import checklist
from shipline.apps.cli.rollouts import order_deployment, order_rollback
from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES, checklists_of
from shipline.domain.checklist import Checklist
from shipline.domain.errors import ConfigurationError, NothingToDo, RefusedError, UnknownName, UsageError
from shipline.domain.release import Release
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served

LIST = """
checklist = ["the status page says so", "somebody is on call"]
coordinator = "ben"
"""
TRAIN = """
[[calendar]]
name = "always"
kind = "train"
stages = ["release"]
cron = "0 0 * * *"
lasts = "1d"
coordinator = "ann"
checklist = ["the notes were read"]
"""


def opened(folder: Path, settings: str) -> Iterator[Application]:
    (folder / "shipline.toml").write_text(settings)
    made = Application(folder)
    yield made
    made.store.close()


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    for made in opened(tmp_path, CONFIGURATION.replace('name = "production"\n', 'name = "production"\n' + LIST)):
        published(made, "quotes", "1.0.0", created_us=1)
        yield made


def run(application: Application, *arguments: str) -> Result:
    return CliRunner().invoke(
        checklist.command, list(arguments), obj=application, catch_exceptions=False, standalone_mode=False
    )


def test_a_deployment_is_held_until_all_is_ticked(application: Application) -> None:
    with pytest.raises(RefusedError) as refused:
        order_deployment(application, "1.0.0", None, None)
    assert "checklist says FAIL: of the checklist of production is open: 'the status page" in refused.value.why
    assert "ben coordinates" in refused.value.why
    assert run(application, "show", "1.0.0").return_value == 3
    run(application, "tick", "1.0.0", "on call", "--note", "carl")
    run(application, "tick", "1.0.0", "1")
    shown = run(application, "show", "1.0.0")
    assert shown.return_value == 0
    assert "production, coordinated by ben\n  [x] 1 the status page says so  (" in shown.output
    assert ": carl)" in shown.output
    assert order_deployment(application, "1.0.0", None, None).version == "1.0.0"
    told = [one.event for one in read_latest(application.store, 20) if one.event.kind == "ChecklistItemTicked"]
    assert [(one.body["item"], one.body["note"], one.body["left"]) for one in told] == [
        ("somebody is on call", "carl", 1),
        ("the status page says so", "", 0),
    ]
    assert {one.actor.issuer for one in told} == {"local"}


def test_what_was_ticked_can_be_cleared_and_is_open_again(application: Application) -> None:
    run(application, "tick", "1.0.0", "1")
    with pytest.raises(NothingToDo, match="is ticked already by"):
        run(application, "tick", "1.0.0", "1")
    run(application, "clear", "1.0.0", "1")
    document = json.loads(run(application, "show", "1.0.0", "--json").output)
    assert document["schema"] == "shipline.checklist/1"
    assert [item["done"] for one in document["checklists"] for item in one["items"]] == [False, False]


def test_another_release_begins_with_an_empty_list(application: Application) -> None:
    for item in ("1", "2"):
        run(application, "tick", "1.0.0", item)
    published(application, "quotes", "1.1.0", created_us=2)
    with pytest.raises(RefusedError):
        order_deployment(application, "1.1.0", None, None)


def test_the_way_back_asks_for_no_ticks(application: Application) -> None:
    published(application, "quotes", "1.1.0", created_us=2)
    served(application, "quotes", "1.0.0", began_us=10, ended_us=20)
    served(application, "quotes", "1.1.0", began_us=20, ended_us=None)
    assert order_rollback(application, None, None).version == "1.0.0"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tick", "1.0.0", "3"), "is no item"),
        (("tick", "1.0.0", "s"), "more than one item"),
        (("show", "9.9.9"), "there is no release"),
        (("show", "1.0.0", "--stage", "prod"), "no stage 'prod'"),
        (("show", "1.0.0", "--stage", "release"), "nothing has to be ticked"),
    ],
)
def test_what_is_not_there_is_named(application: Application, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises((UnknownName, UsageError), match=words):
        run(application, *arguments)


def test_a_trains_list_is_that_of_the_final_releases_that_began_on_it(tmp_path: Path) -> None:
    for made in opened(tmp_path, CONFIGURATION + TRAIN):
        published(made, "quotes", "1.0.0", created_us=made.clock.now_us())
        with made.store.begin() as tx:
            (release,) = RELEASES.where(tx, version="1.0.0")
        assert [one.coordinator for one in lists(made, release)] == ["ann"]
        run(made, "tick", "1.0.0", "notes")
        assert run(made, "show", "1.0.0", "--stage", "release").return_value == 0


def lists(application: Application, release: Release) -> list[Checklist]:
    policy = application.policy
    return list(checklists_of(policy.checklists, policy.calendar, release, "release", application.clock.now_us()))


def test_a_list_without_a_coordinator_stops_the_settings(tmp_path: Path) -> None:
    for made in opened(tmp_path, CONFIGURATION + TRAIN.replace('coordinator = "ann"\n', "")):
        with pytest.raises(ConfigurationError, match="the train 'always' has a checklist and no coordinator"):
            _ = made.store
        break
