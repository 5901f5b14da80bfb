"""A fencing number for an effect outside of any run: below whatever the runs do next, and above what they did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.engine import journal
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.workflow import NO_UNDO, Again, Done, OnFailure, Outcome, Recovery, Step, StepContext, Workflow
from shipline.testing.world import World

LIFT, FALL = "lift", "fall"


class Shaft:
    """What the runs act on: the newest number that it has seen. `waits` is how often the action waits."""

    def __init__(self, waits: int = 0) -> None:
        self.seen: list[int] = []
        self.waits = waits

    def act(self, context: StepContext) -> Outcome:
        self.seen.append(context.revision)
        if len(self.seen) <= self.waits:
            return Again(10.0, {}, "the doors")
        return Done()


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> World:
    return World(2, tmp_path, url=sqlite_url)


def engine_of(world: World, shaft: Shaft) -> Engine:
    step = Step("act", "Act", Recovery.REPEAT, NO_UNDO, 60)
    workflows = {
        name: Workflow(name, (step,), OnFailure.STOP, beside=beside)
        for name, beside in ((LIFT, (FALL,)), (FALL, (LIFT,)))
    }
    return world.engine(Catalogue(workflows, {f"{name}.act": shaft.act for name in workflows}))


def lent(world: World) -> int | None:
    with world.store.begin() as tx:
        return journal.lend_revision(tx, (LIFT, FALL))


def begun(world: World, engine: Engine, workflow: str) -> str:
    with world.store.begin() as tx:
        return engine.start(tx, workflow, subject=workflow, given={}, exclusive_key="shaft")


def test_where_nothing_ever_ran_there_is_no_number(world: World) -> None:
    assert lent(world) is None


def test_it_is_above_what_was_done_and_below_what_comes(world: World) -> None:
    """Whichever of the workflows comes next, and however often a number is lent, or the clock set back."""
    shaft = Shaft()
    engine = engine_of(world, shaft)
    for workflow in (LIFT, FALL, LIFT):
        begun(world, engine, workflow)
        world.run_until_quiet(engine)
        for _ in range(3):
            number = lent(world)
            assert number is not None
            shaft.seen.append(number)
        world.clock.jump_to(world.clock.now_us() - 60_000_000)
    assert shaft.seen == sorted(set(shaft.seen))
    assert len(shaft.seen) == 12


def test_between_two_looks_of_a_run_its_next_tick_is_above_the_lent_number(world: World) -> None:
    """And the run goes on as if nothing had been."""
    shaft = Shaft(waits=1)
    engine = engine_of(world, shaft)
    run_id = begun(world, engine, LIFT)
    engine.sweep()
    number = lent(world)
    assert number is not None
    world.run_until_quiet(engine)
    first, second = shaft.seen
    assert first < number < second
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    assert run.state.status.value == "done"


def test_while_a_step_is_under_way_nothing_is_lent(world: World) -> None:
    """The step acts with the newest number, and its outcome must not be lost."""
    engine = engine_of(world, Shaft())
    run_id = begun(world, engine, LIFT)
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id, lock=True)
        assert run is not None
        journal.save_run(tx, replace(run, holder=engine.node_id))
    assert lent(world) is None
