"""`shipline up`: the engine and the web page, until it is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipline.bootstrap import Application


@click.command(name="up")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8484, show_default=True, help="The port; 0 takes a free one."
)
@click.pass_obj
def command(application: Application, *, host: str, port: int) -> None:
    """Run the engine, and serve the web page with a token that is printed at start."""
    from shipline.apps.cli.progress import speak_plainly
    from shipline.apps.server.serve import serve

    speak_plainly()
    serve(application, host=host, port=port)
