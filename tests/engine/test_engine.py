"""The engine: what a run does, whatever happens to the process that runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from shipline.domain.codec import to_json
from shipline.domain.errors import IllegalTransition, RefusedError, ShiplineError, UnavailableError
from shipline.engine import journal
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import (
    NO_UNDO,
    Action,
    Again,
    Done,
    Failed,
    OnFailure,
    Outcome,
    Recovery,
    Step,
    StepContext,
    Workflow,
)
from shipline.store.tables import run as run_table
from shipline.store.transaction import Transaction
from shipline.testing.crossroads import Crossroads
from shipline.testing.kills import Countdown, Killed, Mortal, MortalStore
from shipline.testing.world import World


@dataclass
class Ledger:
    """The outside world of these tests: it keeps what was done, keyed, and when it went wrong."""

    done: list[str] = field(default_factory=list)
    trouble: dict[str, list[Exception | Failed]] = field(default_factory=dict)

    def write(self, key: str) -> None:
        if self.trouble.get(key):
            problem = self.trouble[key].pop(0)
            if isinstance(problem, Exception):
                raise problem
        if key not in self.done:
            self.done.append(key)


def step(name: str, **changes: Any) -> Step:
    usual: dict[str, Any] = {"recovery": Recovery.REPEAT, "undo": f"un-{name}", "timeout_s": 60}
    return Step(name=name, title=f"Do {name}", **(usual | changes))


def catalogue(ledger: Any, workflow: Workflow) -> Catalogue:
    def act(context: StepContext) -> Outcome:
        name = context.key.rsplit(":", 1)[1]
        ledger.write(name)
        return Done({"name": name})

    def watch(context: StepContext) -> Outcome:
        seen = (context.memory or {"seen": 0})["seen"] + 1
        if any(signal.kind == "enough" for signal in context.signals):
            return Done({"seen": seen})
        return Done({"seen": seen}) if seen == 3 else Again(10, {"seen": seen}, f"look {seen} of 3")

    actions = {f"{workflow.name}.{name}": act for name in workflow.actions()}
    actions |= {key: watch for key in actions if key.endswith(".watch")}
    return Catalogue({workflow.name: workflow}, actions)


WORKFLOW = Workflow(
    "paint",
    (step("sand"), step("watch", undo=NO_UNDO, listens=("enough",)), step("coat"), step("polish")),
    OnFailure.UNDO,
    closing=(step("sweep", undo=NO_UNDO),),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(1, tmp_path)
    yield made
    made.close()


def start(engine: Engine, key: str | None = None) -> str:
    with engine.store.begin() as tx:
        return engine.start(tx, "paint", subject="wall", given={"colour": "blue"}, exclusive_key=key)


def status_of(world: World, run_id: str) -> RunStatus:
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    return run.state.status


def test_steps_run_in_order_and_results_are_kept(world: World) -> None:
    ledger = Ledger()
    engine = world.engine(catalogue(ledger, WORKFLOW))
    run_id = start(engine)
    world.run_until_quiet(engine)
    assert ledger.done == ["sand", "coat", "polish", "sweep"]
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    assert run.state.status is RunStatus.DONE
    assert run.state.results["watch"] == {"seen": 3}
    assert run.wake_us is None
    with world.store.begin() as tx:
        entries = journal.journal_of(tx, run_id)
        assert journal.journal_of(tx, run_id, after_revision=entries[1].revision) == entries[2:]


class Planner:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def enqueue(self, _tx: Transaction, _run_ids: tuple[str, ...], *, key: str) -> None:
        self.keys.append(key)


@pytest.mark.parametrize(("steps", "handed_on"), [(3, 0), (60, 1)])
def test_a_run_that_is_due_at_once_goes_on_up_to_a_limit(world: World, steps: int, handed_on: int) -> None:
    """It ends without being handed on, or is handed on before others have waited long for it."""
    many = Workflow("paint", tuple(step(f"coat-{number}") for number in range(steps)), OnFailure.UNDO)
    engine = world.engine(catalogue(Ledger(), many))
    run_id = start(engine)
    engine.planner = planner = Planner()
    engine.advance(run_id)
    assert len(planner.keys) == handed_on
    assert status_of(world, run_id) is (RunStatus.ACTIVE if handed_on else RunStatus.DONE)
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE


def test_a_run_that_waits_is_left_to_its_time(world: World) -> None:
    """Nobody is told of it: the owner's loop finds it when it is due."""
    engine = world.engine(catalogue(Ledger(), WORKFLOW))
    run_id = start(engine)
    engine.planner = planner = Planner()
    engine.advance(run_id)
    assert planner.keys == []
    with world.store.begin() as tx:
        assert journal.next_wake_us(tx) == world.clock.now_us() + 10_000_000


