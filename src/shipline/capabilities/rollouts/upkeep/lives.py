"""Ephemeral environments: brought up for a branch or by a schedule, seen to be healthy, and taken down again.

Promises: a life is one run, so that whoever dies in between, the next engine goes on with it; whatever becomes of it,
what was begun is taken down: users are not served any more, nothing is left running, and its port is free. What runs in
it came there by a rollout, with the gates of the environment that it is made after. A life begins only where nothing
serves, so it never lowers what it did not raise. Names of branches are anybody's
words: what they become is bounded, and two branches never share an environment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shipline.capabilities.rollouts.ordering import RolloutOrder, open_rollout
from shipline.capabilities.rollouts.queries import DEPLOYMENTS, ROLLOUTS, open_rollout_of, queued_rollouts
from shipline.capabilities.rollouts.steps import Ground
from shipline.capabilities.rollouts.upkeep.rehearsing import end_rehearsal
from shipline.capabilities.rollouts.upkeep.taking_down import take_down
from shipline.capabilities.rollouts.usecases import RolloutCommand, append, command_rollout
from shipline.capabilities.rollouts.waiting import pause_s
from shipline.capabilities.rollouts.workflow import (
    down_name,
    environment_key,
    life_key,
    life_name,
    mending_key,
    rehearsal_key,
    workflow_name,
)
from shipline.domain.actor import SYSTEM, Actor
from shipline.domain.codec import from_json, to_json
from shipline.domain.errors import InvalidValue, NothingToDo, RefusedError, ShiplineError
from shipline.domain.rollout import ENDED, Rollout, RolloutStatus
from shipline.engine.engine import Engine
from shipline.engine.journal import Run, holder_of, open_runs, recent_runs, runs_of
from shipline.engine.rules import ENDED as RUN_ENDED
from shipline.engine.rules import RunStatus
from shipline.engine.workflow import Action, Again, Done, Failed, Outcome, StepContext
from shipline.ports.load import Load, LoadPlan
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

SECOND_US = 1_000_000
NAME_MAX = 40
HASH_MAX = 8
# What of a branch's name may be: https://git-scm.com/docs/git-check-ref-format, version 2.47.
BRANCH = re.compile(r"(?![-/])(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|[./]$))[^\x00-\x20\x7f~^:?*\[\\]{1,200}")
POLL_S = 1.0
LIVE_POLL_S = 3600.0
STUCK_POLL_S = 30.0
SCHEDULE = "schedule"
ASLEEP_MAX = 200
REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """It is healthy when a GET of `path` is answered with 2xx or 3xx, at one of `attempts` tries `every_s` seconds
    apart. "" as `path`: nothing is asked."""

    path: str = "/"
    attempts: int = 10
    every_s: int = 5


@dataclass(frozen=True, slots=True)
class Life:
    """An ephemeral environment. `template` is the configured one that it is made after, or is; `branch` is "" where it
    is that itself. `port` is where it is served, 0 where the template says so, and
    for a branch until it is ordered. `expires_us`: None for no end."""

    name: str
    template: str
    branch: str = ""
    port: int = 0
    expires_us: int | None = None
    health: HealthCheck = HealthCheck()


@dataclass(frozen=True, slots=True)
class LifeOrder:
    """A life that is to begin, and what is to be rolled out there. `scheduled`: nobody has asked for it just now.
    `ports` are those of branches' environments after its template, as many as there may be; a branch gets one of them.
    """

    life: Life
    rollout: RolloutOrder
    scheduled: bool = False
    ports: range = range(0)


@dataclass(frozen=True, slots=True)
class LifeEnd:
    """That a life is to end, why, and who says so. A schedule says it again and again with the same `key`, and is heard
    once; a person has none."""

    reason: str
    actor: Actor
    key: str = ""


def instance_name(template: str, branch: str) -> str:
    """The name of a branch's environment, at most 40 of a-z, 0-9 and `-`. InvalidValue for what is no branch's name.

    What cannot be spelt, or does not fit, is told by a part of a hash, so that the names of two branches differ.
    """
    if not BRANCH.fullmatch(branch):
        raise InvalidValue(f"{branch[:60]!r} is not the name of a branch")
    plain = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    name = f"{template}-{plain}"
    if plain == branch and len(name) <= NAME_MAX and not re.search(f"-[0-9a-f]{{{HASH_MAX}}}$", name):
        return name
    digest = hashlib.sha256(branch.encode()).hexdigest()[:HASH_MAX]
    room = NAME_MAX - HASH_MAX - 1
    return f"{name[:room].rstrip('-')}-{digest}"


def free_port(ports: range, taken: Collection[int]) -> int:
    """The first of the ports that is not taken; RefusedError where all are."""
    found = next((port for port in ports if port not in taken), None)
    if found is None:
        raise RefusedError(
            f"{len(ports)} branches have an environment already, and that is the most",
            todo="take one down that nobody needs, or raise `branches_max`",
        )
    return found


def order_life(tx: Transaction, engine: Engine, order: LifeOrder, actor: Actor) -> str:
    """Begin to bring it up; returns the run's subject. One that is coming up, or is up, is left as it is.

    RefusedError while it is being taken down, where its name is another one's, where something serves already, and for
    a branch where all ports are taken. Orders after one template are taken in turn, so that no two get one port.
    """
    life, rollout = order.life, order.rollout
    key = life_key(life.name)
    tx.lock(life_name(life.template))
    holder = holder_of(tx, key)
    if holder is not None:
        known = life_of(holder)
        if (known.template, known.branch) != (life.template, life.branch):
            raise RefusedError(f"the name {life.name} is that of an environment after {known.template}")
        if holder.state.step == "lower" or holder.state.undone:
            raise RefusedError(f"{life.name} is being taken down", todo="wait for it, then bring it up")
        return key
    _check_serves_nothing(tx, life.name, is_down=rollout.is_down)
    if life.branch:
        life = replace(life, port=free_port(order.ports, [life_of(run).port for run in open_lives(tx, life.template)]))
    given = {"life": to_json(life), "order": to_json(rollout), "actor": to_json(actor)}
    engine.start(tx, life_name(life.template), subject=key, given=given, exclusive_key=key)
    body = _body(life) | {"package": rollout.package, "version": rollout.version, "scheduled": order.scheduled}
    body |= {"expires_us": life.expires_us}
    EventWriter(engine.ids, engine.clock, actor).append(tx, environment_key(life.name), "EnvironmentOrdered", body)
    return key


def _check_serves_nothing(tx: Transaction, name: str, *, is_down: bool) -> None:
    """RefusedError where users are served, or may soon be: the end of a life takes down all that it finds there.

    The record counts beside `is_down`: what has died, or does not answer just now, is brought back when it can be.
    """
    is_busy = open_rollout_of(tx, name) is not None or holder_of(tx, environment_key(name)) is not None
    if is_busy or queued_rollouts(tx, name):
        raise RefusedError(f"{name} is busy", why="a change of it is under way that no life has begun", todo="wait")
    served = _left_serving(tx, name)
    if served or not is_down:
        raise RefusedError(
            f"{name} serves {served or 'users'} already, and no life of it has begun that",
            why="a life takes down all that runs there when it ends, or does not become healthy",
            todo=f"`shipline deploy --to {name}` brings another version; or first take it down: `shipline down {name}`",
        )


def _left_serving(tx: Transaction, name: str) -> str:
    """What serves there by the record and was not taken down since, "" for nothing. Given-up versions may serve."""
    found = DEPLOYMENTS.where(tx, environment=name, ended_us=None, order="began_us", newest_first=True)
    downs = [
        run.created_us
        for run in runs_of(tx, environment_key(name))
        if run.workflow == down_name(name) and run.state.status is RunStatus.DONE
    ]
    if not found or max(downs, default=-1) >= found[0].began_us:
        return ""
    return f"{found[0].package} {found[0].version}"


def end_life(tx: Transaction, engine: Engine, name: str, end: LifeEnd) -> str:
    """Have it taken down; returns the run's subject. RefusedError where none is up. A stuck end is tried again."""
    holder = holder_of(tx, life_key(name))
    if holder is None:
        raise RefusedError(f"no ephemeral environment {name} is up", todo="`shipline env list` shows those that are")
    if holder.state.status is RunStatus.STOPPED:
        engine.send(tx, holder.id, "retry", {})
    said = {"reason": end.reason, "by": SCHEDULE if end.key else "person"}
    engine.send(tx, holder.id, "down", said, signal_id=end.key)
    if not end.key:
        events = EventWriter(engine.ids, engine.clock, end.actor)
        body = _body(life_of(holder)) | {"reason": end.reason}
        events.append(tx, environment_key(name), "EnvironmentEndOrdered", body)
    return life_key(name)


