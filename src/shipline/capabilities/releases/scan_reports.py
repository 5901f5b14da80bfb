"""Where the reports of scanners lie that have looked at a release."""

from __future__ import annotations

from pathlib import Path

from shipline.capabilities.evidence import REPORT_NAME
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.domain.release import Release


def scan_folder(ground: ReleaseGround, release: Release, scanner: str) -> Path:
    """The folder of a scanner's report: no test has one of this name, since a `+` stands in no test's."""
    return ground.folder_of(release) / "reports" / f"scan+{scanner}"


def scan_reports(ground: ReleaseGround, release: Release) -> list[Path]:
    """The reports of the scanners that have had something to look at."""
    paths = [scan_folder(ground, release, name) / REPORT_NAME for name in ground.scan.names]
    return [path for path in paths if path.parent.is_dir()]
