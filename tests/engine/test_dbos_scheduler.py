"""DBOS as we use it: the contract that the scheduler stands on, private parts included, on both databases."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from dbos import DBOS
from sqlalchemy import text

from shipline.domain.errors import RefusedError
from shipline.engine.dbos_scheduler import POOL_PREFIX, DBOSScheduler
from shipline.store.database import Store
from tests.children import await_that

DAY_US = 86_400_000_000
FAR_US = 4_000_000_000_000_000


class Seen:
    """A tick that remembers the runs it was called for, and does what it is told on the way."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.trouble: list[BaseException] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[str] = set()

    def had(self, calls: int) -> bool:
        return len(self.runs) == calls

    def __call__(self, run_id: str) -> None:
        self.runs.append(run_id)
        self.threads.add(threading.current_thread().name)
        self.gate.wait(30)
        if self.trouble:
            raise self.trouble.pop()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def scheduler(store: Store, seen: Seen) -> Iterator[DBOSScheduler]:
    made = DBOSScheduler(store, node_id="node-1")
    made.start(seen)
    yield made
    seen.gate.set()
    made.stop()


def plan(scheduler: DBOSScheduler, *keys: str) -> None:
    with scheduler.store.begin() as tx:
        for key in keys:
            run_id, _, rest = key.partition(":")
            scheduler.enqueue(tx, (run_id,), key=rest)


def statuses(store: Store) -> list[str]:
    table = "workflow_status" if store.is_sqlite else "dbos.workflow_status"
    with store.begin() as tx:
        return list(tx.connection.scalars(text(f"SELECT status FROM {table} ORDER BY created_at")))  # noqa: S608 - one of two names above


def test_a_planned_tick_is_called_once_for_each_key(scheduler: DBOSScheduler, seen: Seen) -> None:
    plan(scheduler, "run_a:1", "run_b:1")
    plan(scheduler, "run_a:1", "run_a:2")
    await_that("three ticks", lambda: len(seen.runs) == 3)
    assert sorted(seen.runs) == ["run_a", "run_a", "run_b"]


