"""`shipline withdraw`: take a published version back as far as its registry allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shipline.apps.cli.wording import printable
from shipline.domain.errors import UsageError

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="withdraw")
@click.argument("version")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option("--reason", required=True, help="Why; shown to whoever finds the version gone.")
@click.pass_obj
def command(application: Application, *, version: str, package: str | None, reason: str) -> None:
    """Withdraw VERSION from its registry, and say what the registry does not allow."""
    from shipline.capabilities.releases import all_releases, withdraw_release

    with application.store.begin() as tx:
        found = [
            one for one in all_releases(tx, limit=1000) if one.version == version and package in (None, one.package)
        ]
    if not found:
        raise UsageError(f"there is no release {version[:60]!r}", todo="`shipline log show` lists what there was")
    withdrawn = withdraw_release(application.release_ground, found[0], reason=reason)
    click.echo(printable(withdrawn.withdrawal))
