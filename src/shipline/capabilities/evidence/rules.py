"""What gates are told: facts from evidence. Pure.

A fact that no evidence speaks of is left out, which gates answer with UNKNOWN; presence itself is always known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shipline.domain.artifact import Artifact
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release

_COUNTED = {
    EvidenceKind.TESTS: ("total", "passed", "failed", "errors", "skipped"),
    EvidenceKind.FINDINGS: ("total", "critical", "high", "medium", "low", "info"),
}


def facts_of(
    evidence: Iterable[Evidence],
    *,
    release: Release,
    prerelease: bool,
    signatures_verified: bool | None = None,
    approvals: Mapping[str, int] | None = None,
) -> dict[str, dict[str, Any]]:
    """The tree of facts about one release: `{"tests": {"total": 3, …}, "coverage": {…}, "release": {…}, …}`.

    Several reports of a kind add up; a report that was read in twice (same digest) counts once. `approvals` counts
    authenticated approvals by role. `signatures_verified` and `approvals` None: nobody has looked.
    """
    pieces = list({(piece.kind, piece.digest): piece for piece in evidence}.values())
    facts: dict[str, dict[str, Any]] = {
        "artifacts": {
            "total": len(release.artifacts),
            "distributions": sum(is_distribution(artifact) for artifact in release.artifacts),
        },
        "sbom": {"present": any(piece.kind is EvidenceKind.SBOM for piece in pieces)},
        "provenance": {"present": any(piece.kind is EvidenceKind.PROVENANCE for piece in pieces)},
        "release": {
            "package": release.package,
            "version": release.version,
            "prerelease": prerelease,
            "hotfix": release.hotfix,
        },
    }
    for kind, names in _COUNTED.items():
        summaries = [piece.summary for piece in pieces if piece.kind is kind]
        if summaries:
            facts[kind.value] = {name: sum(int(summary[name]) for summary in summaries) for name in names}
    facts |= _coverage([piece.summary for piece in pieces if piece.kind is EvidenceKind.COVERAGE])
    facts |= {} if signatures_verified is None else {"signatures": {"verified": signatures_verified}}
    return facts | ({} if approvals is None else {"approvals": dict(approvals)})


def is_distribution(artifact: Artifact) -> bool:
    """True for what an SBOM is written of: its own metadata says what it needs."""
    return artifact.kind in ("wheel", "sdist")


def _coverage(summaries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Line coverage over all reports; branch coverage only if each of them measured branches."""
    if not summaries:
        return {}
    facts = {"line": _percent(summaries, "lines")}
    if all(summary["branches_total"] for summary in summaries):
        facts["branch"] = _percent(summaries, "branches")
    return {"coverage": facts}


def _percent(summaries: list[dict[str, Any]], noun: str) -> float:
    covered, total = (sum(int(summary[f"{noun}_{part}"]) for summary in summaries) for part in ("covered", "total"))
    return 100.0 * covered / total