def test_a_failed_step_is_undone_last_first_and_closing_steps_run(world: World) -> None:
    ledger = Ledger(trouble={"polish": [RefusedError("no polish left")]})
    engine = world.engine(catalogue(ledger, WORKFLOW))
    run_id = start(engine)
    world.run_until_quiet(engine)
    assert ledger.done == ["sand", "coat", "un-polish", "un-coat", "un-sand", "sweep"]
    assert status_of(world, run_id) is RunStatus.UNDONE


def test_retryable_trouble_is_tried_again_up_to_the_limit(world: World) -> None:
    ledger = Ledger(trouble={"coat": [UnavailableError("wet")] * 4})
    engine = world.engine(catalogue(ledger, WORKFLOW))
    run_id = start(engine)
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE
    ledger.trouble["coat"] = [UnavailableError("wet")] * 5
    world.run_until_quiet(engine)
    again = start(engine)
    ledger.done.clear()
    world.run_until_quiet(engine)
    assert status_of(world, again) is RunStatus.UNDONE


def test_a_stopped_run_goes_on_from_the_failed_step_when_told_to_retry(world: World) -> None:
    stopping = Workflow("paint", WORKFLOW.steps, OnFailure.STOP)
    ledger = Ledger(trouble={"coat": [RefusedError("no paint")]})
    engine = world.engine(catalogue(ledger, stopping))
    run_id = start(engine)
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.STOPPED
    with world.store.begin() as tx:
        engine.send(tx, run_id, "retry", {})
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE
    assert ledger.done == ["sand", "coat", "polish"]


def test_a_wait_that_exceeds_its_limit_fails_and_says_what_it_waited_for(world: World) -> None:
    short = Workflow("paint", (step("sand"), step("watch", undo=NO_UNDO, timeout_s=5)), OnFailure.STOP)
    engine = world.engine(catalogue(Ledger(), short))
    run_id = start(engine)
    world.run_until_quiet(engine)
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    assert run.state.status is RunStatus.STOPPED
    assert "look 2 of 3" in run.state.reason


def test_an_interrupted_step_that_asks_waits_for_a_person(world: World) -> None:
    asking = Workflow("paint", (step("sand", recovery=Recovery.ASK), step("coat")), OnFailure.STOP)
    ledger = Ledger()
    countdown = Countdown(2)
    mortal = Mortal(ledger, countdown, name="ledger", effects=("write",))
    engine = world.engine(catalogue(mortal, asking))
    run_id = start(engine)
    with pytest.raises(Killed):
        world.run_until_quiet(engine)
    engine = world.engine(catalogue(ledger, asking))
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.ASKING
    with world.store.begin() as tx:
        engine.send(tx, run_id, "skip", {})
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE


def test_an_abort_during_a_wait_turns_the_run_back_at_once(world: World) -> None:
    ledger = Ledger()
    engine = world.engine(catalogue(ledger, WORKFLOW))
    run_id = start(engine)
    for _ in range(3):
        engine.sweep()
    with world.store.begin() as tx:
        engine.send(tx, run_id, "abort", {"reason": "wrong wall"})
    began_us = world.clock.now_us()
    world.run_until_quiet(engine)
    assert ledger.done == ["sand", "un-sand", "sweep"]
    assert world.clock.now_us() == began_us


def test_signals_reach_the_step_that_listens_even_when_sent_early(world: World) -> None:
    engine = world.engine(catalogue(Ledger(), WORKFLOW))
    run_id = start(engine)
    with world.store.begin() as tx:
        engine.send(tx, run_id, "enough", {})
    world.run_until_quiet(engine)
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    assert run.state.results["watch"] == {"seen": 1}


def test_one_run_at_a_time_holds_an_exclusive_key(world: World) -> None:
    engine = world.engine(catalogue(Ledger(), WORKFLOW))
    start(engine, "wall")
    with pytest.raises(RefusedError, match="busy"):
        start(engine, "wall")
    world.run_until_quiet(engine)
    start(engine, "wall")


