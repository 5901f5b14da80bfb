"""`shipline yank`: take a public version back everywhere it went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import ExitCode, NothingToDo, ShiplineError, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.release import Release, Yank


@click.command(name="yank")
@click.argument("version")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--reason", metavar="TEXT", help="Why; shown to whoever finds the version gone.")
@click.option("--revert", is_flag=True, help="Open a pull request, too, that takes its changes back.")
@click.option("--verify", is_flag=True, help="Look whether the places show it, after a person did their part.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as JSON, schema shipline.yank/1.")
@click.pass_obj
def command(  # noqa: PLR0913 - one a choice of the command line
    application: Application,
    *,
    version: str,
    package: str | None,
    reason: str | None,
    revert: bool,
    verify: bool,
    as_json: bool,
) -> int:
    """Take VERSION back from every place that has it, and say what a person has to do and what nobody can.

    The places: the registries, the tags that follow the releases, the page on the forge. Works from an empty store.

    Exit codes: 0 taken back, 1 stopped or something is left for a person, 3 never published, 4 taken back before.
    """
    if verify == (reason is not None):
        raise UsageError("either --reason TEXT, to yank it, or --verify, to look whether it is yanked")
    if revert and reason is None:
        raise UsageError("--revert is part of a yank: it needs --reason TEXT")
    release = _found(application, version, package)
    done = _verify(application, release) if reason is None else _yank(application, release, reason, revert=revert)
    if as_json:
        click.echo(json.dumps(_document(done), indent=2))
    elif reason is not None:
        _say(done)
    return int(ExitCode.FAILED if any(yank.is_open for yank in done.yanks) else ExitCode.DONE)


def _found(application: Application, version: str, package: str | None) -> Release:
    """The release that was named: of the store, by its version, or as people name it, or by what git knows."""
    from shipline.capabilities.releases import adopt_release, matching_releases, named_release
    from shipline.domain.package import unknown_package

    with application.store.begin() as tx:
        found = matching_releases(tx, version=version, package=package)
    if not found:
        packages = application.release_ground.packages()
        version, said = named_release(version, packages)
        package = package or said
        with application.store.begin() as tx:
            found = matching_releases(tx, version=version, package=package)
        if not found and package is not None and package not in (names := [one.name for one in packages]):
            raise unknown_package(package, names)
    if not found:
        return adopt_release(application.release_ground, version, package)
    if len(found) > 1:
        listed = ", ".join(release.package for release in found)
        raise UsageError(f"more than one package has a version {version[:60]}", todo=f"--package NAME: {listed}")
    return found[0]


def _yank(application: Application, release: Release, reason: str, *, revert: bool) -> Release:
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import engine_running, follow
    from shipline.capabilities.releases import RELEASES, YankOrder, check_revert, order_yank, yank_subject
    from shipline.engine.rules import RunStatus

    if revert:
        check_revert(application.release_ground)
    since_us = application.clock.now_us()
    # Before the engine runs: it would go on with publishing what a process that is gone has left.
    with application.store.begin() as tx:
        order_yank(tx, application.engine, release, YankOrder(reason, local_person(), revert))
    with engine_running(application):
        run = follow(application, yank_subject(release), since_us=since_us)
    with application.store.begin() as tx:
        now = RELEASES.find(tx, release.id) or release
    if run.state.status is not RunStatus.DONE:
        _say(now)
        raise ShiplineError(
            f"{now.package} {now.version} is not taken back everywhere; nothing is lost",
            todo="mend what is named above, then run this again: it asks only those that are left",
        )
    return now


def _verify(application: Application, release: Release) -> Release:
    from shipline.capabilities.releases import verify_yank

    if release.yanks and all(yank.verified_us is not None for yank in release.yanks):
        raise NothingToDo(f"{release.package} {release.version} was seen to be taken back everywhere before")
    now, found = verify_yank(application.release_ground, release)
    for place, finding in found.items():
        click.echo(printable(f"{place}: {finding.answer.value}, {finding.words}"), err=True)
        if finding.todo:
            click.echo(printable(f"  do:  {finding.todo}"), err=True)
    return now


def _say(release: Release) -> None:
    """One table: each place with the time that it took, what it did and what it could not."""
    from shipline.apps.cli.wording import duration

    rows = [
        (yank.place, duration(yank.seconds), mark, sentence)
        for yank in release.yanks
        for mark, sentences in _marked(yank)
        for sentence in sentences
    ]
    rows.append(("all", duration(sum(yank.seconds for yank in release.yanks)), "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    before = ""
    for place, seconds, mark, sentence in rows:
        first = (place, seconds) if place != before else ("", "")
        cells = (first[0].ljust(widths[0]), first[1].rjust(widths[1]), mark.ljust(widths[2]), sentence)
        click.echo(printable("  ".join(cells)).rstrip())
        before = place
    open_places = [yank.place for yank in release.yanks if yank.is_open]
    if open_places:
        click.echo(f"then: shipline yank {release.version} --package {release.package} --verify")


def _marked(yank: Yank) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("done:", yank.done), ("by hand:", yank.by_hand), ("not possible:", yank.not_done)


def _document(release: Release) -> dict[str, object]:
    from shipline.domain.codec import to_json

    said = {name: getattr(release, name) for name in ("package", "version", "yank_reason", "yanks")}
    return {"schema": "shipline.yank/1", "status": release.status.value} | {
        name: to_json(value) for name, value in said.items()
    }
