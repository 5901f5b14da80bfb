"""Replacing copies batch by batch: new ones first, so that at no time fewer serve than before.

Each copy gets as much traffic as any other. An old copy is stopped once no route leads to it and its requests have
ended; where the platform names no copies, it drains them itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from shipline.capabilities.rollouts.effects import lead, run_group, stop_group
from shipline.capabilities.rollouts.observing.counting import counted_as
from shipline.capabilities.rollouts.routing import rolling_routes
from shipline.capabilities.rollouts.steps import Ground, Running, load_rollout, running, strategy_of
from shipline.capabilities.rollouts.strategies import Strategy, StrategyKind
from shipline.capabilities.rollouts.usecases import awaited, note_share, note_wait
from shipline.capabilities.rollouts.waiting import (
    awaited_copies,
    changed_by_hand,
    heard_pause,
    hopeless_trouble,
    is_told,
    pause_s,
)
from shipline.capabilities.rollouts.watching import ChecksWatch, look_at_checks
from shipline.domain.codec import from_json, to_json
from shipline.domain.verdict import Answer
from shipline.engine.workflow import Again, Done, Failed, Outcome, StepContext
from shipline.ports.target import Group, Role
from shipline.store.transaction import Transaction

DRAIN_POLL_S = 0.2
LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Rolling:
    """What is remembered between two looks: since when this many new copies have been ready, whether a person has
    paused it, and what the checks remember."""

    since_us: int
    size: int
    paused: bool = False
    checks: ChecksWatch | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """Copies of an old group that go: how many, and which where the platform names them."""

    group: Group
    count: int
    ids: tuple[str, ...]

    @property
    def left(self) -> Group:
        """The group without them."""
        kept = tuple(one for one in self.group.endpoints if one.id not in self.ids)
        return replace(self.group, size=self.group.size - self.count, endpoints=kept)


def leaving_copies(old: tuple[Group, ...], surplus: int) -> tuple[Leaving, ...]:
    """Which `surplus` copies of the old groups go, from the first group on; the same for the same groups."""
    found = []
    for group in old:
        count = min(surplus, group.size)
        surplus -= count
        # Those that have died anyway are gone; then the first that live.
        living = max(0, count - (group.size - len(group.endpoints)))
        found.append(Leaving(group, count, tuple(one.id for one in group.endpoints[:living])))
    return tuple(found)


def old_wanted(before: int, new: int, instances: int) -> int:
    """How many of `before` old copies stay while `new` of `instances` new ones serve."""
    return max(0, math.ceil(before * (instances - new) / instances))


class RollStep:
    """The action `roll` of a rollout's workflow."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def __call__(self, context: StepContext) -> Outcome:
        """One look: old copies go as new ones are ready, and the next batch is begun when its time has come."""
        strategy, groups = strategy_of(context), running(context)
        if strategy.kind is not StrategyKind.ROLLING or not groups.stable:
            return Done(idle="it is not replaced batch by batch")
        if context.results["preview"]["promote"] or is_told(context, "promote"):
            return Done({})
        self.ground.traffic.open(revision=context.revision)
        return self._look(context, groups, strategy)

    def _look(self, context: StepContext, groups: Running, strategy: Strategy) -> Outcome:
        now = {group.id: group for group in self.ground.target.groups()}
        new = now.get(groups.new.id, groups.new)
        old = tuple(now[one.id] for one in groups.stable if one.id in now)
        memory = self._memory(context, new)
        counted = counted_as(new, Role.CANARY)
        watch, look = look_at_checks(
            self.ground, load_rollout(self.ground, context), memory.checks, counted, context.now_us
        )
        memory = replace(memory, checks=watch)
        trouble = look.words if look.verdict is Answer.FAIL else hopeless_trouble((new,))
        trouble = trouble or changed_by_hand((new, *old), groups.stable)
        if trouble:
            return Failed(trouble)
        if not new.is_whole:
            return self._again(context, memory, awaited_copies((new,)), pause_s(context.now_us - memory.since_us))
        before = sum(one.size for one in groups.stable)
        surplus = sum(one.size for one in old) - old_wanted(before, new.size, self.ground.instances)
        if surplus > 0:
            return self._let_go(context, memory, new, leaving_copies(old, surplus))
        if look.verdict is Answer.UNKNOWN and not is_told(context, "skip-wait"):
            return self._again(context, memory, look.words, LOOK_EVERY_S)
        return self._next_batch(context, memory, new, strategy)

    def _memory(self, context: StepContext, new: Group) -> Rolling:
        memory = Rolling(context.now_us, new.size) if context.memory is None else from_json(Rolling, context.memory)
        said = heard_pause(context)
        memory = memory if said is None else replace(memory, paused=said)
        memory = replace(memory, since_us=min(memory.since_us, context.now_us))  # The clock may have been set back.
        is_ready_now = new.is_whole and new.size != memory.size
        return replace(memory, size=new.size, since_us=context.now_us) if is_ready_now else memory

    def _let_go(self, context: StepContext, memory: Rolling, new: Group, leaving: tuple[Leaving, ...]) -> Outcome:
        """Take the traffic from the copies that go, and stop those whose requests have ended."""
        left = tuple(one.left for one in leaving if one.left.size > 0)
        lead(self.ground.traffic, rolling_routes(left, new), revision=context.revision)
        busy = [one for one in leaving if one.count and self._open_requests(one)]
        for one in leaving:
            if one.count and one not in busy:
                self._stop(context, one)
        words = "Waiting for open requests of old copies to end." if busy else "Old copies have been stopped."
        share = len(new.endpoints or ()) or new.size
        total = share + sum(len(group.endpoints) or group.size for group in left)
        return self._again(context, memory, words, DRAIN_POLL_S if busy else 0.0, share=share / total)

    def _open_requests(self, leaving: Leaving) -> int:
        if leaving.count == leaving.group.size:
            return self.ground.traffic.open_requests(leaving.group.id)
        return sum(self.ground.traffic.open_requests(leaving.group.id, each) for each in leaving.ids)

    def _stop(self, context: StepContext, leaving: Leaving) -> None:
        name = leaving.group.id
        if leaving.count == leaving.group.size:
            stop_group(self.ground.target, name, revision=context.revision)
            return
        smaller = replace(leaving.group.spec, size=leaving.group.size - leaving.count)
        run_group(self.ground.target, smaller, revision=context.revision, leaving=leaving.ids)

    def _next_batch(self, context: StepContext, memory: Rolling, new: Group, strategy: Strategy) -> Outcome:
        instances = self.ground.instances
        if new.size >= instances:
            return Done({})
        left_s = strategy.batch_hold_s - (context.now_us - memory.since_us) / 1e6
        if (left_s > 0 or memory.paused) and not is_told(context, "skip-wait"):
            held = f" The next batch begins in {left_s:.0f} s." if left_s > 0 else ""
            return self._again(context, memory, f"{new.size} of {instances} copies are new.{held}", LOOK_EVERY_S)
        size = min(instances, new.size + strategy.batch)
        run_group(self.ground.target, replace(new.spec, size=size), revision=context.revision)
        words = f"{new.size} of {instances} copies are new; {size - new.size} more are being started."
        return self._again(context, memory, words, 0.0)

    def _again(
        self, context: StepContext, memory: Rolling, words: str, after_s: float, *, share: float | None = None
    ) -> Outcome:
        rollout, events = load_rollout(self.ground, context), self.ground.events
        wait = self.ground.wait(context, waiting=memory.paused)

        def save(tx: Transaction) -> None:
            note_wait(tx, events, rollout, words, wait)
            if share is not None:
                note_share(tx, events, rollout.id, share)

        return Again(after_s, to_json(memory), awaited(words, waiting=memory.paused), save)
