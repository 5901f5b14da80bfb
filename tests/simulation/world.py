"""A seeded world: whole rollouts under faults, by one node or two, in virtual time.

Nodes take turns, one tick at a time; while one hangs or stands still inside a call, the others go on. So what happens
is told by the seed alone, and two nodes can be at work on one SQLite store.
"""

from __future__ import annotations

import copy
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event

from shipline.capabilities.rollouts import (
    Checks,
    Concurrency,
    Ground,
    RolloutCommand,
    RolloutOrder,
    Strategy,
    StrategyKind,
    Verification,
    command_rollout,
    impossible,
    is_serving,
    needs_mending,
    open_rollout,
    order_cooling,
    order_mending,
)
from shipline.capabilities.rollouts.observing.checks import CheckRule
from shipline.capabilities.rollouts.queries import open_rollout_of, queued_rollouts
from shipline.domain.errors import ShiplineError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import held_runs, next_wake_us
from shipline.store.database import Store
from shipline.testing.fakes.clock import FakeClock, SeededIds
from shipline.testing.fakes.command import Call, Ending
from shipline.testing.fakes.signals import Behaviour, FakeSignals
from shipline.testing.kills import Countdown, Killed, MortalStore
from shipline.testing.world import World
from tests.capabilities.rollouts.rollout_world import (
    DIGESTS,
    PACKAGE,
    PERSON,
    PLACE,
    RolloutWorld,
    catalogue_of,
    no_source,
)
from tests.simulation.laws import Laws
from tests.simulation.ports import WatchedTarget, WatchedTraffic, Way
from tests.simulation.scenario import Episode, Happening, Scenario

OLD, NEW, NEWER = "1.0.0", "1.1.0", "1.2.0"
WAIT_TIMEOUT_S = 150
CHORES_EVERY_S = 2.0
# The longest that a world sleeps at a time.
NAP_S = 5.0
# However it goes, every wait of a rollout has a deadline, and all of them together take no longer.
LIFE_S_MAX = 3 * 3600.0
ROUNDS_MAX = 20_000
SPINS_MAX = 300
# What waits for a person in the end gets one, so many times.
RETRIES_MAX = 4
# No world has it: ids of two worlds must differ.
BEGINNING_SEED = 2**40


class SharedStore(MortalStore):
    """A store that several nodes work on, so that heartbeats tell who is alive: as PostgreSQL is."""

    @property
    def is_sqlite(self) -> bool:
        return False


class Points(Countdown):
    """What a node's store passes on to its world."""

    def __init__(self, passed: Callable[[str], None]) -> None:
        super().__init__(None)
        self._passed = passed

    def pass_point(self, name: str) -> None:
        self._passed(name)


class Physics:
    """The time that things outside take, whatever the clocks of the nodes say."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._began_us = clock.now_us() - int(clock.steady_s() * 1e6)

    def now_us(self) -> int:
        return self._began_us + int(self._clock.steady_s() * 1e6)

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


class Node:
    """One process: it works until it dies, and another takes its place."""

    def __init__(self, world: SimulatedWorld, name: str) -> None:
        self.world = world
        self.name = name
        self.alive = True
        self.is_away = False  # It stands still, or hangs in a call.
        self.overtaken: set[str] = set()
        kind = SharedStore if world.scenario.nodes > 1 else MortalStore
        self.store = kind(world.place.world.store, Points(lambda point: world.pass_point(self, point)))
        ground = world.place.ground(world.place.world.store)
        self.ground = replace(
            ground,
            store=self.store,
            target=cast("Any", Way(ground.target, "target", self)),
            traffic=cast("Any", Way(ground.traffic, "proxy", self)),
            signals=cast("Any", Way(ground.signals, "counts", self)),
            commands=cast("Any", Way(ground.commands, "commands", self)),
        )
        catalogue = catalogue_of(self.ground, lambda: self.engine, wait_timeout_s=WAIT_TIMEOUT_S)
        clock = world.place.world.clock
        self.engine = Engine(self.store, catalogue, clock, world.place.world.ids, node_id=name, steady_s=clock.steady_s)

    # --- what its calls pass ---

    def pass_point(self, name: str) -> None:
        self.world.pass_point(self, name)

    def trouble(self, port: str, *, is_effect: bool) -> Episode | None:
        return self.world.trouble(port, is_effect=is_effect)

    def hang(self, seconds: float) -> None:
        self.world.away(self, seconds, beating=True)

    def watched(self, what: str, call: Callable[[], Any], revision: int | None) -> Any:
        return self.world.laws.watched(self, what, call, revision)

    # --- what it does ---

    def sweep(self) -> bool:
        """True if it found something to do."""
        self.overtaken.clear()
        return self.engine.sweep() > 0

    def beat(self) -> None:
        with self.world.place.world.store.begin() as tx:
            self.engine.beat(tx)

    def do_chores(self) -> None:
        """As the owner's loop does, beside the queue."""
        if needs_mending(self.ground, PLACE):
            with self.store.begin() as tx:
                order_mending(tx, self.engine, PLACE)
        with self.store.begin() as tx:
            order_cooling(tx, self.engine, PLACE)


