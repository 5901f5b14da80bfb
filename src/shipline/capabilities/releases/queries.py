"""What is known of releases."""

from __future__ import annotations

import json

from shipline.domain.codec import from_json
from shipline.domain.evidence import Evidence
from shipline.domain.release import Release, ReleaseStatus
from shipline.domain.verdict import Verdict
from shipline.store.rows import Rows
from shipline.store.transaction import Transaction

RELEASES = Rows("release", Release)
EVIDENCE = Rows("evidence", Evidence)
VERDICTS = Rows("verdict", Verdict)


def find_release(tx: Transaction, package: str, version: str) -> Release | None:
    """The release of a version."""
    found = RELEASES.where(tx, package=package, version=version)
    return found[0] if found else None


def newest_release(tx: Transaction, package: str) -> Release | None:
    """The package's newest release, None before the first."""
    newest = RELEASES.where(tx, package=package, order="created_us", newest_first=True, limit=1)
    return newest[0] if newest else None


def newest_published(tx: Transaction, package: str, *, before_us: int | None = None) -> Release | None:
    """The package's newest published release, None where there is none; of those that began before `before_us`.

    Looked for among the newest hundred: of a package with more than that after it, the one before is named.
    """
    found = RELEASES.where(
        tx, package=package, status=ReleaseStatus.PUBLISHED.value, order="created_us", newest_first=True, limit=100
    )
    return next((one for one in found if before_us is None or one.created_us < before_us), None)


def stages_judged(tx: Transaction, release_id: str) -> tuple[str, ...]:
    """The stages whose gates have been asked about a release."""
    sql = "SELECT DISTINCT stage FROM verdict WHERE project_id = :project AND release_id = :release"
    return tuple(sorted(stage for (stage,) in tx.rows(sql, {"project": tx.project.id, "release": release_id})))


def latest_verdicts_of(tx: Transaction, release_id: str, stage: str) -> dict[str, Verdict]:
    """The latest answer of each gate of a stage."""
    return {
        verdict.gate: verdict for verdict in VERDICTS.where(tx, release_id=release_id, stage=stage, order="decided_us")
    }


def all_releases(tx: Transaction, *, limit: int = 100) -> tuple[Release, ...]:
    """The newest releases of the project."""
    return RELEASES.where(tx, order="created_us", newest_first=True, limit=limit)


def matching_releases(
    tx: Transaction,
    *,
    version: str | None = None,
    package: str | None = None,
    status: ReleaseStatus | None = None,
    limit: int = 100,
) -> tuple[Release, ...]:
    """The newest releases of this version, package and status, at most `limit`; None stands for any."""
    wanted = {"version": version, "package": package, "status": None if status is None else status.value}
    columns = {name: value for name, value in wanted.items() if value is not None}
    return RELEASES.where(tx, order="created_us", newest_first=True, limit=limit, **columns)


def evidence_of(tx: Transaction, release_id: str) -> tuple[Evidence, ...]:
    """A release's evidence, oldest first."""
    return EVIDENCE.where(tx, release_id=release_id, order="created_us")


def verdicts_of(tx: Transaction, release_id: str) -> tuple[Verdict, ...]:
    """Every gate's answers about a release, oldest first."""
    return VERDICTS.where(tx, release_id=release_id, order="decided_us")


def staged_verdicts(tx: Transaction, release_id: str) -> tuple[tuple[str, Verdict], ...]:
    """The same, each with its stage."""
    sql = "SELECT stage, body FROM verdict WHERE project_id = :project AND release_id = :release ORDER BY decided_us"
    rows = tx.rows(sql, {"project": tx.project.id, "release": release_id})
    return tuple((stage, from_json(Verdict, json.loads(body))) for stage, body in rows)
