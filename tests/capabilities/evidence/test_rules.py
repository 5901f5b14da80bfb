"""Facts follow from evidence, and from nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.evidence.comparison import COMPARABLE, compare
from shipline.capabilities.evidence.reports import read_report_bytes
from shipline.capabilities.evidence.rules import facts_of
from shipline.capabilities.gates import KNOWN
from shipline.capabilities.gates.cel import compile_rule
from shipline.capabilities.gates.facts import flattened
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.release import Release, ReleaseStatus
from tests.capabilities.evidence.reports.test_samples import sample

RELEASE = Release("rel_1", "quotes", "1.2.0", "v1.2.0", ReleaseStatus.PREPARING, 1, 0)
TESTS = {"total": 3, "passed": 2, "failed": 1, "errors": 0, "skipped": 0, "flaky": 0, "seconds": 0.5}


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


def test_what_a_scanner_could_not_look_at_stays_where_its_report_is_read_as_another_tools_too() -> None:
    """Semgrep's report without results is one of OSV-Scanner's, which says nothing of errors; whoever gave it a second
    time under that name had the gate on errors open."""
    content = json.dumps({"results": [], "errors": [{"message": "a file"}], "paths": {"scanned": []}}).encode()
    pieces = []
    for name in ("semgrep", "osv-scanner"):
        report = read_report_bytes(content, format_name=name)
        pieces.append(
            replace(piece(EvidenceKind.FINDINGS, report.summary), tool=report.tool, format=report.format, rows=0)
        )
    assert [one.summary["errors"] for one in pieces] == [1, 0]
    assert facts(*pieces)["findings"]["errors"] == 1


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


def test_licences_benchmarks_sizes_and_sboms_add_up() -> None:
    """A figure that one report does not have is no fact; our own SBOM is a statement without figures."""
    licences = {"total": 3, "known": 1, "unclear": 1, "unknown": 1}
    told = facts(
        piece(EvidenceKind.LICENCES, licences),
        piece(EvidenceKind.LICENCES, licences, "sha256:2"),
        piece(EvidenceKind.BENCHMARK, {"total": 4, "skipped": 0}),
        piece(EvidenceKind.SIZE, {"bytes": 10, "files": 1, "over_limit": 1, "map_bytes": 5}),
        piece(EvidenceKind.SBOM, {"statement": "sbom"}),
        piece(EvidenceKind.SBOM, {"components": 7, "with_purl": 7, "known": 5, "unclear": 0, "unknown": 2}, "sha256:2"),
        piece(EvidenceKind.TESTS, {name: count for name, count in TESTS.items() if name != "flaky"}),
    )
    assert told["licences"] == {"total": 6, "unclear": 2, "unknown": 2}
    assert told["benchmark"] == {"total": 4}
    assert told["size"] == {"bytes": 10, "over_limit": 1}
    assert told["sbom"] == {"present": True, "components": 7, "unlicensed": 2}
    assert "flaky" not in told["tests"]


def test_the_lowest_score_of_a_page_counts() -> None:
    """One that was not scored on one of the pages is no fact, nor are budgets that there are not."""
    scores = {"performance": 91.0, "accessibility": 84.0, "best_practices": 93.0, "seo": None, "over_budget": None}
    told = facts(
        piece(EvidenceKind.LIGHTHOUSE, scores),
        piece(EvidenceKind.LIGHTHOUSE, scores | {"performance": 45.0, "seo": 80.0}, "sha256:2"),
    )
    assert told["lighthouse"] == {"performance": 45.0, "accessibility": 84.0, "best_practices": 93.0}


SAMPLES = (
    "jest/junit.xml",
    "jacoco/jacoco.xml",
    "pip-licenses/licenses.json",
    "hyperfine/hyperfine.json",
    "webpack/stats.json",
    "lighthouse/page.json",
    "spdx/npm.json",
)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_fact_told_is_one_that_gates_know(name: str) -> None:
    """The rooms agree on names and types, for one report of each kind and for two that are compared."""
    report = sample(name)
    assert flattened(facts(piece(report.kind, report.summary), signatures_verified=False, approvals={"qa": 1}))
    if report.kind in COMPARABLE:
        assert flattened(
            compare(report, report, changed={} if report.kind is EvidenceKind.COVERAGE else None).difference.facts
        )


def test_every_fact_can_be_asked_for() -> None:
    """Also those that are named like a function of CEL's (`size`)."""
    for path, fact in KNOWN.items():
        value = {"bool": "true", "int": "1", "double": "1.0", "string": "'a'"}[fact.type.value]
        assert compile_rule(f"{path} == {value}").facts == (path,)


def test_packages_out_of_date_add_up_and_what_one_report_cannot_tell_is_no_fact() -> None:
    """Python's and npm's; a version that is not understood may be behind by a major one."""
    python = piece(EvidenceKind.DEPENDENCIES, sample("pip-outdated/outdated.json").summary)
    npm = piece(EvidenceKind.DEPENDENCIES, sample("npm-outdated/workspace.json").summary, "sha256:2")
    assert facts(python, npm)["dependencies"] == {"outdated": 8, "outdated_major": 5}
    strange = piece(EvidenceKind.DEPENDENCIES, {"total": 1, "outdated": 1, "outdated_major": None}, "sha256:3")
    assert facts(python, strange)["dependencies"] == {"outdated": 6}
    assert flattened(facts(python, npm))["dependencies.outdated_major"] == 5
