"""The durable steps of a rollout. Each is safe to call again; all effects carry the run's revision as a fence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.capabilities.rollouts.routing import instance_id, stable_routes
from shipline.capabilities.rollouts.usecases import note_promoting, note_start
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.domain.rollout import Rollout
from shipline.engine.workflow import Again, Done, Failed, Outcome, Save, StepContext
from shipline.ports.signals import Signals
from shipline.ports.target import Instance, Role, Target
from shipline.ports.traffic import Traffic
from shipline.store.database import Store
from shipline.store.event_writer import EventWriter

DRAIN_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rollouts of one environment stand on.

    `check_gates` returns why they do not open, "" if they do, and what writes their answers down with the step's.
    """

    store: Store
    events: EventWriter
    target: Target
    traffic: Traffic
    signals: Signals
    instances: int
    check_gates: Callable[[Rollout], tuple[str, Save]]


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
        refusal, save = self.ground.check_gates(rollout)
        return Failed(refusal, save=save) if refusal else Done(save=save)

    def prepare(self, context: StepContext) -> Outcome:
        """Install the version; nothing serves it yet."""
        rollout = load_rollout(self.ground, context)
        self.ground.target.prepare(rollout.package, rollout.version)
        return Done()

    def start(self, context: StepContext) -> Outcome:
        """Start the new version's first instances and, for a canary, a clone of the stable one as young as it is.

        What is stable is read from the proxy, not from the record: a store begun anew must not cost the canary.
        """
        rollout = load_rollout(self.ground, context)
        self.ground.traffic.open()
        cursor = self.ground.signals.cursor()
        stable = self._stable()
        canary = context.input["strategy"] == "canary" and _is_another_version(stable, rollout.version)
        count = 1 if canary else self.ground.instances
        new = tuple(self._start(context, rollout, Role.CANARY, number) for number in range(1, count + 1))
        baseline = None
        if canary:
            name = instance_id(rollout.package, stable[0].version, rollout.attempt, Role.BASELINE, 1)
            baseline = self.ground.target.start(
                f"{name[:48]}-{rollout.id[-10:]}", rollout.package, stable[0].version, revision=context.revision
            )
        found = replace(
            rollout,
            strategy="canary" if canary else "all-at-once",
            stable_version=stable[0].version if stable else rollout.stable_version,
        )
        result: dict[str, Any] = to_json(Running(cursor, context.now_us, new, stable, baseline))
        return Done(result, save=lambda tx: note_start(tx, self.ground.events, found, context.input))

    def promote(self, context: StepContext) -> Outcome:
        """Start what is missing of the new version, then move all traffic to it.

        That it is promoted is noted when the run goes on to its closing steps: until then an abort turns it back.
        """
        rollout = load_rollout(self.ground, context)
        count = self.ground.instances
        new = tuple(self._start(context, rollout, Role.CANARY, number) for number in range(1, count + 1))
        self.ground.traffic.apply(stable_routes(new), revision=context.revision)
        return Done(save=lambda tx: note_promoting(tx, rollout))

    def restore(self, context: StepContext) -> Outcome:
        """Give all traffic back to the stable instances; where nothing was stable, stop serving what is taken back.

        A rollout that did not get beyond `start` has moved no traffic.
        """
        if "start" not in context.results:
            return Done()
        stable = running(context).stable
        self.ground.traffic.open()
        if stable:
            self._give_back(context, load_rollout(self.ground, context), stable)
        elif any(route.share > 0 for route in self.ground.traffic.routes()):
            self.ground.traffic.close()
        return Done()

    def _give_back(self, context: StepContext, rollout: Rollout, stable: tuple[Instance, ...]) -> None:
        """To those that live first, since that ends the harm; those that have died are started again."""
        alive = {instance.id: instance for instance in self.ground.target.instances()}
        living = tuple(alive[one.id] for one in stable if one.id in alive)
        if living:
            self.ground.traffic.apply(stable_routes(living), revision=context.revision)
        if len(living) < len(stable):
            back = tuple(
                self.ground.target.start(one.id, rollout.package, one.version, revision=context.revision)
                for one in stable
            )
            self.ground.traffic.apply(stable_routes(back), revision=context.revision)

    def retire(self, context: StepContext) -> Outcome:
        """Stop every instance that serves nothing: weight verified 0 first, then no open request, then stopped.

        One whose requests do not end is never stopped: when the step's time is over, a person is asked.
        """
        if not self.ground.target.instances():
            return Done()
        if context.reason and "start" in context.results and not running(context).stable:
            stop_environment(self.ground, revision=context.revision)
            return Done()
        self.ground.traffic.open()
        shares = {route.instance_id: route.share for route in self.ground.traffic.routes()}
        waiting = []
        for instance in self.ground.target.instances():
            if shares.get(instance.id, 0.0) > 0:
                continue
            if self.ground.traffic.open_requests(instance.id) > 0:
                waiting.append(instance.id)
                continue
            self._stop(instance.id, context)
        for name, share in shares.items():
            if share == 0 and name not in waiting and self.ground.traffic.open_requests(name) == 0:
                self.ground.traffic.forget(name, revision=context.revision)
        if waiting:
            return Again(DRAIN_POLL_S, {}, f"Waiting for open requests of {', '.join(waiting)} to end.")
        return Done()

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


def _is_another_version(stable: tuple[Instance, ...], version: str) -> bool:
    """True if there is something to compare a canary with."""
    return bool(stable) and all(instance.version != version for instance in stable)


def is_serving(ground: Ground) -> bool:
    """True if the proxy sends traffic to an instance that is alive."""
    alive = {instance.id for instance in ground.target.instances()}
    try:
        routes = ground.traffic.routes()
    except UnavailableError:
        return False
    return any(route.share > 0 and route.instance_id in alive for route in routes)


def stop_environment(ground: Ground, *, revision: int) -> None:
    """Stop serving: the proxy first, so that no request finds a stopped instance, then all instances."""
    ground.traffic.close()
    for instance in ground.target.instances():
        ground.target.stop(instance.id, revision=revision)
