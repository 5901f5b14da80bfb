"""Running workflows: start a run, say something to it, tick it, and pick up what a dead process left behind."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from shipline.domain.errors import RefusedError, ShiplineError, UsageError
from shipline.domain.ids import Ids
from shipline.engine import journal
from shipline.engine.journal import Run
from shipline.engine.peers import Peers
from shipline.engine.rules import (
    OBEYED,
    SECOND_US,
    Invocation,
    RunState,
    RunStatus,
    begin,
    current_step,
    decide,
    settle,
)
from shipline.engine.workflow import Action, Again, Done, Failed, Outcome, Signal, StepContext, Workflow
from shipline.ports.clock import Clock
from shipline.store.database import Store
from shipline.store.errors import CorruptStore, FullDisk
from shipline.store.transaction import Transaction

DUE_RUNS_MAX = 1000
# Ticks of one run in a row: handing each one on takes a poll of the queue. Others wait no longer than for these.
TICKS_AT_ONCE = 20
BEAT_EXPIRES_S = 10.0
# A clock that is kept in step moves by less than that between two looks.
SET_BACK_MIN_US = 500_000

log = logging.getLogger(__name__)


class Planner(Protocol):
    """Whoever ticks runs that are due now. Later ones are found by their wake times."""

    def enqueue(self, tx: Transaction, run_ids: tuple[str, ...], *, key: str) -> None:
        """See to it that the runs are ticked soon, if the transaction commits. The same key for the same runs: once."""
        ...


class NoPlanner:
    """Plans nothing: wake times in the rows alone say what is due. For processes that do not own the engine."""

    def enqueue(self, tx: Transaction, run_ids: tuple[str, ...], *, key: str) -> None:
        """Nothing."""


Observer: TypeAlias = Callable[[Transaction, Run], None]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The workflows that there are, and the action of each of their steps, by `workflow.action` name.

    An observer, by workflow, is called in the transaction that changes a run's status or phase, with the changed
    run, after that was written: this is how a room's own noun follows. It writes rows and events, may start other runs
    (also under the exclusive key of one that has ended), and touches nothing else.
    """

    workflows: Mapping[str, Workflow]
    actions: Mapping[str, Action]
    observers: Mapping[str, Observer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a workflow with an action that nobody provides."""
        for workflow in self.workflows.values():
            for name in workflow.actions():
                if f"{workflow.name}.{name}" not in self.actions:
                    raise ValueError(f"workflow {workflow.name} has no action {name!r}")


@dataclass(frozen=True, slots=True)
class _Tick:
    """A tick whose step is about to be called. `signals` are those that the step is handed.

    `catalogue` is the one that planned it: the engine may be given another while the step is under way.
    """

    run: Run
    invocation: Invocation
    signals: tuple[Signal, ...]
    catalogue: Catalogue

    @property
    def workflow(self) -> Workflow:
        """What the run is a run of."""
        return self.catalogue.workflows[self.run.workflow]


class Engine:
    """One process's engine. `node_id` names this incarnation of the process, unique for PostgreSQL and SQLite alike.

    Several may work on one PostgreSQL, and a step whose process is dead by `peers` is taken over; on SQLite only the
    owner of the lease calls `tick` and `sweep`. `peers` and `planner` may be replaced before the first tick.
    """

    def __init__(  # noqa: PLR0913 - what a process is made of
        self,
        store: Store,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        *,
        node_id: str,
        steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.catalogue = catalogue
        self.clock = clock
        self.ids = ids
        self.node_id = node_id
        self.peers = Peers(expires_s=BEAT_EXPIRES_S, steady_s=steady_s)
        self._steady_s = steady_s
        self._ahead_us: int | None = None  # Of the steady clock, when the wall clock was last looked at.
        self.planner: Planner = NoPlanner()
        # What keeps this process from working on any run, as its last round found it: no trying again mends it.
        self.trouble: ShiplineError | None = None
        self._busy: set[str] = set()
        self._guard = threading.Lock()

    # --- from outside ------------------------------------------------------------------------------------------

    def start(
        self, tx: Transaction, workflow: str, *, subject: str, given: dict[str, Any], exclusive_key: str | None = None
    ) -> str:
        """Start a run within the caller's transaction; returns its id. `given` is JSON that every action sees.

        Refused (RefusedError) while another run that has not ended holds `exclusive_key`.
        """
        if workflow not in self.catalogue.workflows:
            known = ", ".join(sorted(self.catalogue.workflows))
            raise UsageError(f"there is no workflow {workflow!r}", todo=f"known ones: {known}")
        other = journal.holder_of(tx, exclusive_key) if exclusive_key is not None else None
        if other is not None:
            raise RefusedError(
                f"{exclusive_key} is busy: another run about {other.subject} has not ended",
                todo="wait for it, or abort it first",
            )
        now_us = self.clock.now_us()
        run = Run(
            id=self.ids.new("run"),
            workflow=workflow,
            subject=subject,
            revision=journal.next_revision(tx, (workflow, *self.catalogue.workflows[workflow].beside), now_us),
            holder=None,
            wake_us=now_us,
            created_us=now_us,
            input=_through_json(given),
            state=begin(self.catalogue.workflows[workflow]),
        )
        journal.insert_run(tx, run, exclusive_key=exclusive_key)
        self.planner.enqueue(tx, (run.id,), key=str(run.revision))
        return run.id

    def send(self, tx: Transaction, run_id: str, kind: str, body: dict[str, Any], *, signal_id: str = "") -> None:
        """Say something to a run within the caller's transaction, and wake it unless a step is under way."""
        run = journal.load_run(tx, run_id, lock=True)
        if run is None:
            raise UsageError(f"there is no run {run_id!r}")
        now_us = self.clock.now_us()
        said = Signal(signal_id or self.ids.new("sig"), kind, _through_json(body))
        journal.insert_signal(tx, run_id, said, now_us=now_us)
        if run.holder is None and not (run.wake_us is not None and run.wake_us <= now_us):
            journal.save_run(tx, replace(run, wake_us=now_us))
            self.planner.enqueue(tx, (run_id,), key=f"{run.revision}:{said.id}")

    def abandon(self, tx: Transaction, run_id: str) -> None:
        """End a run that has stopped for good, within the caller's transaction; its exclusive key is free then."""
        run = journal.load_run(tx, run_id, lock=True)
        if run is None or run.state.status is not RunStatus.STOPPED:
            raise RefusedError("only a run that has stopped can be abandoned")
        ended = replace(run.state, status=RunStatus.UNDONE, undone=True)
        journal.save_run(tx, replace(run, revision=run.revision + 1, state=ended, wake_us=None))

    def give_up(self, tx: Transaction, run_id: str) -> None:
        """End a run whose way back has failed, as it is, within the caller's transaction; its exclusive key is free."""
        run = journal.load_run(tx, run_id, lock=True)
        if run is None or run.state.status is not RunStatus.FAILED:
            raise RefusedError("only what has failed on its way back can be given up")
        ended = replace(run.state, status=RunStatus.GIVEN_UP)
        journal.save_run(tx, replace(run, revision=run.revision + 1, state=ended, wake_us=None))

    # --- ticks ---------------------------------------------------------------------------------------------------

    def tick(self, run_id: str) -> None:
        """Advance a run by at most one step. Does nothing if it is not due, has ended, or somebody works on it."""
        self._tick(run_id, hand_on=True)

    def advance(self, run_id: str) -> None:
        """Tick a run as long as it is due at once, up to TICKS_AT_ONCE times, then hand it on.

        The rows say the same after each tick as if it had been handed on: whoever dies here is taken over as always.
        """
        for left in reversed(range(TICKS_AT_ONCE)):
            if not self._tick(run_id, hand_on=left == 0):
                return

    def _tick(self, run_id: str, *, hand_on: bool) -> bool:
        """One tick; True if the run is due at once. With `hand_on` the planner is told so."""
        with self._guard:
            if run_id in self._busy:
                return False
            self._busy.add(run_id)
        try:
            planned = self._plan(run_id, hand_on=hand_on)
            if isinstance(planned, bool):
                return planned
            return self._settle(planned, self._call(planned), hand_on=hand_on)
        finally:
            self._busy.discard(run_id)

    def sweep(self) -> int:
        """Tick whatever is due or was left behind by a dead process; returns how many runs were found.

        Level-triggered: whatever the planner forgot, this finds.
        """
        found = self.due()
        for run_id in found:
            self.tick(run_id)
        return len(found)

    def due(self) -> tuple[str, ...]:
        """Ids of runs that somebody should tick now; says on the way that this process is alive."""
        now_us = self.clock.now_us()
        was_set_back = self._was_set_back(now_us)
        with self.store.begin() as tx:
            self.beat(tx)
            if was_set_back:
                journal.wake_from_future(tx, now_us)
            waiting = journal.due_runs(tx, now_us, limit=DUE_RUNS_MAX)
            held = journal.held_runs(tx)
            alive = self._alive(tx, frozenset(holder for _, holder in held))
        left = tuple(run_id for run_id, holder in held if not alive[holder] and run_id not in self._busy)
        return tuple(dict.fromkeys(waiting + left))

    def _was_set_back(self, now_us: int) -> bool:
        """True if the wall clock may have been set back since the last look: also before the first one.

        What waits for a moment would wait for as much longer then, and a canary would not be watched meanwhile.
        """
        ahead_us = now_us - int(self._steady_s() * 1_000_000)
        before_us, self._ahead_us = self._ahead_us, ahead_us
        return before_us is None or ahead_us < before_us - SET_BACK_MIN_US

    def beat(self, tx: Transaction) -> None:
        """Say that this process is alive, where others may ask."""
        if not self.store.is_sqlite:
            journal.beat(tx, self.node_id, self.clock.now_us())

    def dead(self) -> tuple[str, ...]:
        """Names of the processes that have died and were not buried yet."""
        if self.store.is_sqlite:
            return ()  # There is no other process.
        with self.store.begin() as tx:
            alive = self._alive(tx, frozenset(journal.last_beats(tx)) - {self.node_id})
        return tuple(sorted(name for name, lives in alive.items() if not lives))

    def bury(self, dead: tuple[str, ...]) -> None:
        """Forget those of the dead that hold no run any more."""
        with self.store.begin() as tx:
            forgotten = journal.bury(tx, dead)
        self.peers.forget(forgotten)

    def _alive(self, tx: Transaction, holders: frozenset[str]) -> dict[str, bool]:
        """For each holder of a run, whether to leave the run to it.

        False for this very process: a run of its own that it is not busy with is a call that never came back.
        On SQLite the lease says that there is no other process.
        """
        others = holders - {self.node_id}
        if self.store.is_sqlite or not others:
            return dict.fromkeys(holders, False)
        return self.peers.are_alive(journal.last_beats(tx), others) | dict.fromkeys(holders - others, False)

    def _plan(self, run_id: str, *, hand_on: bool) -> _Tick | bool:
        """The step to call; where there is none, whether the run is due at once."""
        now_us, catalogue = self.clock.now_us(), self.catalogue
        with self.store.begin() as tx:
            run = journal.load_run(tx, run_id, lock=True)
            if run is None or (run.holder is not None and self._alive(tx, frozenset({run.holder}))[run.holder]):
                return False
            if run.holder is None and (run.wake_us is None or run.wake_us > now_us):
                return False
            workflow = catalogue.workflows.get(run.workflow)
            if workflow is None:
                raise ShiplineError(
                    f"{run.subject} cannot go on: there is no workflow {run.workflow!r} any more",
                    todo="bring back what was taken out of shipline.toml, until this has ended",
                )
            pending = journal.pending_signals(tx, run_id)
            obeyed = tuple(signal for signal in pending if signal.kind in OBEYED)
            plan = decide(workflow, run.state, obeyed, now_us)
            if run.holder is not None:
                self._note_cut_off(tx, run, now_us)
            planned = replace(run, revision=run.revision + 1, state=plan.state, wake_us=plan.wake_us, holder=None)
            journal.consume(tx, obeyed, planned.revision)
            if plan.invocation is None:
                is_due = self._save_and_plan(tx, planned, now_us, hand_on=hand_on)
                self._observe(tx, run, planned)
                return is_due
            planned = replace(planned, holder=self.node_id)
            journal.save_run(tx, planned)
            self._observe(tx, run, planned)
            journal.journal_started(tx, planned, plan.invocation, holder=self.node_id, now_us=now_us)
            heard = tuple(signal for signal in pending if signal.kind in plan.invocation.step.listens)
        return _Tick(planned, plan.invocation, heard, catalogue)

    def _note_cut_off(self, tx: Transaction, run: Run, now_us: int) -> None:
        journal.journal_ended(tx, run, ("cut off", "the process that had started it did not report back"), now_us)

    def _call(self, tick: _Tick) -> Outcome:
        run, name, now_us = tick.run, tick.invocation.name, self.clock.now_us()
        started_us = run.state.began_us if run.state.began_us is not None else now_us
        context = StepContext(
            run_id=run.id,
            subject=run.subject,
            key=f"{run.id}:{name}",
            revision=run.revision,
            input=run.input,
            results=run.state.results,
            memory=run.state.memory,
            signals=tick.signals,
            recovering=tick.invocation.recovering,
            now_us=now_us,
            started_us=started_us,
            reason=run.state.reason,
            ends_us=started_us + tick.invocation.step.timeout_s * SECOND_US,
            cut_off=run.state.cut_off,
        )
        try:
            return tick.catalogue.actions[f"{run.workflow}.{name}"](context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must be told
            return _failure(tick, error)

    def _settle(self, tick: _Tick, outcome: Outcome, *, hand_on: bool) -> bool:
        """Take the outcome in. One that cannot be written down is a failed step: called again, it would end here again.

        What the database itself cannot do now is raised: the step is called again when it can. True if the run is due
        at once.
        """
        try:
            return self._take_in(tick, outcome, hand_on=hand_on)
        except (FullDisk, CorruptStore):
            raise
        except Exception as error:
            if isinstance(error, ShiplineError) and error.retryable:
                raise
            return self._take_in(tick, _failure(tick, error), hand_on=hand_on)

    def _take_in(self, tick: _Tick, outcome: Outcome, *, hand_on: bool) -> bool:
        run, now_us = tick.run, self.clock.now_us()
        with self.store.begin() as tx:
            current = journal.load_run(tx, run.id, lock=True)
            if current is None or current.revision != run.revision or current.holder != self.node_id:
                log.warning("run %s went on without us; a late outcome of %s was dropped", run.id, tick.invocation.name)
                return False
            outcome.save(tx)
            state, wake_us = settle(tick.workflow, run.state, _checked(outcome), now_us)
            if not (isinstance(outcome, Failed) and outcome.retryable):  # Else the next attempt hears them.
                journal.consume(tx, tick.signals, run.revision)
            journal.journal_ended(tx, run, _words(outcome), now_us)
            settled = replace(run, revision=run.revision + 1, state=state, wake_us=wake_us, holder=None)
            if self._heard_something(tx, tick, state):
                settled = replace(settled, wake_us=now_us)
            is_due = self._save_and_plan(tx, settled, now_us, hand_on=hand_on)
            self._observe(tx, run, settled)
            return is_due

    def _observe(self, tx: Transaction, before: Run, after: Run) -> None:
        if (before.state.status, before.state.phase) != (after.state.status, after.state.phase):
            observer = self.catalogue.observers.get(after.workflow)
            if observer is not None:
                observer(tx, after)

    def _heard_something(self, tx: Transaction, tick: _Tick, state: RunState) -> bool:
        """Signals that came while the step was under way must not wait for its next poll."""
        step = current_step(tick.workflow, state)
        kinds = OBEYED.union(step.listens if step is not None else ())
        known = {signal.id for signal in tick.signals}
        pending = journal.pending_signals(tx, tick.run.id)
        return any(signal.kind in kinds and signal.id not in known for signal in pending)

    def _save_and_plan(self, tx: Transaction, run: Run, now_us: int, *, hand_on: bool) -> bool:
        journal.save_run(tx, run)
        is_due = run.wake_us is not None and run.wake_us <= now_us and run.state.status is RunStatus.ACTIVE
        if is_due and hand_on:
            self.planner.enqueue(tx, (run.id,), key=str(run.revision))
        return is_due


def _failure(tick: _Tick, error: Exception) -> Failed:
    """What a step's error means for its run. An unexpected one is for the log: its text may hold anything."""
    if isinstance(error, ShiplineError):
        return Failed(error.diagnosis(), retryable=error.retryable)
    log.error("step %s of %s failed unexpectedly", tick.invocation.name, tick.run.id, exc_info=error)
    return Failed(f"unexpected {type(error).__name__}; the server's log has the details")


def _through_json(value: dict[str, Any]) -> dict[str, Any]:
    """What goes into a row must come out the same; checked here, not after a restart."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    if copy != value:
        raise ValueError("a value for the journal does not survive JSON")
    return copy


def _checked(outcome: Outcome) -> Outcome:
    match outcome:
        case Done():
            _through_json(outcome.result)
        case Again():
            _through_json(outcome.memory)
    return outcome


def _words(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Done():
            return "done", outcome.idle
        case Again():
            return "again", outcome.waiting_for
        case Failed():
            return "failed", outcome.reason
