"""Ordering a rollout: it begins at once, waits for its turn, or is refused. Load, decide, save, append: one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.concurrency import Concurrency, is_back, queueing
from shipline.capabilities.rollouts.promotion import ANY_WAY, Way, check_way
from shipline.capabilities.rollouts.queries import (
    DEPLOYMENTS,
    ROLLOUTS,
    current_deployment,
    open_rollout_of,
    queued_rollouts,
    rollouts_of_version,
    unfinished_deployments,
)
from shipline.capabilities.rollouts.strategies import Strategy, StrategyKind
from shipline.capabilities.rollouts.usecases import RolloutCommand, append, command_rollout, superseding, withdraw
from shipline.capabilities.rollouts.workflow import (
    adopt_name,
    down_name,
    drill_key,
    environment_key,
    turn_name,
    workflow_name,
)
from shipline.domain.actor import Actor
from shipline.domain.codec import to_json
from shipline.domain.errors import NothingToDo, RefusedError
from shipline.domain.rollout import Rollout, RolloutPurpose, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of
from shipline.engine.rules import RunStatus
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

QUEUED_MAX = 20


@dataclass(frozen=True, slots=True)
class RolloutOrder:
    """What is to be rolled out where. `release_id` and `commit` are those of the published release.

    `is_down` says that nothing serves there now, whatever the record says: after a restart of the machine, say.
    `cannot` says why the environment cannot carry out the strategy, "" if it can. `digests` are those of the released
    artifacts that its target can run. `way` is what comes before the environment; a rollback does not ask for it.
    `past_migrations` is a person's reason to go back past migrations that cannot be undone, "" where there are none.
    `concurrency` is what to do while the environment is busy; `released_us` is when the release was begun. `purpose` is
    told by `rollback` where it is None; `reason` is why, where somebody had to say. `id` is the rollout's, chosen by
    who may have to order it twice, "" where anyone will do. `expedited` is why it takes the shorter way of a hotfix.
    `alerts` are the keys of the alerts from outside that ordered it, none where a person did.
    """

    package: str
    version: str
    environment: str
    strategy: Strategy
    digests: tuple[str, ...]
    release_id: str | None = None
    commit: str | None = None
    rollback: bool = False
    is_down: bool = False
    cannot: str = ""
    way: Way = ANY_WAY
    past_migrations: str = ""
    concurrency: Concurrency = Concurrency.REFUSE
    released_us: int | None = None
    purpose: RolloutPurpose | None = None
    reason: str = ""
    id: str = ""
    expedited: str = ""
    alerts: tuple[str, ...] = ()


def open_rollout(tx: Transaction, engine: Engine, order: RolloutOrder, actor: Actor) -> Rollout:
    """Start bringing a version to an environment; returns the rollout, whose run is under way.

    Where the environment is busy it waits for its turn, if the order says so: then it is returned QUEUED. A rollout of
    the same version that is on its way there, or waits, is returned as it is: whoever ordered it may have been cut
    off. NothingToDo if the environment serves this version already; RefusedError while it is busy, if it serves
    another package, where the strategy cannot be carried out, or if the version has not been where it has to come from.
    """
    other = open_rollout_of(tx, order.environment)
    queued = queued_rollouts(tx, order.environment)
    for known in (other, *queued):
        if known is not None and _is_same(known, order):
            return known
    _check_order(tx, engine, order)
    new = _new_rollout(tx, engine, order, actor)
    events = EventWriter(engine.ids, engine.clock, actor)
    if order.concurrency is not Concurrency.REFUSE and in_the_way(tx, new):
        _check_may_wait(tx, order, other, queued)
        return _queue(tx, engine, replace(new, status=RolloutStatus.QUEUED), order, actor)
    _check_is_free(tx, order, other)
    return begin_rollout(tx, engine, order, new, events)


def begin_rollout(
    tx: Transaction, engine: Engine, order: RolloutOrder, rollout: Rollout, events: EventWriter
) -> Rollout:
    """Start the run of a rollout in an environment that is free. NothingToDo if it serves this version already."""
    current = current_deployment(tx, order.environment, order.package)
    is_mixed = bool(unfinished_deployments(tx, order.environment))
    if current is not None and current.version == order.version and not (order.is_down or is_mixed):
        raise NothingToDo(f"{order.environment} serves {order.package} {order.version} already")
    rollout = replace(
        rollout,
        strategy=(order.strategy.kind if current is not None else StrategyKind.ALL_AT_ONCE).value,
        stable_version=current.version if current is not None else None,
        started_us=engine.clock.now_us(),
        waiting_for="",
    )
    ROLLOUTS.save(tx, rollout)
    body: dict[str, Any] = {"strategy": rollout.strategy, "stable_version": rollout.stable_version}
    body |= {"attempt": rollout.attempt}
    body |= {"rollback": order.rollback, "purpose": rollout.purpose.value, "reason": order.reason}
    body |= {"left_deployment_id": None if current is None else current.id}
    if order.past_migrations:
        body |= {"past_migrations": order.past_migrations}
    if order.expedited:
        body |= {"expedited": order.expedited}
    if order.alerts:
        body |= {"alerts": list(order.alerts)}
    append(tx, events, rollout, "RolloutStarted", body)
    given: dict[str, Any] = {"rollout_id": rollout.id, "commit": order.commit, "rollback": order.rollback}
    given |= {"strategy": to_json(order.strategy)}
    engine.start(
        tx,
        workflow_name(order.environment),
        subject=f"rollout:{rollout.id}",
        given=given,
        exclusive_key=environment_key(order.environment),
    )
    return rollout


def in_the_way(tx: Transaction, rollout: Rollout) -> str:
    """Why its turn has not come, in words; "" if it has. One that waits itself is only behind those before it."""
    where = rollout.environment
    running = open_rollout_of(tx, where)
    if running is not None:
        status = running.status.value.replace("_", " ")
        return f"Waiting for its turn: the rollout of {running.package} {running.version} is {status}."
    holder = holder_of(tx, environment_key(where))
    if holder is not None:
        return f"Waiting for its turn: {_busy_with(holder, where)}."
    if is_kept_by_drill(tx, where, rollout.purpose, rollback=rollout.purpose is RolloutPurpose.ROLLBACK):
        return "Waiting for its turn: a drill is under way."
    for first in queued_rollouts(tx, where):
        if first.id == rollout.id or (rollout.status is not RolloutStatus.QUEUED and _passes(rollout, first)):
            break
        return f"Waiting for its turn: {first.package} {first.version} comes before."
    return ""


def _passes(new: Rollout, first: Rollout) -> bool:
    return is_back(new) and not is_back(first)


def is_kept_by_drill(tx: Transaction, where: str, purpose: RolloutPurpose | None, *, rollback: bool) -> bool:
    """True between the two ways of a drill, for all but its own and a person's way back."""
    is_first = purpose is RolloutPurpose.DRILL or rollback
    return not is_first and holder_of(tx, drill_key(where)) is not None


