"""Waiting for one's turn in an environment that is busy.

Promises: the order is kept by a run of the engine, so that it outlives the process that took it; deciding that the turn
has come and beginning are one transaction, so that it begins once. Whether it may still begin is asked anew then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shipline.capabilities.rollouts.ordering import RolloutOrder, begin_rollout, check_package, in_the_way
from shipline.capabilities.rollouts.promotion import check_way
from shipline.capabilities.rollouts.queries import ROLLOUTS
from shipline.capabilities.rollouts.steps import Ground, is_serving
from shipline.capabilities.rollouts.usecases import withdraw
from shipline.domain.codec import from_json
from shipline.domain.errors import NothingToDo, RefusedError
from shipline.domain.rollout import Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run
from shipline.engine.rules import ENDED
from shipline.engine.workflow import Action, Again, Done, Outcome, StepContext
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

LOOK_MIN_S, LOOK_MAX_S = 0.5, 30.0
# A look costs a line of the journal, and nobody minds a wait that is a twentieth longer.
LOOK_SHARE = 1 / 20


def look_again_s(waited_us: int) -> float:
    """Seconds until the next look: longer as the wait goes on."""
    return min(LOOK_MAX_S, max(LOOK_MIN_S, waited_us / 1_000_000 * LOOK_SHARE))


class TurnStep:
    """The action of `turn_workflow`. `engine` gives the one that runs it, to start what comes next."""

    def __init__(self, ground: Ground, engine: Callable[[], Engine]) -> None:
        self.ground = ground
        self.engine = engine

    def __call__(self, context: StepContext) -> Outcome:
        """Begin the rollout if its turn has come. Called again after that, it finds that it has begun."""
        order = from_json(RolloutOrder, context.input["order"])
        words = self._look(context)
        if words is None:
            return Done()
        if words:
            return self._again(context, words)
        order = replace(order, is_down=not is_serving(self.ground))
        with self.ground.store.begin() as tx:
            rollout = self._mine(tx, context)
            if rollout is None:
                return Done()
            words = in_the_way(tx, rollout)
            if not words:
                self._begin(tx, order, rollout)
                return Done()
        return self._again(context, words)

    def _look(self, context: StepContext) -> str | None:
        """What is in the way, in words; None where nothing waits any more."""
        with self.ground.store.begin() as tx:
            rollout = self._mine(tx, context)
            words = None if rollout is None else in_the_way(tx, rollout)
        if rollout is None or words:
            return words
        return self.ground.closed(rollout)

    def _mine(self, tx: Transaction, context: StepContext) -> Rollout | None:
        rollout = ROLLOUTS.find(tx, str(context.input["rollout_id"]), lock=True)
        return rollout if rollout is not None and rollout.status is RolloutStatus.QUEUED else None

    def _begin(self, tx: Transaction, order: RolloutOrder, rollout: Rollout) -> None:
        events = self.ground.events
        try:
            check_package(tx, order.package, order.environment)
            if not order.rollback:
                check_way(tx, order.package, order.version, order.way, events.clock.now_us())
            begin_rollout(tx, self.engine(), order, rollout.to(RolloutStatus.STARTING), events)
        except (NothingToDo, RefusedError) as refusal:
            withdraw(tx, events, rollout, refusal.sentence())

    def _again(self, context: StepContext, words: str) -> Outcome:
        def save(tx: Transaction) -> None:
            rollout = self._mine(tx, context)
            if rollout is not None and rollout.waiting_for != words:
                ROLLOUTS.save(tx, replace(rollout, waiting_for=words))

        return Again(look_again_s(context.now_us - context.started_us), {}, words, save)


def follow_turn(tx: Transaction, events: EventWriter, run: Run) -> None:
    """A rollout whose run has ended without its turn having come is withdrawn."""
    rollout = ROLLOUTS.find(tx, str(run.input["rollout_id"]))
    if rollout is not None and rollout.status is RolloutStatus.QUEUED and run.state.status in ENDED:
        withdraw(tx, events, rollout, run.state.reason)


def turn_actions(ground: Ground, engine: Callable[[], Engine]) -> dict[str, Action]:
    """The action of every step of `turn_workflow`, by name."""
    return {"turn": TurnStep(ground, engine)}
