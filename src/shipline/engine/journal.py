"""A run's rows: the state, the journal of every step that was started, and the signals that wait for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Integer, Row, bindparam, delete, func, insert, select, update

from shipline.domain.codec import from_json, to_json
from shipline.domain.secrecy import redacted
from shipline.engine.rules import ENDED, Invocation, Phase, RunState, RunStatus
from shipline.engine.upcasts import upcast_state
from shipline.engine.workflow import Signal
from shipline.store.tables import journal, node, run, signal
from shipline.store.transaction import Transaction

# What every tick says, made once: to make a statement takes longer than to run it.
_FIND_RUN = select(run).where(run.c.id == bindparam("this_id"))
_LOCK_RUN = _FIND_RUN.with_for_update()
_SAVE_RUN = update(run).where(run.c.id == bindparam("this_id"))
_DUE = (
    select(run.c.id)
    .where(run.c.wake_us <= bindparam("now_us"))
    .order_by(run.c.wake_us)
    .limit(bindparam("this_many", type_=Integer))
)
_REVISIONS = select(run.c.id, run.c.revision).where(run.c.id.in_(bindparam("these", expanding=True)))
_HELD = select(run.c.id, run.c.holder).where(run.c.holder.is_not(None))
_JOURNAL_STARTED = insert(journal)
_JOURNAL_ENDED = update(journal).where(
    journal.c.run_id == bindparam("this_run"),
    journal.c.revision == bindparam("this_revision"),
    journal.c.outcome.is_(None),
)
_PENDING = (
    select(signal)
    .where(signal.c.run_id == bindparam("this_run"), signal.c.consumed_revision.is_(None))
    .order_by(signal.c.time_us, signal.c.id)
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run's row. `revision` grows with every write; `holder` is the process that has started a step, None between
    steps."""

    id: str
    workflow: str
    subject: str
    revision: int
    holder: str | None
    wake_us: int | None
    created_us: int
    input: dict[str, Any]
    state: RunState


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One started step, for people and tests. `outcome` None: started and unfinished.

    `detail` says what is awaited, why the step failed, or why a step that is done had nothing to do.
    """

    revision: int
    step: str
    undo: bool
    attempt: int
    started_us: int
    ended_us: int | None
    outcome: str | None
    detail: str


def insert_run(tx: Transaction, new: Run, *, exclusive_key: str | None) -> None:
    """Write a run that was not there. The exclusive key of a run that has not ended: ConflictError."""
    tx.connection.execute(
        insert(run).values(
            id=new.id,
            organisation_id=tx.project.organisation_id,
            project_id=tx.project.id,
            workflow=new.workflow,
            subject=new.subject,
            exclusive_key=exclusive_key,
            revision=new.revision,
            status=new.state.status.value,
            wake_us=new.wake_us,
            holder=None,
            created_us=new.created_us,
            input=json.dumps(new.input, ensure_ascii=False),
            state=json.dumps(to_json(new.state), ensure_ascii=False),
        )
    )


def load_run(tx: Transaction, run_id: str, *, lock: bool = False) -> Run | None:
    """The run with this id, locked against other writers until the transaction ends if `lock`."""
    row = tx.connection.execute(_LOCK_RUN if lock else _FIND_RUN, {"this_id": run_id}).one_or_none()
    return _as_run(row) if row is not None else None


def runs_of(tx: Transaction, subject: str) -> tuple[Run, ...]:
    """The runs about `subject`, oldest first."""
    query = select(run).where(run.c.project_id == tx.project.id, run.c.subject == subject).order_by(run.c.created_us)
    return tuple(_as_run(row) for row in tx.connection.execute(query))


def holder_of(tx: Transaction, exclusive_key: str) -> Run | None:
    """The run that has not ended and holds this key."""
    query = select(run).where(run.c.project_id == tx.project.id, run.c.exclusive_key == exclusive_key)
    row = tx.connection.execute(query).one_or_none()
    return _as_run(row) if row is not None else None


def open_runs(tx: Transaction, workflow: str) -> tuple[Run, ...]:
    """The runs of a workflow that hold an exclusive key, and so have not ended, oldest first."""
    is_open = (run.c.workflow == workflow) & run.c.exclusive_key.is_not(None)
    query = select(run).where(run.c.project_id == tx.project.id, is_open).order_by(run.c.created_us)
    return tuple(_as_run(row) for row in tx.connection.execute(query))


def recent_runs(tx: Transaction, workflow: str, *, limit: int) -> tuple[Run, ...]:
    """The newest runs of a workflow, the newest first, whether they have ended or not."""
    query = select(run).where(run.c.project_id == tx.project.id, run.c.workflow == workflow)
    rows = tx.connection.execute(query.order_by(run.c.created_us.desc()).limit(limit))
    return tuple(_as_run(row) for row in rows)


def save_run(tx: Transaction, changed: Run) -> None:
    """Write state, revision, holder and wake time; the exclusive key is given back when the run has ended."""
    values: dict[str, Any] = {
        "revision": changed.revision,
        "status": changed.state.status.value,
        "wake_us": changed.wake_us,
        "holder": changed.holder,
        "state": json.dumps(to_json(changed.state), ensure_ascii=False),
    }
    if changed.state.status in ENDED:
        values["exclusive_key"] = None
    tx.connection.execute(_SAVE_RUN, values | {"this_id": changed.id})


def journal_started(tx: Transaction, held: Run, invocation: Invocation, *, holder: str, now_us: int) -> None:
    """Note that a step's action is about to be called."""
    values = {
        "run_id": held.id,
        "revision": held.revision,
        "organisation_id": tx.project.organisation_id,
        "project_id": tx.project.id,
        "step": invocation.step.name,
        "undo": held.state.phase is Phase.UNDO,
        "attempt": held.state.attempt,
        "holder": holder,
        "started_us": now_us,
    }
    tx.connection.execute(_JOURNAL_STARTED, values)


