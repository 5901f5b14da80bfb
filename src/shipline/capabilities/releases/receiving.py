"""Reports that come from outside: read, kept with a receipt of what was counted, and the gates asked anew.

Of a file either all is kept or nothing; each is a transaction of its own, so one that is refused takes no other with
it, and the receipt says which. The same bytes twice are kept once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from shipline.capabilities.evidence import Report
from shipline.capabilities.gates import verdict_document
from shipline.capabilities.plans import scheme_named
from shipline.capabilities.releases.ahead import Ahead, file_ahead
from shipline.capabilities.releases.ground import ReleaseGround
from shipline.capabilities.releases.queries import RELEASES, matching_releases
from shipline.capabilities.releases.reevaluation import Reevaluated, reevaluate
from shipline.capabilities.releases.rules import UNPUBLISHED
from shipline.capabilities.releases.stored.keeping import Kept, keep_report
from shipline.capabilities.releases.stored.reading import ReadReport, read_to_keep
from shipline.domain.actor import Actor
from shipline.domain.errors import InvalidValue, RefusedError, ShiplineError, UnknownName, UsageError
from shipline.domain.package import Package, unknown_package
from shipline.domain.release import Release, ReleaseStatus
from shipline.engine.engine import Engine
from shipline.store.transaction import Transaction

RECEIPT_SCHEMA = "shipline.evidence-receipt/1"
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,99}")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What evidence is about. `package` None is the only one; `commit` is the object id that a version which is not
    released yet will be made from, None where nobody said."""

    version: str
    package: str | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class GivenReport:
    """A file to read. `name` is what the receipt calls it, `format_name` its format, "" to find that out."""

    path: Path
    name: str
    format_name: str = ""


@dataclass(frozen=True, slots=True)
class FileReceipt:
    """What became of a file: `kept` and `report`, or `refused`, which says why not."""

    name: str
    report: Report | None = None
    kept: Kept | None = None
    refused: InvalidValue | RefusedError | None = None

    @property
    def status(self) -> str:
        """`stored`, `known` (its bytes were there already) or `refused`."""
        if self.kept is None:
            return "refused"
        return "known" if self.kept.is_known else "stored"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was received. `about` is the release, or what stands for it until it begins. `not_judged` is why its gates
    could not be asked anew; what was kept is kept all the same."""

    about: Release | Ahead
    files: tuple[FileReceipt, ...]
    reevaluated: Reevaluated | None = None
    not_judged: ShiplineError | None = None

    @property
    def is_whole(self) -> bool:
        """True if no file was refused."""
        return all(file.kept is not None for file in self.files)


def receive_reports(
    ground: ReleaseGround,
    engine: Callable[[], Engine],
    subject: Subject,
    reports: Sequence[GivenReport],
    actor: Actor,
) -> Receipt:
    """Read each report, keep it as evidence about the subject, and ask the gates anew.

    Raises UnknownName, UsageError and RefusedError for a subject that there is not; what is wrong with a file is in
    the receipt.
    """
    ground = replace(ground, events=replace(ground.events, actor=actor))
    with ground.store.begin() as tx:
        about = _about(tx, ground, subject)
    files = tuple(_receive(ground, about, report) for report in reports)
    if isinstance(about, Ahead) or all(file.status != "stored" for file in files):
        return Receipt(about, files)
    with ground.store.begin() as tx:
        release = RELEASES.find(tx, about.id) or about
    try:
        return Receipt(release, files, reevaluate(ground, engine, release, actor))
    except ShiplineError as error:
        return Receipt(release, files, not_judged=error)


def _receive(ground: ReleaseGround, about: Release | Ahead, given: GivenReport) -> FileReceipt:
    try:
        read = read_to_keep(given.path, name=_name_of(given), format_name=given.format_name)
        return FileReceipt(given.name, read.report, _keep(ground, about, read))
    except (InvalidValue, RefusedError) as error:
        return FileReceipt(given.name, refused=error)


def _name_of(given: GivenReport) -> str:
    """The file's name. One that is no UTF-8, which Linux has, is told with a sign for each byte that is none."""
    return PurePath(given.name).name.encode("utf-8", "replace").decode()


