"""One environment of a World: target, proxy and users that outlive the engine, watched for what must never happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shipline.capabilities import rollouts
from shipline.capabilities.rollouts import (
    DEPLOYMENTS,
    ROLLOUTS,
    AnalysisSettings,
    Checks,
    Ground,
    NoSender,
    RolloutCommand,
    RolloutOrder,
    Strategy,
    StrategyKind,
    Synthetic,
    Verification,
    command_rollout,
    impossible,
    is_serving,
    open_rollout,
    take_down,
)
from shipline.capabilities.rollouts.observing.checks import CheckRule
from shipline.domain.actor import Actor, ActorKind
from shipline.domain.deployment import Deployment
from shipline.domain.rollout import Rollout
from shipline.engine.engine import Catalogue, Engine
from shipline.engine.journal import Run, journal_of, next_wake_us, runs_of
from shipline.engine.workflow import Save, nothing
from shipline.ports.clock import Clock
from shipline.ports.metrics import Metrics
from shipline.ports.target import Role
from shipline.ports.traffic import Route
from shipline.ports.variables import Variables
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction
from shipline.testing.fakes.command import FakeCommands
from shipline.testing.fakes.load import FakeLoad
from shipline.testing.fakes.signals import Behaviour, FakeSignals, Users
from shipline.testing.fakes.target import FakeTarget, TargetWorld
from shipline.testing.fakes.traffic import FakeTraffic, TrafficWorld
from shipline.testing.kills import Countdown, Mortal
from shipline.testing.world import World

PERSON = Actor(ActorKind.PERSON, "tests", "ann")
PACKAGE, PLACE = "quotes", "production"
DIGESTS = ("sha256:" + "d" * 64,)
# A rollout of a few looks. The rates of these tests decide within them.
SETTINGS = AnalysisSettings(
    promote_after_s=8.0,
    deadline_s=60.0,
    tick_s=2.0,
    react_s=4.0,
    growth=6.0,
    growth_period_s=2.0,
    ramp_every_s=2.0,
)
REQUESTS_PER_S = 2_000.0
DRAIN_TIMEOUT_S = 30
DRIFT_EVERY_S = 30
TARGET_EFFECTS = ("prepare", "run", "stop")
TRAFFIC_EFFECTS = ("claim", "open", "apply", "forget", "inject", "close")


def no_source(_rule: CheckRule) -> Metrics:
    """For checks that ask nobody."""
    raise AssertionError("no check has a query here")


class CarefulTarget(FakeTarget):
    """A target that notices a group being stopped while it may still serve."""

    def __init__(self, clock: Clock, world: TargetWorld, traffic: TrafficWorld, breaches: list[str]) -> None:
        super().__init__(clock, world)
        self._traffic = traffic
        self._breaches = breaches

    def stop(self, group_id: str, *, revision: int) -> None:
        route = self._traffic.routes.get(group_id)
        if self._traffic.running and route is not None and route.share > 0:
            self._breaches.append(f"{group_id} was stopped at a share of {route.share}")
        if self._traffic.open_requests.get(group_id, 0):
            self._breaches.append(f"{group_id} was stopped with open requests")
        super().stop(group_id, revision=revision)


class CarefulTraffic(FakeTraffic):
    """A splitter that notices a fencing number that falls, and a canary whose weight rises twice at one number."""

    def __init__(self, clock: Clock, world: TrafficWorld, breaches: list[str]) -> None:
        super().__init__(clock, world)
        self._breaches = breaches
        self._last: tuple[int, float] = (0, 1.0)

    def apply(self, routes: tuple[Route, ...], *, revision: int) -> None:
        weight = sum(route.share for route in routes if route.role is Role.CANARY)
        last_revision, last_weight = self._last
        if revision < last_revision:
            self._breaches.append(f"revision {revision} came after {last_revision}")
        if revision == last_revision and weight > last_weight:
            self._breaches.append(f"the canary's weight rose within revision {revision}")
        self._last = (revision, weight)
        super().apply(routes, revision=revision)


@dataclass
class RolloutWorld:
    """What outlives an engine. `refusal` is what the environment's gates say, `breaches` what must stay empty."""

    world: World
    instances: int = 2
    remind_every_s: int = 0
    splits: bool = True
    refusal: str = ""
    approved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    closed: str = ""
    note_gates: Save = nothing
    verifications: tuple[Verification, ...] = ()
    variables: Variables = field(default_factory=Variables)
    synthetic: Synthetic = field(default_factory=lambda: Synthetic(NoSender()))
    target: TargetWorld = field(default_factory=TargetWorld)
    traffic: TrafficWorld = field(default_factory=TrafficWorld)
    breaches: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.users = Users(self.traffic, self.world.clock, seed=self.world.seed, requests_per_s=REQUESTS_PER_S)
        self.fake_target = CarefulTarget(self.world.clock, self.target, self.traffic, self.breaches)
        self.fake_traffic = CarefulTraffic(self.world.clock, self.traffic, self.breaches)
        self.fake_traffic.splits = self.splits
        self.fake_signals = FakeSignals(self.users, self.world.clock)
        self.checks = Checks((), no_source, self.world.clock)
        self.commands = FakeCommands(self.world.clock, {})
        self.load = FakeLoad()

    def behave(self, version: str, *, error_rate: float) -> None:
        """From now on this part of the version's requests fails."""
        self.users.behaviours[version] = Behaviour(error_rate=error_rate)

    def ground(self, store: Store, countdown: Countdown | None = None) -> Ground:
        """The ground of one process; with a countdown each effect is a place to die."""
        target, traffic = self.fake_target, self.fake_traffic
        return Ground(
            store=store,
            events=EventWriter(self.world.ids, self.world.clock),
            target=target if countdown is None else Mortal(target, countdown, name="target", effects=TARGET_EFFECTS),
            traffic=traffic if countdown is None else Mortal(traffic, countdown, name="proxy", effects=TRAFFIC_EFFECTS),
            signals=self.fake_signals,
            instances=self.instances,
            check_gates=lambda _rollout: (self.refusal, self.note_gates),
            checks=self.checks,
            commands=self.commands,
            root=Path("/"),
            verifications=self.verifications,
            closed=lambda _rollout: self.closed,
            variables=self.variables,
            preview_url="http://preview.example/",
            approving=lambda _rollout, _digest: self.approved,
            synthetic=self.synthetic,
            remind_every_s=self.remind_every_s,
        )

    def engine(self, store: Store | None = None, countdown: Countdown | None = None) -> Engine:
        """A new process."""
        ground = self.ground(store if store is not None else self.world.store, countdown)
        made: list[Engine] = []
        made.append(self.world.engine(catalogue_of(ground, lambda: made[0], load=self.load), store))
        return made[0]

    def deploy(
        self,
        version: str,
        *,
        package: str = PACKAGE,
        strategy: str | Strategy = "canary",
        rollback: bool = False,
        **rest: Any,
    ) -> Rollout:
        """Order a rollout; nothing is done yet. `rest` goes into the order as it is."""
        chosen = Strategy(StrategyKind(strategy)) if isinstance(strategy, str) else strategy
        is_down = self.fake_target.fault is None and not is_serving(self.ground(self.world.store))
        order = RolloutOrder(
            package=package,
            version=version,
            environment=PLACE,
            strategy=chosen,
            digests=DIGESTS,
            release_id="rel_x",
            commit="c0ffee",
            rollback=rollback,
            is_down=is_down,
            cannot=impossible(chosen, self.fake_traffic),
            **rest,
        )
        with self.world.store.begin() as tx:
            return open_rollout(tx, self.engine(), order, PERSON)

    def say(self, rollout: Rollout, verb: str) -> None:
        """As a person would."""
        now = self.now(rollout)
        with self.world.store.begin() as tx:
            command_rollout(tx, self.engine(), now, RolloutCommand(verb, "", PERSON))

    def take_down(self) -> str:
        """Order it; nothing is done yet. Returns the run's subject."""
        with self.world.store.begin() as tx:
            return take_down(tx, self.engine(), PLACE, PERSON)

    def settle(self) -> None:
        """One process works until nothing is left to do."""
        self.world.run_until_quiet(self.engine())

    def run_until(self, rollout: Rollout, step: str) -> None:
        """Work until the rollout is at this step, and no further."""
        engine = self.engine()
        for _ in range(100):
            with self.world.store.begin() as tx:
                run = runs_of(tx, f"rollout:{rollout.id}")[-1]
                steps = [entry.step for entry in journal_of(tx, run.id)]
                wake_us = next_wake_us(tx)
            if steps and steps[-1] == step:
                return
            self.world.clock.jump_to(max(self.world.clock.now_us(), wake_us or 0))
            engine.tick(run.id)
        raise AssertionError(f"never came to {step}")

    def look(self, engine: Engine, seconds: float) -> None:
        """Time passes, and a process works on what is due meanwhile."""
        until_us = self.world.clock.now_us() + int(seconds * 1_000_000)
        while True:
            while engine.sweep():
                pass
            with self.world.store.begin() as tx:
                wake_us = next_wake_us(tx, after_us=self.world.clock.now_us())
            self.world.clock.jump_to(until_us if wake_us is None else min(wake_us, until_us))
            if self.world.clock.now_us() >= until_us:
                return

    def shipped(self, version: str) -> Rollout:
        """A rollout, and its end."""
        rollout = self.deploy(version)
        self.settle()
        return self.now(rollout)

    def now(self, rollout: Rollout) -> Rollout:
        """The rollout as the store has it."""
        with self.world.store.begin() as tx:
            found = ROLLOUTS.find(tx, rollout.id)
        assert found is not None
        return found

    def deployments(self) -> tuple[Deployment, ...]:
        """All of them, oldest first."""
        with self.world.store.begin() as tx:
            return DEPLOYMENTS.where(tx, order="began_us")

    def serving(self) -> dict[str, float]:
        """Share of the traffic by version, as the proxy has it."""
        shares: dict[str, float] = {}
        for route in self.traffic.routes.values() if self.traffic.running else ():
            if route.share > 0:
                shares[route.version] = shares.get(route.version, 0.0) + route.share
        return shares

    def alive(self) -> list[str]:
        """The version of each copy that runs."""
        return sorted(group.spec.version for group in self.target.groups.values() for _ in group.copies)

    def names(self) -> list[str]:
        """The name of each copy that runs."""
        return sorted(f"{name}-{number}" for name, group in self.target.groups.items() for number in group.copies)

    def lose_all_copies(self) -> None:
        """As a restart of the machine does."""
        for name in self.target.groups:
            self.fake_target.kill(name)

    def routed(self) -> set[str]:
        """The addresses that get requests."""
        routes = self.traffic.routes.values() if self.traffic.running else ()
        return {endpoint.address for route in routes if route.share for endpoint in route.endpoints}

    def addresses(self) -> set[str]:
        """The addresses of the copies that run."""
        return {copy.address for group in self.target.groups.values() for copy in group.copies.values()}


