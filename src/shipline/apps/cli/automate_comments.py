"""A command in a comment, carried out by a CI job: the same hand as on a server, until it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, RefusedError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.automation import Command

RETRIES_MAX = 5
PAUSE_S = 5.0


def obey(application: Application, command: Command, *, dry_run: bool) -> int:
    """Carry it out, and follow it to its end. NothingToDo where nobody is heard, RefusedError where it is not done.

    With `dry_run` nothing is written on the forge, and nothing is done.
    """
    from shipline.apps.cli.progress import engine_running
    from shipline.bootstrap.spoken import command_ground
    from shipline.capabilities.automation import CommandTaker

    application.attach()
    taker = CommandTaker(lambda: command_ground(application))
    memory = _looked(application, taker, command, {})
    if "author" not in memory:
        raise NothingToDo("this comment leads to nothing", why=str(memory.get("words", "")))
    if dry_run:
        refusal = memory.get("refusal", {}).get("why", "")
        said = f"would refuse: {refusal}" if refusal else f"would carry out {memory['line']} of {memory['author']}"
        click.echo(printable(said), err=True)
        return int(ExitCode.DONE)
    with engine_running(application):
        while not memory.get("over"):
            memory = _looked(application, taker, command, memory)
    if memory["refused"]:
        raise RefusedError(memory["words"], todo="its answer on the forge says more")
    return int(ExitCode.DONE)


def _looked(application: Application, taker: Any, command: Command, memory: dict[str, Any]) -> dict[str, Any]:
    """What is to be remembered after one more look; `over` with its `words` after the last one."""
    from shipline.domain.errors import ShiplineError

    for attempt in range(RETRIES_MAX):
        try:
            carried = taker(command, memory)
            break
        except ShiplineError as error:
            if not error.retryable or attempt == RETRIES_MAX - 1:
                raise
            application.clock.sleep(PAUSE_S)
    if carried.words != memory.get("words"):
        click.echo(printable(carried.words), err=True)
    if carried.again_s is None:
        return {"over": True, "words": carried.words, "refused": carried.memory.get("well") is False}
    application.clock.sleep(carried.again_s)
    found: dict[str, Any] = carried.memory | {"words": carried.words}
    return found