@dataclass
class SimulatedWorld:
    """Told once, by `tell`. `laws.breaches` are what must be empty; `history` is all that happened, in order."""

    scenario: Scenario
    place: RolloutWorld
    history: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        scenario, outer = self.scenario, self.place.world
        self.chance = random.Random(f"world {scenario.seed}")  # noqa: S311 - repeatable on purpose
        self.clock = outer.clock
        outer.ids = SeededIds(scenario.seed, outer.clock)
        self.laws = Laws(self)
        self._settle_in()
        self.began_s = self.clock.steady_s()
        self.points = self.effects = 0
        self.faults_over = False
        self.happenings = list(scenario.happenings)
        self.returns: list[float] = []
        self.stalls: dict[str, float] = {}
        self._chores_s = 0.0
        self._named = 0
        self.nodes = [self._new_node() for _ in range(scenario.nodes)]

    def _settle_in(self) -> None:
        scenario, place = self.scenario, self.place
        place.instances = scenario.instances
        place.users._random = random.Random(scenario.seed)  # noqa: S311 - repeatable on purpose
        place.users.requests_per_s = scenario.requests_per_s
        for version in (NEW, NEWER):
            place.users.behaviours[version] = Behaviour(error_rate=scenario.error_rate if version == NEW else 0.0)
            place.target.slow_s[version] = scenario.slow_s
        physics = Physics(self.clock)
        place.users._clock = physics
        traffic = WatchedTraffic(physics, place.traffic, self.clock.steady_s, scenario.drain_s, self.laws.breach)
        place.fake_traffic = cast("Any", traffic)
        place.fake_target = cast("Any", WatchedTarget(physics, place.target, traffic, self.laws.breach))
        place.fake_signals = FakeSignals(place.users, physics)
        if scenario.has_check:
            rule = CheckRule("errors", figure="error_rate", value_max=0.1, every_s=2)
            place.checks = Checks((rule,), no_source, self.clock)
        if scenario.has_verification:
            place.verifications = (Verification("smoke", ("smoke", "{version}"), attempts=3, every_s=1.0),)
            place.commands.programs["smoke"] = self._smoke

    def _smoke(self, call: Call) -> Ending:
        return Ending(exit_code=int(self.scenario.is_bad and call.arguments == (NEW,)))

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds since the world began, by the steady clock."""
        return self.clock.steady_s() - self.began_s

    def note(self, what: str) -> None:
        self.history.append(f"{self.now_s:9.3f} {what}")

    def tell(self) -> SimulatedWorld:
        """All of it, up to a quiet end."""
        if self.order(NEW, Concurrency.REFUSE) is None:
            self.laws.breach("the order was refused")
        for _ in range(1 + RETRIES_MAX):
            self._work(LIFE_S_MAX, lambda: self.faults_over and (self.laws.is_stuck() or self._is_quiet()))
            self.clock.sleep(self.scenario.drain_s)
            if self.laws.breaches or not self.laws.retry():
                break
        self.laws.look_back()
        return self

    def _work(self, until_s: float, is_over: Callable[[], bool], *, without: Node | None = None) -> None:
        """Everybody who can works until then. `without` is who is away meanwhile."""
        spins, at_s = 0, self.now_s
        while self.now_s < until_s and not self.laws.breaches and not is_over():
            self._happen()
            turns = [self._turn(node) for node in self._shuffled()]
            self.laws.look()
            self.counts["rounds"] += 1
            spins, at_s = (spins + 1, at_s) if self.now_s == at_s else (0, self.now_s)
            if spins > SPINS_MAX or self.counts["rounds"] > ROUNDS_MAX:
                self.laws.breach("it goes on and on without coming to an end")
            if without is not None:
                without.beat()
            if not any(turns):
                self.clock.sleep(max(0.001, min(until_s, self._next_s()) - self.now_s))
        if self.now_s >= LIFE_S_MAX and without is None:
            self.laws.breach("it has come to no end")

    def _shuffled(self) -> list[Node]:
        able = [node for node in self.nodes if node.alive and not node.is_away]
        self.chance.shuffle(able)
        return able

    def _turn(self, node: Node) -> bool:
        try:
            if self.now_s - self._chores_s >= CHORES_EVERY_S:
                self._chores_s = self.now_s
                self._attempt(node.do_chores)
            return self._attempt(node.sweep)
        except Killed as death:
            self.note(f"{node.name} dies {death}")
            self.counts["kills"] += 1
            node.alive = False
            self.returns.append(self.now_s + self.chance.choice((0.0, 0.5, 5.0, 30.0)))
            return True

    def _attempt(self, job: Callable[[], Any]) -> bool:
        """As the owner's loop does: what goes wrong is tried again in the next round."""
        try:
            return bool(job())
        except (ShiplineError, KeyError) as error:
            self.note(f"a round failed: {error}")
            return False

    def _next_s(self) -> float:
        """When something is due, at the latest."""
        with self.place.world.store.begin() as tx:
            wake_us = next_wake_us(tx, after_us=self.clock.now_us())
        times = [self.now_s + NAP_S, *self.returns]
        times += [one.at_s for one in self.happenings[:1]]
        if wake_us is not None:
            times.append(self.now_s + (wake_us - self.clock.now_us()) / 1e6)
        return min(times)

    def _is_quiet(self) -> bool:
        with self.place.world.store.begin() as tx:
            is_planned = next_wake_us(tx) is not None or bool(held_runs(tx))
        return not is_planned and not self.returns and not self._is_hurt()

    def _is_hurt(self) -> bool:
        return any(len(one.copies) < one.spec.size for one in self.place.target.groups.values())

    # --- what happens -----------------------------------------------------------------------------------------------

    def _new_node(self) -> Node:
        self._named += 1
        return Node(self, f"node-{self._named}")

    def _happen(self) -> None:
        while self.happenings and self.happenings[0].at_s <= self.now_s:
            self._carry_out(self.happenings.pop(0))
        for _ in [at_s for at_s in self.returns if at_s <= self.now_s]:
            self.nodes = [node for node in self.nodes if node.alive or node.is_away] + [self._new_node()]
        self.returns = [at_s for at_s in self.returns if at_s > self.now_s]
        ends_s = [one.end_s for one in self.scenario.episodes]
        if not self.faults_over and not self.happenings and self.now_s > max([60.0, *ends_s]):
            self.faults_over = True
            self.place.target.sick.clear()
            self.note("from now on nothing goes wrong")

    def _carry_out(self, one: Happening) -> None:
        self.note(f"{one.what} {one.word} {one.amount:g}")
        self.counts[one.what] += 1
        match one.what:
            case "say":
                self.say(one.word)
            case "order":
                self.order(NEWER, Concurrency(one.word))
            case "down":
                self.take_down()
            case "up":
                self.order(OLD, Concurrency.QUEUE)
            case "stall":
                self.stalls[f"before {one.word}"] = one.amount
            case "back":
                self.order(OLD, Concurrency.QUEUE, rollback=True)
            case "jump":
                self.laws.jumped(one.amount)
                self.clock.jump_to(self.clock.now_us() + int(one.amount * 1e6))
            case "proxy":
                self.place.fake_traffic.kill()
            case "machine":
                self.place.lose_all_copies()
                self.place.fake_traffic.kill()
            case _:
                self._hurt(one)

    def _hurt(self, one: Happening) -> None:
        groups = sorted(self.place.target.groups)
        if not groups:
            return
        name = groups[int(one.amount * len(groups))]
        if one.what == "sick":
            self.place.target.sick.add(name)
        elif self.place.target.groups[name].copies:
            self.place.fake_target.kill(name, min(self.place.target.groups[name].copies))

    def pass_point(self, node: Node, name: str) -> None:
        """A place where a node may die, or stand still."""
        if self.faults_over:
            return
        self.points += 1
        self.note(f"{node.name} {name}")
        if self.points in self.scenario.kills:
            raise Killed(name)
        if name.startswith(("before target", "before proxy")):
            self.effects += 1
            seconds = self.stalls.pop(name, self.scenario.freezes.get(self.effects))
        else:
            seconds = None
        if seconds is not None:
            self.counts["freezes"] += 1
            self.away(node, seconds, beating=False)

    def away(self, node: Node, seconds: float, *, beating: bool) -> None:
        """The node is in a call that takes so long; or not at all, if it does not even beat."""
        self.note(f"{node.name} {'hangs' if beating else 'stands still'} for {seconds} s")
        held = self.laws.held_by(node)
        node.is_away = True
        try:
            self._work(self.now_s + seconds, lambda: False, without=node if beating else None)
        finally:
            node.is_away = False
        self.laws.came_back(node, held)
        self.note(f"{node.name} goes on")

    def trouble(self, port: str, *, is_effect: bool) -> Episode | None:
        """What a call suffers now."""
        self.counts["effects" if is_effect else "reads"] += 1
        if self.faults_over:
            return None
        for one in self.scenario.episodes:
            if not port.startswith(f"{one.port}.") or not one.begin_s <= self.now_s < one.end_s:
                continue
            if one.kind in ("lost", "lie") and not is_effect:
                continue
            if self.chance.random() < one.chance:
                self.counts["faults"] += 1
                self.counts[f"fault {one.kind}"] += 1
                self.note(f"{port}: {one.kind}")
                if one.kind == "lie":
                    self.laws.lied()
                return one
        return None

    # --- people -----------------------------------------------------------------------------------------------------

    @property
    def ground(self) -> Ground:
        """The ground as it is without any trouble."""
        return self.place.ground(self.place.world.store)

    def _desk(self) -> Engine:
        """The engine of a command line: it enqueues."""
        return self.place.engine()

    def order(self, version: str, how: Concurrency, *, rollback: bool = False) -> Rollout | None:
        strategy = self.scenario.strategy if version == NEW else Strategy(StrategyKind.ALL_AT_ONCE)
        order = RolloutOrder(
            package=PACKAGE,
            version=version,
            environment=PLACE,
            strategy=strategy,
            digests=DIGESTS,
            rollback=rollback,
            is_down=not is_serving(self.ground),
            cannot=impossible(strategy, self.place.fake_traffic),
            concurrency=how,
        )
        try:
            with self.place.world.store.begin() as tx:
                return open_rollout(tx, self._desk(), order, PERSON)
        except ShiplineError as refusal:
            self.note(f"refused: {refusal}")
            return None

    def take_down(self) -> None:
        """Order it, if that may be now."""
        try:
            self.place.take_down()
        except ShiplineError as refusal:
            self.note(f"refused: {refusal}")

    def say(self, verb: str) -> bool:
        with self.place.world.store.begin() as tx:
            found = open_rollout_of(tx, PLACE) or next(iter(queued_rollouts(tx, PLACE)), None)
        if found is None:
            return False
        try:
            with self.place.world.store.begin() as tx:
                command_rollout(tx, self._desk(), found, RolloutCommand(verb, "", PERSON))
        except ShiplineError as refusal:
            self.note(f"refused: {refusal}")
            return False
        self.laws.said(found, verb)
        return True


# --- where worlds begin -----------------------------------------------------------------------------------------------


class Beginnings:
    """Environments that serve OLD, made once for each number of instances."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[int, RolloutWorld] = {}

    def world(self, scenario: Scenario) -> SimulatedWorld:
        """A world of its own."""
        begun = self._made.get(scenario.instances) or self._begin(scenario.instances)
        path = self._folder / "world.db"
        for left in self._folder.glob("world.db*"):
            left.unlink()
        shutil.copyfile(str(begun.world.store.path), path)
        store = Store(f"sqlite:///{path}")
        place = copy.deepcopy(begun, {id(begun.world.store): store})
        fast(store.open())
        return SimulatedWorld(scenario, place)

    def _begin(self, instances: int) -> RolloutWorld:
        made = RolloutWorld(
            World(BEGINNING_SEED, self._folder, url=f"sqlite:///{self._folder / f'{instances}.db'}"), instances
        )
        assert made.shipped(OLD).status is RolloutStatus.PROMOTED
        made.world.close()
        self._made[instances] = made
        return made


def fast(store: Store) -> None:
    """Simulated deaths leave the operating system alive: nothing needs to reach the disk."""
    event.listen(store.engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    store.engine.dispose()
