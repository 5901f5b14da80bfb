"""A whole engine in a process of its own, painting a wall: what the tests of real kills start, kill and start again.

`start` writes a run's rows and prints its id, `run` works until that run has ended and prints what became of it,
`serve` works until its standard input is closed.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select
from sqlalchemy.engine import Engine as SQLEngine

from shipline.domain.actor import SYSTEM
from shipline.domain.errors import RefusedError
from shipline.domain.event import Event
from shipline.domain.ids import make_id
from shipline.engine import journal
from shipline.engine.dbos_scheduler import POOL_PREFIX, DBOSScheduler
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.lease import Lease
from shipline.engine.peers import Peers
from shipline.engine.rules import RunStatus
from shipline.engine.runner import Runner
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
from shipline.store.tables import event as event_table
from shipline.store.transaction import Transaction
from shipline.testing.kills import Countdown, Mortal, MortalStore, die_for_real

LOOKS = 3


def step(name: str, *, undo: str = "", recovery: Recovery = Recovery.REPEAT) -> Step:
    return Step(name=name, title=f"Do {name}", recovery=recovery, undo=undo, timeout_s=60)


PAINT = Workflow(
    "paint",
    (
        step("sand", undo="un-sand"),
        step("watch", undo=NO_UNDO),
        step("coat", undo="un-coat", recovery=Recovery.LOOK),
        step("polish", undo="un-polish"),
    ),
    OnFailure.UNDO,
    closing=(step("sweep"),),
)


class WallClock:
    """Time as the machine has it, `shift_s` seconds off; the file `shift` changes that while the process runs."""

    def __init__(self, shift: Path) -> None:
        self._shift = shift

    def now_us(self) -> int:
        shift_s = float(self._shift.read_text()) if self._shift.exists() else 0.0
        return time.time_ns() // 1000 + int(shift_s * 1_000_000)

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class RandomIds:
    def new(self, prefix: str) -> str:
        return make_id(prefix, time_us=time.time_ns() // 1000, randomness=secrets.token_bytes(10))


class PoolCountdown(Countdown):
    """Counts only what ticks pass: how often the loop looks around depends on the machine's speed."""

    def pass_point(self, name: str) -> None:
        if threading.current_thread().name.startswith(POOL_PREFIX):
            super().pass_point(name)


class Wall:
    """The outside world: a file of JSON lines, one a keyed effect; one older than the run's newest is refused."""

    def __init__(self, path: Path, node: str) -> None:
        self.path = path
        self.node = node

    def has(self, run: str, key: str) -> bool:
        return any((line["run"], line["key"]) == (run, key) for line in self._lines(self.path))

    def write(self, run: str, key: str, revision: int) -> None:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            line = {"run": run, "key": key, "revision": revision, "node": self.node}
            newest = max((done["revision"] for done in self._lines(self.path) if done["run"] == run), default=0)
            if revision < newest:
                self._append(self.path.with_suffix(".refused"), line | {"newest": newest})
                raise RefusedError(f"revision {revision} is older than {newest}")
            if not self.has(run, key):
                self._append(self.path, line)

    def _lines(self, path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _append(self, path: Path, line: dict[str, Any]) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, json.dumps(line).encode() + b"\n")
        os.close(file)


class Painter:
    """The steps' actions. With `gate` the coat waits for that file, having left word in `gate`.<node> of its start."""

    def __init__(self, wall: Any, *, node: str, gate: Path | None) -> None:
        self.wall = wall
        self.node = node
        self.gate = gate

    def catalogue(self) -> Catalogue:
        actions = {f"paint.{name}": self.act for name in PAINT.actions()}
        return Catalogue({"paint": PAINT}, actions | {"paint.watch": self.watch, "paint.coat": self.coat})

    def act(self, context: StepContext) -> Outcome:
        name = context.key.rsplit(":", 1)[1]
        if name == context.input.get("trouble"):
            raise RefusedError(f"no {name} today")
        self.wall.write(context.run_id, name, context.revision)
        return Done({"name": name}, save=said(context, name))

    def watch(self, context: StepContext) -> Outcome:
        seen = (context.memory or {"seen": 0})["seen"] + 1
        if seen == LOOKS:
            return Done({"seen": seen}, save=said(context, "watch"))
        return Again(context.input.get("pause_s", 0.05), {"seen": seen}, f"look {seen} of {LOOKS}")

    def coat(self, context: StepContext) -> Outcome:
        if self.gate is not None:
            self.gate.with_suffix(f".{self.node}").touch()
            while not self.gate.exists():
                time.sleep(0.01)  # noqa: TID251 - an outside world that takes its time
        if context.recovering and self.wall.has(context.run_id, "coat"):
            return Done({"name": "coat"}, save=said(context, "coat"))
        return self.act(context)


