"""Copies that have died come back by themselves, and so does the proxy, as long as an engine runs.

Promises: what serves is kept whole, whether or not a rollout is under way, and also while one waits for a person; one
that keeps dying is started at growing pauses; no share of the traffic is changed. Requests go to the copies that live
meanwhile, and to a copy that came back at another address once it is ready. A proxy runs again, with the routes that it
had last, where something serves by the record and nobody has taken it down: so an environment comes back when its
machine does. Does not end copies that live and do not answer.

It acts with a fencing number that is lent by the environment's newest run: a process that was paused and acts late,
after a rollout has moved on, is refused. So it takes part in no lock, and a rollout never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from shipline.capabilities.rollouts.queries import recorded_deployment
from shipline.capabilities.rollouts.routing import followed, kept_routes
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.waiting import awaited_copies
from shipline.capabilities.rollouts.workflow import (
    changing_names,
    down_name,
    environment_key,
    mend_name,
    mending_key,
    workflow_name,
)
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import ShiplineError, UnavailableError
from shipline.engine.engine import Engine
from shipline.engine.journal import holder_of, lend_revision, newest_of, runs_of
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Again, Done, Outcome, Save, StepContext
from shipline.ports.target import Group
from shipline.ports.traffic import Route
from shipline.store.transaction import Transaction

LOOK_EVERY_S = 2.0
BUSY_POLL_S = 0.5
PAUSE_MAX_S = 60
# Whole for so long, and what dies next is news. Shorter than that it is the same trouble, and its pauses go on growing.
STEADY_S = 60
# A run of the engine has an end; the next look begins another, if there is need.
RUN_S_MAX = 86_400
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Mending:
    """What is remembered between two looks: how often copies were started again, when that may be done next, since
    when all are ready (None: they are not), since when the groups that were found short are, by id, and since when no
    proxy runs (None: one does)."""

    restarts: int = 0
    not_before_us: int = 0
    whole_since_us: int | None = None
    short_since_us: dict[str, int] = field(default_factory=dict)
    closed_since_us: int | None = None


def restarted(mending: Mending, now_us: int) -> Mending:
    """Copies were started again: the next time may be after 1, 2, 4 ... PAUSE_MAX_S seconds."""
    pause_s = min(PAUSE_MAX_S, 2 ** min(mending.restarts, 10))
    return replace(mending, restarts=mending.restarts + 1, not_before_us=now_us + pause_s * SECOND_US)


def has_died(group: Group) -> bool:
    """True if copies are gone. Those that live and are not ready are left to become so."""
    return group.hopeless and len(group.endpoints) < group.size


def served_groups(routes: tuple[Route, ...], groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups that serve, or must be there for the way back."""
    kept = {route.group_id for route in kept_routes(routes)}
    return tuple(group for group in groups if group.id in kept)


def serving_groups(ground: Ground) -> tuple[Group, ...]:
    """The groups that serve, as they stand; none where no proxy runs. Nothing is changed."""
    try:
        routes = ground.traffic.routes()
    except UnavailableError:
        return ()
    return served_groups(routes, ground.target.groups())


def needs_mending(ground: Ground, environment: str) -> bool:
    """True if copies that should serve, or their proxy, are gone. Asks the target and the proxy, which may take
    seconds."""
    try:
        routes = ground.traffic.routes()
    except UnavailableError:
        return _is_wanted(ground, environment)
    return any(has_died(group) for group in served_groups(routes, ground.target.groups()))


def _is_wanted(ground: Ground, environment: str) -> bool:
    """True if users are to be served there: something is on record, and it was brought there after the environment was
    taken down last. Where what was tried since has failed, there is nothing that the proxy could lead to."""
    with ground.store.begin() as tx:
        recorded = recorded_deployment(tx, environment)
        newest, down = (newest_of(tx, names) for names in (changing_names(environment), (down_name(environment),)))
        if recorded is None or newest is None or newest.workflow == down_name(environment):
            return False
        runs = runs_of(tx, f"rollout:{recorded.rollout_id}")
    brought = [run.revision for run in runs if run.workflow == workflow_name(environment)]
    return down is None or not brought or max(brought) > down.revision


