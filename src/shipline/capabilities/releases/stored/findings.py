"""Findings as rows: one for each finding of a release, whichever reports list it, and counted by one aggregate.

A finding is known by its fingerprint within its release. A report that lists it again changes its row, so that
reading a report in twice neither doubles nor loses anything; what a later report does not list any more stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from shipline.store.transaction import Transaction

Row: TypeAlias = "tuple[Any, ...]"
"""The values of ROW, in its order."""

BATCH = 5000
CACHE_KB = 32_000
"""What SQLite may hold in memory of what is written here; it gives back what it does not need."""
ASKED_AT_ONCE = 500
PAGE_MAX = 1000
SEVERITIES = ("critical", "high", "medium", "low", "info")
ROW = (
    "fingerprint",
    "severity",
    "suppressed",
    "tool",
    "rule",
    "title",
    "message",
    "path",
    "line",
    "package",
    "version",
    "fixed_version",
    "ids",
)
_OF_RELEASE = ("release_id", "organisation_id", "project_id", "evidence_id")
_NO_IDS = "[]"
_TYPES = {"suppressed": "boolean[]", "line": "integer[]"}


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding, as its row has it. `path` None: it is nowhere in particular."""

    fingerprint: str
    severity: str
    suppressed: bool
    tool: str
    rule: str
    title: str
    message: str
    path: str | None
    line: int | None
    package: str | None
    version: str | None
    fixed_version: str | None
    ids: tuple[str, ...]


def row_of(item: dict[str, Any]) -> Row:
    """A finding of a report as a row. NUL, which PostgreSQL refuses, is in no text: readers drop controls."""
    location = item["location"]
    ids = item["ids"]
    return (
        item["fingerprint"],
        item["severity"],
        item["suppressed"],
        item["tool"],
        item["rule"],
        item["title"],
        item["message"],
        location["path"] if location else None,
        location["line"] if location else None,
        item["package"],
        item["version"],
        item["fixed_version"],
        json.dumps(ids) if ids else _NO_IDS,
    )


def save_findings(tx: Transaction, release_id: str, evidence_id: str, batches: Iterable[Sequence[Row]]) -> int:
    """Write the rows of a report, batch by batch; returns how many. Those that are there are changed."""
    owner = (release_id, tx.project.organisation_id, tx.project.id, evidence_id)
    is_postgresql = tx.connection.dialect.name == "postgresql"
    total = 0
    if not is_postgresql:
        # Of two megabytes, SQLite would write each page of the indexes anew and anew.
        tx.connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KB}")
    for batch in batches:
        total += len(batch)
        if is_postgresql:
            # An array a column: a statement a batch, where a statement a row would take ten times as long.
            columns = [list(column) for column in zip(*batch, strict=True)]
            tx.connection.exec_driver_sql(_POSTGRESQL, (*owner, *columns))
        else:
            tx.connection.exec_driver_sql(_SQLITE, [(*owner, *row) for row in batch])
    return total


def _upsert(values: str) -> str:
    """The same in both dialects: a finding of the release that is there is what the last report says of it."""
    names = (*_OF_RELEASE, *ROW)
    kept = ", ".join(f"{name} = excluded.{name}" for name in ("evidence_id", *ROW[1:]))
    columns = ", ".join(names)
    return (
        f"INSERT INTO finding ({columns}) {values} "
        f"ON CONFLICT (release_id, fingerprint) DO UPDATE SET {kept} WHERE finding.project_id = excluded.project_id"
    )


_SQLITE = _upsert("VALUES (" + ", ".join("?" * (len(_OF_RELEASE) + len(ROW))) + ")")
_ARRAYS = ", ".join(f"%s::{_TYPES.get(name, 'text[]')}" for name in ROW)
_POSTGRESQL = _upsert(f"SELECT %s, %s, %s, %s, given.* FROM unnest({_ARRAYS}) AS given")  # noqa: S608 - as above


def count_findings(tx: Transaction, release_id: str) -> dict[str, int]:
    """How many findings of a release are open, by severity; those that the tool itself was to pass over are not."""
    sql = "SELECT severity, count(*) FROM finding WHERE release_id = :release AND NOT suppressed GROUP BY severity"
    return {str(name): value for name, value in tx.rows(sql, {"release": release_id})}


def total_findings(tx: Transaction, release_id: str) -> int:
    """How many rows a release has."""
    ((total,),) = tx.rows("SELECT count(*) FROM finding WHERE release_id = :release", {"release": release_id})
    return int(total)