def no_engine() -> Engine:
    """For catalogues of which nothing waits for its turn."""
    raise AssertionError("nothing is started from a step here")


def catalogue_of(
    ground: Ground,
    engine: Callable[[], Engine] = no_engine,
    settings: AnalysisSettings = SETTINGS,
    load: FakeLoad | None = None,
    wait_timeout_s: int = 3600,
) -> Catalogue:
    """The workflows of one environment: rolling out to it, taking it down, and mending it."""
    workflow = rollouts.rollout_workflow(PLACE, wait_timeout_s=wait_timeout_s, drain_timeout_s=DRAIN_TIMEOUT_S)
    if ground.controller is not None:
        workflow = rollouts.driven_workflow(PLACE, wait_timeout_s=7200)
    actions = {f"{workflow.name}.{name}": action for name, action in rollouts.actions(ground, settings).items()}
    down = rollouts.down_workflow(PLACE)
    actions |= {f"{down.name}.{name}": action for name, action in rollouts.down_actions(ground).items()}
    mend = rollouts.mend_workflow(PLACE)
    actions |= {f"{mend.name}.{name}": action for name, action in rollouts.mend_actions(ground, PLACE).items()}
    cool = rollouts.cool_workflow(PLACE)
    actions |= {f"{cool.name}.{name}": action for name, action in rollouts.cool_actions(ground).items()}

    turn = rollouts.turn_workflow(PLACE)
    actions |= {f"{turn.name}.{name}": action for name, action in rollouts.turn_actions(ground, engine).items()}

    drill = rollouts.drill_workflow(PLACE)
    drilling = rollouts.drill_actions(ground.store, engine)
    actions |= {f"{drill.name}.{name}": action for name, action in drilling.items()}
    adopt, drift = rollouts.adopt_workflow(PLACE), rollouts.drift_workflow(PLACE)
    actions |= {f"{adopt.name}.{name}": action for name, action in rollouts.adopt_actions(ground).items()}
    looks = rollouts.drift_actions(ground, PLACE, DRIFT_EVERY_S)
    actions |= {f"{drift.name}.{name}": action for name, action in looks.items()}

    rehearse = rollouts.rehearse_workflow(PLACE)
    rehearsing = rollouts.rehearsal_actions(ground, settings.tick_s)
    actions |= {f"{rehearse.name}.{name}": action for name, action in rehearsing.items()}

    life = rollouts.life_workflow(PLACE)
    living = rollouts.life_actions(lambda _name: ground, engine, load or FakeLoad())
    actions |= {f"{life.name}.{name}": action for name, action in living.items()}

    def observe(tx: Transaction, run: Run) -> None:
        rollouts.follow_run(tx, ground.events, run)

    def observe_turn(tx: Transaction, run: Run) -> None:
        rollouts.follow_turn(tx, ground.events, run)

    def observe_adoption(tx: Transaction, run: Run) -> None:
        rollouts.follow_adoption(tx, ground.events, run)

    def observe_drill(tx: Transaction, run: Run) -> None:
        rollouts.follow_drill(tx, ground.events, run)

    def observe_rehearsal(tx: Transaction, run: Run) -> None:
        rollouts.follow_rehearsal(tx, ground.events, run)

    def observe_life(tx: Transaction, run: Run) -> None:
        rollouts.follow_life(tx, ground.events, run)

    every = (workflow, down, mend, cool, turn, adopt, drift, drill, rehearse, life)
    workflows = {each.name: each for each in every}
    observers = {workflow.name: observe, turn.name: observe_turn, adopt.name: observe_adoption}
    observers |= {drill.name: observe_drill, rehearse.name: observe_rehearsal, life.name: observe_life}
    return Catalogue(workflows, actions, observers)
