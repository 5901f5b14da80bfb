"""An alert soon after a promotion goes back to the version that is kept warm, by way of the real application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.apps.server.documents import answered
from shipline.apps.server.serve import site_of
from shipline.bootstrap import Application
from shipline.capabilities.rollouts import ROLLOUTS, Alert, all_rollouts
from shipline.capabilities.rollouts import fired as fired_by
from shipline.domain.rollout import Rollout, RolloutPurpose
from shipline.store.log import read_latest
from tests.apps.cli.test_rollouts import CONFIGURATION, published, served

HOUR_US = 3_600_000_000


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    yield from opened(tmp_path, CONFIGURATION)


def opened(folder: Path, settings: str) -> Iterator[Application]:
    """1.1.0 serves since an hour, and 1.0.0 is kept warm for another one."""
    (folder / "shipline.toml").write_text(settings)
    made = Application(folder)
    now_us = made.clock.now_us()
    for number, version in enumerate(("1.0.0", "1.1.0")):
        published(made, "quotes", version, created_us=number)
    served(made, "quotes", "1.0.0", began_us=now_us - 9 * HOUR_US, ended_us=now_us - HOUR_US)
    served(made, "quotes", "1.1.0", began_us=now_us - HOUR_US, ended_us=None)
    with made.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, "rol_1.1.0")
        assert rollout is not None
        ROLLOUTS.save(tx, replace(rollout, stable_version="1.0.0", warm_until_us=now_us + HOUR_US))
    yield made
    made.store.close()


def tell(application: Application) -> dict[str, Any]:
    """As the endpoint does, of an alert that began a minute ago."""
    site = site_of(application)
    began_us = application.clock.now_us() - 60_000_000
    return answered(site, (Alert("ManyErrors", "production", began_us, "it burns"),))


def ways_back(application: Application) -> list[Rollout]:
    with application.store.begin() as tx:
        return [one for one in all_rollouts(tx) if one.purpose is RolloutPurpose.ROLLBACK]


def fired(application: Application) -> list[str]:
    entries = [each.event for each in read_latest(application.store, 50)]
    return [event.body["reason"] for event in entries if event.kind == "AlertFired"]


def test_while_the_version_before_is_warm_it_goes_back_once(application: Application) -> None:
    document = tell(application)
    assert (document["rolled_back"], document["told"]) == (["rol_1.1.0"], [])
    (back,) = ways_back(application)
    assert (back.version, back.ordered_by) == ("1.0.0", "alertmanager@token")
    started = [each.event.body for each in read_latest(application.store, 50) if each.event.kind == "RolloutStarted"]
    assert [body["reason"] for body in started] == ["the alert ManyErrors fires: it burns"]
    assert [one.name for one in fired_by(started[0]["alerts"])] == ["ManyErrors"]
    again = tell(application)
    assert (again["turned_back"], again["rolled_back"], again["told"]) == ([], [], [])
    assert (len(ways_back(application)), fired(application)) == (1, [])


def test_later_it_only_tells_people_how(application: Application) -> None:
    with application.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, "rol_1.1.0")
        assert rollout is not None
        ROLLOUTS.save(tx, replace(rollout, warm_until_us=None))
    assert tell(application)["told"] == ["rol_1.1.0"]
    assert ways_back(application) == []
    (reason,) = fired(application)
    assert reason.endswith("is not kept warm any more. To go back: shipline rollback production")


def test_the_settings_can_leave_it_to_people(tmp_path: Path) -> None:
    settings = CONFIGURATION.replace('name = "production"\n', 'name = "production"\nalerts = "incident"\n')
    for made in opened(tmp_path, settings):
        assert tell(made)["told"] == ["rol_1.1.0"]
        assert (ways_back(made), len(fired(made))) == ([], 1)


def test_a_way_back_that_cannot_be_is_told_with_the_reason(application: Application) -> None:
    with application.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, "rol_1.1.0")
        assert rollout is not None
        ROLLOUTS.save(tx, replace(rollout, stable_version="0.9.0"))
    assert tell(application)["told"] == ["rol_1.1.0"]
    assert "It could not be gone back: there is no release quotes 0.9.0" in fired(application)[0]
