"""Taking a report that was read into the record: evidence, findings, what is compared later, and the event, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence import is_comparable
from shipline.capabilities.releases.ahead import Ahead
from shipline.capabilities.releases.queries import EVIDENCE
from shipline.capabilities.releases.stored.comparing import ReleaseComparison, base_of, compare_release, keep_content
from shipline.capabilities.releases.stored.findings import save_findings, total_findings
from shipline.capabilities.releases.stored.reading import ReadReport
from shipline.capabilities.releases.telling import append
from shipline.domain.errors import RefusedError
from shipline.domain.evidence import Evidence
from shipline.domain.release import Release
from shipline.store.event_writer import EventWriter
from shipline.store.transaction import Transaction

EVIDENCE_MAX = 1000
"""Pieces of a release: the page and the gates read all of them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a report. `is_known`: its bytes were there already, and nothing was written.

    `findings_new` is how many of its findings no report had listed before; None for what is no report of findings.
    """

    piece: Evidence
    is_known: bool = False
    findings_new: int | None = None
    comparison: ReleaseComparison | None = None


def keep_report(tx: Transaction, events: EventWriter, release: Release | Ahead, read: ReadReport) -> Kept:
    """Keep a report as evidence about a release; the same bytes twice are kept once.

    Raises RefusedError for more than EVIDENCE_MAX pieces.
    """
    tx.lock(f"evidence:{release.id}")
    same = EVIDENCE.where(tx, release_id=release.id, digest=read.digest, kind=read.report.kind.value)
    # Two tools that have found nothing may write the same two bytes.
    known = next(
        (piece for piece in same if (piece.tool, piece.format) == (read.report.tool, read.report.format)), None
    )
    if known is not None:
        return Kept(known, is_known=True)
    if len(EVIDENCE.where(tx, release_id=release.id, limit=EVIDENCE_MAX)) >= EVIDENCE_MAX:
        raise RefusedError(f"{release.package} {release.version} has {EVIDENCE_MAX} pieces of evidence already")
    piece = _piece(events, release, read)
    EVIDENCE.save(tx, piece)
    findings_new, comparison = None, None
    if read.rows is not None:
        before = total_findings(tx, release.id)
        save_findings(tx, release.id, piece.id, read.rows.batches())
        findings_new = total_findings(tx, release.id) - before
    if read.content is not None:
        keep_content(tx, piece.id, read.content)
    if is_comparable(piece.kind):
        comparison = compare_release(tx, events.ids, release.id, piece.kind, _base(tx, release))
    body: dict[str, Any] = {
        "evidence_id": piece.id,
        "kind": piece.kind.value,
        "tool": piece.tool,
        "summary": piece.summary,
        "digest": piece.digest,
        "name": piece.name,
    }
    if comparison is not None:
        body |= {"compared_with": comparison.base_version, "compared": comparison.facts}
    append(tx, events, release, "EvidenceRecorded", body)
    return Kept(piece, findings_new=findings_new, comparison=comparison)


def _piece(events: EventWriter, release: Release | Ahead, read: ReadReport) -> Evidence:
    artifacts = release.artifacts if isinstance(release, Release) else ()
    return Evidence(
        id=events.ids.new("evd"),
        release_id=release.id,
        kind=read.report.kind,
        tool=read.report.tool,
        format=read.report.format,
        digest=read.digest,
        created_us=events.clock.now_us(),
        subjects=tuple(artifact.digest for artifact in artifacts),
        summary=read.report.summary,
        name=read.name,
        rows=None if read.rows is None else read.rows.count,
    )


def _base(tx: Transaction, release: Release | Ahead) -> Release | None:
    if isinstance(release, Release):
        return base_of(tx, release.package, previous=release.previous_version, before_us=release.created_us)
    return base_of(tx, release.package, previous=None)
