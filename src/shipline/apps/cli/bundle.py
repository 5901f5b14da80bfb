"""`shipline bundle`: all that proves a release, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command("bundle")
@click.argument("version")
@click.option("--package", "package", metavar="NAME", help="Which package; the only one if there is only one.")
@click.option(
    "--output",
    "output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; PACKAGE-VERSION.bundle.tar in this folder without it.",
)
@click.pass_obj
def command(application: Application, version: str, package: str | None, output: Path | None) -> None:
    """Write all that proves VERSION into one file, with what has become of it since its release.

    Who has it, and your public key, needs nothing else: `shipline verify FILE --key KEY` works offline.
    """
    import hashlib

    from shipline.apps.cli.approve import chosen_release
    from shipline.apps.cli.wording import printable
    from shipline.bootstrap.bundles import bundle_of
    from shipline.capabilities.version_files import write_atomically
    from shipline.clients.released_names import folder_name

    release = chosen_release(application, version, package)
    data = bundle_of(application, release)
    place = output or application.start / f"{folder_name(release.package, release.version)}.bundle.tar"
    write_atomically(place, data)
    click.echo(printable(f"{release.package} {release.version}: {place} (sha256:{hashlib.sha256(data).hexdigest()})"))
