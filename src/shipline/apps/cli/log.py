"""`shipline log`: the one record of what has happened, shown, verified and proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.log_export import export, public_key_of, wanted_of, with_search_options

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.store.log import RecordedEvent
    from shipline.store.verification import LogVerification


@click.group(name="log")
def command() -> None:
    """The event log: what has happened, in an order that nobody can change unseen."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.log/1.")
@with_search_options
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many of the last.")
@click.pass_obj
def show(application: Application, /, *, as_json: bool, limit: int, **search: Any) -> None:
    """Show the last events, or the last of those that are searched for, the oldest first. A dash stands where an event
    has no place in the log yet."""
    from shipline.store.search import latest_found

    application.only_read()
    wanted = wanted_of(search)
    entries = latest_found(application.store, wanted, limit)
    if as_json:
        events = [_document(entry) for entry in entries]
        click.echo(json.dumps({"schema": "shipline.log/1", "events": events}, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        click.echo(_line(entry))
    if not entries:
        click.echo("nothing has happened yet" if wanted == wanted_of({}) else "no event is like that")


@command.command("verify")
@click.option(
    "--checkpoint",
    "witness",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept elsewhere: shows whether the log was cut or written anew since.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.log.verification/1.")
@click.pass_obj
def verify_log(application: Application, *, witness: Path | None, as_json: bool) -> None:
    """Check every event, the tree over them and every checkpoint. Ends with 1 if anything does not fit."""
    from shipline.domain.errors import ExitCode
    from shipline.store.log import latest_checkpoint
    from shipline.store.verification import verify

    application.only_read()
    store = application.store
    found = verify(store, public_key_of(store), None if witness is None else _note(witness))
    if as_json:
        document = _verification_document(found) | {"checkpoint": latest_checkpoint(store)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _report(found)
    raise SystemExit(ExitCode.DONE if found.is_intact else ExitCode.FAILED)


@command.command("prove")
@click.argument("event_id")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.log.proof/1.")
@click.pass_obj
def prove_event(application: Application, event_id: str, *, as_json: bool) -> None:
    """Prove that an event is in the log, to somebody who has the log's public key and nothing else."""
    from shipline.domain.codec import to_json
    from shipline.store.proofs import check_proof, prove

    application.only_read()
    store = application.store
    proof = prove(store, event_id)
    key = public_key_of(store)
    if key is not None:
        check_proof(proof, key)
    if as_json:
        click.echo(json.dumps(to_json(proof), indent=2, ensure_ascii=False))
        return
    click.echo(f"{event_id} is at place {proof.place} of {proof.size}, under this checkpoint:\n")
    click.echo(proof.checkpoint)
    click.echo(f"public key: {key if key is not None else 'not on this machine, so the checkpoint was not checked'}")


command.add_command(export)


def _note(path: Path) -> str:
    from shipline.store.notes import NOTE_BYTES_MAX

    with path.open("rb") as file:
        return file.read(NOTE_BYTES_MAX + 1).decode("utf-8", "replace")


def _document(entry: RecordedEvent) -> dict[str, Any]:
    from shipline.domain.codec import to_json

    document: dict[str, Any] = to_json(entry.event)
    return {"number": entry.number, "place": entry.place, "erased": entry.is_erased} | document


def _line(entry: RecordedEvent) -> str:
    from shipline.capabilities.plans import rfc3339

    event = entry.event
    place = "-" if entry.place is None else str(entry.place)
    # An actor's name comes from outside: no escape sequence of it reaches the terminal.
    actor = "".join(sign if sign.isprintable() else "?" for sign in str(event.actor))
    return f"{place:>6}  {rfc3339(event.time_us)}  {event.kind}  {event.stream}#{event.position}  {actor}  {event.id}"


def _verification_document(found: LogVerification) -> dict[str, Any]:
    from shipline.domain.codec import to_json

    counted: dict[str, Any] = to_json(found)
    return {"schema": "shipline.log.verification/1", "intact": found.is_intact} | counted


def _report(found: LogVerification) -> None:
    for problem in found.problems:
        click.echo(f"broken: {problem.what}" + (f" ({problem.event_id})" if problem.event_id is not None else ""))
    if found.problem_count > len(found.problems):
        click.echo(f"broken: and {found.problem_count - len(found.problems)} more")
    click.echo(f"{found.size} events in the log, {found.checkpoints} checkpoints, {found.erased} contents erased")
    if found.unsequenced:
        click.echo(f"{found.unsequenced} events have no place yet, and nothing protects them until they have")
    click.echo("the log is intact" if found.is_intact else f"the log is BROKEN: {found.problem_count} problems")
