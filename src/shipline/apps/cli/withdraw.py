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
    from shipline.capabilities.releases import matching_releases, withdraw_release

    with application.store.begin() as tx:
        found = matching_releases(tx, version=version, package=package)
    if not found:
        raise UsageError(f"there is no release {version[:60]!r}", todo="`shipline releases` lists those that there are")
    if len(found) > 1:
        listed = ", ".join(release.package for release in found)
        raise UsageError(f"more than one package has a version {version[:60]}", todo=f"--package NAME: {listed}")
    withdrawn = withdraw_release(application.release_ground, found[0], reason=reason)
    click.echo(printable(withdrawn.withdrawal))
