"""A framework and the record of a release in; which controls are kept, and by what, out. Pure.

Fails closed: what is not known is a gap, and a control that nothing can show is never kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from shipline.capabilities.gates.compliance.framework import Control, Framework
from shipline.capabilities.gates.rules import evaluate
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.gate import Gate
from shipline.domain.verdict import Answer, Verdict

REASONS_MAX = 20


class ControlState(StrEnum):
    """How a control stands. GAP blocks where its framework is required."""

    GAP = "gap"
    LATER = "later"  # It comes with publishing, and that was not yet.
    MET = "met"
    ORGANISATIONAL = "organisational"


@dataclass(frozen=True, slots=True)
class Noted:
    """An event of the release, as the log has it; `place` is None until it is sealed."""

    id: str
    kind: str
    place: int | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """What is known of a release. `events` are those of its stream, oldest first. `facts` is the tree of the stage
    `release`. `deciding` are verdicts of now, which are in no log yet. `approvers` are those whose approval counts,
    None where that cannot be told."""

    is_published: bool
    evidence: tuple[Evidence, ...]
    events: tuple[Noted, ...]
    facts: Mapping[str, object]
    approvers: frozenset[str] | None
    deciding: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows a control, or a part of it: `kind` is fact, evidence, verdict, event or approval. `event_id` is the
    event that recorded it, and `place` that event's in the log, None where there is none."""

    kind: str
    words: str
    event_id: str | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Assessed:
    """A control, how it stands, what shows that, and in sentences what is missing. `answer` tells a gap that is known
    (FAIL) from one where something is not known (UNKNOWN)."""

    control: Control
    state: ControlState
    answer: Answer
    shown: tuple[Shown, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """A framework as far as a release keeps it; gaps come first, then as the framework has them."""

    framework: Framework
    controls: tuple[Assessed, ...]

    def count(self, state: ControlState) -> int:
        """How many controls stand so."""
        return sum(one.state is state for one in self.controls)

    @property
    def answer(self) -> Answer:
        """PASS where there is no gap."""
        answers = {one.answer for one in self.controls if one.state is ControlState.GAP}
        return next((answer for answer in (Answer.FAIL, Answer.UNKNOWN) if answer in answers), Answer.PASS)


@dataclass(slots=True)
class _Finding:
    """What comes of asking for the parts of one control."""

    answers: set[Answer] = field(default_factory=set)
    shown: list[Shown] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def lack(self, words: str, answer: Answer = Answer.UNKNOWN) -> None:
        self.answers.add(answer)
        self.missing.append(words)


def assess(framework: Framework, record: ReleaseRecord) -> Coverage:
    """How each control stands."""
    order = list(ControlState)
    found = [_assessed(control, record) for control in framework.control]
    return Coverage(framework, tuple(sorted(found, key=lambda one: order.index(one.state))))


def compliance_verdict(coverage: Coverage, now_us: int) -> Verdict:
    """The answer of a framework that is required: PASS where it has no gap."""
    gaps = [one for one in coverage.controls if one.state is ControlState.GAP]
    kept = coverage.count(ControlState.MET)
    reasons = [f"{one.control.id} is not kept: {'; '.join(one.missing)}" for one in gaps[:REASONS_MAX]]
    if len(gaps) > REASONS_MAX:
        reasons.append(f"and {len(gaps) - REASONS_MAX} controls more are not kept")
    facts: dict[str, str | int | float | bool | None] = {
        "compliance.met": kept,
        "compliance.gaps": len(gaps),
        "compliance.organisational": coverage.count(ControlState.ORGANISATIONAL),
    }
    words = f"{kept} controls of {coverage.framework.title} are kept, and none that a release can show is open"
    name = f"compliance {coverage.framework.name}"
    return Verdict(name, coverage.answer, tuple(reasons) or (words,), now_us, facts)


def _assessed(control: Control, record: ReleaseRecord) -> Assessed:
    if not control.is_shown:
        return Assessed(control, ControlState.ORGANISATIONAL, Answer.UNKNOWN, missing=(control.organisational,))
    found = _Finding()
    _ask_rule(control.rule, record, found)
    for kind in control.evidence:
        _ask_evidence(kind, record, found)
    for gate in control.gates:
        _ask_gate(gate, record, found)
    for name in control.events:
        _ask_event(name, record, found)
    if control.approvers:
        _ask_approvers(control.approvers, record, found)
    answer = next((one for one in (Answer.FAIL, Answer.UNKNOWN) if one in found.answers), Answer.PASS)
    if answer is Answer.PASS:
        state = ControlState.MET
    else:
        state = ControlState.LATER if control.published and not record.is_published else ControlState.GAP
    return Assessed(control, state, answer, tuple(dict.fromkeys(found.shown)), tuple(found.missing))


def _ask_rule(rule: str, record: ReleaseRecord, found: _Finding) -> None:
    if not rule:
        return
    verdict = evaluate((Gate("control", rule),), record.facts, 0)[0]
    if verdict.answer is not Answer.PASS:
        for reason in verdict.reasons:
            found.lack(reason, verdict.answer)
        return
    found.shown += [Shown("fact", reason) for reason in verdict.reasons]
    kinds = {path.partition(".")[0] for path in verdict.facts}
    found.shown += [shown for kind in EvidenceKind if kind.value in kinds for shown in _pieces(kind, record)]


def _ask_evidence(kind: EvidenceKind, record: ReleaseRecord, found: _Finding) -> None:
    pieces = list(_pieces(kind, record))
    found.shown += pieces
    if not pieces:
        found.lack(f"there is no evidence of the kind {kind.value}")


def _pieces(kind: EvidenceKind, record: ReleaseRecord) -> Iterator[Shown]:
    for piece in record.evidence:
        if piece.kind is kind:
            recorded = [event for event in record.events if event.body.get("evidence_id") == piece.id]
            yield _by("evidence", f"{kind.value} by {piece.tool} ({piece.format}), {piece.digest[:19]}…", recorded)


def _ask_gate(name: str, record: ReleaseRecord, found: _Finding) -> None:
    now = [verdict.answer.value for verdict in record.deciding if verdict.gate == name]
    before = [event for event in record.events if event.kind == "GateDecided" and event.body.get("gate") == name]
    answer = now[-1] if now else str(before[-1].body.get("answer")) if before else ""
    if answer == Answer.PASS.value:
        found.shown.append(_by("verdict", f"the gate {name} says PASS", () if now else before))
    elif answer:
        found.lack(f"the gate {name} says {answer}", Answer.FAIL if answer == Answer.FAIL.value else Answer.UNKNOWN)
    else:
        found.lack(f"the gate {name} was not asked")


def _ask_event(kind: str, record: ReleaseRecord, found: _Finding) -> None:
    happened = [event for event in record.events if event.kind == kind]
    if happened:
        found.shown.append(_by("event", kind, happened))
    else:
        found.lack(f"the release's log has no {kind}")


def _ask_approvers(wanted: int, record: ReleaseRecord, found: _Finding) -> None:
    if record.approvers is None:
        found.lack("whose approval counts cannot be told here")
        return
    for name in sorted(record.approvers):
        given = [
            event for event in record.events if event.kind == "ReleaseApproved" and event.body.get("approver") == name
        ]
        found.shown.append(_by("approval", f"approved by {name}, who has written nothing of it", given))
    if len(record.approvers) < wanted:
        found.lack(f"{len(record.approvers)} of {wanted} people have approved it", Answer.FAIL)


def _by(kind: str, words: str, events: Sequence[Noted]) -> Shown:
    """With the last of the events that recorded it."""
    last = events[-1] if events else None
    return Shown(kind, words, None if last is None else last.id, None if last is None else last.place)