def skip_life(tx: Transaction, events: EventWriter, name: str, refusal: ShiplineError, *, due_us: int) -> None:
    """Tell that an environment which was due to come up does not, and why."""
    body = {"environment": name, "due_us": due_us, "reason": refusal.diagnosis()[:REASON_MAX]}
    events.append(tx, environment_key(name), "EnvironmentSkipped", body)


def life_of(run: Run) -> Life:
    """The environment that a run is the life of."""
    return from_json(Life, run.input["life"])


def open_lives(tx: Transaction, template: str) -> tuple[Run, ...]:
    """The lives that have not ended, of the environments that are made after this one, oldest first."""
    return open_runs(tx, life_name(template))


def asleep(tx: Transaction, template: str, now_us: int) -> tuple[Run, ...]:
    """The last lives of branches' environments that the schedule has ended, and whose time is not over."""
    newest: dict[str, Run] = {}
    for run in recent_runs(tx, life_name(template), limit=ASLEEP_MAX):
        newest.setdefault(life_of(run).name, run)
    return tuple(run for run in newest.values() if _sleeps(run, now_us))


def _sleeps(run: Run, now_us: int) -> bool:
    life, ending = life_of(run), run.state.results.get("live", {})
    has_time = life.expires_us is None or now_us < life.expires_us
    return run.state.status in RUN_ENDED and bool(life.branch) and has_time and ending.get("by") == SCHEDULE


