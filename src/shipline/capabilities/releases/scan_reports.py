"""Where the reports of scanners lie that have looked at a release."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shipline.capabilities.evidence import REPORT_NAME, report_document, scanner_named
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.domain.release import Release
from shipline.domain.secrecy import redacted

PREFIX = "scan+"


def scan_folder(ground: ReleaseGround, release: Release, scanner: str) -> Path:
    """The folder of a scanner's report: no test has one of this name, since a `+` stands in no test's."""
    return ground.folder_of(release) / "reports" / f"{PREFIX}{scanner}"


def scan_reports(ground: ReleaseGround, release: Release) -> list[Path]:
    """The reports of the scanners that have had something to look at."""
    paths = [scan_folder(ground, release, name) / REPORT_NAME for name in ground.scan.names]
    return [path for path in paths if path.parent.is_dir()]


def bundled_reports(paths: Iterable[Path]) -> dict[str, bytes]:
    """Reports of tests and scanners, by a name for each in the bundle.

    Those of tests as they are, but for secrets of known shapes in what tests have printed. Those of scanners as
    `shipline evidence read --json` shows them, and not as they wrote them: several quote the code that they complain
    of, and a bundle is handed out.
    """
    found = {}
    for path in paths:
        if path.parent.name.startswith(PREFIX):
            scanner = scanner_named(path.parent.name.removeprefix(PREFIX))
            found[f"{path.parent.name}.json"] = "\n".join(report_document(path, format_name=scanner.format)).encode()
        else:
            found[f"{path.parent.name}+{path.name}"] = _without_secrets(path.read_bytes())
    return found


def _without_secrets(data: bytes) -> bytes:
    """Where there are none, and where it is no UTF-8, byte by byte the same."""
    return redacted(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
