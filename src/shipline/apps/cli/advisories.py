"""`shipline advisories`: shipped releases, examined again by what is publicly known by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import json_text, printable
from shipline.domain.errors import ExitCode

if TYPE_CHECKING:
    from shipline.bootstrap import Application
    from shipline.capabilities.advisories import Examined, Touched

SHOWN_MAX = 50


@click.group("advisories")
def command() -> None:
    """Vulnerabilities in what was shipped."""


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print the document shipline.advisories/1.")
@click.pass_obj
def check(application: Application, *, as_json: bool) -> None:
    """Examine all shipped releases by the database that [advisories] names.

    What is new in a deployed version raises an event, once. Ends with 3 where a deployed version is affected.
    """
    from shipline.bootstrap.advisories import examined_now
    from shipline.capabilities.advisories import advisories_document

    found, raised = examined_now(application)
    if as_json:
        click.echo(json_text(advisories_document(found, raised)))
    else:
        _show(found, raised)
    if found.unread is not None:
        click.echo(printable(found.unread.diagnosis()), err=True)
    deployed = any(one.environments for one in found.affected)
    raise SystemExit(ExitCode.REFUSED if deployed else ExitCode.DONE if found.unread is None else ExitCode.USAGE)


def _show(found: Examined, raised: int) -> None:
    for title, touched in (("affected", found.affected), ("cannot be told", found.unknown)):
        for one in touched[:SHOWN_MAX]:
            click.echo(printable(_line(title, one)))
            for each in one.shipped[:SHOWN_MAX]:
                where = f" in {', '.join(each.environments)}" if each.environments else ""
                click.echo(printable(f"    {each.release.package} {each.release.version}{where}"))
        if len(touched) > SHOWN_MAX:
            click.echo(f"  and {len(touched) - SHOWN_MAX} more, all with --json")
    for kind, count in sorted(found.strange.items()):
        click.echo(printable(f"note: {count} components ({kind}) are of a kind that no advisories are looked up for"))
    if found.unlisted:
        names = ", ".join(f"{one.release.package} {one.release.version}" for one in found.unlisted[:5])
        more = f" and {len(found.unlisted) - 5} more" if len(found.unlisted) > 5 else ""
        click.echo(printable(f"note: nobody knows what these contain, as they have no SBOM on record: {names}{more}"))
    counted = f"{found.components} components of {found.releases} releases"
    click.echo(f"{counted}: {len(found.affected)} affected, {len(found.unknown)} cannot be told, {raised} new")


def _line(title: str, one: Touched) -> str:
    exposure = one.exposure
    severity = f" ({exposure.advisory.severity})" if exposure.advisory.severity else ""
    mends = f"; mended in {', '.join(exposure.fixed)}" if exposure.fixed else "; no version that mends it is known"
    told = f": {exposure.why}" if exposure.why else mends
    name = f"{exposure.component.identity} {exposure.component.version}".strip()
    summary = f" {exposure.advisory.summary}" if exposure.advisory.summary else ""
    return f"{title}  {exposure.advisory.id}{severity} in {name}{told}.{summary}"
