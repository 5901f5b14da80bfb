"""Releases that are on record in a repository's own store, as if they had been published."""

from __future__ import annotations

from pathlib import Path

from shipline.bootstrap import Application
from shipline.capabilities.releases import RELEASES
from shipline.domain.artifact import Artifact
from shipline.domain.release import Release, ReleaseStatus
from tests.clusters import digests_of


def on_record(folder: Path, package: str, *versions: str) -> None:
    """Images of these versions, in this order."""
    application = Application(folder)
    with application.store.begin() as tx:
        for number, version in enumerate(versions, start=1):
            image = Artifact(package, "oci", digests_of(version)[0], 1)
            kept = (f"rel_{number}", package, version, f"v{version}", ReleaseStatus.PUBLISHED, 1, number)
            RELEASES.save(tx, Release(*kept, artifacts=(image,)))
    application.store.close()