class LifeSteps:
    """The actions of `life_workflow`. `ground_of` gives what an environment stands on, by its name."""

    def __init__(self, ground_of: Callable[[str], Ground], engine: Callable[[], Engine], load: Load) -> None:
        self.ground_of = ground_of
        self.engine = engine
        self.load = load

    def raise_(self, context: StepContext) -> Outcome:
        """Have its version rolled out to it."""
        life, engine = from_json(Life, context.input["life"]), self.engine()
        if _told(context) is not None:
            return Failed("it was to be taken down before it was up")
        if workflow_name(life.name) not in engine.catalogue.workflows:
            return Again(POLL_S, {}, "Waiting until the engine has taken the environment in.")
        try:
            rollout = self._ordered(engine, context)
        except NothingToDo:
            return Done(idle="it serves that version already")
        if rollout is None:
            return Again(POLL_S, {}, "Waiting until what is done there has ended.")
        return _risen(rollout, context)

    def _ordered(self, engine: Engine, context: StepContext) -> Rollout | None:
        """The rollout, ordered now if it was not; None while something else is done there."""
        order = from_json(RolloutOrder, context.input["order"])
        with engine.store.begin() as tx:
            known = ROLLOUTS.find(tx, order.id)
            if known is not None or holder_of(tx, environment_key(order.environment)) is not None:
                return known
            return open_rollout(tx, engine, order, from_json(Actor, context.input["actor"]))

    def check(self, context: StepContext) -> Outcome:
        """Ask it until it is healthy, or has had all its tries."""
        life = from_json(Life, context.input["life"])
        ground, health = self.ground_of(life.name), life.health
        if _told(context) is not None:
            return Failed("it was to be taken down before it was healthy")
        tries = 1 + (0 if context.memory is None else int(context.memory["tries"]))
        if health.path:
            plan = LoadPlan(ground.traffic.address(), (health.path,), rate_per_s=1.0, seconds=1.0)
            report = self.load.send(plan, is_over=lambda so_far: so_far.sent > 0)
            status = next(iter(report.by_status), "0")
            if not 200 <= int(status) < 400:
                return _unhealthy(health, tries, status)
        came = {"tries": tries, "address": ground.traffic.address()}
        key, body = environment_key(life.name), _body(life) | came
        return Done(
            came,
            save=lambda tx: _tell(ground, tx, key, body),
            idle="" if health.path else "nothing is to be asked",
        )

    def live(self, context: StepContext) -> Outcome:
        """Wait until its time is over, or somebody says so."""
        life, told = from_json(Life, context.input["life"]), _told(context)
        if told is not None:
            return Done({"reason": str(told.get("reason", "")), "by": str(told.get("by", ""))})
        if life.expires_us is None:
            return Again(LIVE_POLL_S, {}, "It is up.")
        left_s = (life.expires_us - context.now_us) / SECOND_US
        if left_s <= 0:
            return Done({"reason": "its time is over", "by": "lifetime"})
        return Again(min(LIVE_POLL_S, left_s), {}, f"It is up, for another {left_s / 60:.0f} min.")

    def lower(self, context: StepContext) -> Outcome:
        """Take it down as `shipline down` does, once nothing else is done there, and let its deployments end."""
        life, engine = from_json(Life, context.input["life"]), self.engine()
        if workflow_name(life.name) not in engine.catalogue.workflows:
            return Again(POLL_S, {}, "Waiting until the engine has taken the environment in.")
        with engine.store.begin() as tx:
            found = None if context.memory is None else context.memory.get("run")
            runs = [run for run in runs_of(tx, environment_key(life.name)) if run.id == found]
            if not runs:
                return self._order_down(tx, engine, life, context)
            if runs[0].state.status is RunStatus.STOPPED:
                take_down(tx, engine, life.name, SYSTEM)  # It says `retry`.
                return Again(STUCK_POLL_S, {"run": found}, f"It is not wholly down: {runs[0].state.reason}")
            end_rehearsal(tx, engine, life.name)
            mending = holder_of(tx, mending_key(life.name))
            if mending is not None and mending.state.status is RunStatus.STOPPED:
                engine.abandon(tx, mending.id)
            busy = [holder_of(tx, key(life.name)) for key in (mending_key, rehearsal_key)]
        if runs[0].state.status not in RUN_ENDED or any(one is not None for one in busy):
            return Again(POLL_S, {"run": found}, "Waiting until nothing runs there any more.")
        ground = self.ground_of(life.name)
        return Done(save=lambda tx: _end_deployments(tx, ground.events, life.name))

    def _order_down(self, tx: Transaction, engine: Engine, life: Life, context: StepContext) -> Outcome:
        memory = context.memory or {}
        rollout = open_rollout_of(tx, life.name)
        if rollout is not None and memory.get("aborted") != rollout.id:
            memory = memory | {"aborted": rollout.id}
            _say(tx, engine, rollout.id, "abort")
        for queued in queued_rollouts(tx, life.name):
            _say(tx, engine, queued.id, "withdraw")
        try:
            take_down(tx, engine, life.name, SYSTEM)
        except RefusedError as refusal:
            return Again(POLL_S, memory, f"Waiting to take it down: {refusal.what}.")
        run = holder_of(tx, environment_key(life.name))
        return Again(POLL_S, {"run": None if run is None else run.id}, "Taking it down.")