def said(context: StepContext, name: str) -> Any:
    """An event that a step appends with its outcome; its id would refuse a second one."""

    def save(tx: Transaction) -> None:
        event_id = f"{context.run_id}{name}"[-40:]
        tx.append(Event(event_id, f"wall:{context.run_id}", f"Did-{name}", context.now_us, SYSTEM, {}))

    return save


def outcome(store: Store, run_id: str) -> dict[str, Any]:
    """What became of a run, without times and names of nodes."""
    with store.begin() as tx:
        run = journal.load_run(tx, run_id)
        assert run is not None, "the run is there"
        said = select(event_table.c.kind).where(event_table.c.stream == f"wall:{run_id}")
        events = tx.connection.scalars(said.order_by(event_table.c.number))
        told = list(events)
        done = [entry.step for entry in journal.journal_of(tx, run_id) if entry.outcome == "done"]
    return {"status": run.state.status.value, "results": run.state.results, "events": told, "done": done}


def has_ended(store: Store, run_id: str) -> bool:
    with store.begin() as tx:
        run = journal.load_run(tx, run_id)
    return run is not None and run.state.status is not RunStatus.ACTIVE


def die_at_statement(number: int) -> None:
    """SIGKILL before the statement of this number, on whatever connection of the process."""
    counted = iter(range(1, number + 1))

    def before(*_: object) -> None:
        if next(counted, number) == number:
            die_for_real("statement")

    sqlalchemy_event.listen(SQLEngine, "before_cursor_execute", before)


def watch_sockets() -> list[str]:
    """From now on note every name looked up and every address connected to that is not this machine's."""
    outside: list[str] = []

    def audit(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "socket.connect" and isinstance(arguments[1], tuple) and not arguments[1][0].startswith("127."):
            outside.append(f"connect {arguments[1]}")
        if name == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost"):
            outside.append(f"lookup {arguments[0]}")

    sys.addaudithook(audit)
    return outside


def say(line: dict[str, Any]) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["start", "run", "serve"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--wall", type=Path, required=True)
    parser.add_argument("--run")
    parser.add_argument("--given", type=json.loads, default={})
    parser.add_argument("--node", default=f"node-{os.getpid()}-{time.time_ns()}")
    parser.add_argument("--gate", type=Path)
    parser.add_argument("--fatal", type=int)
    parser.add_argument("--fatal-statement", type=int)
    parser.add_argument("--expires-s", type=float, default=1.0)
    return parser.parse_args()


def main() -> NoReturn:
    given = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    outside = watch_sockets()
    store = Store(given.url).open()
    countdown = PoolCountdown(given.fatal, die_for_real)
    wall = Mortal(Wall(given.wall, given.node), countdown, name="wall", effects=("write",))
    engine = Engine(
        MortalStore(store, countdown),
        Painter(wall, node=given.node, gate=given.gate).catalogue(),
        WallClock(given.wall.with_suffix(".shift")),
        RandomIds(),
        node_id=given.node,
    )
    engine.peers = Peers(expires_s=given.expires_s)
    if given.what == "start":
        with store.begin() as tx:
            say({"run": engine.start(tx, "paint", subject="wall", given=given.given)})
        store.close()
        sys.exit(0)
    if given.fatal_statement is not None:
        die_at_statement(given.fatal_statement)
    runner = Runner(engine, DBOSScheduler(store, node_id=given.node), Lease(store.path), ())
    owner = runner.start()
    say({"owner": owner})
    if given.what == "serve":
        sys.stdin.read()
    while given.what == "run" and not has_ended(store, given.run):
        time.sleep(0.02)  # noqa: TID251 - the engine works in its own threads
    runner.stop()
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    result = {} if given.run is None else outcome(store, given.run)
    store.close()
    say(result | {"passed": countdown.passed, "threads": threads, "outside": outside})
    sys.exit(0)


if __name__ == "__main__":
    main()