def test_a_tick_of_a_transaction_that_rolled_back_is_not_called(scheduler: DBOSScheduler, seen: Seen) -> None:
    def plan_and_fail() -> None:
        with scheduler.store.begin() as tx:
            scheduler.enqueue(tx, ("run_a",), key="1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        plan_and_fail()
    plan(scheduler, "run_b:1")
    await_that("a tick", lambda: seen.runs)
    assert seen.runs == ["run_b"]


def test_runs_planned_together_are_ticked_in_a_row_whatever_one_of_them_raises(
    scheduler: DBOSScheduler, seen: Seen
) -> None:
    seen.trouble = [ValueError("a bug in the first")]
    with scheduler.store.begin() as tx:
        scheduler.enqueue(tx, ("run_a", "run_b", "run_c"), key="1")
    await_that("three ticks", lambda: len(seen.runs) == 3)
    assert seen.runs == ["run_a", "run_b", "run_c"]
    await_that("one row of DBOS for all", lambda: statuses(scheduler.store) == ["SUCCESS"])


def test_stop_begins_none_of_the_runs_that_are_left_of_a_row(store: Store, seen: Seen) -> None:
    scheduler = DBOSScheduler(store, node_id="node-1")
    scheduler.start(seen)
    seen.gate.clear()
    with store.begin() as tx:
        scheduler.enqueue(tx, ("run_a", "run_b"), key="1")
    await_that("a tick", lambda: seen.runs)
    stopping = threading.Thread(target=scheduler.stop)
    stopping.start()
    stopping.join(0.2)
    seen.gate.set()
    stopping.join()
    assert seen.runs == ["run_a"]


@pytest.mark.parametrize("trouble", [ValueError("a bug"), RefusedError("no paint left")])
def test_a_tick_that_raises_is_logged_and_poisons_nothing(
    scheduler: DBOSScheduler, seen: Seen, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    seen.trouble = [trouble]
    plan(scheduler, "run_a:1")
    await_that("a tick", lambda: seen.runs)
    plan(scheduler, "run_a:2")
    await_that("two ticks that ended", lambda: statuses(scheduler.store) == ["SUCCESS"] * 2)
    assert [record.name for record in caplog.records if record.levelno >= logging.WARNING] == [
        "shipline.engine.dbos_scheduler"
    ]
    assert "run_a" in caplog.text


def test_stop_finishes_the_ticks_under_way_and_leaves_no_thread(
    store: Store, seen: Seen, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    scheduler = DBOSScheduler(store, node_id="node-1")
    scheduler.start(seen)
    seen.gate.clear()
    plan(scheduler, "run_a:1")
    await_that("a tick", lambda: seen.runs)
    stopping = threading.Thread(target=scheduler.stop)
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive(), "a tick is under way"
    seen.gate.set()
    stopping.join()
    assert statuses(store) == ["SUCCESS"]
    assert set(threading.enumerate()) <= before
    assert capfd.readouterr() == ("", "")


def test_it_starts_again_and_again_in_one_process_and_calls_what_was_planned_meanwhile(
    store: Store, seen: Seen
) -> None:
    """What is still in the queue when it stops, the next one calls. What has just been taken out of it ends without its
    call: the run stays due, and whoever sweeps finds it."""
    before = set(threading.enumerate())
    left: list[int] = []
    for turn in range(5):
        scheduler = DBOSScheduler(store, node_id=f"node-{turn}")
        called = len(seen.runs)
        scheduler.start(seen)
        await_that("what was left in the queue", partial(seen.had, called + sum(left[-1:])))
        seen.gate.clear()
        plan(scheduler, f"run_a:{turn}")
        seen.gate.set()
        scheduler.stop()
        scheduler.stop()
        left.append(statuses(store).count("ENQUEUED"))
    assert sum(left) > 0
    assert set(threading.enumerate()) <= before


@pytest.mark.usefixtures("scheduler")
def test_a_second_scheduler_in_one_process_is_refused(tmp_path: Path) -> None:
    """DBOS itself would silently go on with the first one's database."""
    other = Store(f"sqlite:///{tmp_path / 'other.db'}").open()
    with pytest.raises(RuntimeError, match="another scheduler"):
        DBOSScheduler(other, node_id="node-2").start(print)
    other.close()


def test_it_can_start_after_a_start_that_failed(store: Store, seen: Seen, tmp_path: Path) -> None:
    closed = Store(f"sqlite:///{tmp_path / 'closed.db'}")
    with pytest.raises(RuntimeError, match="not open"):
        DBOSScheduler(closed, node_id="node-1").start(seen)
    scheduler = DBOSScheduler(store, node_id="node-1")
    scheduler.start(seen)
    scheduler.stop()


def test_the_queue_says_which_runs_wait(scheduler: DBOSScheduler, seen: Seen) -> None:
    seen.gate.clear()
    keys = [f"run_{number}:1" for number in range(12)]
    plan(scheduler, *keys)
    await_that("eight workers at work", lambda: len(seen.runs) == 8)
    assert sorted(scheduler.queued()) == sorted({key.partition(":")[0] for key in keys} - set(seen.runs))
    with scheduler.store.begin() as tx:
        scheduler.enqueue(tx, ("run_x", "run_y"), key="1")
    assert {"run_x", "run_y"} <= set(scheduler.queued())


def test_ended_ticks_are_forgotten_and_no_others(scheduler: DBOSScheduler, seen: Seen) -> None:
    plan(scheduler, "run_a:1", "run_b:1")
    await_that("two ticks that ended", lambda: statuses(scheduler.store) == ["SUCCESS"] * 2)
    seen.gate.clear()
    plan(scheduler, "run_c:1")
    await_that("a tick under way", lambda: len(seen.runs) == 3)
    assert scheduler.forget(before_us=DAY_US) == 0
    assert scheduler.forget(before_us=FAR_US) == 2
    assert statuses(scheduler.store) == ["PENDING"]


def test_contract_the_private_recovery_call_enqueues_what_a_dead_executor_had_begun(
    scheduler: DBOSScheduler, seen: Seen
) -> None:
    """DBOS._recover_pending_workflows: a list of executor ids in, a handle for each tick that is queued again out."""
    plan(scheduler, "run_a:1", "run_b:1", "run_c:1")
    await_that("three ticks that ended", lambda: statuses(scheduler.store) == ["SUCCESS"] * 3)
    table = "workflow_status" if scheduler.store.is_sqlite else "dbos.workflow_status"
    begun = f"UPDATE {table} SET status = 'PENDING', executor_id = :node WHERE workflow_uuid = :key"  # noqa: S608 - one of two names above
    with scheduler.store.begin() as tx:
        for key, node in (("run_a:1", "dead-1"), ("run_b:1", "dead-2"), ("run_c:1", "alive")):
            tx.connection.execute(text(begun), {"key": key, "node": node})
    assert [handle.get_workflow_id() for handle in DBOS._recover_pending_workflows(["dead-1"])] == ["run_a:1"]
    assert scheduler.recover(("dead-1", "dead-2")) == 1
    assert scheduler.recover(()) == 0
    await_that("two more ticks", lambda: len(seen.runs) == 5)
    assert sorted(seen.runs[3:]) == ["run_a", "run_b"]
    await_that("one is left alone", lambda: sorted(statuses(scheduler.store)) == ["PENDING", "SUCCESS", "SUCCESS"])


def test_contract_what_we_know_of_dbos_from_its_source(scheduler: DBOSScheduler, seen: Seen) -> None:
    """The pool's thread names and the stop events, which stopping cleanly needs."""
    plan(scheduler, "run_a:1")
    await_that("a tick", lambda: seen.threads)
    assert all(name.startswith(POOL_PREFIX) for name in seen.threads)
    assert scheduler._dbos is not None
    events = scheduler._dbos.background_thread_stop_events
    assert events
    assert all(isinstance(event, threading.Event) for event in events)
