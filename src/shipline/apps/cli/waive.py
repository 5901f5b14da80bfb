"""`shipline waive`: findings that somebody accepts for a time, signed with the SSH key that they have already."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.approve import approver_of, signing_key
from shipline.apps.cli.person import local_person
from shipline.domain.errors import NothingToDo, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shipline.bootstrap import Application
    from shipline.domain.gate import Waiver

SCHEMA = "shipline.waivers/1"


class _Waiving(click.Group):
    """What is no subcommand is a fingerprint to waive."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`waive FINGERPRINT` stands for `waive add FINGERPRINT`."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["add", *args]
        return super().parse_args(ctx, args)


@click.group("waive", cls=_Waiving)
def command() -> None:
    """Accept findings for a time: `shipline waive FINGERPRINT... --reason TEXT --until DAY`."""


@command.command("add")
@click.argument("fingerprints", nargs=-1, required=True, metavar="FINGERPRINT...")
@click.option("--reason", required=True, help="Why they are accepted, in one line.")
@click.option("--until", required=True, metavar="DAY", help="The last day on which that holds: 2026-11-28, UTC.")
@click.option("--release", "versions", multiple=True, metavar="VERSION", help="For this version; may be given again.")
@click.option("--package", default="", metavar="NAME", help="For this package; for any if not given.")
@click.option("--as", "name", metavar="NAME", help="Who you are among the approvers; default: whose key is given.")
@click.option("--key", type=click.Path(path_type=Path), help="The SSH key; default: git's user.signingkey.")
@click.pass_obj
def add(  # noqa: PLR0913 - one argument an option
    application: Application,
    *,
    fingerprints: tuple[str, ...],
    reason: str,
    until: str,
    versions: tuple[str, ...],
    package: str,
    name: str | None,
    key: Path | None,
) -> None:
    """Waive the findings of these fingerprints until a day. It is written into shipline.toml, signed by you."""
    from shipline.capabilities.gates import day_of, waiver_statement
    from shipline.capabilities.releases import objection_to_waiver
    from shipline.clients.ssh_signatures import sign
    from shipline.configuration.waiver_text import with_waiver
    from shipline.domain.gate import WAIVER_NAMESPACE, Waiver

    chosen = key if key is not None else signing_key(application)
    waiver = Waiver(
        findings=tuple(dict.fromkeys(fingerprints)),
        owner=approver_of(application, name, chosen).name,
        reason=reason.strip(),
        given=day_of(application.clock.now_us()).isoformat(),
        until=until,
        signature="",
        package=package,
        versions=versions,
    )
    _check(application, waiver)
    signed = replace(waiver, signature=sign(waiver_statement(waiver), key=chosen, namespace=WAIVER_NAMESPACE))
    why = objection_to_waiver(application.release_ground.waiving, signed, application.clock.now_us())
    if why:
        raise RefusedError("this waiver would count for nothing", why=why)
    _edit(application, lambda text: with_waiver(text, signed))
    many = "1 finding" if len(signed.findings) == 1 else f"{len(signed.findings)} findings"
    click.echo(f"{signed.owner} waives {many} until {signed.until}: {signed.reason}", err=True)
    unknown = _unreported(application, signed.findings)
    if unknown:
        names = ", ".join(name for name in signed.findings if name in unknown)
        click.echo(f"note: no report that was read in lists {names}, so nothing of that is waived yet", err=True)
    _judge_anew(application, (signed,), ())


def _unreported(application: Application, fingerprints: Sequence[str]) -> frozenset[str]:
    """Those that stand in no report about any release."""
    from shipline.capabilities.releases import reported_among

    with application.store.begin() as tx:
        return frozenset(fingerprints) - reported_among(tx, fingerprints)


def _check(application: Application, waiver: Waiver) -> None:
    """Refuse before anything is signed what would be refused afterwards."""
    from shipline.capabilities.gates import day_of, read_day, waiver_complaint

    complaint = waiver_complaint(waiver)
    if complaint:
        raise UsageError(f"this is no waiver: {complaint}")
    most = day_of(application.clock.now_us()) + timedelta(days=application.policy.waiving.days_max)
    if read_day(waiver.until) > most:
        raise UsageError(
            f"a waiver ends on {most.isoformat()} at the latest",
            why=f"days_max in [waiving] is {application.policy.waiving.days_max}",
            todo="name an earlier day; it can be waived again",
        )


