"""Alerts from outside: read strictly, and they turn back only what they can be blamed on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.rollouts import Alert, read_alerts, turn_back
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.store.log import read_latest
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PLACE, RolloutWorld

MACHINE = Actor(ActorKind.WORKLOAD, "token", "alertmanager", authenticated=True)
FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "ManyErrors", "environment": PLACE},
    "annotations": {"summary": "5% of the requests\nfail"},
    "startsAt": "2026-11-27T01:00:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
}
WEBHOOK: dict[str, Any] = {"version": "4", "status": "firing", "alerts": [FIRING]}


def test_a_webhook_is_read() -> None:
    (alert,) = read_alerts(WEBHOOK)
    assert alert == Alert("ManyErrors", PLACE, 1_795_741_200_123_456, "5% of the requests fail")


def test_what_is_resolved_or_names_no_environment_is_left_out() -> None:
    others = [FIRING | {"status": "resolved"}, FIRING | {"labels": {"alertname": "x"}}]
    assert read_alerts(WEBHOOK | {"alerts": others}) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        WEBHOOK | {"version": "3"},
        WEBHOOK | {"alerts": None},
        WEBHOOK | {"alerts": [FIRING] * 201},
        WEBHOOK | {"alerts": ["x"]},
        WEBHOOK | {"alerts": [FIRING | {"status": "?"}]},
        WEBHOOK | {"alerts": [FIRING | {"labels": []}]},
        WEBHOOK | {"alerts": [FIRING | {"annotations": "x"}]},
        WEBHOOK | {"alerts": [FIRING | {"startsAt": "yesterday"}]},
        WEBHOOK | {"alerts": [FIRING | {"startsAt": 7}]},
    ],
)
def test_what_is_no_webhook_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidValue):
        read_alerts(wrong)


@pytest.fixture
def place(tmp_path: Path) -> RolloutWorld:
    made = RolloutWorld(World(5, tmp_path))
    made.shipped("1.0.0")
    return made


def watched(place: RolloutWorld) -> Rollout:
    """A rollout whose canary is being watched."""
    rollout = place.deploy("1.1.0")
    engine = place.engine()
    while place.now(rollout).weight == 0:
        if engine.sweep() == 0:
            place.world.clock.sleep(1.0)
    return place.now(rollout)


def tell(place: RolloutWorld, *alerts: Alert) -> tuple[Rollout, ...]:
    with place.world.store.begin() as tx:
        return turn_back(tx, place.engine(), alerts, MACHINE)


def alert_of(place: RolloutWorld, **other: Any) -> Alert:
    return replace(Alert("ManyErrors", PLACE, place.world.clock.now_us(), "it burns"), **other)


def test_an_alert_that_begins_during_a_rollout_turns_it_back_and_is_the_reason(place: RolloutWorld) -> None:
    rollout = watched(place)
    assert [one.id for one in tell(place, alert_of(place))] == [rollout.id]
    place.settle()
    ended = place.now(rollout)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "the alert ManyErrors fires: it burns" in ended.reason
    assert (place.serving(), place.alive()) == ({"1.0.0": 1.0}, ["1.0.0", "1.0.0"])
    commanded = [each.event for each in read_latest(place.world.store, 50) if each.event.kind == "RolloutCommanded"]
    assert [event.actor for event in commanded] == [MACHINE]


def test_one_that_had_begun_before_or_is_elsewhere_turns_nothing_back(place: RolloutWorld) -> None:
    rollout = watched(place)
    assert tell(place, alert_of(place, began_us=rollout.started_us - 1), alert_of(place, environment="staging")) == ()
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_where_nothing_is_under_way_nothing_happens(place: RolloutWorld) -> None:
    assert tell(place, alert_of(place)) == ()


def test_the_same_alert_again_while_it_goes_back_is_no_error(place: RolloutWorld) -> None:
    """Alertmanager repeats itself until it is over."""
    rollout = watched(place)
    alert = alert_of(place)
    tell(place, alert)
    tell(place, alert)
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert tell(place, alert) == ()
