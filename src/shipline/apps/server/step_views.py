"""The steps of a run as people see them: every step of the workflow, with what the journal knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shipline.engine import journal
from shipline.engine.engine import Catalogue
from shipline.engine.journal import JournalEntry, Run
from shipline.engine.rules import ENDED, RunStatus
from shipline.engine.workflow import Step
from shipline.store.transaction import Transaction

# What the journal writes, and what a reader is told.
OUTCOMES = {"done": "done", "failed": "failed", "again": "running", "cut off": "cut off", None: "running"}
TONES = {"done": "good", "failed": "bad", "running": "live", "cut off": "warn"}


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `outcome` is done, failed, running, cut off, waiting (for its turn) or not needed.

    `seconds` is from its first start to its last end, None before that. `attempts` counts the calls that failed or
    were cut off, and the last one. `detail` is what is awaited, why it failed, or why there was nothing to do.
    """

    title: str
    outcome: str
    seconds: float | None = None
    attempts: int = 0
    detail: str = ""

    @property
    def tone(self) -> str:
        """The outcome's colour."""
        return TONES.get(self.outcome, "quiet")


FORGOTTEN = "How long it took is not kept any more."
"""Of a run that came to its end, and whose journal has been removed since (`[retention]`)."""


def steps_of_subject(tx: Transaction, catalogue: Catalogue, subject: str) -> tuple[StepView, ...]:
    """The steps of all runs about a release or rollout, in the order in which they were begun."""
    found: list[StepView] = []
    for run in journal.runs_of(tx, subject):
        entries = journal.journal_of(tx, run.id)
        workflow = catalogue.workflows.get(run.workflow)
        if workflow is None:
            # Its environment is configured no more: the journal's own names are what is left.
            found += [_of_entries(name, each) for (name, _), each in _grouped(entries).items()]
        else:
            found += _of_run(run, workflow.steps, workflow.closing, entries)
    return tuple(found)


def _of_run(
    run: Run, steps: Sequence[Step], closing: Sequence[Step], entries: Sequence[JournalEntry]
) -> Iterable[StepView]:
    grouped = _grouped(entries)
    if not entries and run.state.status is RunStatus.DONE:
        yield from (StepView(step.title, "done", detail=FORGOTTEN) for step in steps)
        return
    titles = {step.name: step.undo_title or f"Take back: {step.title}" for step in steps}
    for step in steps:
        yield _step(run, step, grouped, forward=True)
    for (name, undo), each in grouped.items():
        if undo:
            yield _of_entries(titles.get(name, name), each)
    for step in closing:
        yield _step(run, step, grouped, forward=False)


def _step(run: Run, step: Step, grouped: Mapping[tuple[str, bool], list[JournalEntry]], *, forward: bool) -> StepView:
    entries = grouped.get((step.name, False))
    if entries is None:
        over = run.state.status in ENDED or (run.state.undone and forward)
        return StepView(step.title, "not needed" if over else "waiting")
    # What was on its way when the run was turned back goes on no more, long before the way back has ended.
    stopped = run.state.status is not RunStatus.ACTIVE or (run.state.undone and forward)
    return _of_entries(step.title, entries, stopped=stopped)


def _of_entries(title: str, entries: Sequence[JournalEntry], *, stopped: bool = False) -> StepView:
    first, last = entries[0], entries[-1]
    outcome = OUTCOMES.get(last.outcome, str(last.outcome))
    if outcome == "running" and stopped:
        outcome = "cut off"
    is_over = last.outcome not in (None, "again") and last.ended_us is not None
    failed = sum(entry.outcome in ("failed", "cut off") for entry in entries[:-1])
    return StepView(
        title=title,
        outcome=outcome,
        seconds=max(0.0, ((last.ended_us or 0) - first.started_us) / 1e6) if is_over else None,
        attempts=failed + 1,
        detail=last.detail,
    )


def _grouped(entries: Iterable[JournalEntry]) -> dict[tuple[str, bool], list[JournalEntry]]:
    grouped: dict[tuple[str, bool], list[JournalEntry]] = {}
    for entry in entries:
        grouped.setdefault((entry.step, entry.undo), []).append(entry)
    return grouped
