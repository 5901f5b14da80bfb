"""Which controls are kept, by what; unknown is a gap, and organisational is never kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipline.capabilities.gates.compliance import (
    Control,
    ControlState,
    Framework,
    Noted,
    ReleaseRecord,
    assess,
    compliance_verdict,
    coverage_document,
)
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.verdict import Answer, Verdict

TESTS = Evidence("evd_1", "rel_1", EvidenceKind.TESTS, "pytest", "junit", "sha256:" + "a" * 64, 5)
EVENTS = (
    Noted("evt_1", "ReleaseTagged", 3, {}),
    Noted("evt_2", "EvidenceRecorded", 4, {"evidence_id": "evd_1"}),
    Noted("evt_3", "GateDecided", 5, {"gate": "quality", "answer": "FAIL"}),
    Noted("evt_4", "GateDecided", 6, {"gate": "quality", "answer": "PASS"}),
    Noted("evt_5", "ReleaseApproved", None, {"approver": "ann"}),
)
RECORD = ReleaseRecord(
    is_published=False,
    evidence=(TESTS,),
    events=EVENTS,
    facts={"tests": {"total": 3, "passed": 3, "failed": 0, "errors": 0}},
    approvers=frozenset({"ann"}),
)


def standing(
    record: ReleaseRecord = RECORD, **control: Any
) -> tuple[ControlState, Answer, list[str], list[int | None]]:
    """State, answer, what is missing, and the places of what shows it."""
    (one,) = assess(Framework("f", "F", "s", (Control("c", "C", **control),)), record).controls
    return one.state, one.answer, list(one.missing), [shown.place for shown in one.shown]


@pytest.mark.parametrize(
    ("control", "state", "answer", "missing", "places"),
    [
        ({"rule": "tests.failed == 0"}, "met", "PASS", "", [None, 4]),
        ({"rule": "tests.failed > 0"}, "gap", "FAIL", "does not hold", []),
        ({"rule": "coverage.line > 1.0"}, "gap", "UNKNOWN", "coverage.line is missing", []),
        ({"evidence": (EvidenceKind.TESTS,)}, "met", "PASS", "", [4]),
        ({"evidence": (EvidenceKind.SBOM,)}, "gap", "UNKNOWN", "no evidence of the kind sbom", []),
        ({"gates": ("quality",)}, "met", "PASS", "", [6]),
        ({"gates": ("other",)}, "gap", "UNKNOWN", "was not asked", []),
        ({"events": ("ReleaseTagged",)}, "met", "PASS", "", [3]),
        ({"events": ("EvidenceBundled",)}, "gap", "UNKNOWN", "has no EvidenceBundled", []),
        ({"events": ("EvidenceBundled",), "published": True}, "later", "UNKNOWN", "has no EvidenceBundled", []),
        ({"approvers": 1}, "met", "PASS", "", [None]),
        ({"approvers": 2}, "gap", "FAIL", "1 of 2 people", [None]),
        ({"rule": "tests.failed == 0", "events": ("X",)}, "gap", "UNKNOWN", "has no X", [None, 4]),
        ({"organisational": "no tool sees it"}, "organisational", "UNKNOWN", "no tool sees it", []),
    ],
)
def test_each_part_of_a_control_must_hold(
    control: dict[str, Any], state: str, answer: str, missing: str, places: list[int | None]
) -> None:
    """And what shows it is named with its place in the log."""
    found = standing(**control)
    assert (found[0].value, found[1].value) == (state, answer)
    assert missing in "; ".join(found[2])
    assert found[3] == places


def test_what_comes_with_publishing_is_a_gap_once_it_is_public() -> None:
    found = standing(replace(RECORD, is_published=True), events=("EvidenceBundled",), published=True)
    assert found[0] is ControlState.GAP


def test_the_gates_of_now_count_before_those_of_the_log() -> None:
    """A release is judged with them, before any of it is written down."""
    now = replace(RECORD, deciding=(Verdict("quality", Answer.UNKNOWN, (), 1, {}),))
    assert standing(now, gates=("quality",))[1:3] == (Answer.UNKNOWN, ["the gate quality says UNKNOWN"])
    assert standing(replace(RECORD, approvers=None), approvers=1)[1] is Answer.UNKNOWN


def test_a_framework_passes_without_gaps_alone() -> None:
    """Gaps come first; what says no weighs more than what is not known; organisational ones are never kept."""
    kept, unknown = Control("kept", "K", events=("ReleaseTagged",)), Control("unknown", "U", rule="sbom.present")
    people, bad = Control("people", "P", organisational="people"), Control("bad", "B", rule="tests.total > 9")
    coverage = assess(Framework("f", "F", "s", (people, kept, unknown, bad)), RECORD)
    assert [one.control.id for one in coverage.controls] == ["unknown", "bad", "kept", "people"]
    verdict = compliance_verdict(coverage, 7)
    assert (verdict.gate, verdict.answer) == ("compliance f", Answer.FAIL)
    assert verdict.reasons[0].startswith("unknown is not kept: sbom.present")
    assert verdict.facts == {"compliance.met": 1, "compliance.gaps": 2, "compliance.organisational": 1}
    passing = compliance_verdict(assess(Framework("f", "F", "s", (people, kept)), RECORD), 7)
    assert passing.answer is Answer.PASS
    document = coverage_document(coverage, package="quotes", version="1.0.0")
    assert document["counts"] == {"gap": 2, "later": 0, "met": 1, "organisational": 1}
    assert document["controls"][2]["shown"] == [
        {"kind": "event", "words": "ReleaseTagged", "event_id": "evt_1", "place": 3}
    ]
