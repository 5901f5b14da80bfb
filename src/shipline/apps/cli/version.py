"""`shipline version`: versions of any scheme, read, compared and found."""

from __future__ import annotations

import click

from shipline.apps.cli.lazy_group import LazyGroup

# name -> (module and attribute, one line of help), as in main.py.
SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "parse": ("shipline.apps.cli.version_schemes:parse", "Show the parts of a version."),
    "normalize": ("shipline.apps.cli.version_schemes:normalize", "Write a version as its scheme wants it."),
    "compare": ("shipline.apps.cli.version_schemes:compare", "Say which of two versions is higher."),
    "next": ("shipline.apps.cli.version_schemes:following", "Find the version that comes next."),
    "satisfies": ("shipline.apps.cli.version_schemes:satisfies", "Say whether a version is within a range."),
}


@click.group(name="version", cls=LazyGroup, table=SUBCOMMANDS)
def command() -> None:
    """Read, compare and find versions of any scheme. Needs no repository."""
