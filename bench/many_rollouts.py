"""Very many rollouts at once: what each costs, and how late its looks are, on SQLite and on one to three nodes.

Each rollout is a canary of an environment of its own that is idle: it is looked at every ten seconds, and nothing comes
of that, since it is paused. Beside the CPU of a look, what such a rollout costs in a minute is told. A look's lateness
is the time between two looks beyond the ten seconds.

Engine, scheduler, store and event log are the real ones, and each node is a process. Targets, proxies and users are in
each node's memory, so that what is measured is Shipline's own. PostgreSQL does not wait for the disk, SQLite does.

    python -m bench.many_rollouts [ROLLOUTS] [SECONDS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from shipline.capabilities import rollouts
from shipline.domain.actor import SYSTEM
from shipline.domain.deployment import Deployment
from shipline.engine.dbos_scheduler import DBOSScheduler
from shipline.engine.engine import Catalogue, Engine, Observer
from shipline.engine.lease import Lease
from shipline.engine.runner import Runner
from shipline.engine.workflow import Action, Workflow, nothing
from shipline.ports.metrics import Metrics
from shipline.ports.target import GroupSpec, Role
from shipline.ports.traffic import Route
from shipline.providers.clock.system import SystemClock, SystemIds
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.keys import load_or_create_log_key
from shipline.store.log import sequence
from shipline.testing.fakes.command import FakeCommands
from shipline.testing.fakes.signals import FakeSignals, Users
from shipline.testing.fakes.target import FakeTarget
from shipline.testing.fakes.traffic import FakeTraffic
from tests.postgres import PostgreSQLMissing, running_server

PACKAGE, STABLE, NEW = "quotes", "1.0.0", "1.1.0"
DIGESTS = ("sha256:" + "d" * 64,)
SETTINGS = rollouts.AnalysisSettings()
REQUESTS_PER_S = 20.0
WARM_UP_S = 15.0
ROLLOUTS, SECONDS = 1000, 30


def main(arguments: list[str]) -> int:
    """Measure each store and number of nodes in turn."""
    if arguments[:1] == ["node"]:
        return node(*arguments[1:])
    count, seconds = [*map(int, arguments), *(ROLLOUTS, SECONDS)[len(arguments) :]]
    print(
        f"{count} rollouts, each looked at every {SETTINGS.tick_s:g} s, for {seconds} s on {os.cpu_count()} processors"
    )
    print(
        f"{'':24}{'looks':>8}{'per s':>8}{'CPU ms a look':>15}{'a rollout-minute':>18}{'late s, median':>16}{'p99':>8}"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/store.db"
        begin(url, count)
        show("SQLite", measure(url, count, seconds, nodes=1, key=folder / "one.key"))
        try:
            server = stack.enter_context(running_server())
        except PostgreSQLMissing as missing:
            print(f"PostgreSQL is left out: {missing}")
            return 0
        database = server.create_database()
        begin(server.url(database), count)
        for nodes in (1, 2, 3):
            figures = measure(server.url(database), count, seconds, nodes=nodes, key=folder / "many.key")
            show(f"PostgreSQL, {nodes} node{'s'[: nodes - 1]}", figures)
    return 0


@dataclass(frozen=True, slots=True)
class Figures:
    """`looks` at `rollouts` within `seconds`, the nodes' CPU in seconds meanwhile, and how late each look was, in
    seconds, sorted."""

    rollouts: int
    looks: int
    seconds: float
    cpu_s: float
    late_s: list[float]


def show(name: str, figures: Figures) -> None:
    """One row."""
    late, looks = figures.late_s, max(1, figures.looks)
    middle, high = (late[int(part * (len(late) - 1))] if late else float("nan") for part in (0.5, 0.99))
    cpu_ms = 1000 * figures.cpu_s / looks
    minute_ms = 1000 * figures.cpu_s / figures.rollouts * 60 / figures.seconds
    print(f"{name:24}{figures.looks:8}{looks / figures.seconds:8.1f}{cpu_ms:15.2f}{minute_ms:18.1f}", end="")
    print(f"{middle:16.2f}{high:8.2f}", flush=True)


def measure(url: str, count: int, seconds: float, *, nodes: int, key: Path) -> Figures:
    """Start the nodes, wait until all rollouts are watched, and look at what comes then."""
    store = Store(url).open()
    with ExitStack() as stack:
        running = [stack.enter_context(started(url, number, count, key)) for number in range(nodes)]
        while watched(store) < count:
            if any(process.poll() is not None for process in running):
                raise SystemExit("a node has ended")
            time.sleep(0.5)  # noqa: TID251 - real time is what is measured
        time.sleep(WARM_UP_S)  # noqa: TID251 - the same
        began_us, before = SystemClock().now_us(), sum(map(cpu_of, running))
        time.sleep(seconds)  # noqa: TID251 - the same
        ended_us, after = SystemClock().now_us(), sum(map(cpu_of, running))
    times = looks_between(store, began_us, ended_us)
    store.close()
    late = sorted((b - a) / 1e6 - SETTINGS.tick_s for series in times.values() for a, b in pairwise(series))
    return Figures(count, sum(map(len, times.values())), (ended_us - began_us) / 1e6, after - before, late)


def begin(url: str, count: int) -> None:
    """Order the rollouts."""
    store = Store(url).open()
    order_all(store, count)
    store.close()


def order_all(store: Store, count: int) -> None:
    """An environment each, that serves STABLE already; nothing is done yet, and each will pause at its canary."""
    events = EventWriter(SystemIds(), SystemClock())
    engine = Engine(store, catalogue(store, events, count), SystemClock(), SystemIds(), node_id="orders")
    now_us = SystemClock().now_us()
    for environment in environments(count):
        deployment = Deployment(
            id=SystemIds().new("dep"),
            environment=environment,
            package=PACKAGE,
            version=STABLE,
            rollout_id="before",
            began_us=now_us,
            finished_us=now_us,
            commit=None,
            rollback=False,
        )
        strategy = rollouts.Strategy(rollouts.StrategyKind.CANARY)
        order = rollouts.RolloutOrder(PACKAGE, NEW, environment, strategy, DIGESTS)
        with store.begin() as tx:
            rollouts.DEPLOYMENTS.save(tx, deployment)
            rollout = rollouts.open_rollout(tx, engine, order, SYSTEM)
            rollouts.command_rollout(tx, engine, rollout, rollouts.RolloutCommand("pause", "", SYSTEM))


def environments(count: int) -> list[str]:
    """Their names."""
    return [f"place-{number}" for number in range(count)]


def catalogue(store: Store, events: EventWriter, count: int) -> Catalogue:
    """The rollouts of all environments, each on a ground of its own."""
    workflows: dict[str, Workflow] = {}
    actions: dict[str, Action] = {}
    observers: dict[str, Observer] = {}
    for environment in environments(count):
        workflow = rollouts.rollout_workflow(environment, wait_timeout_s=7200, drain_timeout_s=60)
        workflows[workflow.name] = workflow
        found = rollouts.actions(ground(store, events), SETTINGS)
        actions |= {f"{workflow.name}.{name}": action for name, action in found.items()}
        observers[workflow.name] = lambda tx, run: rollouts.follow_run(tx, events, run)
    return Catalogue(workflows, actions, observers)


def ground(store: Store, events: EventWriter) -> rollouts.Ground:
    """Where STABLE serves all users."""
    clock = SystemClock()
    target, traffic = FakeTarget(clock), FakeTraffic(clock)
    for version in (STABLE, NEW):  # A step may find itself on another node than the one before it.
        target.prepare(PACKAGE, version, DIGESTS)
    group = target.run(GroupSpec("stable", Role.STABLE, PACKAGE, STABLE, 1, DIGESTS), revision=0)
    traffic.open(revision=0)
    traffic.apply((Route(group.id, Role.STABLE, STABLE, 1.0, group.endpoints),), revision=0)
    users = Users(traffic.world, clock, seed=1, requests_per_s=REQUESTS_PER_S)
    return rollouts.Ground(
        store=store,
        events=events,
        target=target,
        traffic=traffic,
        signals=FakeSignals(users, clock),
        instances=1,
        check_gates=lambda _rollout: ("", nothing),
        checks=rollouts.Checks((), no_source, clock),
        commands=FakeCommands(clock, {}),
        root=Path("/"),
    )


def no_source(_rule: object) -> Metrics:
    """No check has a query here."""
    raise AssertionError


def node(url: str, name: str, count: str, key: str) -> int:
    """A node: it executes until its standard input is closed."""
    store = Store(url).open()
    events = EventWriter(SystemIds(), SystemClock())
    engine = Engine(store, catalogue(store, events, int(count)), SystemClock(), SystemIds(), node_id=name)
    chores = (partial(sequence, store, load_or_create_log_key(Path(key))),)
    runner = Runner(engine, DBOSScheduler(store, node_id=name), Lease(store.path), chores)
    if not runner.start():
        raise SystemExit("another process executes")
    sys.stdin.read()
    runner.stop()
    store.close()
    return 0


@contextmanager
def started(url: str, number: int, count: int, key: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A node in a process of its own; the end of the block closes its standard input."""
    command = [sys.executable, "-m", "bench.many_rollouts", "node", url, f"node-{number}", str(count), str(key)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds that a process has used, user and system (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched(store: Store) -> int:
    """How many rollouts have been looked at."""
    with store.begin() as tx:
        found: Any = tx.connection.exec_driver_sql("SELECT count(DISTINCT rollout_id) FROM observation")
        return int(found.scalar())


def looks_between(store: Store, began_us: int, ended_us: int) -> dict[str, list[int]]:
    """The times of the looks of each rollout, in order."""
    times: dict[str, list[int]] = {}
    with store.begin() as tx:
        rows: Any = tx.connection.exec_driver_sql("SELECT rollout_id, body FROM observation ORDER BY number")
        for rollout_id, body in rows:
            at_us = json.loads(body)["time_us"]
            if began_us <= at_us < ended_us:
                times.setdefault(rollout_id, []).append(at_us)
    return times


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