def _busy_with(holder: Run, where: str) -> str:
    if holder.workflow == down_name(where):
        return f"{where} is being taken down"
    if holder.workflow == adopt_name(where):
        return "what runs there is being recorded"
    words = "could not be stopped" if holder.state.status is RunStatus.FAILED else "is being stopped"
    return f"what the last rollout left {words}"


def _new_rollout(tx: Transaction, engine: Engine, order: RolloutOrder, actor: Actor) -> Rollout:
    return Rollout(
        id=order.id or engine.ids.new("rol"),
        package=order.package,
        version=order.version,
        environment=order.environment,
        strategy=order.strategy.kind.value,
        status=RolloutStatus.STARTING,
        started_us=engine.clock.now_us(),
        release_id=order.release_id,
        attempt=len(rollouts_of_version(tx, order.environment, order.version)) + 1,
        ordered_by=str(actor),
        digests=order.digests,
        purpose=order.purpose or (RolloutPurpose.ROLLBACK if order.rollback else RolloutPurpose.RELEASE),
        released_us=order.released_us,
        expedited=order.expedited,
    )


def _queue(tx: Transaction, engine: Engine, new: Rollout, order: RolloutOrder, actor: Actor) -> Rollout:
    """Let it wait: a run waits with it. What it replaces is withdrawn, what it supersedes turned back."""
    running = open_rollout_of(tx, order.environment)
    decided = queueing(order.concurrency, new, running, queued_rollouts(tx, order.environment))
    name = f"{new.package} {new.version}"
    events = EventWriter(engine.ids, engine.clock, actor)
    for older in decided.replaced:
        withdraw(tx, events, older, f"replaced by {name}", replaced_by=new.id)
    new = replace(new, waiting_for=in_the_way(tx, new))
    ROLLOUTS.save(tx, new)
    behind = None if running is None else running.id
    append(tx, events, new, "RolloutQueued", {"rollback": order.rollback, "behind": behind})
    if decided.supersedes and running is not None:
        why = f"a way back to {name} was ordered" if order.rollback else superseding(name)
        command_rollout(tx, engine, running, RolloutCommand("abort", why, actor))
        ROLLOUTS.save(tx, replace(running, superseded_by="" if order.rollback else name))
    given = {"rollout_id": new.id, "order": to_json(order)}
    engine.start(tx, turn_name(order.environment), subject=f"rollout:{new.id}", given=given)
    return new


