"""Several processes on one store, and what happens when one of them dies, freezes or loses its database."""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shipline.domain.errors import UnavailableError
from shipline.engine import journal
from shipline.engine.rules import RunStatus
from shipline.store.database import Store
from tests.children import Child, Nursery, await_that, family, fresh, run_to_the_end

CHILD = Path(__file__).with_name("child.py")
DONE = ["sand", "coat", "polish", "sweep"]
EXPIRES_S = 1.5


@dataclass
class Scene:
    """A store, a wall, and a way to start processes that paint it."""

    url: str
    folder: Path
    start_child: Callable[..., Child]
    store: Store

    @property
    def wall(self) -> Path:
        return self.folder / "wall"

    @property
    def gate(self) -> Path:
        return self.folder / "gate"

    def child(self, what: str, *more: str) -> Child:
        return self.start_child(what, "--url", self.url, "--wall", str(self.wall), "--expires-s", str(EXPIRES_S), *more)

    def run(self, **given: Any) -> str:
        """The id of a new run; only its rows are written."""
        starter = self.child("start", "--given", json.dumps(given))
        assert starter.wait() == 0, starter.errors.read_text()
        return str(starter.said()[0]["run"])

    def node(self, name: str, *more: str) -> Child:
        """A process that serves, once it runs."""
        child = self.child("serve", "--node", name, *more)
        await_that(f"{name} runs", child.said)
        return child

    def lines(self, suffix: str = "") -> list[dict[str, Any]]:
        path = self.wall.with_suffix(suffix)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def keys(self) -> list[str]:
        return [line["key"] for line in self.lines()]

    def status(self, run: str) -> RunStatus:
        with self.store.begin() as tx:
            found = journal.load_run(tx, run)
        assert found is not None
        return found.state.status

    def is_overdue(self, run: str) -> bool:
        """Nobody has worked on the run for a second, though it is due."""
        with self.store.begin() as tx:
            return run in journal.due_runs(tx, time.time_ns() // 1000 - 1_000_000, limit=10)

    def await_done(self, run: str) -> float:
        return await_that("the run done", lambda: self.status(run) is RunStatus.DONE)


def scene_of(url: str, folder: Path, start: Callable[..., Child]) -> Iterator[Scene]:
    store = Store(url).open()
    yield Scene(url, folder, start, store)
    store.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with contextlib.closing(Nursery(CHILD)) as made:
        yield made


@pytest.fixture
def scene(store_url: str, tmp_path: Path, nursery: Nursery) -> Iterator[Scene]:
    with family(nursery, tmp_path) as start:
        yield from scene_of(store_url, tmp_path, start)


@pytest.fixture
def fresh_scene(store_url: str, tmp_path: Path) -> Iterator[Scene]:
    """A scene whose processes are interpreters of their own, from the first import to the last."""
    with family(fresh(CHILD), tmp_path) as start:
        yield from scene_of(store_url, tmp_path, start)


@pytest.fixture
def shared(postgresql: Any, tmp_path: Path, nursery: Nursery) -> Iterator[Scene]:
    """A scene on PostgreSQL, where several nodes may execute."""
    name = postgresql.create_database()
    with family(nursery, tmp_path) as start:
        yield from scene_of(postgresql.url(name), tmp_path, start)
    postgresql.drop_database(name)


@pytest.fixture
def alone(tmp_path: Path, nursery: Nursery) -> Iterator[Scene]:
    """A scene on SQLite, where one process executes."""
    with family(nursery, tmp_path) as start:
        yield from scene_of(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, start)


def test_a_process_runs_and_ends_quietly_and_speaks_to_nobody_outside(fresh_scene: Scene) -> None:
    run = fresh_scene.run()
    child = fresh_scene.child("run", "--run", run)
    assert child.wait() == 0, child.errors.read_text()
    owner, result = child.said()
    assert owner == {"owner": True}
    assert (result["status"], result["threads"], result["outside"]) == ("done", [], [])
    assert child.errors.read_text() == "", "no warning of any kind"
    assert fresh_scene.keys() == DONE


def test_a_second_process_on_sqlite_writes_rows_and_the_owner_executes_them(alone: Scene) -> None:
    owner = alone.node("owner")
    second = alone.node("second")
    assert [child.said()[0]["owner"] for child in (owner, second)] == [True, False]
    run = alone.run(pause_s=0)
    alone.await_done(run)
    assert {line["node"] for line in alone.lines()} == {"owner"}
    owner.kill()
    third = alone.node("third")
    assert third.said()[0]["owner"], "the kernel takes the lease of the dead back"
    alone.await_done(alone.run(pause_s=0))


def test_two_nodes_on_postgresql_share_the_work(shared: Scene) -> None:
    nodes = [shared.node("first"), shared.node("second")]
    runs = [shared.run(pause_s=0.01) for _ in range(4)]
    for run in runs:
        shared.await_done(run)
    assert [child.said()[0]["owner"] for child in nodes] == [True, True]
    with shared.store.begin() as tx:
        holders = set(tx.connection.exec_driver_sql("SELECT holder FROM journal").scalars())
    assert holders == {"first", "second"}


def test_a_node_killed_inside_a_step_is_taken_over_by_the_other(shared: Scene) -> None:
    run = shared.run()
    first = shared.node("first", "--gate", str(shared.gate))
    await_that("the coat under way", lambda: shared.gate.with_suffix(".first").exists())
    second = shared.node("second")
    first.kill()
    shared.await_done(run)
    assert shared.keys() == DONE
    assert [line["node"] for line in shared.lines()] == ["first", "second", "second", "second"]
    assert "took over" in second.errors.read_text()
    await_that("the dead is forgotten", lambda: nodes_known(shared.store) == {"second"})


def nodes_known(store: Store) -> set[str]:
    with store.begin() as tx:
        return set(journal.last_beats(tx))


def test_a_node_that_froze_comes_back_too_late_to_change_anything(shared: Scene) -> None:
    """Goal: a zombie's effect is refused by its older revision, and its outcome is dropped.

    Method: SIGSTOP inside a step, let the other node take over and end the run, then SIGCONT.
    """
    run = shared.run()
    first = shared.node("first", "--gate", str(shared.gate))
    await_that("the coat under way", lambda: shared.gate.with_suffix(".first").exists())
    first.pause()
    shared.gate.touch()
    shared.node("second")
    shared.await_done(run)
    first.resume()
    await_that("the late effect", lambda: shared.lines(".refused"))
    (refused,) = shared.lines(".refused")
    assert (refused["key"], refused["node"]) == ("coat", "first")
    assert refused["revision"] < min(line["revision"] for line in shared.lines() if line["node"] == "second")
    await_that("the late outcome", lambda: "a late outcome of coat was dropped" in first.errors.read_text())
    assert shared.keys() == DONE
    assert shared.status(run) is RunStatus.DONE
    again = shared.run(pause_s=0)
    shared.await_done(again)
    assert first.end() == 0, "it works on as a node like any other"


def test_connections_to_postgresql_cut_during_a_wait_change_nothing(shared: Scene) -> None:
    run = shared.run(pause_s=0.5)
    shared.node("first")
    await_that("the wait", lambda: shared.keys() == ["sand"])
    database = shared.url.rpartition("/")[2]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(shared.url, autocommit=True) as connection:
        for _ in range(3):
            await_that("connections to cut", lambda: connection.execute(cut, (database,)).fetchall())
    shared.await_done(run)
    assert shared.keys() == DONE


@pytest.mark.parametrize("number", [1, 100])
def test_killed_while_dbos_migrates_launches_or_recovers_it_starts_the_next_time(scene: Scene, number: int) -> None:
    """Statement `number` of the process is its last: in the migration, in the launch, or soon after."""
    run = scene.run()

    def start(deaths: int) -> Child:
        return scene.child("run", "--run", run, *(("--fatal-statement", str(number)) if deaths < 2 else ()))

    _, deaths = run_to_the_end(start)
    assert deaths == 2
    assert scene.keys() == DONE


def test_killed_again_while_it_recovers_it_goes_on_the_next_time(scene: Scene) -> None:
    """The first process dies inside a step, the next ones soon after their start, when they find what it left."""
    run = scene.run()
    deadly = [("--fatal", "12"), ("--fatal-statement", "40"), ("--fatal-statement", "70"), ("--fatal", "2")]

    def start(deaths: int) -> Child:
        return scene.child("run", "--run", run, *(deadly[deaths] if deaths < len(deadly) else ()))

    _, deaths = run_to_the_end(start)
    assert deaths == len(deadly)
    assert scene.keys() == DONE


def test_on_a_full_disk_the_run_waits_and_goes_on_when_there_is_space_again(alone: Scene) -> None:
    """Goal: nothing is lost or doubled. Method: the process may write no file beyond a size, until that is lifted."""
    run = alone.run(pause_s=0.3)
    node = alone.node("first")
    await_that("the wait", lambda: alone.keys() == ["sand"])
    size = (alone.folder / "store.db-wal").stat().st_size  # What comes next is appended to this file.
    _, hard = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, hard))
    await_that("the disk full", lambda: alone.is_overdue(run) or "cannot be written" in node.errors.read_text())
    assert alone.status(run) is RunStatus.ACTIVE
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    alone.await_done(run)
    assert alone.keys() == DONE
    assert node.end() == 0


def test_a_node_that_froze_inside_a_transaction_holds_nobody_up_for_long(shared: Scene) -> None:
    """Goal: locks of a frozen process end. Method: this test is that process; it locks a run and says nothing more."""
    run = shared.run(pause_s=0)

    def freeze() -> None:
        with shared.store.begin() as tx:
            journal.load_run(tx, run, lock=True)
            shared.node("first")
            await_that("the lock gone", lambda: shared.keys() == DONE)

    with pytest.raises(UnavailableError):
        freeze()
    shared.await_done(run)
