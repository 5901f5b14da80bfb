"""A drill goes to the version before and comes back, by rollouts like any way back, and says how long that took."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from shipline.capabilities.rollouts import (
    Concurrency,
    DrillOrder,
    RolloutOrder,
    Strategy,
    StrategyKind,
    open_rollout_of,
    order_drill,
)
from shipline.capabilities.rollouts.upkeep.drilling import DrillSteps
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus
from shipline.engine.journal import runs_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Again, Done, StepContext
from tests.capabilities.events import bodies
from tests.capabilities.rollouts.rollout_world import DIGESTS, PACKAGE, PERSON, PLACE, RolloutWorld


def way(version: str) -> RolloutOrder:
    return RolloutOrder(PACKAGE, version, PLACE, Strategy(StrategyKind.ALL_AT_ONCE), DIGESTS, "rel_x", "c0ffee")


@pytest.fixture
def rehearsing(serving: RolloutWorld) -> RolloutWorld:
    """1.1.0 serves, after 1.0.0; both start slowly."""
    serving.shipped("1.1.0")
    serving.target.slow_s |= {"1.0.0": 7.0, "1.1.0": 7.0}
    return serving


def drill(place: RolloutWorld) -> None:
    with place.world.store.begin() as tx:
        order_drill(tx, place.engine(), DrillOrder(way("1.0.0"), way("1.1.0")), PERSON)


def status(place: RolloutWorld) -> RunStatus:
    with place.world.store.begin() as tx:
        return runs_of(tx, f"drill:{PLACE}")[-1].state.status


def told(place: RolloutWorld, kind: str) -> dict[str, Any]:
    return bodies(place.world.store, kind)[-1]


def until_back(place: RolloutWorld) -> None:
    """Work until the way back is done, and the way forward not begun."""
    engine = place.engine()
    for _ in range(400):
        if place.serving() == {"1.0.0": 1.0}:
            return
        engine.sweep()
        place.world.clock.sleep(0.1)
    raise AssertionError("never there")


def test_it_goes_there_and_back_and_says_how_long_that_took(rehearsing: RolloutWorld) -> None:
    """What serves is kept running meanwhile: coming forward needs no start. Nobody calls it a failure."""
    drill(rehearsing)
    rehearsing.settle()
    assert status(rehearsing) is RunStatus.DONE
    finished = told(rehearsing, "DrillFinished")
    assert 7 < finished["seconds"] < 20
    assert finished["forth_seconds"] < 2
    assert (finished["version"], finished["back_to"], finished["environment"]) == ("1.1.0", "1.0.0", PLACE)
    assert rehearsing.serving() == {"1.1.0": 1.0}
    assert rehearsing.alive() == ["1.1.0", "1.1.0"]
    back, forth = rehearsing.deployments()[-2:]
    assert [back.version, forth.version, back.failed, forth.failed] == ["1.0.0", "1.1.0", False, False]
    assert [body["purpose"] for body in bodies(rehearsing.world.store, "DeploymentBegan")[-2:]] == ["drill", "drill"]


def test_a_way_back_that_does_not_work_is_found_out(rehearsing: RolloutWorld) -> None:
    """That is what it is for; users have the version that served."""
    rehearsing.target.broken.add("1.0.0")
    drill(rehearsing)
    rehearsing.settle()
    assert status(rehearsing) is RunStatus.UNDONE
    failed = told(rehearsing, "DrillFailed")
    assert failed["seconds"] is None
    assert "the way to quotes 1.0.0 is rolled back" in failed["reason"]
    assert rehearsing.serving() == {"1.1.0": 1.0}


def test_deployments_wait_for_its_end_and_ways_back_do_not(rehearsing: RolloutWorld) -> None:
    drill(rehearsing)
    until_back(rehearsing)
    with pytest.raises(RefusedError, match=r"busy|drill is under way"):
        rehearsing.deploy("1.3.0")
    waits = rehearsing.deploy("1.3.0", concurrency=Concurrency.QUEUE)
    assert waits.status is RolloutStatus.QUEUED
    rehearsing.settle()
    assert told(rehearsing, "DrillFinished")
    assert rehearsing.now(waits).status is RolloutStatus.PROMOTED
    assert rehearsing.now(waits).stable_version == "1.1.0"


def test_where_somebody_goes_on_meanwhile_it_is_left_to_them(rehearsing: RolloutWorld) -> None:
    """A person's abort ends it on the way, too."""
    drill(rehearsing)
    engine = rehearsing.engine()
    back: Rollout | None = None
    for _ in range(50):
        engine.sweep()
        with rehearsing.world.store.begin() as tx:
            back = open_rollout_of(tx, PLACE)
        if back is not None:
            break
        rehearsing.world.clock.sleep(0.1)
    assert back is not None
    assert back.purpose is RolloutPurpose.DRILL
    rehearsing.say(back, "abort")
    rehearsing.settle()
    assert "abort by ann" in told(rehearsing, "DrillFailed")["reason"]
    assert rehearsing.serving() == {"1.1.0": 1.0}


def test_it_begins_only_where_all_is_quiet(rehearsing: RolloutWorld) -> None:
    drill(rehearsing)
    with pytest.raises(RefusedError, match="a drill is under way"):
        drill(rehearsing)
    with pytest.raises(RefusedError, match="a drill is under way"):
        rehearsing.take_down()
    rehearsing.settle()
    rehearsing.deploy("1.3.0")
    with pytest.raises(RefusedError, match="is being rolled out to"):
        drill(rehearsing)


def test_a_step_that_is_called_again_begins_nothing_twice(rehearsing: RolloutWorld) -> None:
    """Whoever had called it died before anybody was told what came of it."""
    drill(rehearsing)
    engine = rehearsing.engine()
    with rehearsing.world.store.begin() as tx:
        (run,) = runs_of(tx, f"drill:{PLACE}")
    made = partial(StepContext, run.id, run.subject, "key", run.revision, run.input, {}, None, ())
    now_us = engine.clock.now_us()
    context = made(recovering=False, now_us=now_us, started_us=now_us, reason="", ends_us=now_us)
    steps = DrillSteps(rehearsing.world.store, lambda: engine)
    for _ in range(2):
        assert isinstance(steps.back(context), Again)
    rehearsing.settle()
    assert isinstance(steps.back(context), Done)
    assert [one.version for one in rehearsing.deployments()] == ["1.0.0", "1.1.0", "1.0.0", "1.1.0"]