def _is_same(rollout: Rollout, order: RolloutOrder) -> bool:
    """True if it brings, or waits to bring, what is ordered."""
    goes_forward = rollout.status not in (RolloutStatus.ROLLING_BACK, RolloutStatus.FAILED)
    return goes_forward and (rollout.package, rollout.version) == (order.package, order.version)


def _check_order(tx: Transaction, engine: Engine, order: RolloutOrder) -> None:
    """Refuse (RefusedError) what could not be carried out however free the environment were."""
    if order.cannot:
        todo = f'set `strategy = "all-at-once"` for {order.environment}'
        raise RefusedError(f"{order.environment} cannot have {order.strategy.kind.value}", why=order.cannot, todo=todo)
    if not order.rollback:
        check_way(tx, order.package, order.version, order.way, engine.clock.now_us())


def check_package(tx: Transaction, package: str, environment: str) -> None:
    """An environment serves one package: RefusedError for another."""
    served = {one.package for one in DEPLOYMENTS.where(tx, environment=environment, ended_us=None)} - {package}
    if served:
        raise RefusedError(
            f"{environment} serves {min(served)}, and an environment serves one package",
            todo=f"give {package} an [[environment]] of its own",
        )


def _check_may_wait(tx: Transaction, order: RolloutOrder, other: Rollout | None, queued: tuple[Rollout, ...]) -> None:
    """What only a person can end is not waited for: nobody knows how long that takes."""
    holder = holder_of(tx, environment_key(order.environment))
    is_stuck = holder is not None and (
        holder.state.status is RunStatus.FAILED or holder.workflow == down_name(order.environment)
    )
    if is_stuck or (other is not None and other.status is RolloutStatus.FAILED):
        _check_is_free(tx, order, other)
    check_package(tx, order.package, order.environment)
    if len(queued) >= QUEUED_MAX:
        raise RefusedError(
            f"{len(queued)} rollouts wait for {order.environment} already", todo="withdraw those that nobody needs"
        )


def _check_is_free(tx: Transaction, order: RolloutOrder, other: Rollout | None) -> None:
    where = order.environment
    if other is not None:
        verb = f"retry {where}, or give-up {where}" if other.status is RolloutStatus.FAILED else f"abort {where}"
        raise RefusedError(
            f"{where} is busy: the rollout of {other.package} {other.version} is {other.status.value}",
            todo=f"wait for it, or say: shipline rollout {verb}",
        )
    holder = holder_of(tx, environment_key(where))
    if holder is not None and holder.workflow == down_name(where):
        raise RefusedError(
            f"{where} is being taken down",
            why=holder.state.reason,
            todo=f"wait for it, or see it to its end: shipline down {where}",
        )
    if holder is not None and holder.state.status is RunStatus.FAILED:
        raise RefusedError(
            f"{where} is busy: what the last rollout left there could not be stopped",
            why=holder.state.reason,
            todo=f"mend that, then say: shipline rollout retry {where}; or give-up {where}",
        )
    if is_kept_by_drill(tx, where, order.purpose, rollback=order.rollback):
        raise RefusedError(f"a drill is under way in {where}", todo="wait for it")
    check_package(tx, order.package, where)
