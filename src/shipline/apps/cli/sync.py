"""`shipline sync`: two forges are kept alike, by hand; a server does it by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Command, Passed, Remembered
    from shipline.domain.event import Event

REMOVALS_MAX = 100_000
TOLD_MAX = 10


@click.group(name="sync")
def command() -> None:
    """Keep issues, pull requests, releases, branches and such of two forges alike, as `[sync]` says."""


@command.command(name="run")
@click.option("--dry-run", "dry_run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--removals", type=click.IntRange(0, REMOVALS_MAX), help="How many items it may remove, this once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.sync/1.")
@click.pass_obj
def run(application: Application, *, dry_run: bool, removals: int | None, as_json: bool) -> int:
    """Make both forges alike; it waits where their limits are reached, and can be broken off at any time.

    Exit codes: 0 done; 3 something stays as it is, or too much would be removed; 4 both are alike.
    """
    return sync(application, dry_run=dry_run, removals=removals, as_json=as_json)


@command.command(name="repair")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.sync/1.")
@click.pass_obj
def repair(application: Application, *, as_json: bool) -> int:
    """The same, but the comments of every issue are read, and not only of those that changed.

    Exit codes: as for `shipline sync run`.
    """
    return _look(application, full=True, removals=None, as_json=as_json)


@command.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.sync/1.")
@click.pass_obj
def status(application: Application, *, as_json: bool) -> None:
    """Show what is kept alike, and how the last look ended. Asks neither forge."""
    application.only_read()
    document = _document(application)
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    counted = ", ".join(f"{number} {kind}s" for kind, number in document["links"].items())
    click.echo(printable(f"{counted} are on both forges"))
    state = "held up" if document["held_up"] else document["status"]
    click.echo(printable(f"{state}: {document['words'] or 'nothing has been said'}"))
    tested = document["test"]
    if tested is not None:
        whole = tested["back_us"] is not None
        took = (
            f"went round in {(tested['there_us'] + tested['back_us']) / 1e6:.1f} s" if whole else "did not come round"
        )
        click.echo(printable(f"the last marked label {took}"))


@command.command(name="test")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.sync/1.")
@click.pass_obj
def test(application: Application, *, as_json: bool) -> int:
    """Send a marked label round, from here to there and back, and say how long it took. It is taken away after that.

    Exit codes: 0 it came back; 3 it did not within 15 minutes.
    """
    from shipline.bootstrap.sync_tests import SYNC_TEST_COMMAND

    return _ordered(application, SYNC_TEST_COMMAND, as_json=as_json)


def sync(application: Application, *, dry_run: bool, removals: int | None = None, as_json: bool = False) -> int:
    """A pass that reads what has changed, or what it would do; the exit code."""
    if dry_run:
        return _foretell(application, removals, as_json=as_json)
    return _look(application, full=False, removals=removals, as_json=as_json)


def _foretell(application: Application, removals: int | None, *, as_json: bool) -> int:
    from shipline.bootstrap.syncs import sync_of
    from shipline.capabilities.automation import run_pass

    passed = run_pass(sync_of(application, removals_max=removals), full=True, dry_run=True)
    if as_json:
        click.echo(json.dumps(_planned(passed), indent=2))
    else:
        for effect in passed.effects:
            click.echo(printable(effect.sentence()))
    if not passed.effects:
        raise NothingToDo("both forges are alike")
    return 0


def _look(application: Application, *, full: bool, removals: int | None, as_json: bool) -> int:
    """Order one, as a hook does, and wait for it: so that no two are made at a time."""
    from shipline.bootstrap.syncs import SYNC_COMMAND
    from shipline.capabilities.automation import want_pass

    with application.store.begin() as tx:
        want_pass(tx, application.clock.now_us(), full=full, removals_max=removals)
    return _ordered(application, SYNC_COMMAND, as_json=as_json)


def _ordered(application: Application, ordered: Command, *, as_json: bool) -> int:
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.bootstrap.syncs import sync_of
    from shipline.capabilities.automation import order_look, subject_of

    sync_of(application)  # What is wrong with the settings is said here, and not by a run.
    began_us = application.clock.now_us()
    with application.store.begin() as tx:
        order_look(tx, application.engine, ordered)
    with engine_running(application):
        follow(application, subject_of(ordered), since_us=began_us)
    if as_json:
        click.echo(json.dumps(_document(application), indent=2))
    told = [event for event in _told(application, ordered) if event.time_us >= began_us]
    if not told:
        raise NothingToDo("both forges are alike")
    if told[0].kind == "AutomationHeldUp":
        raise RefusedError(told[0].body["words"], todo=told[0].body["todo"])
    click.echo(printable(told[0].body["words"]), err=True)
    return 0


def _told(application: Application, ordered: Command) -> list[Event]:
    """What looks have told, the newest first: that something was done, or stands in the way."""
    from shipline.capabilities.automation import subject_of
    from shipline.store.log import read_latest

    found = [each.event for each in read_latest(application.store, TOLD_MAX, subject_of(ordered))]
    return sorted(found, key=lambda event: event.time_us, reverse=True)


def _document(application: Application) -> dict[str, Any]:
    """`shipline.sync/1`."""
    from shipline.bootstrap.syncs import SYNC_COMMAND
    from shipline.capabilities.automation import count_links, recall_passes, subject_of
    from shipline.engine import journal

    with application.store.begin() as tx:
        links, known = count_links(tx), recall_passes(tx)
        runs = journal.runs_of(tx, subject_of(SYNC_COMMAND))
    told, waits = _told(application, SYNC_COMMAND), runs[-1].state.waiting_for if runs else ""
    return {
        "schema": "shipline.sync/1",
        "status": runs[-1].state.status.value if runs else "never run",
        "words": waits or (told[0].body["words"] if told else ""),
        "held_up": bool(told) and told[0].kind == "AutomationHeldUp",
        "last_us": known.last_us or None,
        "full_us": known.full_us or None,
        "links": links,
        "test": _tested(known),
    }


def _tested(known: Remembered) -> dict[str, Any] | None:
    """The last test, None for none. What the label did not reach is null."""
    if not known.tested_us:
        return None
    return {
        "ended_us": known.tested_us,
        "there_us": known.test_there_us or None,
        "back_us": known.test_back_us or None,
    }


def _planned(passed: Passed) -> dict[str, Any]:
    return {
        "schema": "shipline.sync-plan/1",
        "effects": [
            {
                "verb": each.verb,
                "kind": each.kind.value,
                "side": each.side.value,
                "key": each.key,
                "words": each.words,
            }
            for each in passed.effects
        ],
        "troubles": passed.troubles,
    }
