"""Taking an environment down: a run like any other, which no rollout meets half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipline.capabilities.rollouts import stopped_by
from shipline.domain.errors import RefusedError
from shipline.domain.rollout import RolloutStatus
from shipline.engine.journal import Run, runs_of
from shipline.engine.rules import RunStatus
from shipline.store.log import read_latest
from shipline.testing.fakes.faults import Fault
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import PERSON, RolloutWorld


@pytest.fixture
def serving(tmp_path: Path) -> RolloutWorld:
    """Two instances of 1.0.0 serve."""
    made = RolloutWorld(World(3, tmp_path))
    made.shipped("1.0.0")
    return made


def runs(made: RolloutWorld, subject: str) -> tuple[Run, ...]:
    with made.world.store.begin() as tx:
        return runs_of(tx, subject)


def test_nothing_is_left_running_and_what_was_stopped_is_on_record(serving: RolloutWorld) -> None:
    names = serving.names()
    subject = serving.take_down()
    assert serving.alive(), "ordering does nothing by itself"
    serving.settle()
    assert (serving.alive(), serving.traffic.running) == ([], False)
    assert sorted(stopped_by(runs(serving, subject)[-1])) == names
    assert serving.shipped("1.0.0").status is RolloutStatus.PROMOTED


def test_the_log_tells_who_ordered_it_and_what_was_stopped(serving: RolloutWorld) -> None:
    names = serving.names()
    subject = serving.take_down()
    serving.settle()
    ordered, taken_down = (each.event for each in read_latest(serving.world.store, 2, subject))
    assert (ordered.kind, ordered.actor) == ("TakeDownOrdered", PERSON)
    assert (taken_down.kind, sorted(taken_down.body["instances"])) == ("EnvironmentTakenDown", names)


def test_where_nothing_runs_nothing_is_stopped(serving: RolloutWorld) -> None:
    for _ in range(2):
        subject = serving.take_down()
        serving.settle()
    assert stopped_by(runs(serving, subject)[-1]) == ()


def test_ordered_twice_it_is_done_once(serving: RolloutWorld) -> None:
    """The second may come from somebody who saw the first one die."""
    subject = serving.take_down()
    assert serving.take_down() == subject
    serving.settle()
    assert [run.state.status for run in runs(serving, subject)] == [RunStatus.DONE]


def test_it_is_refused_while_a_rollout_is_under_way(serving: RolloutWorld) -> None:
    serving.deploy("1.1.0")
    with pytest.raises(RefusedError, match="is being rolled out to"):
        serving.take_down()


def test_no_rollout_begins_while_it_is_under_way(serving: RolloutWorld) -> None:
    serving.take_down()
    with pytest.raises(RefusedError, match="is being taken down"):
        serving.deploy("1.1.0")
    serving.settle()
    assert serving.shipped("1.1.0").status is RolloutStatus.PROMOTED


def test_it_is_refused_while_instances_of_the_last_rollout_are_being_stopped(serving: RolloutWorld) -> None:
    """First while their open requests end; then, when these did not, until a person has said what is to be done."""
    old = min(serving.target.groups)
    serving.traffic.open_requests[old] = 1
    rollout = serving.deploy("1.1.0")
    engine = serving.engine()
    while serving.now(rollout).status is not RolloutStatus.PROMOTED:
        if engine.sweep() == 0:
            serving.world.clock.sleep(1.0)
    with pytest.raises(RefusedError, match="is being stopped"):
        serving.take_down()
    serving.settle()
    with pytest.raises(RefusedError, match="could not be stopped"):
        serving.take_down()
    assert old in serving.target.groups


def test_what_could_not_be_stopped_is_tried_again_by_the_same_order(serving: RolloutWorld) -> None:
    """A target that cannot be reached stops the run; nothing serves by then, and nobody else may begin."""
    serving.fake_target.fault = Fault.UNAVAILABLE
    subject = serving.take_down()
    serving.settle()
    assert [run.state.status for run in runs(serving, subject)] == [RunStatus.STOPPED]
    assert not serving.traffic.running
    serving.fake_target.fault = None
    with pytest.raises(RefusedError, match="is being taken down"):
        serving.deploy("1.1.0")
    assert serving.take_down() == subject
    serving.settle()
    assert [run.state.status for run in runs(serving, subject)] == [RunStatus.DONE]
    assert serving.alive() == []