def test_a_late_outcome_of_a_process_that_was_given_up_is_dropped(world: World) -> None:
    """Goal: a zombie changes nothing. Method: a second engine takes over while the first is inside its action."""
    ledger = Ledger()
    rescuer = world.engine(catalogue(ledger, WORKFLOW))
    zombie_catalogue = catalogue(ledger, WORKFLOW)

    def slow(context: StepContext) -> Outcome:
        world.run_until_quiet(rescuer)
        return Failed(f"too late to matter to {context.subject}")

    actions: dict[str, Action] = dict(zombie_catalogue.actions)
    actions["paint.sand"] = slow
    zombie = world.engine(Catalogue(zombie_catalogue.workflows, actions))
    run_id = start(zombie)
    zombie.sweep()
    assert status_of(world, run_id) is RunStatus.DONE
    assert ledger.done == ["sand", "coat", "polish", "sweep"]


def test_an_outcome_that_cannot_be_written_down_fails_the_step_once(world: World) -> None:
    """Goal: no step is called for ever because of what it would write. Method: rows that refuse, results that are no
    JSON."""

    def refuse(_tx: Transaction) -> None:
        raise IllegalTransition("wall", "dry", "wet")

    for outcome, words in (
        (Done(save=refuse), "a wall cannot go from dry to wet"),
        (Done({"seen": {1, 2}}), "unexpected TypeError"),
    ):
        calls: list[str] = []

        def sand(context: StepContext, outcome: Outcome = outcome, calls: list[str] = calls) -> Outcome:
            calls.append(context.key)
            return outcome

        usual = catalogue(Ledger(), Workflow("paint", WORKFLOW.steps, OnFailure.STOP))
        engine = world.engine(Catalogue(usual.workflows, dict(usual.actions) | {"paint.sand": sand}))
        run_id = start(engine)
        world.run_until_quiet(engine)
        with world.store.begin() as tx:
            run = journal.load_run(tx, run_id)
        assert run is not None
        assert run.state.status is RunStatus.STOPPED
        assert words in run.state.reason
        assert len(calls) == 1


def test_what_is_said_while_a_step_is_under_way_does_not_wait_for_its_next_poll(world: World) -> None:
    usual = catalogue(Ledger(), WORKFLOW)
    looks = []

    def watch(context: StepContext) -> Outcome:
        looks.append(world.clock.now_us())
        if context.signals:
            return Done()
        with world.store.begin() as tx:
            engine.send(tx, context.run_id, "enough", {})
        return Again(3600, {}, "somebody to say that it is enough")

    engine = world.engine(Catalogue(usual.workflows, dict(usual.actions) | {"paint.watch": watch}))
    run_id = start(engine)
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE
    assert looks[0] == looks[1]


def test_a_run_whose_workflow_is_gone_says_so_and_goes_on_when_it_is_back(world: World) -> None:
    ledger = Ledger()
    engine = world.engine(catalogue(ledger, WORKFLOW))
    run_id = start(engine)
    known, engine.catalogue = engine.catalogue, Catalogue({}, {})
    with pytest.raises(ShiplineError, match="wall cannot go on: there is no workflow 'paint' any more"):
        engine.tick(run_id)
    engine.catalogue = known
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE


def test_a_step_that_is_under_way_when_the_catalogue_changes_ends_by_its_own(world: World) -> None:
    ledger = Ledger()
    usual = catalogue(ledger, WORKFLOW)

    def sand(_context: StepContext) -> Outcome:
        engine.catalogue = Catalogue({}, {})
        return Done()

    engine = world.engine(Catalogue(usual.workflows, dict(usual.actions) | {"paint.sand": sand}))
    run_id = start(engine)
    engine.tick(run_id)
    engine.catalogue = usual
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.DONE
    assert ledger.done == ["coat", "polish", "sweep"]