def _keep(ground: ReleaseGround, about: Release | Ahead, read: ReadReport) -> Kept:
    with ground.store.begin() as tx:
        return keep_report(tx, ground.events, about, read)


def _about(tx: Transaction, ground: ReleaseGround, subject: Subject) -> Release | Ahead:
    found = matching_releases(tx, version=subject.version, package=subject.package)
    if len({release.package for release in found}) > 1:
        raise UsageError("say which package", todo="--package NAME")
    if not found:
        return _ahead(tx, ground, subject)
    release = found[0]
    if release.status is ReleaseStatus.YANKED:
        raise RefusedError(f"{release.package} {release.version} was taken back: nothing is judged of it any more")
    if release.commit is None and release.status in UNPUBLISHED:
        raise RefusedError(
            f"{release.package} {release.version} has begun, and has no commit yet that evidence could be about",
            todo="go on with `shipline release`, and give the evidence once it is tagged",
        )
    return release


def _ahead(tx: Transaction, ground: ReleaseGround, subject: Subject) -> Ahead:
    if not VERSION.fullmatch(subject.version):
        raise UnknownName(f"there is no release {subject.version[:60]!r}", todo="`shipline releases` lists them")
    packages = {package.name: package for package in ground.packages()}
    if subject.package is None and len(packages) != 1:
        raise UsageError("say which package", todo=f"--package NAME, one of: {', '.join(packages)}")
    package = next(iter(packages)) if subject.package is None else subject.package
    if package not in packages:
        raise unknown_package(package, list(packages))
    _check_version(subject.version, packages[package])
    if subject.commit is None or not COMMIT.fullmatch(subject.commit):
        raise UsageError(
            f"{package} {subject.version} is not released yet, so say which commit the evidence is about",
            todo="name the whole object id of the commit that it will be released from",
        )
    return file_ahead(tx, ground.events.ids, package=package, version=subject.version, commit=subject.commit)


def _check_version(version: str, package: Package) -> None:
    """Refuse what no release of the package will ever be called: the evidence would wait for ever, and nobody told."""
    said = scheme_named(package.scheme).normalized(version)
    if said != version:
        raise UnknownName(
            f"{version!r} is no version that {package.name} can be released as",
            why=f"its versions are {package.scheme}",
            todo="`shipline plan` says the next one" if said is None else f"write {said}",
        )


def receipt_document(receipt: Receipt) -> dict[str, Any]:
    """`shipline.evidence-receipt/1`: what was counted, file by file, and what the gates say now."""
    about = receipt.about
    document: dict[str, Any] = {
        "schema": RECEIPT_SCHEMA,
        "release_id": about.id,
        "package": about.package,
        "version": about.version,
        "commit": about.commit,
        "released": isinstance(about, Release),
        "files": [_file_document(file) for file in receipt.files],
        "stages": [],
        "goes_on": False,
        "not_judged": None if receipt.not_judged is None else receipt.not_judged.what,
    }
    if receipt.reevaluated is not None:
        document["goes_on"] = receipt.reevaluated.goes_on
        document["stages"] = [
            {"stage": each.stage, "changed": list(each.changed)} | verdict_document(each.verdicts)
            for each in receipt.reevaluated.stages
        ]
    return document


def _file_document(file: FileReceipt) -> dict[str, Any]:
    document: dict[str, Any] = {"file": file.name, "status": file.status}
    if file.refused is not None:
        error = file.refused
        return document | {"what": error.what, "why": error.why, "todo": error.todo}
    if file.report is not None and file.kept is not None:
        piece, comparison = file.kept.piece, file.kept.comparison
        document |= {"evidence_id": piece.id, "digest": piece.digest}
        document |= {name: value for name, value in file.report.head().items() if name not in ("schema", "groups")}
        document |= {"findings_new": file.kept.findings_new}
        document["compared"] = (
            None
            if comparison is None
            else {"version": comparison.base_version, "summary": comparison.summary, "facts": comparison.facts}
        )
    return document
