"""SBOMs as people name them: a file, or a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shipline.domain.errors import ShiplineError, UnknownName, UsageError

if TYPE_CHECKING:
    from shipline.bootstrap.application import Application
    from shipline.domain.component import Component


def components_named(application: Application, text: str) -> tuple[Component, ...]:
    """What the SBOM in a file lists, or what a release consists of: `1.2.0`, `PACKAGE@1.2.0` where several have it.

    A file that is there is meant. UnknownName where there is neither, ShiplineError for a release without an SBOM.
    """
    from shipline.capabilities.evidence import components_of, read_report

    if Path(text).is_file():
        return components_of(read_report(Path(text)))
    return _of_release(application, text)


def _of_release(application: Application, text: str) -> tuple[Component, ...]:
    from shipline.capabilities.releases import matching_releases, release_components

    package, _, version = text.rpartition("@")
    with application.store.begin() as tx:
        found = matching_releases(tx, version=version, package=package or None, limit=2)
        if not found:
            raise UnknownName(
                f"{text[:100]!r} is no file, and no release is on record as that",
                todo="name a file, VERSION or PACKAGE@VERSION; `shipline releases` lists the releases",
            )
        if len(found) > 1:
            raise UsageError(f"{version} is a version of several packages", todo=f"say which: PACKAGE@{version}")
        components = release_components(tx, found[0].id)
    if not components:
        raise ShiplineError(
            f"nothing is on record of what {found[0].package} {found[0].version} consists of",
            why="it has no SBOM, or was released by an older version of Shipline",
            todo="give the file of its SBOM in its place: it is in its evidence bundle",
        )
    return components
