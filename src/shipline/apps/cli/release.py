"""`shipline release`: one button from commits to a published, proven version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from shipline.domain.errors import ExitCode, NothingToDo, RefusedError, ShiplineError

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.domain.release import Release


@click.command(name="release")
@click.option("--package", "names", multiple=True, metavar="NAME", help="Only this package; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print the releases as JSON, schema shipline.release/1.")
@click.pass_obj
def command(application: Application, *, names: tuple[str, ...], as_json: bool) -> int:
    """Release what has changed. Run it again after trouble: it goes on from where it stopped.

    Exit codes: 0 released, 1 stopped (run it again), 3 refused by a gate, 4 nothing to release.
    """
    from shipline.apps.cli.progress import engine_running

    with engine_running(application):
        releases = _release_each(application, names)
    if as_json:
        click.echo(
            json.dumps({"schema": "shipline.release/1", "releases": [_document(one) for one in releases]}, indent=2)
        )
    return int(ExitCode.DONE)


def _release_each(application: Application, names: tuple[str, ...]) -> list[Release]:
    from shipline.apps.cli.person import local_person
    from shipline.apps.cli.progress import follow
    from shipline.capabilities.releases import release_package

    released = []
    reasons = []
    for candidate in application.candidates(names):
        since_us = application.clock.now_us()
        ground, branch = application.release_ground, application.policy.branch
        decision, release = release_package(ground, application.engine, candidate, local_person(), branch=branch)
        if release is None:
            reasons.append(f"{candidate.package.name}: {decision.reason}")
            continue
        click.echo(f"{release.package} {release.version}: {decision.reason}", err=True)
        follow(application, f"release:{release.id}", since_us=since_us)
        released.append(_ended(application, release.id))
    if not released:
        raise NothingToDo("nothing to release", why="; ".join(reasons))
    return released


def _ended(application: Application, release_id: str) -> Release:
    """The release as it is now. A stop is an error, a gate's no a refusal."""
    from shipline.capabilities.releases import RELEASES, has_halted, verdicts_of
    from shipline.domain.release import ReleaseStatus

    with application.store.begin() as tx:
        release = RELEASES.find(tx, release_id)
        verdicts = verdicts_of(tx, release_id)
        halted = has_halted(tx, release_id)
    if release is None or release.status is ReleaseStatus.STOPPED:
        raise ShiplineError(
            f"the release{'' if release is None else f' of {release.version}'} stopped; nothing is lost",
            todo="mend what is named above, then run `shipline release` again: it does only what is missing",
        )
    if release.status is ReleaseStatus.REFUSED:
        newest = {verdict.gate: verdict.answer.value for verdict in verdicts}
        closed = ", ".join(f"{gate} {answer}" for gate, answer in newest.items() if answer != "PASS")
        raise RefusedError(
            f"{release.package} {release.version} was refused: {closed}",
            todo="commit what mends it, or change the gate, then run `shipline release` again",
        )
    for publication in release.publications:
        click.echo(f"  {publication.registry}: {', '.join(publication.files)} ({publication.seconds:.1f} s)", err=True)
    if halted:
        raise ShiplineError(
            f"{release.package} {release.version} is {_outcome(release)}, and stopped after that",
            todo="mend what is named above, then run `shipline release` again: it does only what is missing",
        )
    click.echo(f"{release.package} {release.version} is {_outcome(release)} (tag {release.tag})", err=True)
    return release


def _outcome(release: Release) -> str:
    """Its status; a version that no registry was given is released, and published nowhere."""
    from shipline.domain.release import ReleaseStatus

    if release.status is ReleaseStatus.PUBLISHED and not release.publications:
        return "released"
    return release.status.value


def _document(release: Release) -> dict[str, Any]:
    from shipline.domain.codec import to_json

    document: dict[str, Any] = to_json(release)
    return document
