"""Alerts from outside: read strictly, and they turn back only what they can be blamed on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipline.capabilities.incidents import ROLLOUT_KINDS, all_incidents, follow_rollout
from shipline.capabilities.rollouts import (
    Alert,
    Blamed,
    Fired,
    Strategy,
    StrategyKind,
    blamed_after,
    fired,
    note_alerts,
    note_ended,
    read_alerts,
    turn_back,
)
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.errors import InvalidValue
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.store.keys import load_or_create_log_key
from shipline.store.log import read_latest, sequence
from shipline.store.reactors import react
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


def test_what_names_no_environment_is_left_out_and_what_is_resolved_is_over() -> None:
    others = [FIRING | {"status": "resolved"}, FIRING | {"labels": {"alertname": "x"}}]
    assert [alert.is_over for alert in read_alerts(WEBHOOK | {"alerts": others})] == [True]


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
    rollout, alert = watched(place), alert_of(place)
    assert [one.id for one in tell(place, alert)] == [rollout.id]
    place.settle()
    ended = place.now(rollout)
    assert ended.status is RolloutStatus.ROLLED_BACK
    assert "the alert ManyErrors fires: it burns" in ended.reason
    assert (place.serving(), place.alive()) == ({"1.0.0": 1.0}, ["1.0.0", "1.0.0"])
    commanded = [each.event for each in read_latest(place.world.store, 50) if each.event.kind == "RolloutCommanded"]
    assert [event.actor for event in commanded] == [MACHINE]
    assert fired(commanded[0].body["alerts"]) == (Fired("ManyErrors", alert.began_us),)


def test_what_is_no_key_of_an_alert_is_none() -> None:
    """Bodies of events may be older, or somebody else's."""
    assert fired(("a@b@7", "x", "@7", "x@", "x@1.5", 7, "x@" + "9" * 17)) == (Fired("a@b", 7),)


def test_one_that_had_begun_before_or_is_elsewhere_turns_nothing_back(place: RolloutWorld) -> None:
    rollout = watched(place)
    assert tell(place, alert_of(place, began_us=rollout.started_us - 1), alert_of(place, environment="staging")) == ()
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_where_nothing_is_under_way_nothing_is_turned_back(place: RolloutWorld) -> None:
    assert tell(place, alert_of(place)) == ()


def test_one_that_is_over_turns_nothing_back(place: RolloutWorld) -> None:
    rollout = watched(place)
    assert tell(place, alert_of(place, is_over=True)) == ()
    place.settle()
    assert place.now(rollout).status is RolloutStatus.PROMOTED


def test_the_same_alert_again_while_it_goes_back_is_no_error(place: RolloutWorld) -> None:
    """Alertmanager repeats itself until it is over."""
    rollout = watched(place)
    alert = alert_of(place)
    tell(place, alert)
    tell(place, alert)
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert tell(place, alert) == ()


WARM = Strategy(StrategyKind.BLUE_GREEN, keep_warm_s=600)


def promoted(place: RolloutWorld, version: str, strategy: Strategy = WARM) -> Rollout:
    rollout = place.deploy(version, strategy=strategy)
    place.look(place.engine(), 60)
    assert place.now(rollout).status is RolloutStatus.PROMOTED
    return place.now(rollout)


def blamed(place: RolloutWorld, *alerts: Alert) -> tuple[Blamed, ...]:
    with place.world.store.begin() as tx:
        return blamed_after(tx, alerts, place.world.clock.now_us())


def note(place: RolloutWorld, *found: Blamed) -> None:
    with place.world.store.begin() as tx:
        for one in found:
            note_alerts(tx, place.engine(), one, MACHINE, why_not="It was not.")


def test_after_a_promotion_it_blames_what_serves_and_says_whether_the_way_back_is_warm(place: RolloutWorld) -> None:
    rollout = promoted(place, "1.1.0")
    (found,) = blamed(place, alert_of(place))
    assert (found.rollout.id, found.is_warm, found.words) == (rollout.id, True, "the alert ManyErrors fires: it burns")
    place.world.clock.sleep(600)
    (found,) = blamed(place, alert_of(place))
    assert not found.is_warm
    assert blamed(place, alert_of(place, began_us=rollout.started_us - 1)) == ()
    assert blamed(place, alert_of(place, environment="staging"), alert_of(place, is_over=True)) == ()


def test_the_first_version_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    place = RolloutWorld(World(5, tmp_path))
    promoted(place, "1.0.0")
    assert [one.is_warm for one in blamed(place, alert_of(place))] == [False]


def test_what_began_under_a_version_that_was_turned_back_does_not_blame_the_one_before(place: RolloutWorld) -> None:
    rollout = watched(place)
    alert = alert_of(place)
    tell(place, alert)
    place.settle()
    assert place.now(rollout).status is RolloutStatus.ROLLED_BACK
    assert blamed(place, alert) == ()
    place.world.clock.sleep(1)
    assert [one.rollout.version for one in blamed(place, alert_of(place))] == ["1.0.0"]


def test_it_is_noted_once_until_it_is_over_with_what_a_person_can_do(place: RolloutWorld) -> None:
    rollout = promoted(place, "1.1.0")
    alert = alert_of(place)
    note(place, *blamed(place, alert), *blamed(place, alert))
    assert blamed(place, alert) == ()
    for _ in range(2):
        over_again(place, alert)
    told = [each.event for each in read_latest(place.world.store, 50) if each.event.kind.startswith("Alert")]
    assert [event.kind for event in told] == ["AlertFired", "AlertEnded"]
    fired, over = (event.body for event in told)
    words = "the alert ManyErrors fires: it burns. It was not. To go back: shipline rollback production"
    assert (fired["reason"], fired["alerts"], over["left"]) == (words, [alert.key], 0)
    assert fired["deployment_id"] in {one.id for one in place.deployments() if one.rollout_id == rollout.id}


def over_again(place: RolloutWorld, alert: Alert) -> None:
    with place.world.store.begin() as tx:
        note_ended(tx, place.engine(), (replace(alert, is_over=True),), MACHINE)


def test_a_deployment_that_served_well_for_days_is_not_the_cause(place: RolloutWorld) -> None:
    promoted(place, "1.1.0")
    place.world.clock.sleep(2 * 86_400)
    note(place, *blamed(place, alert_of(place)))
    (fired,) = [each.event for each in read_latest(place.world.store, 50) if each.event.kind == "AlertFired"]
    assert fired.body["deployment_id"] is None


def test_its_incident_is_resolved_with_the_last_alert_and_another_one_opens_another(
    place: RolloutWorld, tmp_path: Path
) -> None:
    def incidents() -> list[str]:
        """As the engine's owner does: the log is given its places, then read. The newest first."""
        sequence(place.world.store, load_or_create_log_key(tmp_path / "log.key"))
        react(place.world.store, "incidents", ROLLOUT_KINDS, follow_rollout)
        with place.world.store.begin() as tx:
            return [one.status.value for one in all_incidents(tx)]

    promoted(place, "1.1.0")
    first, second = alert_of(place), alert_of(place, name="Slow")
    note(place, *blamed(place, first, second))
    assert incidents() == ["open"]
    over_again(place, first)
    assert incidents() == ["open"]
    over_again(place, second)
    assert incidents() == ["resolved"]
    place.world.clock.sleep(5)
    note(place, *blamed(place, alert_of(place)))
    assert incidents() == ["open", "resolved"]
