"""`shipline changelog`: the changes as Markdown, on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.apps.cli.workspace import Workspace


@click.command(name="changelog")
@click.option("--all", "whole", is_flag=True, help="The whole history by releases, not only what comes next.")
@click.option("--version", "version", metavar="V", help="Only this release, which was made already.")
@click.option("--package", "name", metavar="NAME", help="Only this package.")
@click.option("--announcement", is_flag=True, help="As plain text to tell people.")
@click.pass_obj
def command(workspace: Workspace, *, whole: bool, version: str | None, name: str | None, announcement: bool) -> None:
    """Print the changelog as Markdown. Writes no file."""
    import gc
    import sys

    from shipline.capabilities.plans import Show, changelog_pieces

    if whole and (version is not None or announcement):
        raise click.UsageError("--all is for the whole Markdown; leave --version and --announcement out.")
    # A long history becomes very many small objects, none of them in a circle: looking for circles costs a tenth.
    gc.disable()
    show = Show(workspace.changelog_style, workspace.changelog_template, announcement, version=version, package=name)
    pieces = changelog_pieces(
        workspace.repository,
        workspace.packages,
        whole=whole,
        show=show,
        bumps=workspace.bumps,
        monorepo=workspace.monorepo,
        day=workspace.today,
    )
    sys.stdout.writelines(pieces)
