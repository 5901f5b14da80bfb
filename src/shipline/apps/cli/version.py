"""`shipline version`: versions of any scheme, and the files of this repository that state them."""

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
    "check": ("shipline.apps.cli.version_files:check", "Find version files that state another version."),
    "sync": ("shipline.apps.cli.version_files:sync", "Put one version into all version files."),
}


@click.group(name="version", cls=LazyGroup, table=SUBCOMMANDS)
def command() -> None:
    """Read, compare and find versions of any scheme, and keep the files that state them in step."""
