"""`shipline assist`: an assistant is asked about a pull request, in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="assist")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--dry-run", "dry_run", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option("--instructions", is_flag=True, help="Write the file in which GitLab Duo reads what to look at.")
@click.pass_obj
def command(application: Application, number: int | None, *, dry_run: bool, instructions: bool) -> int:
    """Ask the assistant of `[assistant]` about pull request NUMBER, and write its advice below it.

    It is asked once for each newest commit. Its advice makes no status and opens no gate.

    Exit codes: 0 done, 1 it gave no answer, 2 nobody is to be asked, 3 it refused, or there were enough questions
    today, 4 nothing was to be done.
    """
    if instructions:
        return _write_instructions(application)
    if number is None:
        raise UsageError("which pull request is meant?", todo="name its number: shipline assist NUMBER")
    if dry_run:
        return _show(application, number)
    return ask(application, number)


def ask(application: Application, number: int) -> int:
    """Ask about a pull request, and write what is said. NothingToDo where nothing was to be asked."""
    from shipline.bootstrap.assistance import assistant_ground
    from shipline.capabilities.automation import ASSISTANT, AssistantTaker, Command

    ground = assistant_ground(application)
    taker = AssistantTaker(lambda: ground)
    carried = taker(Command(ASSISTANT, str(number)), {})
    while carried.again_s is not None:
        carried = taker(Command(ASSISTANT, str(number)), carried.memory)
    if not carried.changed:
        raise NothingToDo(carried.words)
    click.echo(printable(carried.words))
    return int(ExitCode.DONE)


def obey(application: Application, about: str, *, dry_run: bool) -> None:
    """Ask about all pull requests that a command is about, or with `dry_run` only name them."""
    from shipline.bootstrap.assistance import assistant_ground, due_pulls

    for number in due_pulls(assistant_ground(application), about):
        if dry_run:
            click.echo(f"ask about pull request {number}")
        else:
            ask(application, number)


def _show(application: Application, number: int) -> int:
    from shipline.bootstrap.assistance import assistant_ground
    from shipline.capabilities.automation import not_now, sent_about

    ground = assistant_ground(application)
    pull = ground.forge.find_pull_request(number)
    why = not_now(ground, pull)
    if why or pull is None:
        raise NothingToDo(why)
    if ground.assistant.reviewer:
        click.echo(printable(f"{ground.assistant.name} would be asked to review pull request {number}"))
        return int(ExitCode.DONE)
    sent = sent_about(ground, pull)
    if sent is None:
        raise NothingToDo("nothing of this pull request may be sent")
    click.echo(printable(sent.question.instructions.replace("\n", " ")))
    click.echo(printable(sent.question.material))
    for path in sent.kept:
        click.echo(printable(f"not sent: {path}"), err=True)
    return int(ExitCode.DONE)


def _write_instructions(application: Application) -> int:
    from shipline.bootstrap.assistance import instructions_of
    from shipline.capabilities.automation import DUO_FILE, duo_instructions
    from shipline.capabilities.version_files import write_atomically

    path = application.root / DUO_FILE
    content = duo_instructions(instructions_of(application))
    if path.is_file() and path.read_bytes() == content:
        raise NothingToDo(f"{DUO_FILE} says so already")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    click.echo(f"wrote {DUO_FILE}")
    return int(ExitCode.DONE)
