"""What is known of a release's evidence and findings, as programs read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipline.capabilities.releases.ahead import Ahead
from shipline.capabilities.releases.queries import evidence_of
from shipline.capabilities.releases.stored.comparing import comparisons_of
from shipline.capabilities.releases.stored.findings import PAGE_MAX, SEVERITIES, StoredFinding, list_findings
from shipline.capabilities.releases.waiving import Findings
from shipline.domain.codec import to_json
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.gate import Waiver
from shipline.domain.release import Release
from shipline.store.database import Store
from shipline.store.transaction import Transaction

FINDINGS_SCHEMA = "shipline.findings/1"
EVIDENCE_SCHEMA = "shipline.evidence-list/1"
# Their summaries are signed statements and not figures; each has a command of its own.
_STATEMENTS = frozenset({EvidenceKind.APPROVAL, EvidenceKind.CHECKLIST, EvidenceKind.PLAN})


def evidence_document(tx: Transaction, about: Release | Ahead) -> dict[str, Any]:
    """One entry of `shipline.evidence-list/1`: the reports and statements about a release, and how it compares."""
    return {
        "release_id": about.id,
        "package": about.package,
        "version": about.version,
        "commit": about.commit,
        "released": isinstance(about, Release),
        "evidence": [_piece(piece) for piece in evidence_of(tx, about.id)],
        "compared": [to_json(one) for one in comparisons_of(tx, about.id)],
    }


def _piece(piece: Evidence) -> dict[str, Any]:
    document: dict[str, Any] = to_json(piece)
    return document | ({"summary": {}} if piece.kind in _STATEMENTS else {})


def findings_document(about: Release | Ahead, now: Findings) -> dict[str, Any]:
    """`shipline.findings/1` without its findings: how many count, by severity, and how many are waived."""
    counts = {name: now.counts.open.get(name, 0) for name in SEVERITIES}
    return {
        "schema": FINDINGS_SCHEMA,
        "release_id": about.id,
        "package": about.package,
        "version": about.version,
        "summary": {"total": sum(counts.values())} | counts | {"waived": now.counts.waived},
    }


def finding_document(one: StoredFinding, waiver: Waiver | None) -> dict[str, Any]:
    """A finding in `shipline.findings/1`; `waiver` is the one that holds for it, None where it counts."""
    document: dict[str, Any] = to_json(one)
    held = None if waiver is None else {"owner": waiver.owner, "reason": waiver.reason, "until": waiver.until}
    return document | {"waived": held}


def finding_pages(store: Store, release_id: str, severity: str | None) -> Iterator[tuple[StoredFinding, ...]]:
    """All findings of a release, or those of one severity, the worst first, some at a time."""
    offset = 0
    while True:
        with store.begin() as tx:
            page = list_findings(tx, release_id, severity=severity, offset=offset)
        if page:
            yield page
        if len(page) < PAGE_MAX:
            return
        offset += len(page)