def open_among(tx: Transaction, release_id: str, fingerprints: Sequence[str]) -> dict[str, str]:
    """Of these findings those that the release has open, each with its severity."""
    found: dict[str, str] = {}
    for start in range(0, len(fingerprints), ASKED_AT_ONCE):
        asked = {f"f{number}": one for number, one in enumerate(fingerprints[start : start + ASKED_AT_ONCE])}
        sql = "SELECT fingerprint, severity FROM finding WHERE release_id = :release AND NOT suppressed "
        sql += f"AND fingerprint IN ({', '.join(f':{name}' for name in asked)})"
        found |= {str(name): value for name, value in tx.rows(sql, {"release": release_id, **asked})}
    return found


def reported_among(tx: Transaction, fingerprints: Sequence[str]) -> frozenset[str]:
    """Those of these that a report about any release of the project has listed."""
    found: set[str] = set()
    for start in range(0, len(fingerprints), ASKED_AT_ONCE):
        asked = {f"f{number}": one for number, one in enumerate(fingerprints[start : start + ASKED_AT_ONCE])}
        sql = "SELECT DISTINCT fingerprint FROM finding WHERE project_id = :project "
        sql += f"AND fingerprint IN ({', '.join(f':{name}' for name in asked)})"
        found |= {str(name) for (name,) in tx.rows(sql, {"project": tx.project.id, **asked})}
    return frozenset(found)


def list_findings(
    tx: Transaction, release_id: str, *, severity: str | None = None, limit: int = PAGE_MAX, offset: int = 0
) -> tuple[StoredFinding, ...]:
    """A page of a release's findings, the worst first; of one severity, or of all. Order and places do not change."""
    given: dict[str, Any] = {"release": release_id, "many": limit, "offset": offset}
    sql = f"SELECT {', '.join(ROW)} FROM finding WHERE release_id = :release"  # noqa: S608 - names of ours
    if severity is not None:
        sql += " AND severity = :severity"
        given["severity"] = severity
    sql += f" ORDER BY {_RANK}, fingerprint LIMIT :many OFFSET :offset"
    return tuple(_stored(row) for row in tx.rows(sql, given))


def findings_beside(
    tx: Transaction, base_id: str, head_id: str, *, shown: int
) -> tuple[tuple[StoredFinding, ...], int, int]:
    """The worst `shown` open findings that `head_id` has and `base_id` has not, how many there are, and how many open
    ones of the base are gone."""
    new, gone = {"own": head_id, "other": base_id}, {"own": base_id, "other": head_id}
    columns = f"SELECT {', '.join(ROW)} FROM finding {_OPEN_WITHOUT}"  # noqa: S608 - names of ours
    worst = tx.rows(f"{columns} ORDER BY {_RANK}, fingerprint LIMIT :many", {**new, "many": shown})
    total = f"SELECT count(*) FROM finding {_OPEN_WITHOUT}"  # noqa: S608 - no value is in it
    counts = [int(tx.rows(total, given)[0][0]) for given in (new, gone)]
    return tuple(_stored(row) for row in worst), counts[0], counts[1]


_RANK = "CASE severity " + " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(SEVERITIES))
_RANK += f" ELSE {len(SEVERITIES)} END"
# What one release has open and another has not.
_OPEN_WITHOUT = (
    "WHERE release_id = :own AND NOT suppressed AND NOT EXISTS (SELECT 1 FROM finding AS beside WHERE "
    "beside.release_id = :other AND beside.fingerprint = finding.fingerprint AND NOT beside.suppressed)"
)


def open_findings(
    tx: Transaction, release_id: str, evidence_ids: Sequence[str], severities: Sequence[str], *, limit: int
) -> tuple[StoredFinding, ...]:
    """The open findings of these severities that these reports said last, `limit` at most."""
    from sqlalchemy import select  # noqa: PLC0415 - who only asks gates does without SQLAlchemy

    from shipline.store.tables import finding as table  # noqa: PLC0415 - the same

    query = select(*(table.c[name] for name in ROW)).where(
        table.c.release_id == release_id,
        table.c.severity.in_(severities),
        table.c.suppressed.is_(False),
        table.c.evidence_id.in_(evidence_ids),
    )
    query = query.order_by(table.c.fingerprint).limit(limit)
    return tuple(_stored(row) for row in tx.connection.execute(query))


def _stored(row: Sequence[Any]) -> StoredFinding:
    values = dict(zip(ROW, row, strict=True))
    return StoredFinding(**values | {"suppressed": bool(values["suppressed"]), "ids": tuple(json.loads(values["ids"]))})
