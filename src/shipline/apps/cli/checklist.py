"""`shipline checklist`: what has to be done for a release, and who said that it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.apps.cli.wording import moment, printable
from shipline.domain.errors import ExitCode, UnknownName, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.checklist import Checklist, Tick
    from shipline.domain.release import Release

NOTE_MAX = 500
STAGE = click.option("--stage", metavar="STAGE", help="`release` or an environment; the only one that has a checklist.")
PACKAGE = click.option("--package", metavar="NAME", help="Which package; the only one if there is only one.")


@click.group(name="checklist")
def command() -> None:
    """Show and tick what has to be done for a release before it may pass a stage."""


@command.command()
@click.argument("version")
@STAGE
@PACKAGE
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.checklist/1.")
@click.pass_obj
def show(application: Application, *, version: str, stage: str | None, package: str | None, as_json: bool) -> int:
    """Show the items for VERSION, and who has ticked them. Exit codes: 0 all are ticked, 3 some are open."""
    from shipline.capabilities.gates import open_items

    application.only_read()
    release, lists, ticks = _found(application, version, stage, package)
    if as_json:
        click.echo(json.dumps(_document(release, lists, ticks), indent=2, ensure_ascii=False))
    else:
        click.echo(printable("\n".join(_lines(lists, ticks))))
    return int(ExitCode.REFUSED if any(open_items(one, ticks) for one in lists) else ExitCode.DONE)


def _verb(name: str, help_text: str, *, is_done: bool) -> None:
    @command.command(name=name, help=help_text)
    @click.argument("version")
    @click.argument("item")
    @STAGE
    @PACKAGE
    @click.option("--note", default="", help="A word on it; kept in the log.")
    @click.pass_obj
    def say(  # noqa: PLR0913 - one argument an option
        application: Application, *, version: str, item: str, stage: str | None, package: str | None, note: str
    ) -> None:
        from shipline.apps.cli.person import local_person
        from shipline.capabilities.gates import open_items
        from shipline.capabilities.releases import evidence_of, tick_item, ticks_of
        from shipline.domain.checklist import Tick
        from shipline.store.event_writer import EventWriter

        release, lists, _ = _found(application, version, stage, package)
        checklist, words = _meant(lists, item)
        person, now_us = local_person(), application.clock.now_us()
        said = Tick(checklist.name, checklist.stage, words, is_done, str(person), now_us, note.strip()[:NOTE_MAX])
        events = EventWriter(application.ids, application.clock, person)
        with application.store.begin() as tx:
            tick_item(tx, events, release, checklist, said)
            left = open_items(checklist, ticks_of(evidence_of(tx, release.id)))
        state = f"open: {'; '.join(left)}" if left else "all items are ticked"
        click.echo(printable(f"{release.package} {release.version}, {checklist.name}: {state}"), err=True)


_verb("tick", "Say that ITEM (its number, or its words) is done for VERSION.", is_done=True)
_verb("clear", "Say that ITEM is not done after all.", is_done=False)


def _found(
    application: Application, version: str, stage: str | None, package: str | None
) -> tuple[Release, tuple[Checklist, ...], tuple[Tick, ...]]:
    from shipline.apps.cli.approve import chosen_release
    from shipline.capabilities.releases import checklists_of, evidence_of, ticks_of

    release = chosen_release(application, version, package)
    policy, now_us = application.policy, application.clock.now_us()
    stages = ("release", *(one.name for one in application.policy.environments))
    if stage is not None and stage not in stages:
        raise UnknownName(f"there is no stage {stage[:60]!r}", todo="known ones: " + ", ".join(stages))
    own, rules = policy.checklists, policy.calendar
    wanted = stages if stage is None else (stage,)
    found = {one: checklists_of(own, rules, release, one, now_us) for one in wanted}
    having = [name for name, lists in found.items() if lists]
    if not having:
        raise UsageError(
            f"nothing has to be ticked for {release.package} {release.version}" + (f" at {stage}" if stage else ""),
            why=f"checklists are read from {application.policy.source}",
            todo="an [[environment]] or the train of a [[calendar]] has a `checklist`",
        )
    if len(having) > 1:
        raise UsageError("say which stage", todo="--stage, one of: " + ", ".join(having))
    with application.store.begin() as tx:
        return release, found[having[0]], ticks_of(evidence_of(tx, release.id))


def _numbered(lists: tuple[Checklist, ...]) -> list[tuple[Checklist, str]]:
    return [(one, item) for one in lists for item in one.items]


def _meant(lists: tuple[Checklist, ...], said: str) -> tuple[Checklist, str]:
    """The item of that number or of those words; a part of the words will do where it is in no other."""
    items = _numbered(lists)
    if said.isascii() and said.isdigit() and 0 < int(said[:6]) <= len(items):
        return items[int(said[:6]) - 1]
    exact = [one for one in items if one[1] == said]
    meant = exact or [one for one in items if said.casefold() in one[1].casefold()]
    if len(meant) == 1:
        return meant[0]
    known = "; ".join(f"{number} {item}" for number, (_, item) in enumerate(items, 1))
    raise UsageError(f"{said[:60]!r} is {'more than one item' if meant else 'no item'}", todo=f"known ones: {known}")


def _lines(lists: tuple[Checklist, ...], ticks: tuple[Tick, ...]) -> list[str]:
    from shipline.capabilities.gates import standing_tick

    lines, number = [], 0
    for one in lists:
        lines.append(f"{one.name}, coordinated by {one.coordinator}")
        for item in one.items:
            number += 1
            tick = standing_tick(one, item, ticks)
            done = tick is not None and tick.is_done
            who = "" if tick is None else f"  ({tick.by}, {moment(tick.at_us)}{': ' + tick.note if tick.note else ''})"
            lines.append(f"  [{'x' if done else ' '}] {number} {item}{who}")
    return lines


def _document(release: Release, lists: tuple[Checklist, ...], ticks: tuple[Tick, ...]) -> dict[str, Any]:
    from shipline.capabilities.gates import standing_tick

    def item_of(checklist: Checklist, item: str) -> dict[str, Any]:
        tick = standing_tick(checklist, item, ticks)
        if tick is None:
            return {"item": item, "done": False, "by": None, "at_us": None, "note": ""}
        return {"item": item, "done": tick.is_done, "by": tick.by, "at_us": tick.at_us, "note": tick.note}

    return {
        "schema": "shipline.checklist/1",
        "package": release.package,
        "version": release.version,
        "checklists": [
            {
                "name": one.name,
                "stage": one.stage,
                "coordinator": one.coordinator,
                "items": [item_of(one, item) for item in one.items],
            }
            for one in lists
        ],
    }
