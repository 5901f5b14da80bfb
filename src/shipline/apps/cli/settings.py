"""`shipline settings`: the repository's settings on the forge, compared with what `[repository]` says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Difference, Kept, Plan

SIGNS = {"add": "+", "change": "~", "remove": "-"}


@click.group(name="settings")
def command() -> None:
    """Bring the repository's settings on the forge to what `[repository]` says."""


@command.command(name="plan")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.settings-plan/1.")
@click.pass_obj
def plan(application: Application, *, as_json: bool) -> None:
    """Show what `apply` would do, and do nothing.

    Exit codes: 0, or 4 where all is as it is said.
    """
    _show(_planned(application), as_json=as_json)


@command.command(name="drift")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.settings-plan/1.")
@click.pass_obj
def drift(application: Application, *, as_json: bool) -> int:
    """Fail where something is not as it is said.

    Exit codes: 0 where all is as it is said, 1 where it is not, or cannot be seen.
    """
    found = _planned(application)
    try:
        _show(found, as_json=as_json)
    except NothingToDo as error:
        click.echo(error.what, err=True)
        return ExitCode.FAILED if found.unread else ExitCode.DONE
    return ExitCode.FAILED


@command.command(name="apply")
@click.option("--secrets", is_flag=True, help="Set all secrets anew: no forge tells whether they are right.")
@click.option("--dry-run", "dry_run", is_flag=True, help="The same as `shipline settings plan`.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: shipline.settings-plan/1.")
@click.pass_obj
def apply(application: Application, *, secrets: bool, dry_run: bool, as_json: bool) -> None:
    """Do what `plan` shows; run it again after trouble, and only what is missing is done.

    Exit codes: 0, 3 where the forge refused some of it, 4 where all is as it is said.
    """
    from shipline.bootstrap.keeping import Keeping, secrets_of
    from shipline.capabilities.automation import carry_out, with_secrets

    keeping = Keeping(application)
    found = keeping.plan()
    if secrets:
        found = with_secrets(found, keeping.wanted, secrets_of(keeping.settings))
    if dry_run:
        _show(found, as_json=as_json)
        return
    if not as_json:
        _show(found, as_json=False)
    carried = () if found.is_empty else carry_out(keeping.keepers, found)
    if as_json:
        _print(found, carried)
    _tell(found, carried)


def _planned(application: Application) -> Plan:
    from shipline.bootstrap.keeping import Keeping

    return Keeping(application).plan()


def _show(found: Plan, *, as_json: bool) -> None:
    """Print it. NothingToDo where nothing differs; what could not be seen is said by name either way."""
    if as_json:
        _print(found)
    else:
        _lines(found.changes)
        if found.removals:
            click.echo("removed, since [repository] prunes them:")
            _lines(found.removals)
    for note in _notes(found):
        click.echo(printable(note), err=True)
    if found.is_empty:
        raise NothingToDo("all that could be seen is as it is said" if found.unread else "all is as it is said")


def _print(found: Plan, carried: Iterable[Kept] = ()) -> None:
    from shipline.capabilities.automation import plan_document

    click.echo(json.dumps(plan_document(found, carried), indent=2))


def _lines(differences: Iterable[Difference]) -> None:
    for each in differences:
        click.echo(printable(f"{SIGNS[each.action]} {each.kind} {each.name}"))
        for field in each.fields:
            before = "" if field.before is None else f"{json.dumps(field.before, ensure_ascii=False)} -> "
            click.echo(printable(f"    {field.name}: {before}{json.dumps(field.after, ensure_ascii=False)}"))


def _notes(found: Plan) -> list[str]:
    notes = [f"not seen: {each.kind}: {each.why}" for each in found.unread]
    notes += [f"this forge does not have: {each}" for each in found.left_out]
    kinds = [kind for kind, _ in found.strangers]
    return notes + [
        f"not said, and left alone: {kinds.count(kind)} of the kind {kind}" for kind in dict.fromkeys(kinds)
    ]


def _tell(found: Plan, carried: tuple[Kept, ...]) -> None:
    """What came of it; RefusedError that names what was refused."""
    troubles = [each for each in carried if each.trouble]
    click.echo(f"{len(carried) - len(troubles)} of {len(carried)} done", err=True)
    for each in troubles:
        click.echo(printable(f"not done: {each.difference.words}: {each.trouble}"), err=True)
    if troubles or found.unread:
        todo = (
            next((each.todo for each in troubles if each.todo), "") or "give the token what is missing, and run again"
        )
        raise RefusedError("the forge does not let this token do all of it", todo=todo)
    if not carried:
        raise NothingToDo("all is as it is said")