@command.command("withdraw")
@click.argument("fingerprints", nargs=-1, required=True, metavar="FINGERPRINT...")
@click.pass_obj
def withdraw(application: Application, *, fingerprints: tuple[str, ...]) -> None:
    """Take the waivers of these findings out of shipline.toml: whole, since they are signed as a whole."""
    from shipline.configuration.waiver_text import without_waiver

    gone = tuple(one for one in application.settings.waiver if set(one.findings) & set(fingerprints))
    if not gone:
        raise NothingToDo("no waiver in shipline.toml names these findings")

    def edit(text: str) -> str:
        for waiver in gone:
            text = without_waiver(text, waiver)
        return text

    _edit(application, edit)
    for waiver in gone:
        left = [one for one in waiver.findings if one not in fingerprints]
        more = f"; it held for {', '.join(left)} as well" if left else ""
        click.echo(f"the waiver by {waiver.owner} until {waiver.until} is withdrawn{more}", err=True)
    _judge_anew(application, (), gone)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.waivers/1.")
@click.pass_obj
def list_(application: Application, *, as_json: bool) -> None:
    """List the waivers that count, and those that do not, with the reason."""
    from shipline.apps.cli.wording import printable

    documents = _documents(application)
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "waivers": documents}, indent=2, ensure_ascii=False))
        return
    for document in documents:
        state = f"does not count: {document['why_not']}" if document["why_not"] else "holds"
        about = " ".join([document["package"], *document["versions"]]).strip()
        line = f"{document['owner']}, until {document['until']}{f', for {about}' if about else ''}: {state}"
        click.echo(printable(line))
        click.echo(printable(f"  {document['reason']}"))
        for finding in document["findings"]:
            unknown = ": no report lists it" if finding in document["unreported"] else ""
            click.echo(f"  {finding}{unknown}")


def _documents(application: Application) -> list[dict[str, Any]]:
    from shipline.capabilities.releases import objection_to_waiver
    from shipline.domain.codec import to_json

    application.only_read()
    policy, now_us = application.policy, application.clock.now_us()
    known = {one: objection_to_waiver(application.release_ground.waiving, one, now_us) for one in policy.waivers}
    for waiver in application.settings.waiver:
        known.setdefault(waiver, f"it is not in {policy.source}")
    unknown = _unreported(application, tuple(name for waiver in known for name in waiver.findings))
    return [
        to_json(waiver) | {"why_not": why, "unreported": [name for name in waiver.findings if name in unknown]}
        for waiver, why in known.items()
    ]


def _edit(application: Application, change: Callable[[str], str]) -> None:
    from shipline.capabilities.version_files import write_atomically
    from shipline.configuration import FILE_NAME

    path = application.root / FILE_NAME
    if path.is_symlink():
        raise RefusedError(f"{FILE_NAME} is a link, and what it leads to is not changed", todo="edit it by hand")
    write_atomically(path, change(path.read_text("utf-8")).encode("utf-8"))


def _judge_anew(application: Application, made: tuple[Waiver, ...], gone: tuple[Waiver, ...]) -> None:
    """Ask the gates of what is not public yet anew, if the policy says now what the file says."""
    from shipline.bootstrap import Application as Again
    from shipline.capabilities.releases import reevaluate_all

    again = Again(application.start)
    waivers = again.policy.waivers
    if not all(one in waivers for one in made) or any(one in waivers for one in gone):
        click.echo(f"it counts once it is in what decides, which is {again.policy.source} now", err=True)
        return
    found = reevaluate_all(again.release_ground, lambda: again.engine, local_person())
    again.store.close()
    for one in found:
        for stage in one.stages:
            for verdict in stage.verdicts:
                if verdict.gate in stage.changed:
                    name = f"{one.release.package} {one.release.version}"
                    click.echo(f"{name}, {stage.stage}: {verdict.gate} says {verdict.answer.value} now", err=True)
        if one.goes_on:
            name = f"{one.release.package} {one.release.version}"
            click.echo(f"{name} goes on: under `shipline up`, or with `shipline release`", err=True)
