"""Stopping what serves nothing any more, and keeping warm for a while what served before.

Promises: a group is stopped only once its share was verified 0 and its open requests have ended. What is kept warm is
stopped when its time is over, by a run of its own; the next rollout there ends it sooner.
"""

from __future__ import annotations

from shipline.capabilities.rollouts.effects import claiming, close, stop_group
from shipline.capabilities.rollouts.queries import latest_rollout
from shipline.capabilities.rollouts.steps import Ground, running, strategy_of
from shipline.capabilities.rollouts.upkeep.drift import SHARE_TOLERANCE
from shipline.capabilities.rollouts.usecases import note_warm
from shipline.capabilities.rollouts.workflow import cool_name, environment_key
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.domain.rollout import Rollout
from shipline.engine.engine import Engine
from shipline.engine.journal import holder_of
from shipline.engine.workflow import Action, Again, Done, Outcome, StepContext
from shipline.ports.target import Group
from shipline.store.transaction import Transaction

DRAIN_POLL_S = 0.2
# What could not be stopped when its time was over is tried again after that.
COOL_AGAIN_S = 60


class RetireStep:
    """The action `retire` of `rollout_workflow`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """Stop every group that serves nothing and is not kept warm.

        One whose requests do not end is never stopped: when the step's time is over, a person is asked.
        """
        groups = self.ground.target.groups()
        if context.reason and "start" not in context.results and _leads_nowhere(self.ground, groups):
            stop_environment(self.ground, revision=context.revision)
            return Done()
        if not groups:
            return Done()
        if context.reason and "start" in context.results and not running(context).before:
            stop_environment(self.ground, revision=context.revision)
            return Done()
        self.ground.traffic.open(revision=context.revision)
        warm = _kept_warm(self.ground, context)
        waiting = retire_unused(self.ground, warm, revision=context.revision)
        if waiting:
            return Again(DRAIN_POLL_S, {}, f"Waiting for open requests of {', '.join(waiting)} to end.")
        until_us = context.now_us + int(strategy_of(context).keep_warm_s * 1_000_000) if warm else None
        return Done(save=lambda tx: note_warm(tx, str(context.input["rollout_id"]), until_us))


def _leads_nowhere(ground: Ground, groups: tuple[Group, ...]) -> bool:
    """True if all users are led to what does not run any more: it had been taken down, and what was tried then opened
    it with the routes of before. Where somebody leads them elsewhere by hand, they are served."""
    try:
        serving = {route.group_id: route.share for route in ground.traffic.routes() if route.share > 0}
    except UnavailableError:
        return False
    return sum(serving.values()) > 1 - SHARE_TOLERANCE and not serving.keys() & {group.id for group in groups}


def _kept_warm(ground: Ground, context: StepContext) -> tuple[str, ...]:
    """The groups that served before a promotion. The way back ends at its version: it keeps nothing."""
    if context.reason or "start" not in context.results or strategy_of(context).keep_warm_s == 0:
        return ()
    there = {group.id for group in ground.target.groups()}
    return tuple(group.id for group in running(context).stable if group.id in there)


def retire_unused(ground: Ground, warm: tuple[str, ...], *, revision: int) -> tuple[str, ...]:
    """Stop and forget the groups that serve nothing, but for those in `warm`; returns those that still drain.

    UnavailableError where no proxy runs: nobody can tell then what serves.
    """
    serves = {route.group_id: route.serves for route in ground.traffic.routes()}
    idle = [group.id for group in ground.target.groups() if not serves.get(group.id, False) and group.id not in warm]
    waiting = tuple(name for name in idle if ground.traffic.open_requests(name) > 0)
    for name in idle:
        if name not in waiting:
            _stop(ground, name, revision=revision)
    for name, is_serving in serves.items():
        if not is_serving and name not in waiting and ground.traffic.open_requests(name) == 0:
            ground.traffic.forget(name, revision=revision)
    return waiting


def _stop(ground: Ground, name: str, *, revision: int) -> None:
    serving = {route.group_id for route in ground.traffic.routes() if route.serves}
    if name in serving:
        raise ShiplineError(f"{name} still has traffic and is not stopped")
    stop_group(ground.target, name, revision=revision)


def stop_environment(ground: Ground, *, revision: int) -> None:
    """Stop serving: the proxy first, so that no request finds a stopped copy, then all groups."""
    close(ground.traffic, revision=revision)
    for group in ground.target.groups():
        stop_group(ground.target, group.id, revision=revision)


def cooling_due(tx: Transaction, environment: str, now_us: int) -> Rollout | None:
    """The rollout that keeps something warm there whose time is over; None while another run changes the place."""
    newest = latest_rollout(tx, environment)
    if newest is None or newest.warm_until_us is None or now_us < newest.warm_until_us:
        return None
    return newest if holder_of(tx, environment_key(environment)) is None else None


def order_cooling(tx: Transaction, engine: Engine, environment: str) -> None:
    """Stop what was kept warm, if its time is over."""
    rollout = cooling_due(tx, environment, engine.clock.now_us())
    if rollout is not None:
        engine.start(
            tx,
            cool_name(environment),
            subject=f"rollout:{rollout.id}",
            given={"rollout_id": rollout.id},
            exclusive_key=environment_key(environment),
        )


class CoolStep:
    """The action of `cool_workflow`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """Stop what serves nothing, whatever it was kept for, as far as that can be done now; the rest is due later.

        It waits for nobody and fails for nothing: a rollback must not be refused because something is being stopped.
        Nor does it start a proxy, which may have been taken down meanwhile.
        """
        rollout_id = str(context.input["rollout_id"])
        later_us = context.now_us + COOL_AGAIN_S * 1_000_000
        try:
            waiting = retire_unused(self.ground, (), revision=context.revision) if self.ground.target.groups() else ()
        except ShiplineError as error:
            trouble = f"what was kept warm cannot be stopped now: {error.what}"
            return Done(save=lambda tx: note_warm(tx, rollout_id, later_us), idle=trouble)
        return Done(save=lambda tx: note_warm(tx, rollout_id, later_us if waiting else None))


def cool_actions(ground: Ground) -> dict[str, Action]:
    """The action of every step of `cool_workflow`, by name."""
    return claiming(ground.target, ground.traffic, {"cool": CoolStep(ground)})
