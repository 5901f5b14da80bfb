"""Facts follow from evidence, and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.capabilities.evidence.rules import facts_of
from shipline.capabilities.gates.facts import flattened
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release, ReleaseStatus

RELEASE = Release("rel_1", "quotes", "1.2.0", "v1.2.0", ReleaseStatus.PREPARING, 1, 0)
TESTS = {"total": 3, "passed": 2, "failed": 1, "errors": 0, "skipped": 0, "seconds": 0.5}


def piece(kind: EvidenceKind, summary: dict[str, Any], digest: str = "sha256:1") -> Evidence:
    return Evidence("evd_1", "rel_1", kind, "tool", "format", digest, 0, summary=summary)


def coverage(covered: int, total: int, branches: int | None = None) -> dict[str, Any]:
    half = None if branches is None else branches // 2
    return {"lines_covered": covered, "lines_total": total, "branches_covered": half, "branches_total": branches}


def facts(*pieces: Evidence, **more: Any) -> dict[str, Any]:
    return facts_of(pieces, release=RELEASE, prerelease=False, **more)


def test_without_evidence_only_presence_and_the_release_are_known() -> None:
    """Nothing was read in: no figures, and it is known that nothing is there."""
    assert facts() == {
        "artifacts": {"total": 0, "distributions": 0},
        "sbom": {"present": False},
        "provenance": {"present": False},
        "release": {"package": "quotes", "version": "1.2.0", "prerelease": False, "hotfix": False},
    }


def test_reports_add_up_and_count_once() -> None:
    """Two test reports are summed; the same one read in twice is not."""
    first, again = piece(EvidenceKind.TESTS, TESTS), piece(EvidenceKind.TESTS, TESTS)
    assert facts(first, again)["tests"]["total"] == 3
    assert facts(first, piece(EvidenceKind.TESTS, TESTS, "sha256:2"))["tests"]["failed"] == 2


def test_coverage_is_weighed_by_lines() -> None:
    """90 of 100 and 0 of 20 lines are 75%; branches are known only if every report measured them."""
    both = [
        piece(EvidenceKind.COVERAGE, coverage(90, 100, 4)),
        piece(EvidenceKind.COVERAGE, coverage(0, 20), "sha256:2"),
    ]
    assert facts(*both)["coverage"] == {"line": 75.0}
    assert facts(both[0])["coverage"] == {"line": 90.0, "branch": 50.0}


def test_presence_signatures_and_approvals_are_told() -> None:
    """What callers looked at is passed on."""
    found = facts(
        piece(EvidenceKind.SBOM, {}),
        piece(EvidenceKind.PROVENANCE, {}),
        signatures_verified=True,
        approvals={"security": 1},
    )
    assert found["sbom"]["present"]
    assert found["provenance"]["present"]
    assert found["signatures"]["verified"]
    assert found["approvals"] == {"security": 1}


@pytest.mark.parametrize("kind", [EvidenceKind.TESTS, EvidenceKind.COVERAGE])
def test_every_fact_told_is_one_that_gates_know(kind: EvidenceKind) -> None:
    """The two rooms agree on names and types."""
    summary = TESTS if kind is EvidenceKind.TESTS else coverage(1, 2, 2)
    assert flattened(facts(piece(kind, summary), signatures_verified=False, approvals={"qa": 1}))
