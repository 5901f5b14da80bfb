"""Rollouts that wait for their turn: begun once, in order, whatever ends meanwhile."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shipline.capabilities.rollouts import ROLLOUTS, Concurrency, environment_state, environments_document, turn_back
from shipline.capabilities.rollouts.alerts import Alert
from shipline.capabilities.rollouts.turns import TurnStep
from shipline.capabilities.rollouts.workflow import TURN_TIMEOUT_S, turn_name
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, load_run, runs_of, save_run
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import StepContext
from tests.capabilities.events import bodies, kinds
from tests.capabilities.rollouts.rollout_world import PERSON, PLACE, RolloutWorld


def order(place: RolloutWorld, version: str, how: str = "queue", **rest: Any) -> Rollout:
    released_us = int(version.replace(".", ""))
    return place.deploy(version, concurrency=Concurrency(how), released_us=released_us, **rest)


def queue(place: RolloutWorld) -> list[str]:
    with place.world.store.begin() as tx:
        return [one.version for one in environment_state(tx, PLACE).queued]


def runs(place: RolloutWorld, rollout: Rollout) -> tuple[Run, ...]:
    with place.world.store.begin() as tx:
        return runs_of(tx, f"rollout:{rollout.id}")


def told(place: RolloutWorld, rollout: Rollout) -> list[str]:
    return kinds(place.world.store, f"rollout:{rollout.id}")


def until(place: RolloutWorld, rollout: Rollout, status: RolloutStatus) -> None:
    engine = place.engine()
    for _ in range(600):
        if place.now(rollout).status is status:
            return
        engine.sweep()
        place.world.clock.sleep(0.1)
    raise AssertionError(f"never {status}")


def test_what_is_ordered_meanwhile_begins_when_the_other_has_ended(serving: RolloutWorld) -> None:
    """In whichever process: each `settle` is a new one."""
    first = order(serving, "1.1.0")
    serving.run_until(first, "canary")
    serving.behave("1.3.0", error_rate=0.001)
    second = order(serving, "1.3.0")
    assert (second.status, second.waiting_for) == (
        RolloutStatus.QUEUED,
        "Waiting for its turn: the rollout of quotes 1.1.0 is running.",
    )
    serving.settle()
    assert serving.now(first).status is RolloutStatus.PROMOTED
    began = serving.now(second)
    assert (began.status, began.stable_version) == (RolloutStatus.PROMOTED, "1.1.0")
    assert serving.serving() == {"1.3.0": 1.0}
    assert told(serving, second)[:3] == ["RolloutQueued", "RolloutStarted", "DeploymentBegan"]
    assert bodies(serving.world.store, "RolloutQueued")[-1]["behind"] == first.id


def test_nothing_waits_where_the_environment_is_free(serving: RolloutWorld) -> None:
    assert order(serving, "1.1.0").status is RolloutStatus.STARTING


def test_a_newer_release_replaces_an_older_one_that_waits(serving: RolloutWorld) -> None:
    running = order(serving, "1.1.0")
    older, newer = order(serving, "1.3.0"), order(serving, "1.4.0")
    assert queue(serving) == ["1.4.0"]
    replaced = serving.now(older)
    assert (replaced.status, replaced.reason) == (RolloutStatus.WITHDRAWN, "replaced by quotes 1.4.0")
    assert bodies(serving.world.store, "RolloutWithdrawn")[-1]["replaced_by"] == newer.id
    assert order(serving, "1.4.0").id == newer.id
    with pytest.raises(RefusedError, match="which is newer"):
        order(serving, "1.3.0")
    serving.settle()
    assert told(serving, older) == ["RolloutQueued", "RolloutWithdrawn"]
    assert [one.version for one in serving.deployments()] == ["1.0.0", "1.1.0", "1.4.0"]
    assert serving.now(running).status is RolloutStatus.PROMOTED


def test_a_newer_release_supersedes_what_is_on_its_way(serving: RolloutWorld) -> None:
    """By the ordinary way back, which is no failure of what was turned back."""
    serving.behave("1.3.0", error_rate=0.001)
    running = order(serving, "1.1.0", "supersede")
    serving.run_until(running, "canary")
    newer = order(serving, "1.3.0", "supersede")
    serving.settle()
    turned = serving.now(running)
    assert (turned.status, turned.reason) == (RolloutStatus.ROLLED_BACK, "superseded by quotes 1.3.0")
    assert bodies(serving.world.store, "RollbackBegan")[-1]["superseded_by"] == "quotes 1.3.0"
    assert bodies(serving.world.store, "RolloutRolledBack")[-1]["superseded_by"] == "quotes 1.3.0"
    assert [one.failed for one in serving.deployments()] == [False, False, False]
    assert serving.now(newer).status is RolloutStatus.PROMOTED
    assert serving.serving() == {"1.3.0": 1.0}


def test_what_the_analysis_turned_back_was_not_superseded(serving: RolloutWorld) -> None:
    """It had failed before it heard of the newer one."""
    running = order(serving, "1.2.0", "supersede")
    serving.run_until(running, "canary")
    serving.behave("1.2.0", error_rate=1.0)
    until(serving, running, RolloutStatus.ROLLING_BACK)
    order(serving, "1.3.0", "supersede")
    serving.settle()
    assert serving.now(running).superseded_by == ""
    assert bodies(serving.world.store, "RolloutRolledBack")[-1]["superseded_by"] == ""
    assert any(one.failed for one in serving.deployments())


def test_what_has_all_traffic_is_waited_for(serving: RolloutWorld) -> None:
    running = order(serving, "1.1.0", "supersede", strategy="all-at-once")
    serving.run_until(running, "verify")
    assert serving.now(running).status is RolloutStatus.PROMOTING
    order(serving, "1.3.0", "supersede")
    serving.settle()
    assert [serving.now(running).status, queue(serving)] == [RolloutStatus.PROMOTED, []]


def test_a_way_back_goes_before_all_that_waits_and_is_never_superseded(serving: RolloutWorld) -> None:
    serving.shipped("1.1.0")
    serving.behave("1.3.0", error_rate=0.001)
    running = order(serving, "1.3.0")
    serving.run_until(running, "canary")
    forward = order(serving, "1.4.0")
    back = order(serving, "1.0.0", rollback=True, strategy="all-at-once")
    assert queue(serving) == ["1.0.0", "1.4.0"]
    until(serving, back, RolloutStatus.STARTING)
    assert serving.now(running).reason == "a way back to quotes 1.0.0 was ordered"
    assert bodies(serving.world.store, "RolloutRolledBack")[-1]["superseded_by"] == ""
    assert order(serving, "1.5.0", "supersede").status is RolloutStatus.QUEUED
    assert serving.now(forward).status is RolloutStatus.WITHDRAWN
    serving.settle()
    assert serving.now(back).status is RolloutStatus.PROMOTED
    assert [one.version for one in serving.deployments() if one.finished_us][-2:] == ["1.0.0", "1.5.0"]


def test_one_that_fails_on_its_way_back_is_not_waited_for(serving: RolloutWorld) -> None:
    """Only a person can end that; what waits already goes on waiting, and says so."""
    running = order(serving, "1.1.0")
    waits = order(serving, "1.3.0")
    failed = replace(serving.now(running), status=RolloutStatus.FAILED)
    with serving.world.store.begin() as tx:
        ROLLOUTS.save(tx, failed)
    with pytest.raises(RefusedError, match="is failed"):
        order(serving, "1.4.0")
    serving.engine().sweep()
    assert serving.now(waits).waiting_for == "Waiting for its turn: the rollout of quotes 1.1.0 is failed."


@pytest.mark.parametrize("verb", ["withdraw", "abort"])
def test_a_person_may_take_back_what_waits(serving: RolloutWorld, verb: str) -> None:
    running = order(serving, "1.1.0")
    with pytest.raises(RefusedError, match="does not wait for its turn"):
        serving.say(running, "withdraw")
    waits = order(serving, "1.3.0")
    with pytest.raises(RefusedError, match="cannot be told to promote"):
        serving.say(waits, "promote")
    serving.say(waits, verb)
    assert serving.now(waits).reason == "withdrawn by ann@tests"
    serving.settle()
    assert told(serving, waits) == ["RolloutQueued", "RolloutWithdrawn"]
    assert [run.state.status for run in runs(serving, waits)] == [RunStatus.DONE]


def test_a_calendar_that_is_closed_when_the_turn_comes_is_waited_for(serving: RolloutWorld) -> None:
    running = order(serving, "1.1.0")
    waits = order(serving, "1.3.0")
    serving.closed = "production is frozen by 'december'"
    engine = serving.engine()
    serving.look(engine, 60)
    assert serving.now(running).status is RolloutStatus.PROMOTED
    assert serving.now(waits).waiting_for == "production is frozen by 'december'"
    serving.closed = ""
    serving.look(engine, 40)
    assert serving.now(waits).status is RolloutStatus.PROMOTED


def test_what_serves_already_when_its_turn_comes_is_withdrawn(serving: RolloutWorld) -> None:
    running = order(serving, "1.1.0")
    serving.say(running, "abort")
    waits = order(serving, "1.0.0")
    serving.settle()
    assert (serving.now(waits).status, serving.now(waits).reason) == (
        RolloutStatus.WITHDRAWN,
        "production serves quotes 1.0.0 already",
    )


def test_what_has_waited_for_too_long_is_withdrawn(serving: RolloutWorld) -> None:
    order(serving, "1.1.0")
    waits = order(serving, "1.3.0")
    (turn,) = runs(serving, waits)
    serving.world.clock.sleep(TURN_TIMEOUT_S + 1)
    engine = serving.engine()
    with serving.world.store.begin() as tx:
        save_run(tx, replace(turn, state=replace(turn.state, began_us=1, started=False)))
    for _ in range(3):
        engine.tick(turn.id)
    assert serving.now(waits).status is RolloutStatus.WITHDRAWN
    assert "“Wait for its turn” did not end within 604800 s" in serving.now(waits).reason


def test_cut_off_right_after_it_has_begun_it_begins_no_second_time(serving: RolloutWorld) -> None:
    running = order(serving, "1.1.0")
    waits = order(serving, "1.3.0")
    (turn,) = runs(serving, waits)
    serving.say(running, "abort")
    engine = serving.engine()
    while serving.now(running).status is not RolloutStatus.ROLLED_BACK or _is_busy(serving, running):
        engine.tick(runs(serving, running)[-1].id)
    step = TurnStep(serving.ground(serving.world.store), lambda: engine)
    for _ in range(2):
        step(context_of(serving, engine, turn))
    assert [run.workflow for run in runs(serving, waits)] == [turn_name(PLACE), f"rollout:{PLACE}"]
    assert told(serving, waits) == ["RolloutQueued", "RolloutStarted"]


def _is_busy(place: RolloutWorld, rollout: Rollout) -> bool:
    return runs(place, rollout)[-1].state.status is RunStatus.ACTIVE


def context_of(place: RolloutWorld, engine: Engine, run: Run) -> StepContext:
    now_us = engine.clock.now_us()
    with place.world.store.begin() as tx:
        assert load_run(tx, run.id) is not None
    made = partial(StepContext, run.id, run.subject, f"{run.id}:turn", run.revision, run.input, {}, None, ())
    return made(recovering=False, now_us=now_us, started_us=now_us, reason="", ends_us=now_us)


def test_it_is_told_in_the_document_and_heeded_by_nothing_else(serving: RolloutWorld) -> None:
    """An alert turns back what runs, and nobody takes down what is waited for."""
    running = order(serving, "1.1.0")
    waits = order(serving, "1.3.0")
    with serving.world.store.begin() as tx:
        document = environments_document([environment_state(tx, PLACE)])
    (told_of,) = document["environments"]
    assert (told_of["rollout"]["id"], [one["id"] for one in told_of["queued"]]) == (running.id, [waits.id])
    with serving.world.store.begin() as tx:
        alert = Alert("Down", PLACE, serving.world.clock.now_us(), "")
        assert turn_back(tx, serving.engine(), (alert,), PERSON) == (running,)
    serving.closed = "frozen"
    serving.look(serving.engine(), 60)
    with pytest.raises(RefusedError, match="waits for its turn"):
        serving.take_down()
