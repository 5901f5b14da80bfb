"""What a package's files say against what is so: which version is the true one, why, and who says another."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shipline.capabilities.version_files.disk import content_of
from shipline.capabilities.version_files.editing import find_sites, spelling_of
from shipline.capabilities.version_files.finding import Found
from shipline.capabilities.version_files.kinds import KINDS
from shipline.capabilities.version_files.spelling import same_version
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.domain.package import Package
from shipline.domain.version_file import Site, VersionFile


@dataclass(frozen=True, slots=True)
class Stated:
    """A version file as it is: where it states which version, in which lines, or why it cannot be said."""

    file: VersionFile
    sites: tuple[Site, ...] = ()
    lines: tuple[int, ...] = ()
    problem: str = ""

    @property
    def version(self) -> str | None:
        """The version, where it states exactly one."""
        versions = {site.version for site in self.sites}
        return versions.pop() if len(versions) == 1 else None


@dataclass(frozen=True, slots=True)
class Tagged:
    """The latest release of a package that a tag tells of."""

    version: str
    tag: str


@dataclass(frozen=True, slots=True)
class Truth:
    """The version that holds, None where nothing says one; what says so (`tag`, `file`, `order` or `none`), its name,
    and why it is believed."""

    version: str | None
    source: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """A version file, and whether it says what is so."""

    stated: Stated
    ok: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PackageCheck:
    """How a package's version files stand to the truth."""

    package: Package
    tagged: Tagged | None
    truth: Truth
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if no file says anything else, and none is without an answer."""
        return all(row.ok for row in self.rows)


def check_package(root: Path, package: Package, found: Found, tagged: Tagged | None, *, source: str) -> PackageCheck:
    """Read the package's version files and judge them. `source` is the file that the settings believe, relative to the
    package, "" for none. ConfigurationError where it is none of the version files.
    """
    source = posixpath.normpath(posixpath.join(package.path, source)) if source else ""
    if source and source not in {file.path for file in found.files}:
        raise ConfigurationError(
            f"shipline.toml, package {package.name[:60]!r}: version_source {source} is no version file of the package",
            todo="its version files: " + (", ".join(file.path for file in found.files) or "none"),
        )
    stated = tuple(_stated(root, file) for file in found.files)
    return judge(package, stated, tagged, source=source, notes=found.notes)


def _stated(root: Path, file: VersionFile) -> Stated:
    try:
        content = content_of(root, file.path)
        sites = find_sites(file, content)
    except ShiplineError as error:
        return Stated(file, problem=error.what + (f": {error.why}" if error.why else ""))
    lines = tuple(content.count(b"\n", 0, site.start) + 1 for site in sites)
    return Stated(file, sites, lines, "" if sites else f"{file.path} states no version")


def judge(
    package: Package, stated: Sequence[Stated], tagged: Tagged | None, *, source: str, notes: tuple[str, ...] = ()
) -> PackageCheck:
    """Find the truth, and compare every file with it. Pure."""
    truth = _truth(stated, tagged, source)
    return PackageCheck(package, tagged, truth, tuple(_row(each, truth) for each in stated), notes)


def _truth(stated: Sequence[Stated], tagged: Tagged | None, source: str) -> Truth:
    if source:
        version = next((each.version for each in stated if each.file.path == source), None)
        return Truth(version, "file", source, "shipline.toml names it as version_source")
    if tagged is not None:
        return Truth(tagged.version, "tag", tagged.tag, "it is the latest release that this commit builds on")
    first = next((each for each in stated if each.version is not None), None)
    if first is not None:
        return Truth(
            first.version, "file", first.file.path, "nothing is released yet, and it is the first that says one"
        )
    return Truth(None, "none", "", "no tag and no file says a version")


def _row(stated: Stated, truth: Truth) -> Row:
    if stated.problem:
        return Row(stated, ok=False, problem=stated.problem)
    if truth.version is None:
        return Row(stated, ok=False, problem=f"nothing says which version is right: {truth.name or truth.why}")
    try:
        wanted = spelling_of(stated.file, truth.version)
    except ShiplineError as error:
        return Row(stated, ok=False, problem=error.what)
    python = KINDS[stated.file.kind].ecosystem == "python"
    said = sorted({site.version for site in stated.sites if not same_version(site.version, wanted, python=python)})
    if not said:
        return Row(stated, ok=True)
    return Row(stated, ok=False, problem=f"says {', '.join(said)[:200]}, and {truth.name} says {truth.version}")
