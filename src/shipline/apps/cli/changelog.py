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
    from shipline.capabilities.plans import changelog_of

    click.echo(
        changelog_of(workspace.repository, workspace.packages, whole=whole, monorepo=workspace.monorepo), nl=False
    )
