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
    EvidenceKind.TESTS: ("total", "passed", "failed", "errors", "skipped", "flaky"),
    EvidenceKind.FINDINGS: ("total", "critical", "high", "medium", "low", "info", "errors"),
    EvidenceKind.LICENCES: ("total", "unclear", "unknown"),
    EvidenceKind.BENCHMARK: ("total",),
    EvidenceKind.SIZE: ("bytes", "over_limit"),
    EvidenceKind.LIGHTHOUSE: ("over_budget",),
    EvidenceKind.DEPENDENCIES: ("outdated", "outdated_major"),
}
_SCORES = ("performance", "accessibility", "best_practices", "seo")


def facts_of(
    evidence: Iterable[Evidence],
    *,
    release: Release,
    prerelease: bool,
    signatures_verified: bool | None = None,
    approvals: Mapping[str, int] | None = None,
) -> dict[str, dict[str, Any]]:
    """The tree of facts about one release: `{"tests": {"total": 3, …}, "coverage": {…}, "release": {…}, …}`.

    Several reports of a kind add up; a report that was read in twice (same digest) counts once. Of several pages, the
    lowest score counts. A figure that one of the reports does not have is no fact. `approvals` counts
    authenticated approvals by role. `signatures_verified` and `approvals` None: nobody has looked.
    """
    pieces = list({(piece.kind, piece.digest): piece for piece in evidence}.values())
    facts: dict[str, dict[str, Any]] = {
        "artifacts": {
            "total": len(release.artifacts),
            "distributions": sum(is_distribution(artifact) for artifact in release.artifacts),
        },
        "sbom": _sbom([piece.summary for piece in pieces if piece.kind is EvidenceKind.SBOM]),
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
            facts[kind.value] = {name: total for name in names if (total := _total(summaries, name)) is not None}
    facts = _with_scores(facts, [piece.summary for piece in pieces if piece.kind is EvidenceKind.LIGHTHOUSE])
    facts |= _coverage([piece.summary for piece in pieces if piece.kind is EvidenceKind.COVERAGE])
    facts |= {} if signatures_verified is None else {"signatures": {"verified": signatures_verified}}
    return facts | ({} if approvals is None else {"approvals": dict(approvals)})


def is_distribution(artifact: Artifact) -> bool:
    """True for what an SBOM is always written of: its own metadata says what it needs."""
    return artifact.kind in ("wheel", "sdist", "npm")


def _total(summaries: list[dict[str, Any]], name: str) -> int | None:
    """The sum over all reports; None where one of them does not say: what an older version read in, say."""
    figures = [summary.get(name) for summary in summaries]
    return None if any(figure is None for figure in figures) else sum(int(figure or 0) for figure in figures)


def _with_scores(facts: dict[str, dict[str, Any]], summaries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """`facts` with the lowest score of each category that every page was scored in."""
    for name in _SCORES:
        scores = [summary.get(name) for summary in summaries]
        if scores and all(score is not None for score in scores):
            facts["lighthouse"][name] = min(float(score or 0.0) for score in scores)
    return facts


def _sbom(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether there is one, and what was counted in those that were read in; our own are statements without figures."""
    read = [summary for summary in summaries if "components" in summary]
    counted = {"components": _total(read, "components"), "unlicensed": _total(read, "unknown")} if read else {}
    return {"present": bool(summaries)} | counted


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
