"""What gates are told: facts from evidence. Pure.

A fact that no evidence speaks of is left out, which gates answer with UNKNOWN; presence itself is always known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipline.domain.artifact import Artifact
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release

_COUNTED = {
    EvidenceKind.TESTS: ("total", "passed", "failed", "errors", "skipped", "flaky"),
    EvidenceKind.LICENCES: ("total", "unclear", "unknown"),
    EvidenceKind.BENCHMARK: ("total",),
    EvidenceKind.SIZE: ("bytes", "over_limit"),
    EvidenceKind.LIGHTHOUSE: ("over_budget",),
    EvidenceKind.DEPENDENCIES: ("outdated", "outdated_major"),
}
SEVERITIES = ("critical", "high", "medium", "low", "info")
_SCORES = ("performance", "accessibility", "best_practices", "seo")


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """What the rows say: by severity how many findings count, and how many somebody has waived."""

    open: Mapping[str, int] = field(default_factory=dict)
    waived: int = 0


NO_ROWS = FindingCounts()


def facts_of(  # noqa: PLR0913 - each is named where it is given
    evidence: Sequence[Evidence],
    *,
    release: Release,
    prerelease: bool,
    signatures_verified: bool | None = None,
    approvals: Mapping[str, int] | None = None,
    findings: FindingCounts = NO_ROWS,
    compared: Sequence[Mapping[str, Mapping[str, Any]]] = (),
) -> dict[str, dict[str, Any]]:
    """The tree of facts about one release: `{"tests": {"total": 3, …}, "coverage": {…}, "release": {…}, …}`.

    Several reports of a kind add up; a report that was read in twice (same digest) counts once. Of several pages, the
    lowest score counts. A figure that one of the reports does not have is no fact. `approvals` counts
    authenticated approvals by role. `signatures_verified` and `approvals` None: nobody has looked. `findings` are those
    that have rows; `compared` are the trees of facts that comparisons with the release before have given.
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
    # By tool and format, too: read as another tool's, the same bytes may list nothing of what could not be looked at.
    reports = {(piece.digest, piece.tool, piece.format): piece for piece in evidence}
    facts |= _findings([piece for piece in reports.values() if piece.kind is EvidenceKind.FINDINGS], findings)
    facts = _with_scores(facts, [piece.summary for piece in pieces if piece.kind is EvidenceKind.LIGHTHOUSE])
    facts |= _coverage([piece.summary for piece in pieces if piece.kind is EvidenceKind.COVERAGE])
    for tree in compared:
        for group, figures in tree.items():
            facts[group] = facts.get(group, {}) | {name: one for name, one in figures.items() if one is not None}
    facts |= {} if signatures_verified is None else {"signatures": {"verified": signatures_verified}}
    return facts | ({} if approvals is None else {"approvals": dict(approvals)})


def is_distribution(artifact: Artifact) -> bool:
    """True for what an SBOM is always written of: its own metadata says what it needs."""
    return artifact.kind in ("wheel", "sdist", "npm")


def _findings(pieces: list[Evidence], counts: FindingCounts) -> dict[str, dict[str, Any]]:
    """Each finding once, however many reports list it, where they have rows; of the others the summaries add up."""
    if not pieces:
        return {}
    unlisted = [piece.summary for piece in pieces if piece.rows is None]
    facts: dict[str, Any] = {"waived": counts.waived}
    for name in SEVERITIES:
        more = _total(unlisted, name)
        facts |= {} if more is None else {name: counts.open.get(name, 0) + more}
    more = _total(unlisted, "total")
    facts |= {} if more is None else {"total": sum(counts.open.values()) + more}
    errors = _total([piece.summary for piece in pieces], "errors")
    facts |= {} if errors is None else {"errors": errors}
    return {"findings": facts}


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