def order_mending(tx: Transaction, engine: Engine, environment: str) -> None:
    """Begin to bring copies back, unless that is under way. What had stopped for good is ended, and begun anew."""
    key = mending_key(environment)
    holder = holder_of(tx, key)
    if holder is not None and holder.state.status is RunStatus.STOPPED:
        engine.abandon(tx, holder.id)
        holder = None
    if holder is None:
        engine.start(tx, mend_name(environment), subject=key, given={}, exclusive_key=key)


def mending_words(tx: Transaction, environment: str) -> str:
    """What is being brought back there, in words; "" where nothing is."""
    holder = holder_of(tx, mending_key(environment))
    return "" if holder is None else holder.state.reason or holder.state.waiting_for


class MendStep:
    """The action of `mend_workflow`."""

    def __init__(self, ground: Ground, environment: str) -> None:
        self.ground = ground
        self.environment = environment

    def __call__(self, context: StepContext) -> Outcome:
        """One look: routes lead to what lives, what died is run again when its pause is over."""
        memory = Mending() if context.memory is None else from_json(Mending, context.memory)
        if context.now_us - context.started_us >= RUN_S_MAX * SECOND_US:
            return Done({"restarts": memory.restarts})
        revision = self._revision()
        if revision is None:
            return Again(BUSY_POLL_S, to_json(memory), "Waiting for a step of the rollout that is under way there.")
        try:
            return self._look(memory, revision, context.now_us)
        except ShiplineError as error:
            words = f"What serves there cannot be looked after now: {error.what}."
            return Again(LOOK_EVERY_S, to_json(memory), words)

    def _look(self, memory: Mending, revision: int, now_us: int) -> Outcome:
        try:
            routes = self.ground.traffic.routes()
        except UnavailableError:
            return self._open(memory, revision, now_us)
        if memory.closed_since_us is not None:
            return self._is_open_again(memory, now_us)
        if not routes:
            return _nothing(memory)
        groups = served_groups(routes, self.ground.target.groups())
        mended = self._mend(memory, routes, groups, revision=revision, now_us=now_us)
        return self._answer(memory, mended, groups, now_us)

    def _revision(self) -> int | None:
        # Before the look: whatever is done to the environment after it has a higher number.
        with self.ground.store.begin() as tx:
            return lend_revision(tx, changing_names(self.environment))

    def _open(self, memory: Mending, revision: int, now_us: int) -> Outcome:
        """Let the proxy run again, once it is on record that it did not. It finds what it led to last."""
        if not _is_wanted(self.ground, self.environment):
            return _nothing(memory)
        words = "The proxy has ended, and is started again."
        if memory.closed_since_us is None:
            memory = replace(memory, closed_since_us=now_us)
            return Again(0.0, to_json(memory), words, lambda tx: self._tell(tx, "ProxyFailed", {}))
        self.ground.traffic.open(revision=revision)
        return Again(BUSY_POLL_S, to_json(memory), words)

    def _is_open_again(self, memory: Mending, now_us: int) -> Outcome:
        seconds = (now_us - (memory.closed_since_us or now_us)) / SECOND_US
        memory, told = replace(memory, closed_since_us=None), {"seconds": seconds}
        return Again(0.0, to_json(memory), "The proxy runs again.", lambda tx: self._tell(tx, "ProxyRecovered", told))

    def _mend(
        self, memory: Mending, routes: tuple[Route, ...], groups: tuple[Group, ...], *, revision: int, now_us: int
    ) -> Mending:
        now = {group.id: group for group in groups}
        routes = self._follow(routes, now, revision)
        # Only what is on record: a process that dies here must not leave a copy brought back that nobody was told of.
        died = [group for group in groups if has_died(group) and group.id in memory.short_since_us]
        # No pause is longer than that, unless the clock was set back.
        is_early = 0 < memory.not_before_us - now_us <= PAUSE_MAX_S * SECOND_US
        if not died or is_early:
            return memory
        now |= {group.id: self.ground.target.run(group.spec, revision=revision) for group in died}
        self._follow(routes, now, revision)
        return restarted(memory, now_us)

    def _follow(self, routes: tuple[Route, ...], groups: dict[str, Group], revision: int) -> tuple[Route, ...]:
        kept = kept_routes(routes)
        wanted = followed(kept, groups)
        if wanted != kept:
            self.ground.traffic.apply(wanted, revision=revision)
        return wanted

    def _answer(self, before: Mending, mended: Mending, groups: tuple[Group, ...], now_us: int) -> Outcome:
        short = tuple(
            group for group in groups if has_died(group) or (group.id in before.short_since_us and not group.is_whole)
        )
        since_us = {group.id: before.short_since_us.get(group.id, now_us) for group in short}
        whole_since_us = None if short else min(now_us, before.whole_since_us or now_us)
        memory = replace(mended, short_since_us=since_us, whole_since_us=whole_since_us)
        save = self._save(before, memory, groups, now_us)
        if whole_since_us is None:
            is_news = since_us.keys() > before.short_since_us.keys()
            pause_s = 0.0 if is_news else _pause_s(memory, now_us)
            return Again(pause_s, to_json(memory), _words(memory, short, now_us), save)
        if not before.short_since_us and not memory.restarts:
            return Done({"restarts": 0}, save=save, idle="all copies are ready")
        if now_us - whole_since_us >= STEADY_S * SECOND_US:
            return Done({"restarts": memory.restarts}, save=save)
        return Again(LOOK_EVERY_S, to_json(memory), f"All copies are ready again, after {_times(memory)}.", save)

    def _save(self, before: Mending, after: Mending, groups: tuple[Group, ...], now_us: int) -> Save:
        """What the log is told: which groups were found short, and which are whole again."""
        failed = [group for group in groups if group.id in after.short_since_us.keys() - before.short_since_us.keys()]
        back = [group for group in groups if group.id in before.short_since_us.keys() - after.short_since_us.keys()]

        def save(tx: Transaction) -> None:
            for group in failed:
                self._append(tx, "CopiesFailed", group, {"ready": group.ready, "trouble": group.trouble})
            for group in back:
                seconds = (now_us - before.short_since_us[group.id]) / SECOND_US
                self._append(tx, "CopiesRecovered", group, {"seconds": seconds, "restarts": after.restarts})

        return save

    def _append(self, tx: Transaction, kind: str, group: Group, body: dict[str, Any]) -> None:
        common = {"group": group.id, "package": group.package, "version": group.version, "size": group.size}
        self._tell(tx, kind, common | body)

    def _tell(self, tx: Transaction, kind: str, body: dict[str, Any]) -> None:
        told = {"environment": self.environment} | body
        self.ground.events.append(tx, environment_key(self.environment), kind, told)


def _nothing(memory: Mending) -> Outcome:
    return Done({"restarts": memory.restarts}, idle="nothing is served there any more")


def _pause_s(memory: Mending, now_us: int) -> float:
    """Until the next look: not later than copies may be started again."""
    left_s = (memory.not_before_us - now_us) / SECOND_US
    return min(LOOK_EVERY_S, left_s) if left_s > 0 else LOOK_EVERY_S


def _words(memory: Mending, short: tuple[Group, ...], now_us: int) -> str:
    words = awaited_copies(short)
    if not memory.restarts or not any(has_died(group) for group in short):
        return words
    left_s = max(0, memory.not_before_us - now_us) / SECOND_US
    return f"Started again {_times(memory)}, the next time in {left_s:.0f} s at the earliest. {words}"


def _times(memory: Mending) -> str:
    return f"{memory.restarts} {'time' if memory.restarts == 1 else 'times'}"


def mend_actions(ground: Ground, environment: str) -> dict[str, Action]:
    """The action of every step of `mend_workflow`, by name."""
    return {"mend": MendStep(ground, environment)}
