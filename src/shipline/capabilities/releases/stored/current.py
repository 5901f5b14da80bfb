"""What is found in the newest version of each package: what automations act upon.

A scanner's word about a package is that of the newest version that it has looked at. A later version that it has not
looked at yet changes nothing, and an old one that it looks at once more does not count again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select

from shipline.capabilities.releases.ahead import AHEAD, Ahead
from shipline.capabilities.releases.queries import RELEASES
from shipline.capabilities.releases.stored.findings import StoredFinding, open_findings
from shipline.domain.codec import from_json
from shipline.domain.errors import ShiplineError
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release, ReleaseStatus
from shipline.store import tables
from shipline.store.transaction import Transaction

REPORTS_MAX = 5000
FINDINGS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Current:
    """What `tool` found in a version: its open findings, none where it found nothing."""

    about: Release | Ahead
    tool: str
    findings: tuple[StoredFinding, ...]


def current_findings(tx: Transaction, severities: tuple[str, ...]) -> tuple[Current, ...]:
    """By package and tool, the findings of these severities in the newest version that was looked at.

    The newest REPORTS_MAX reports count. ShiplineError for more than FINDINGS_MAX: a part of them would look as if the
    others were gone.
    """
    reports = _reports(tx)
    subjects = _subjects(tx, tuple(dict.fromkeys(report.release_id for report in reports)))
    newest: dict[tuple[str, str], Release | Ahead] = {}
    for report in reports:  # The oldest first.
        about = subjects.get(report.release_id)
        if about is None:
            continue
        key = (about.package, report.tool)
        known = newest.get(key)
        if known is None or _since(about, reports) >= _since(known, reports):
            newest[key] = about
    found = []
    left = FINDINGS_MAX
    for (_, tool), about in sorted(newest.items(), key=lambda pair: pair[0]):
        pieces = [report.id for report in reports if report.release_id == about.id and report.tool == tool]
        findings = open_findings(tx, about.id, pieces, severities, limit=left + 1)
        left -= len(findings)
        if left < 0:
            raise ShiplineError(
                f"more than {FINDINGS_MAX} findings are open",
                todo="let the rules name a higher severity, or waive what nobody will mend",
            )
        found.append(Current(about, tool, findings))
    return tuple(found)


def _reports(tx: Transaction) -> list[Evidence]:
    table = tables.evidence
    query = (
        select(table.c.body)
        .where(table.c.project_id == tx.project.id, table.c.kind == EvidenceKind.FINDINGS.value)
        .order_by(table.c.created_us.desc(), table.c.id.desc())
        .limit(REPORTS_MAX)
    )
    return [from_json(Evidence, json.loads(body)) for body in tx.connection.scalars(query)][::-1]


def _subjects(tx: Transaction, ids: tuple[str, ...]) -> dict[str, Release | Ahead]:
    """What they are about; a version that was taken back is nothing any more."""
    found: dict[str, Release | Ahead] = {}
    for each in ids:
        release = RELEASES.find(tx, each)
        about = release if release is not None else AHEAD.find(tx, each)
        if about is not None and not (release is not None and release.status is ReleaseStatus.YANKED):
            found[each] = about
    return found


def _since(about: Release | Ahead, reports: list[Evidence]) -> int:
    """Since when there is such a version: what is ahead of its release, since its first report."""
    if isinstance(about, Release):
        return about.created_us
    return next(report.created_us for report in reports if report.release_id == about.id)
