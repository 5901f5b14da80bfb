"""Following a run on the terminal: one line a step as it ends, whether this process runs the engine or another does."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.secrecy import redacted
from shipline.engine import journal
from shipline.engine.ownership import owning
from shipline.engine.rules import ENDED, RunStatus

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.engine.journal import JournalEntry, Run
    from shipline.engine.workflow import Workflow

POLL_S = 0.1
PLAIN_EVERY_US = 5_000_000
SAME_WORDS_EVERY_S = 60.0
WAITING_FOR_A_PERSON = frozenset({RunStatus.STOPPED, RunStatus.ASKING, RunStatus.FAILED})


@contextlib.contextmanager
def engine_running(application: Application) -> Iterator[bool]:
    """Run the engine in this process if no other does; otherwise that one executes what this process enqueues, and
    this one takes over when it ends.

    Gives whether it is this one from the start.
    """
    speak_plainly()
    for sentence in application.policy.left_out:
        click.echo(printable(f"policy is {application.policy.source}: {sentence}"), err=True)
    with owning(application.runner()) as mine:
        yield mine


def follow(
    application: Application, subject: str, *, since_us: int, is_enough: Callable[[Run], bool] = lambda _run: False
) -> Run:
    """Print the steps of the newest run about `subject` that were started at `since_us` or later, as they end.

    A run that has begun another about the same, as one that waits for its turn does, is left for that. Returns the run
    once it rests: it has ended, or waits for a person and nothing has been said to it, or is_enough. Raises
    ShiplineError where this process's engine cannot go on: a full disk is no reason to wait for ever.
    """
    seen, wait = 0, _Wait()
    steps: Steps | None = None
    followed = ""
    while True:
        with application.store.begin() as tx:
            run = journal.runs_of(tx, subject)[-1]
            if run.id != followed:
                followed, seen, steps = run.id, 0, None
            entries = list(journal.journal_of(tx, run.id, after_revision=seen))
            spoken_to = bool(journal.pending_signals(tx, run.id))
        steps = steps or Steps(application.engine.catalogue.workflows[run.workflow], wait)
        while entries and (entries[0].outcome is not None or entries[0].started_us < since_us):
            entry = entries.pop(0)
            seen = entry.revision
            if entry.started_us >= since_us:
                steps.take(entry)
        resting = run.state.status in ENDED or (run.state.status in WAITING_FOR_A_PERSON and not spoken_to)
        if (resting or is_enough(run)) and not entries:
            steps.rest()
            return run
        if application.engine.trouble is not None:
            raise application.engine.trouble
        wait.show(run.state.waiting_for, application.clock.now_us())
        application.clock.sleep(POLL_S)


class Steps:
    """One line a step once it has ended, whatever attempts and looks it took: each of those is an entry of its own."""

    def __init__(self, workflow: Workflow, wait: _Wait) -> None:
        self._workflow = workflow
        self._wait = wait
        self._began_us: int | None = None
        self._failed: JournalEntry | None = None

    def take(self, entry: JournalEntry) -> None:
        """Say what ended with it. Whether an attempt that failed was the last one shows with what comes after it."""
        failed = self._failed
        if failed is not None and not (entry.attempt > 1 and (entry.step, entry.undo) == (failed.step, failed.undo)):
            self._say(failed)
        self._failed = entry if entry.outcome == "failed" else None
        if entry.outcome in ("again", "failed"):
            self._began_us = self._began_us or entry.started_us
        else:
            self._say(entry)

    def rest(self) -> None:
        """Say what the run has come to rest with."""
        if self._failed is not None:
            self._say(self._failed)
        self._wait.clear()

    def _say(self, entry: JournalEntry) -> None:
        self._wait.clear()
        _print_entry(self._workflow, entry, began_us=self._began_us or entry.started_us)
        self._began_us = self._failed = None


class _Words(logging.Handler):
    """What the engine logs, as a person reads it: no traceback, and what goes on and on is said once a minute."""

    said, said_s = "", 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Say it on standard error."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text += f" ({record.exc_info[0].__name__}: {str(record.exc_info[1])[:300]})"
        if text != self.said or record.created - self.said_s >= SAME_WORDS_EVERY_S:
            self.said, self.said_s = text, record.created
            click.echo(redacted(printable(text)), err=True)


def speak_plainly() -> None:
    """Print what the engine warns of on standard error in plain words, unless SHIPLINE_DEBUG asks for all of it."""
    logger = logging.getLogger("shipline")
    if not logger.handlers and not os.environ.get("SHIPLINE_DEBUG"):
        logger.addHandler(_Words(logging.WARNING))
        logger.propagate = False


class _Wait:
    """What a run waits for: one line that is written over on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.shown = ""
        self.shown_us = 0

    def show(self, text: str, now_us: int) -> None:
        """Show what is waited for, if that is news."""
        line = printable(text.splitlines()[0]) if text else ""
        if not line or line == self.shown or (not self.live and now_us - self.shown_us < PLAIN_EVERY_US):
            return
        self.shown, self.shown_us = line, now_us
        if self.live:
            width = shutil.get_terminal_size().columns - 5
            click.echo(f"\r\x1b[2K  … {line[:width]}", nl=False, err=True)
        else:
            click.echo(f"  … {line}", err=True)

    def clear(self) -> None:
        """Take the line away before another is printed."""
        if self.live and self.shown:
            click.echo("\r\x1b[2K", nl=False, err=True)
        self.shown, self.shown_us = "", 0


def _print_entry(workflow: Workflow, entry: JournalEntry, *, began_us: int) -> None:
    step = next(step for step in workflow.steps + workflow.closing if step.name == entry.step)
    title = (step.undo_title or f"Take back: {step.title}") if entry.undo else step.title
    if entry.outcome == "done" and entry.detail:
        click.echo(f"  {click.style('–', dim=True)} {title}: {printable(entry.detail)}", err=True)  # noqa: RUF001 - a dash
        return
    seconds = ((entry.ended_us or entry.started_us) - began_us) / 1e6
    mark, colour = {"done": ("✓", "green"), "failed": ("✗", "red")}.get(str(entry.outcome), ("!", "yellow"))
    click.echo(f"  {click.style(mark, fg=colour)} {title} ({seconds:.1f} s)", err=True)
    if entry.outcome != "done":
        for line in printable(entry.detail).splitlines():
            click.echo(f"      {line}", err=True)