def test_a_skipped_undo_keeps_the_reason_for_the_way_back(world: World) -> None:
    """What comes after it on the way back is told that it is one, and why."""
    asking = (step("sand"), step("coat", recovery=Recovery.ASK), step("polish"))
    workflow = Workflow("paint", asking, OnFailure.UNDO)
    ledger = Ledger(trouble={"polish": [RefusedError("no polish left")]})
    countdown = Countdown(8)  # Before un-coat.
    mortal = Mortal(ledger, countdown, name="ledger", effects=("write",))
    engine = world.engine(catalogue(mortal, workflow))
    run_id = start(engine)
    with pytest.raises(Killed):
        world.run_until_quiet(engine)
    engine = world.engine(catalogue(ledger, workflow))
    world.run_until_quiet(engine)
    assert status_of(world, run_id) is RunStatus.ASKING
    with world.store.begin() as tx:
        engine.send(tx, run_id, "skip", {})
    world.run_until_quiet(engine)
    with world.store.begin() as tx:
        run = journal.load_run(tx, run_id)
    assert run is not None
    assert run.state.status is RunStatus.UNDONE
    assert run.state.reason


@pytest.mark.parametrize("trouble", [False, True])
def test_killed_at_any_point_the_outcome_is_the_same(tmp_path: Path, *, trouble: bool) -> None:
    """One whole run in a world whose first process dies at any point; a second process ends it."""
    (tmp_path / "world").mkdir()
    world = World(7, tmp_path / "world")
    refusals: list[Exception | Failed] = [RefusedError("no polish left")]
    ledger = Ledger(trouble={"polish": [*refusals]} if trouble else {})

    def afterwards() -> tuple[list[str], RunStatus]:
        if trouble:
            ledger.trouble = {"polish": [*refusals]}
        world.run_until_quiet(world.engine(catalogue(ledger, WORKFLOW)))
        return ledger.done, status_of(world, run_id)

    memory = (world, ledger)
    crossroads = Crossroads(
        tmp_path / "world", world.store, memory, afterwards=afterwards, chosen=lambda _number, _name: True
    )
    mortal = catalogue(Mortal(ledger, crossroads, name="ledger", effects=("write",)), WORKFLOW)
    run_id = start(world.engine(mortal))
    world.run_until_quiet(world.engine(mortal, MortalStore(world.store, crossroads)))
    expected = ledger.done, status_of(world, run_id)
    world.close()
    for number, outcome in crossroads.ways.items():
        assert outcome == expected, f"killed at {crossroads.passed[number - 1]} ({number})"
    assert len(crossroads.ways) == len(crossroads.passed)


def test_what_an_older_version_has_stored_goes_on_after_the_upgrade(world: World) -> None:
    """Goal: schema 1 is read, schema 2 written. Method: a row as version 1 left it, of a workflow that it had."""
    withdrawal = Workflow("withdrawal", (step("ask"), step("withdraw")), OnFailure.STOP)
    ledger = Ledger()
    engine = world.engine(catalogue(ledger, withdrawal))
    with world.store.begin() as tx:
        run_id = engine.start(tx, "withdrawal", subject="wall", given={})
        run = journal.load_run(tx, run_id)
        assert run is not None
        old = {**to_json(run.state), "schema": 1, "index": 0}
        del old["step"]
        tx.connection.execute(update(run_table).where(run_table.c.id == run_id).values(state=json.dumps(old)))
    world.run_until_quiet(engine)
    assert ledger.done == ["withdraw"]
    with world.store.begin() as tx:
        stored = json.loads(str(tx.connection.scalar(select(run_table.c.state).where(run_table.c.id == run_id))))
    assert (stored["schema"], stored["status"]) == (2, "done")


@pytest.mark.parametrize("restarts", [True, False])
def test_where_the_clock_was_set_back_waits_are_looked_at_anew(world: World, *, restarts: bool) -> None:
    """A canary must not go unwatched for the hour that comes twice; also where the machine was restarted meanwhile."""
    engine = world.engine(catalogue(Ledger(), WORKFLOW))
    run_id = start(engine)
    for _ in range(3):
        engine.sweep()
    with world.store.begin() as tx:
        waiting = journal.load_run(tx, run_id)
    assert waiting is not None
    assert waiting.state.waiting_for == "look 1 of 3"
    world.clock.jump_to(world.clock.now_us() - 3_600_000_000)
    (world.engine(catalogue(Ledger(), WORKFLOW)) if restarts else engine).sweep()
    with world.store.begin() as tx:
        looked = journal.load_run(tx, run_id)
    assert looked is not None
    assert looked.state.waiting_for == "look 2 of 3"
