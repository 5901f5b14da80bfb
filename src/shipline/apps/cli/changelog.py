"""`shipline changelog`: the changes as Markdown, on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.apps.cli.workspace import Workspace


@click.command(name="changelog")
@click.option("--all", "whole", is_flag=True, help="The whole history by releases, not only what comes next.")
@click.pass_obj
def command(workspace: Workspace, *, whole: bool) -> None:
    """Print the changelog as Markdown. Writes no file."""
    import gc

    from shipline.capabilities.plans import changelog_of

    # A long history becomes very many small objects, none of them in a circle: looking for circles costs a tenth.
    gc.disable()
    click.echo(changelog_of(workspace.repository, workspace.packages, whole=whole), nl=False)