def journal_ended(tx: Transaction, held: Run, words: tuple[str, str], now_us: int) -> None:
    """Note what came of the step started at the run's revision, if that is not noted yet: (outcome, detail)."""
    outcome, detail = words
    values = {"outcome": outcome, "detail": redacted(detail)[:2000], "ended_us": now_us}
    tx.connection.execute(_JOURNAL_ENDED, values | {"this_run": held.id, "this_revision": held.revision})


def journal_of(tx: Transaction, run_id: str, *, after_revision: int = 0) -> tuple[JournalEntry, ...]:
    """Every step that was started at a revision above `after_revision`, in order."""
    query = select(journal).where(journal.c.run_id == run_id, journal.c.revision > after_revision)
    rows = tx.connection.execute(query.order_by(journal.c.revision))
    return tuple(
        JournalEntry(
            row.revision, row.step, row.undo, row.attempt, row.started_us, row.ended_us, row.outcome, row.detail or ""
        )
        for row in rows
    )


def pending_signals(tx: Transaction, run_id: str) -> tuple[Signal, ...]:
    """Signals that nothing has consumed, oldest first."""
    rows = tx.connection.execute(_PENDING, {"this_run": run_id})
    return tuple(Signal(row.id, row.kind, json.loads(row.body)) for row in rows)


def consume(tx: Transaction, signals: tuple[Signal, ...], revision: int) -> None:
    """Mark signals as taken in by the tick of `revision`."""
    for taken in signals:
        tx.connection.execute(update(signal).where(signal.c.id == taken.id).values(consumed_revision=revision))


def insert_signal(tx: Transaction, run_id: str, sent: Signal, *, now_us: int) -> None:
    """Leave a signal for a run. The same id twice changes nothing."""
    if tx.connection.execute(select(signal.c.id).where(signal.c.id == sent.id)).first() is None:
        row = {
            "id": sent.id,
            "organisation_id": tx.project.organisation_id,
            "project_id": tx.project.id,
            "run_id": run_id,
            "kind": sent.kind,
            "body": json.dumps(sent.body, ensure_ascii=False),
            "time_us": now_us,
        }
        tx.connection.execute(insert(signal).values(**row))


