"""The owner's loop over real DBOS: what is due is done soon, once, and by whoever may do it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shipline.domain.errors import UnavailableError
from shipline.domain.ids import make_id
from shipline.engine import journal
from shipline.engine.dbos_scheduler import DBOSScheduler
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.lease import Lease
from shipline.engine.peers import Peers
from shipline.engine.rules import RunStatus
from shipline.engine.runner import Runner, batches
from shipline.engine.workflow import (
    NO_UNDO,
    Again,
    Done,
    OnFailure,
    Outcome,
    Recovery,
    Step,
    StepContext,
    Workflow,
)
from shipline.store.database import Store
from shipline.store.transaction import Transaction
from tests.children import await_that

HOUR_S = 3600.0


class ShiftedClock:
    """Time as the machine has it, `shift_s` seconds off."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def now_us(self) -> int:
        return time.time_ns() // 1000 + int(self.shift_s * 1_000_000)

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class RandomIds:
    def new(self, prefix: str) -> str:
        return make_id(prefix, time_us=time.time_ns() // 1000, randomness=secrets.token_bytes(10))


def step(name: str) -> Step:
    return Step(name=name, title=f"Do {name}", recovery=Recovery.REPEAT, undo=NO_UNDO, timeout_s=100_000)


WORKFLOW = Workflow("paint", (step("sand"), step("dry"), step("coat")), OnFailure.STOP)


@dataclass
class House:
    """What the actions did, in order: (run, step). `dry_s` is how long one waits before the coat."""

    done: list[tuple[str, str]] = field(default_factory=list)
    dry_s: float = 0.05
    saves: list[Callable[[Transaction], None]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    # The only run that waits at the gate; "": all do.
    hangs: str = ""

    def catalogue(self) -> Catalogue:
        self.gate.set()
        actions = {"paint.sand": self.act, "paint.dry": self.dry, "paint.coat": self.act}
        return Catalogue({"paint": WORKFLOW}, actions)

    def act(self, context: StepContext) -> Outcome:
        self.done.append((context.run_id, context.key.rsplit(":", 1)[1]))
        if self.hangs in ("", context.run_id):
            self.gate.wait(30)
        return Done(save=self.saves.pop()) if self.saves else Done()

    def dry(self, context: StepContext) -> Outcome:
        return Done() if context.memory is not None else Again(self.dry_s, {"wet": True}, "the wall to dry")


@dataclass
class Site:
    """One process's engine and its runner."""

    engine: Engine
    runner: Runner
    house: House
    clock: ShiftedClock

    def start_run(self) -> str:
        with self.engine.store.begin() as tx:
            return self.engine.start(tx, "paint", subject="wall", given={})

    def run(self, run_id: str) -> journal.Run:
        with self.engine.store.begin() as tx:
            found = journal.load_run(tx, run_id)
        assert found is not None
        return found

    def is_done(self, *run_ids: str) -> bool:
        return all(self.run(run_id).state.status is RunStatus.DONE for run_id in run_ids)


def new_site(store: Store, *, node: str = "node-1", chores: tuple[Callable[[], None], ...] = ()) -> Site:
    house, clock = House(), ShiftedClock()
    engine = Engine(store, house.catalogue(), clock, RandomIds(), node_id=node)
    engine.peers = Peers(expires_s=1.0)
    runner = Runner(engine, DBOSScheduler(store, node_id=node), Lease(store.path), chores)
    return Site(engine, runner, house, clock)


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    made = new_site(store)
    yield made
    made.runner.stop()


def test_runs_are_carried_out_while_the_runner_runs(site: Site) -> None:
    early = site.start_run()
    assert site.runner.start()
    late = site.start_run()
    await_that("both runs done", lambda: site.is_done(early, late))
    assert sorted(site.house.done) == sorted((run, name) for run in (early, late) for name in ("sand", "coat"))


def test_a_runner_stops_between_steps_and_goes_on_when_it_is_started_again(site: Site) -> None:
    before = set(threading.enumerate())
    run = site.start_run()
    site.house.gate.clear()
    site.runner.start()
    await_that("the first step under way", lambda: site.house.done)
    stopping = threading.Thread(target=site.runner.stop)
    stopping.start()
    site.house.gate.set()
    stopping.join()
    site.runner.stop()
    assert set(threading.enumerate()) <= before
    assert site.run(run).holder is None
    assert site.house.done == [(run, "sand")]
    site.runner.start()
    await_that("the run done", lambda: site.is_done(run))
    assert site.house.done == [(run, "sand"), (run, "coat")]


def test_a_tick_that_raises_is_tried_again(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_tx: Transaction) -> None:
        raise UnavailableError("a hiccup of the database")

    site.house.saves = [fail]
    run = site.start_run()
    site.runner.start()
    await_that("the run done", lambda: site.is_done(run))
    assert [name for _, name in site.house.done] == ["sand", "sand", "coat"]
    assert "a hiccup of the database" in caplog.text


def test_a_chore_that_raises_keeps_nothing_from_going_on(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    called: list[str] = []

    def fail() -> None:
        raise ValueError("a bug in a chore")

    site = new_site(store, chores=(fail, lambda: called.append("second")))
    run = site.start_run()
    site.runner.start()
    await_that("the run done", lambda: site.is_done(run))
    site.runner.stop()
    assert called
    assert "a bug in a chore" in caplog.text


def test_a_failed_start_gives_the_lease_back(store: Store, tmp_path: Path) -> None:
    """Goal: another process can own the engine. Method: another scheduler of this process keeps DBOS from starting."""
    first = DBOSScheduler(store, node_id="node-1")
    first.start(print)
    lease = Lease(tmp_path / "any.db")
    engine = new_site(store).engine
    with pytest.raises(RuntimeError, match="another scheduler"):
        Runner(engine, DBOSScheduler(store, node_id="node-2"), lease, ()).start()
    first.stop()
    assert Lease(tmp_path / "any.db").acquire()


def test_due_runs_are_not_handed_over_again_and_again_while_all_workers_are_busy(site: Site) -> None:
    """Goal: a backlog does not grow by waiting. Method: rounds while steps hang, then look at what DBOS was given.

    A run whose step hangs for longer than AGAIN_S may be in the queue once more, as its tick may have died.
    """
    rounds: list[None] = []
    site.runner.chores = (lambda: rounds.append(None),)
    site.house.gate.clear()
    runs = [site.start_run() for _ in range(20)]
    site.runner.start()
    await_that("eight workers at work", lambda: len(site.house.done) == 8)
    seen = len(rounds)
    await_that("five rounds more", lambda: len(rounds) > seen + 5)
    queued = site.runner.scheduler.queued()
    assert set(queued) >= set(runs) - {run for run, _ in site.house.done}
    assert len(queued) == len(set(queued))
    site.house.gate.set()
    await_that("all runs done", lambda: site.is_done(*runs))
    assert len(site.house.done) == 40


def test_a_clock_that_jumps_ahead_ends_waits_early_and_does_nothing_twice(site: Site) -> None:
    site.house.dry_s = HOUR_S
    run = site.start_run()
    site.runner.start()
    await_that("the wait", lambda: site.run(run).state.waiting_for)
    site.clock.shift_s = HOUR_S
    await_that("the run done", lambda: site.is_done(run))
    assert [name for _, name in site.house.done] == ["sand", "coat"]


def test_a_clock_that_jumps_back_loses_no_run_and_does_nothing_twice(site: Site) -> None:
    """Nobody waits for the hour to come again: what is waited for is looked at anew."""
    site.house.dry_s = 2.0
    waiting = site.start_run()
    site.runner.start()
    await_that("the wait", lambda: site.run(waiting).state.waiting_for)
    site.clock.shift_s = -HOUR_S
    site.house.dry_s = 0.0
    started = site.start_run()
    await_that("the run started after the jump", lambda: site.is_done(started))
    await_that("the run that waited", lambda: site.is_done(waiting))
    assert sorted(site.house.done) == sorted((run, name) for run in (waiting, started) for name in ("sand", "coat"))


def test_runs_that_are_long_overdue_go_on_once(site: Site) -> None:
    site.clock.shift_s = -240 * HOUR_S
    runs = [site.start_run() for _ in range(30)]
    site.clock.shift_s = 0.0
    site.runner.start()
    await_that("all runs done", lambda: site.is_done(*runs))
    assert sorted(site.house.done) == sorted((run, name) for run in runs for name in ("sand", "coat"))


@pytest.mark.parametrize(
    ("runs", "waiting", "rows", "longest"),
    [(0, 0, 0, 0), (1, 0, 1, 1), (31, 0, 31, 1), (32, 0, 16, 2), (100, 0, 17, 6), (1000, 0, 50, 20), (9, 55, 3, 4)],
)
def test_only_a_backlog_is_ticked_in_rows(runs: int, waiting: int, rows: int, longest: int) -> None:
    ids = tuple(f"run_{number}" for number in range(runs))
    found = batches(ids, waiting=waiting)
    assert len(found) == rows
    assert max(map(len, found), default=0) == longest
    assert tuple(run_id for row in found for run_id in row) == ids


def test_a_step_that_hangs_holds_up_those_behind_it_in_its_row_for_seconds_only(site: Site) -> None:
    """Goal: one platform that hangs stops no other rollout. Method: a backlog, and a step of one of it that hangs."""
    runs = [site.start_run() for _ in range(100)]
    site.house.hangs = runs[0]
    site.house.gate.clear()
    site.runner.start()
    await_that("all the others done", lambda: site.is_done(*runs[1:]))
    assert not site.is_done(runs[0])
    site.house.gate.set()
    await_that("the run that hung", lambda: site.is_done(runs[0]))
    assert sorted(site.house.done) == sorted((run, name) for run in runs for name in ("sand", "coat"))


def test_two_that_sweep_at_once_do_nothing_twice(postgresql: Any) -> None:
    name = postgresql.create_database()
    store = Store(postgresql.url(name)).open()
    sites = [new_site(store, node=f"node-{number}") for number in range(2)]
    runs = [sites[0].start_run() for _ in range(20)]
    for each in sites:
        each.house.dry_s = 0.0

    def sweep(engine: Engine) -> None:
        while not sites[0].is_done(*runs):
            engine.sweep()

    threads = [threading.Thread(target=sweep, args=(each.engine,)) for each in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = sites[0].house.done + sites[1].house.done
    assert sorted(both) == sorted((run, name) for run in runs for name in ("sand", "coat"))
    assert all(each.house.done for each in sites), "both had their share"
    store.close()
    postgresql.drop_database(name)


def test_a_node_whose_clock_is_an_hour_off_takes_over_nothing_from_one_that_lives(postgresql: Any) -> None:
    name = postgresql.create_database()
    store = Store(postgresql.url(name)).open()
    worker, skewed = new_site(store, node="node-1"), new_site(store, node="node-2")
    skewed.clock.shift_s = HOUR_S
    run = worker.start_run()
    worker.house.gate.clear()
    ticking = threading.Thread(target=worker.engine.sweep)
    ticking.start()
    await_that("the step under way", lambda: worker.run(run).holder == "node-1")
    worker.engine.due()
    assert skewed.engine.due() == ()
    assert skewed.engine.dead() == ()
    worker.house.gate.set()
    ticking.join()
    store.close()
    postgresql.drop_database(name)
