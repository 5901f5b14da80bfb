"""Following a run on the terminal: one line a step as it ends, whether this process runs the engine or another does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from shipline.engine import journal
from shipline.engine.rules import ENDED, RunStatus

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.engine.journal import JournalEntry, Run
    from shipline.engine.workflow import Workflow

POLL_S = 0.1
WAITING_FOR_A_PERSON = frozenset({RunStatus.STOPPED, RunStatus.ASKING, RunStatus.FAILED})


@contextlib.contextmanager
def engine_running(application: Application) -> Iterator[None]:
    """Run the engine in this process if no other does; otherwise that one executes what this process enqueues."""
    runner = application.runner()
    mine = runner.start()
    if not mine:
        click.echo("another process runs the engine; this one follows", err=True)
    try:
        yield
    finally:
        runner.stop()


def follow(application: Application, subject: str, *, since_us: int) -> Run:
    """Print the steps of the newest run about `subject` that were started at `since_us` or later, as they end.

    Returns the run once it rests: it has ended, or waits for a person and nothing has been said to it.
    """
    shown, waited_for = 0, ""
    while True:
        with application.store.begin() as tx:
            run = journal.runs_of(tx, subject)[-1]
            entries = [entry for entry in journal.journal_of(tx, run.id) if entry.started_us >= since_us]
            spoken_to = bool(journal.pending_signals(tx, run.id))
        workflow = application.engine.catalogue.workflows[run.workflow]
        while shown < len(entries) and entries[shown].outcome is not None:
            _print_entry(workflow, entries[shown])
            shown += 1
        resting = run.state.status in ENDED or (run.state.status in WAITING_FOR_A_PERSON and not spoken_to)
        if resting and shown == len(entries):
            return run
        if run.state.waiting_for and run.state.waiting_for != waited_for:
            waited_for = run.state.waiting_for
            click.echo(f"  … {waited_for.splitlines()[0]}", err=True)
        application.clock.sleep(POLL_S)


def _print_entry(workflow: Workflow, entry: JournalEntry) -> None:
    if entry.outcome == "again":
        return
    title = next(step.title for step in workflow.steps + workflow.closing if step.name == entry.step)
    seconds = ((entry.ended_us or entry.started_us) - entry.started_us) / 1e6
    mark, colour = {"done": ("✓", "green"), "failed": ("✗", "red")}.get(str(entry.outcome), ("!", "yellow"))
    prefix = "taking back: " if entry.undo else ""
    click.echo(f"  {click.style(mark, fg=colour)} {prefix}{title} ({seconds:.1f} s)", err=True)
    if entry.outcome != "done":
        for line in entry.detail.splitlines():
            click.echo(f"      {line}", err=True)
