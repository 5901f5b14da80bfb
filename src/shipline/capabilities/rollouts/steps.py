"""The durable steps of a rollout. Each is safe to call again; all effects carry the run's revision as a fence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.capabilities.rollouts.routing import instance_id, stable_routes
from shipline.capabilities.rollouts.usecases import note_promotion, note_start
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.workflow import Again, Done, Failed, Outcome, StepContext
from shipline.ports.signals import Signals
from shipline.ports.target import Instance, Role, Target
from shipline.ports.traffic import Traffic
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter

DRAIN_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rollouts of one environment stand on. `check_gates` returns why they do not open, "" if they do."""

    store: Store
    events: EventWriter
    target: Target
    traffic: Traffic
    signals: Signals
    instances: int
    drain_timeout_s: int
    check_gates: Callable[[Rollout], str]


@dataclass(frozen=True, slots=True)
class Running:
    """The instances of a rollout, as the `start` step leaves them.

    `new` holds one for a canary, all of them for all-at-once; `baseline` is None without a canary. `cursor` reads the
    traffic since `started_us`, when the stable version still had all of it.
    """

    cursor: str
    started_us: int
    new: tuple[Instance, ...]
    stable: tuple[Instance, ...]
    baseline: Instance | None


def load_rollout(ground: Ground, context: StepContext) -> Rollout:
    """The rollout that a run is about."""
    with ground.store.begin() as tx:
        rollout = ROLLOUTS.find(tx, str(context.input["rollout_id"]))
    if rollout is None:
        raise ShiplineError(f"the rollout {context.input['rollout_id']} is not in the store")
    return rollout


def running(context: StepContext) -> Running:
    """What `start` left."""
    return from_json(Running, context.results["start"])


class RolloutSteps:
    """The actions of `rollout_workflow`, but for the canary's."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def gate(self, context: StepContext) -> Outcome:
        """Ask the gates again: they may have closed since the rollout was ordered."""
        rollout = load_rollout(self.ground, context)
        refusal = self.ground.check_gates(rollout)
        return Failed(refusal) if refusal else Done()

    def prepare(self, context: StepContext) -> Outcome:
        """Install the version; nothing serves it yet."""
        rollout = load_rollout(self.ground, context)
        self.ground.target.prepare(rollout.package, rollout.version)
        return Done()

    def start(self, context: StepContext) -> Outcome:
        """Start the new version's first instances and, for a canary, a clone of the stable one as young as it is."""
        rollout = load_rollout(self.ground, context)
        self.ground.traffic.open()
        cursor = self.ground.signals.cursor()
        stable = self._stable()
        canary = rollout.strategy == "canary" and bool(stable)
        count = 1 if canary else self.ground.instances
        new = tuple(self._start(context, rollout, Role.CANARY, number) for number in range(1, count + 1))
        baseline = None
        if canary:
            name = instance_id(rollout.package, stable[0].version, rollout.attempt, Role.BASELINE, 1)
            baseline = self.ground.target.start(
                f"{name[:48]}-{rollout.id[-10:]}", rollout.package, stable[0].version, revision=context.revision
            )
        result: dict[str, Any] = to_json(Running(cursor, context.now_us, new, stable, baseline))
        return Done(result, save=lambda tx: note_start(tx, self.ground.events, rollout, context.input))

    def promote(self, context: StepContext) -> Outcome:
        """Start what is missing of the new version, then move all traffic to it."""
        rollout = load_rollout(self.ground, context)
        count = self.ground.instances
        new = tuple(self._start(context, rollout, Role.CANARY, number) for number in range(1, count + 1))
        self.ground.traffic.apply(stable_routes(new), revision=context.revision)
        promoting = rollout if rollout.status is RolloutStatus.PROMOTING else rollout.to(RolloutStatus.PROMOTING)
        return Done(save=lambda tx: note_promotion(tx, self.ground.events, promoting))

    def restore(self, context: StepContext) -> Outcome:
        """Give all traffic back to the stable instances; without any, take it from everybody."""
        stable = running(context).stable if "start" in context.results else self._stable()
        self.ground.traffic.open()
        self.ground.traffic.apply(stable_routes(stable) if stable else (), revision=context.revision)
        return Done()

    def retire(self, context: StepContext) -> Outcome:
        """Stop every instance that serves nothing: weight verified 0 first, then no open request, then stopped."""
        self.ground.traffic.open()
        shares = {route.instance_id: route.share for route in self.ground.traffic.routes()}
        waiting = []
        for instance in self.ground.target.instances():
            if shares.get(instance.id, 0.0) > 0:
                continue
            if self.ground.traffic.open_requests(instance.id) > 0 and not self._drained_long_enough(context):
                waiting.append(instance.id)
                continue
            self._stop(instance.id, context)
        for name, share in shares.items():
            if share == 0 and name not in waiting and self.ground.traffic.open_requests(name) == 0:
                self.ground.traffic.forget(name, revision=context.revision)
        if waiting:
            return Again(DRAIN_POLL_S, {}, f"open requests of {', '.join(waiting)} to end")
        return Done()

    def _drained_long_enough(self, context: StepContext) -> bool:
        return context.now_us - context.started_us > self.ground.drain_timeout_s * 1_000_000

    def _stop(self, name: str, context: StepContext) -> None:
        serving = {route.instance_id for route in self.ground.traffic.routes() if route.share > 0}
        if name in serving:
            raise ShiplineError(f"{name} still has traffic and is not stopped")
        self.ground.target.stop(name, revision=context.revision)

    def _stable(self) -> tuple[Instance, ...]:
        """The instances that the proxy sends traffic to, as far as they are alive."""
        alive = {instance.id: instance for instance in self.ground.target.instances()}
        routes = self.ground.traffic.routes()
        serving = [route.instance_id for route in routes if route.role is Role.STABLE and route.share > 0]
        return tuple(alive[name] for name in serving if name in alive)

    def _start(self, context: StepContext, rollout: Rollout, role: Role, number: int) -> Instance:
        name = instance_id(rollout.package, rollout.version, rollout.attempt, role, number)
        return self.ground.target.start(name, rollout.package, rollout.version, revision=context.revision)


def stop_environment(ground: Ground, *, revision: int) -> tuple[str, ...]:
    """Stop serving: the proxy first, so that no request finds a stopped instance, then all instances."""
    ground.traffic.close()
    names = tuple(instance.id for instance in ground.target.instances())
    for name in names:
        ground.target.stop(name, revision=revision)
    return names
