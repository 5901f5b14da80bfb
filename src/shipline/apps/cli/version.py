"""`shipline version`: the versions that the files of this repository state."""

from __future__ import annotations

import click

from shipline.apps.cli.version_files import check, sync


@click.group(name="version", commands={"check": check, "sync": sync})
def command() -> None:
    """Compare the version files with the latest release, and keep them in step."""
