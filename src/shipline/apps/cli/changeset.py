"""`shipline changeset`: write a changeset, and see whether one is missing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from shipline.domain.change import Bump
from shipline.domain.errors import ExitCode, UsageError
from shipline.domain.package import unknown_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shipline.bootstrap import Application

BUMPS = ("major", "minor", "patch", "none")
# Three words name a changeset, so that two people who write one at a time hardly meet.
WORDS = tuple(
    words.split()
    for words in (
        "bold brave bright calm clever cool eager fair fast fine glad good great happy kind neat",
        "bears birds cats clouds deer dogs foxes frogs goats hills lakes moons owls rivers stars trees",
        "dance dream fly grow hum jump laugh leap play rest run shine sing sleep smile walk",
    )
)


@click.group(name="changeset")
def command() -> None:
    """Write changesets, and see whether one is missing."""


@command.command(name="add")
@click.option("--package", "names", multiple=True, metavar="NAME", help="A package that moves; may be given again.")
@click.option("--bump", type=click.Choice(BUMPS), help="How far all of them move.")
@click.option("--message", metavar="TEXT", help="What users should know.")
@click.option("--empty", is_flag=True, help="Say that what has changed is not released.")
@click.pass_obj
def add(
    application: Application, *, names: tuple[str, ...], bump: str | None, message: str | None, empty: bool
) -> None:
    """Write a changeset into .changeset; on a terminal, ask for what is left out."""
    from shipline.capabilities.plans import known_packages, write_changeset

    if empty and (names or bump):
        raise UsageError("an empty changeset moves no package", todo="leave out --package and --bump, or --empty")
    known = [] if empty else [package.name for package in known_packages(application.repository, application.packages)]
    chosen = () if empty else names or _asked_names(known)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise unknown_package(unknown[0], known)
    moved = Bump.NONE if empty else Bump(bump or _asked("--bump", "How far do they move?", click.Choice(BUMPS[:3])))
    said = (
        message
        if message is not None
        else ""
        if empty
        else _asked("--message", "What should users know?", click.STRING)
    )
    name = _new_name(application.ids.new("chg"))
    path = write_changeset(application.repository.root(), name, dict.fromkeys(chosen, moved), said)
    click.echo(path.relative_to(application.repository.root()).as_posix())


@command.command(name="status")
@click.option("--since", metavar="REF", default="", help="Look at what has changed since this commit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema shipline.changesets/1.")
@click.pass_obj
def status(application: Application, *, since: str, as_json: bool) -> int:
    """Show the changesets of the work tree, and the packages that have changed and have none.

    Exit codes: 0 nothing is missing, 1 a changeset is missing.
    """
    from shipline.apps.cli.wording import printable
    from shipline.capabilities.plans import changeset_status, pending_document

    pending = changeset_status(application.repository, application.packages, since=since)
    if as_json:
        click.echo(json.dumps(pending_document(pending), indent=2, ensure_ascii=False))
    else:
        for name, bump in pending.bumps().items():
            ids = ", ".join(each.name for each in pending.changesets if name in each.bumps)
            click.echo(printable(f"{name}  {bump.value}  ({ids})"))
        for name in pending.missing:
            click.echo(printable(f"{name}  has changed and has no changeset"))
        if pending.proposal is not None:
            click.echo(
                f"No changeset is missing: commit {pending.proposal[:7]} is that of the release pull request,"
                " which has used them up."
            )
        elif pending.missing:
            click.echo("Write one with `shipline changeset add`; with --empty, if nothing is to be released.")
        elif not pending.changesets:
            click.echo("There is no changeset, and none is missing.")
    return int(ExitCode.FAILED if pending.missing else ExitCode.DONE)


def _asked_names(known: Sequence[str]) -> tuple[str, ...]:
    text = _asked("--package", f"Which packages ({', '.join(known)})?", click.STRING)
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _asked(option: str, question: str, kind: click.ParamType[Any]) -> str:
    """Ask a person; UsageError where there is none."""
    if not sys.stdin.isatty():
        raise UsageError(f"{option} is missing, and there is no terminal to ask on", todo=f"give {option}, or --empty")
    answer: str = click.prompt(question, type=kind)
    return answer


def _new_name(unique: str) -> str:
    """Three words by the random end of an id."""
    number = int(unique[-8:], 16)
    return "-".join(words[(number >> (8 * place)) % len(words)] for place, words in enumerate(WORDS))
