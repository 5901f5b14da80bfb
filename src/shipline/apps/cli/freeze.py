"""`shipline freeze`: nothing comes to a stage for a time, because somebody says so now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.person import local_person
from shipline.apps.cli.wording import printable
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.freeze import Freeze


@click.command(name="freeze")
@click.argument("stage", required=False, metavar="[STAGE]")
@click.option("--until", default="", metavar="WHEN", help='`90min`, `4h`, `2d`, or "YYYY-MM-DD HH:MM" in UTC.')
@click.option("--reason", default="", metavar="TEXT", help="Why; shown to whoever it holds up.")
@click.option("--lift", "is_lift", is_flag=True, help="End what was frozen so.")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.freezes/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option
    application: Application, *, stage: str | None, until: str, reason: str, is_lift: bool, as_json: bool
) -> None:
    """Freeze STAGE: `release`, an environment, or `all`. Without --until and --lift, show what is frozen."""
    from shipline.bootstrap.freezing import in_force, lift

    if is_lift:
        if until or reason:
            raise UsageError("--lift takes no end and no reason", todo="it ends what was declared, now")
        _show(lift(application, stage, local_person()), "lifted: ", as_json=as_json)
    elif stage is None and not (until or reason):
        _show(in_force(application), "", as_json=as_json)
    elif stage is None or not until:
        raise UsageError(
            "say what is frozen, and until when", todo="shipline freeze production --until 4h --reason TEXT"
        )
    else:
        _show((_declared(application, stage, until, reason),), "", as_json=as_json)


def _declared(application: Application, stage: str, until: str, reason: str) -> Freeze:
    from shipline.bootstrap.freezing import declare
    from shipline.capabilities.freezes import FreezeOrder, ends_at

    order = FreezeOrder(stage, ends_at(until, application.clock.now_us()), reason.strip())
    return declare(application, order, local_person())


def _show(freezes: tuple[Freeze, ...], word: str, *, as_json: bool) -> None:
    from shipline.capabilities.freezes import freezes_document, told

    if as_json:
        click.echo(json.dumps(freezes_document(freezes), indent=2, ensure_ascii=False))
        return
    if not freezes:
        click.echo("nobody has frozen anything; `shipline calendar` shows what the policy closes")
    for one in freezes:
        click.echo(printable(f"{word}{told(one)}"))
