"""A release's reports compared with those of the release before it, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipline.capabilities.evidence import Difference, compare_packed, is_comparable
from shipline.capabilities.releases.queries import find_release, newest_published
from shipline.domain.evidence import EvidenceKind
from shipline.domain.ids import Ids
from shipline.domain.release import Release
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

COMPARED = tuple(kind for kind in EvidenceKind if is_comparable(kind))


@dataclass(frozen=True, slots=True)
class ReleaseComparison:
    """What the reports of one kind say beside those of the release before. `summary`, `facts` and `notes` are as in
    the document `shipline.evidence-comparison/1`; `base_version` is the earlier release's."""

    id: str
    release_id: str
    kind: EvidenceKind
    base_release_id: str
    base_version: str
    summary: dict[str, Any]
    facts: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


COMPARISONS = Rows("comparison", ReleaseComparison)


def keep_content(tx: Transaction, evidence_id: str, content: bytes) -> None:
    """Keep what later reports are compared with."""
    from sqlalchemy import insert  # noqa: PLC0415 - who only reads does without SQLAlchemy

    from shipline.store import tables  # noqa: PLC0415 - the same

    tx.connection.execute(
        insert(tables.report_content).values(
            evidence_id=evidence_id,
            organisation_id=tx.project.organisation_id,
            project_id=tx.project.id,
            content=content,
        )
    )


def compare_release(
    tx: Transaction, ids: Ids, release_id: str, kind: EvidenceKind, base: Release | None
) -> ReleaseComparison | None:
    """Compare anew what is there now; None where the release before has no report of the kind, or there was none."""
    before = _contents(tx, base.id, kind) if base is not None else []
    difference = _difference(before, _contents(tx, release_id, kind))
    if base is None or difference is None:
        return None
    known = COMPARISONS.where(tx, release_id=release_id, kind=kind.value)
    made = ReleaseComparison(
        id=known[0].id if known else ids.new("cmp"),
        release_id=release_id,
        kind=kind,
        base_release_id=base.id,
        base_version=base.version,
        summary=difference.summary,
        facts=difference.facts,
        notes=difference.notes,
    )
    COMPARISONS.save(tx, made)
    return made


def differences_between(tx: Transaction, base_id: str, head_id: str) -> tuple[Difference, ...]:
    """What the reports of one say beside those of the other, of each kind that both have and gates may ask for."""
    found = (_difference(*(_contents(tx, each, kind) for each in (base_id, head_id))) for kind in COMPARED)
    return tuple(one for one in found if one is not None)


def _difference(before: list[bytes], after: list[bytes]) -> Difference | None:
    return compare_packed(before, after).difference if before and after else None


def comparisons_of(tx: Transaction, release_id: str) -> tuple[ReleaseComparison, ...]:
    """What is known of a release beside the one before."""
    return COMPARISONS.where(tx, release_id=release_id, order="kind")


def base_of(tx: Transaction, package: str, *, previous: str | None, before_us: int | None = None) -> Release | None:
    """The release that reports are compared with: the one of the version that comes before, else the newest that was
    published, of those that began before `before_us`."""
    named = find_release(tx, package, previous) if previous is not None else None
    return named if named is not None else newest_published(tx, package, before_us=before_us)


def _contents(tx: Transaction, release_id: str, kind: EvidenceKind) -> list[bytes]:
    """Each report once: of equal bytes it has one piece of evidence."""
    sql = (
        "SELECT report_content.content FROM report_content JOIN evidence ON evidence.id = report_content.evidence_id "
        "WHERE evidence.project_id = :project AND evidence.release_id = :release AND evidence.kind = :kind "
        "ORDER BY evidence.created_us, evidence.id"
    )
    rows = tx.rows(sql, {"project": tx.project.id, "release": release_id, "kind": kind.value})
    return [bytes(content) for (content,) in rows]