def _say(tx: Transaction, engine: Engine, rollout_id: str, verb: str) -> None:
    """Say it to a rollout, which may have gone too far to hear it."""
    rollout = ROLLOUTS.find(tx, rollout_id)
    try:
        if rollout is not None:
            command_rollout(tx, engine, rollout, RolloutCommand(verb, "its environment is taken down", SYSTEM))
    except RefusedError:
        return  # It ends by itself.


def _risen(rollout: Rollout, context: StepContext) -> Outcome:
    if rollout.status is RolloutStatus.PROMOTED:
        return Done()
    name, status = f"{rollout.package} {rollout.version}", rollout.status.value.replace("_", " ")
    if rollout.status in ENDED or rollout.status is RolloutStatus.FAILED:
        return Failed(f"the rollout of {name} is {status}: {rollout.reason}")
    return Again(pause_s(context.now_us - context.started_us), {}, rollout.waiting_for or f"{name} is {status}.")


def _told(context: StepContext) -> dict[str, Any] | None:
    """What was said with the last word to go down, None where none was."""
    return next((one.body for one in reversed(context.signals) if one.kind == "down"), None)


def _unhealthy(health: HealthCheck, tries: int, status: str) -> Outcome:
    answer = "nothing" if status == "0" else status
    if tries >= health.attempts:
        return Failed(f"it is not healthy: {health.path} was answered with {answer} at the last of {tries} tries")
    words = f"Try {tries} of {health.attempts}: {health.path} was answered with {answer}."
    return Again(float(health.every_s), {"tries": tries}, words)


def _tell(ground: Ground, tx: Transaction, stream: str, body: dict[str, Any]) -> None:
    ground.events.append(tx, stream, "EnvironmentCameUp", body)


def _end_deployments(tx: Transaction, events: EventWriter, environment: str) -> None:
    """Nothing serves there any more."""
    for one in DEPLOYMENTS.where(tx, environment=environment, ended_us=None):
        rollout = ROLLOUTS.find(tx, one.rollout_id)
        DEPLOYMENTS.save(tx, replace(one, ended_us=events.clock.now_us()))
        if rollout is not None:
            append(tx, events, rollout, "DeploymentEnded", {"deployment_id": one.id, "ended_version": one.version})


def follow_life(tx: Transaction, events: EventWriter, run: Run) -> None:
    """Tell how a life has ended."""
    if run.state.status not in RUN_ENDED:
        return
    life, ending = life_of(run), run.state.results.get("live", {})
    body = _body(life) | {"reason": ending.get("reason") or run.state.reason, "was_up": "check" in run.state.results}
    events.append(tx, environment_key(life.name), "EnvironmentEnded", body)


def life_words(run: Run) -> str:
    """How it stands with an ephemeral environment, for people."""
    life = life_of(run)
    words = run.state.waiting_for or run.state.reason or "It is coming up."
    return f"for {life.branch}: {words}" if life.branch else f"ephemeral: {words}"


def lives_by_name(runs: Sequence[Run]) -> dict[str, Run]:
    """The runs by the names of their environments."""
    return {life_of(run).name: run for run in runs}


def _body(life: Life) -> dict[str, Any]:
    return {"environment": life.name, "template": life.template, "branch": life.branch}


def life_actions(ground_of: Callable[[str], Ground], engine: Callable[[], Engine], load: Load) -> dict[str, Action]:
    """The action of every step of `life_workflow`, by name."""
    steps = LifeSteps(ground_of, engine, load)
    return {"raise": steps.raise_, "check": steps.check, "live": steps.live, "lower": steps.lower}