def next_revision(tx: Transaction, workflows: tuple[str, ...], now_us: int) -> int:
    """A fencing number above all that runs of these workflows have used.

    Milliseconds of the clock where that is more, so that it grows also over a store that was lost and begun anew; no
    run is ticked as often as once a millisecond.
    """
    last = tx.connection.scalar(select(func.max(run.c.revision)).where(run.c.workflow.in_(workflows)))
    return max(now_us // 1000, 0 if last is None else int(last) + 1)


def newest_of(tx: Transaction, workflows: tuple[str, ...], *, lock: bool = False) -> Run | None:
    """The run of these workflows with the highest fencing number, ended or not; None where there never was one."""
    newest = select(run.c.id).where(run.c.project_id == tx.project.id, run.c.workflow.in_(workflows))
    run_id = tx.connection.scalar(newest.order_by(run.c.revision.desc()).limit(1))
    return None if run_id is None else load_run(tx, run_id, lock=lock)


def lend_revision(tx: Transaction, workflows: tuple[str, ...]) -> int | None:
    """A fencing number for one effect outside the runs of these workflows, which must not have two under way at once.

    It is the newest run's next one, so that the run's next tick, and every later run, is above it: what is done late
    with the lent number is refused then. None while a step of that run is under way, and where there never was a run.
    """
    found = newest_of(tx, workflows, lock=True)
    if found is None or found.holder is not None:
        return None
    save_run(tx, replace(found, revision=found.revision + 1))
    return found.revision + 1


def due_runs(tx: Transaction, now_us: int, *, limit: int) -> tuple[str, ...]:
    """Ids of runs whose wake time has come, the longest overdue first."""
    return tuple(tx.connection.scalars(_DUE, {"now_us": now_us, "this_many": limit}))


def wake_from_future(tx: Transaction, now_us: int) -> None:
    """Let runs be due now that wait for a later moment, and were begun or worked on at one that is yet to come.

    The clock was set back since: how long they had still to wait nobody knows.
    """
    worked_on = select(journal.c.run_id).where(journal.c.run_id == run.c.id, journal.c.ended_us > now_us).exists()
    is_ahead = (run.c.wake_us > now_us) & ((run.c.created_us > now_us) | worked_on)
    tx.connection.execute(update(run).where(is_ahead).values(wake_us=now_us))


def revisions_of(tx: Transaction, run_ids: list[str]) -> dict[str, int]:
    """The revision of each of these runs that there is."""
    rows = tx.connection.execute(_REVISIONS, {"these": run_ids})
    return {row.id: row.revision for row in rows}


def held_runs(tx: Transaction) -> tuple[tuple[str, str], ...]:
    """(run id, holder) of every run in which a step was started and has not reported back."""
    return tuple((row.id, row.holder) for row in tx.connection.execute(_HELD))


def next_wake_us(tx: Transaction, *, after_us: int = 0) -> int | None:
    """The earliest wake time of any run that is later than `after_us`, None when nothing is to be woken."""
    query = select(run.c.wake_us).where(run.c.wake_us > after_us).order_by(run.c.wake_us).limit(1)
    return tx.connection.scalar(query)


def beat(tx: Transaction, node_id: str, now_us: int) -> None:
    """Say that this process is alive."""
    changed = tx.connection.execute(update(node).where(node.c.id == node_id).values(beat_us=now_us))
    if changed.rowcount == 0:
        tx.connection.execute(insert(node).values(id=node_id, beat_us=now_us))


def last_beats(tx: Transaction) -> dict[str, int]:
    """When each process was last seen alive."""
    return {row.id: row.beat_us for row in tx.connection.execute(select(node))}


def bury(tx: Transaction, dead: tuple[str, ...]) -> tuple[str, ...]:
    """Forget those of the `dead` processes that hold nothing, as far as that goes; returns the forgotten."""
    holders = {holder for _, holder in held_runs(tx)}
    idle = [name for name in dead if name not in holders]
    # A row that is locked belongs to a process that froze while it wrote its beat: nobody waits for that.
    lockable = select(node.c.id).where(node.c.id.in_(idle)).with_for_update(skip_locked=True)
    forgotten = tuple(tx.connection.scalars(lockable)) if idle else ()
    if forgotten:
        tx.connection.execute(delete(node).where(node.c.id.in_(forgotten)))
    return forgotten


def _as_run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        workflow=row.workflow,
        subject=row.subject,
        revision=row.revision,
        holder=row.holder,
        wake_us=row.wake_us,
        created_us=row.created_us,
        input=json.loads(row.input),
        state=from_json(RunState, upcast_state(row.workflow, json.loads(row.state))),
    )


def ended_journals(tx: Transaction, *, before_us: int, limit: int) -> tuple[str, ...]:
    """The ids of the project's runs that came to their end before a moment and whose journals are there, at most
    `limit`. Runs that were turned back or given up are none of them: what they had begun may have to be looked up."""
    ended = func.max(func.coalesce(journal.c.ended_us, journal.c.started_us))
    query = (
        select(journal.c.run_id)
        .join(run, run.c.id == journal.c.run_id)
        .where(run.c.project_id == tx.project.id, run.c.status == RunStatus.DONE.value)
        .group_by(journal.c.run_id)
        .having(ended < before_us)
        .order_by(journal.c.run_id)
        .limit(limit)
    )
    return tuple(tx.connection.scalars(query))


def forget_journals(tx: Transaction, run_ids: Sequence[str]) -> int:
    """Remove the journals of these runs and what was said to them, as far as the runs are done; returns how many runs
    that were. Their rows stay: revisions must never go back."""
    done = select(run.c.id).where(
        run.c.id.in_(run_ids), run.c.project_id == tx.project.id, run.c.status == RunStatus.DONE.value
    )
    ids = tuple(tx.connection.scalars(done))
    for table in (journal, signal):
        tx.connection.execute(delete(table).where(table.c.run_id.in_(ids)))
    return len(ids)
