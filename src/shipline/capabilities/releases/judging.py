"""What gates, checklists, calendar and frameworks say about a release at a stage; nothing is kept, nothing is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shipline.capabilities.evidence import facts_of, read_public_key, verified_by
from shipline.capabilities.gates import evaluate, judge, judge_checklists
from shipline.capabilities.releases.approving import count_approvals
from shipline.capabilities.releases.checklists import checklists_of, ticks_of
from shipline.capabilities.releases.circumstances import StageQuestion, circumstances_of, exempting
from shipline.capabilities.releases.compliance import comply, record_of
from shipline.capabilities.releases.expediting import Expedite, gates_of, said_of
from shipline.capabilities.releases.ground import ReleaseGround, envelopes_of
from shipline.capabilities.releases.queries import evidence_of
from shipline.capabilities.releases.stored.comparing import comparisons_of
from shipline.capabilities.releases.waiving import findings_now
from shipline.domain.calendar import CalendarRule
from shipline.domain.evidence import Evidence
from shipline.domain.release import Release
from shipline.domain.verdict import Verdict


def verdicts_of_stage(
    ground: ReleaseGround, release: Release, stage: str, now_us: int, expedite: Expedite | None = None
) -> tuple[Verdict, ...]:
    """What the gates and checklists of a stage say about a release now, from its evidence."""
    gates = gates_of(ground.gates, stage, expedite)
    with ground.store.begin() as tx:
        pieces = evidence_of(tx, release.id)
    ticks = ticks_of(pieces)
    lists = checklists_of(ground.checklists, ground.calendar, release, stage, now_us)
    beside = circumstances_of(ground, release, StageQuestion(stage, gates, lists, ticks, now_us))
    facts = facts_at(ground, release, stage, pieces, now_us) | beside.facts
    ticked = judge_checklists(lists, ticks, now_us, version=release.version)
    judged = (*evaluate(gates, facts, now_us, lacking=beside.lacking, told=beside.told), *ticked)
    if stage != "release" or not ground.frameworks():
        return said_of(expedite, judged)
    # The frameworks that are required may ask for the gates that were asked just now.
    record = record_of(ground, release, pieces, facts, now_us)
    counting = tuple(one for one in judged if (stage, one.gate) not in ground.added_gates)
    return said_of(expedite, (*judged, *comply(ground, replace(record, deciding=counting), now_us)))


def facts_at(
    ground: ReleaseGround, release: Release, stage: str, pieces: tuple[Evidence, ...], now_us: int
) -> dict[str, dict[str, Any]]:
    """The tree of facts about a release that its evidence, signatures and approvals for a stage give."""
    with ground.store.begin() as tx:
        findings = findings_now(tx, ground.waiving, release, now_us)
        compared = [one.facts for one in comparisons_of(tx, release.id)]
    return facts_of(
        pieces,
        release=release,
        prerelease=release.is_prerelease,
        signatures_verified=_signatures_hold(ground, release),
        approvals=count_approvals(ground, release, stage, pieces, now_us),
        findings=findings.counts,
        compared=compared,
    )


def _signatures_hold(ground: ReleaseGround, release: Release) -> bool | None:
    """True if every statement verifies with our public key; None where there are none to look at."""
    envelopes = envelopes_of(ground, release)
    if not envelopes:
        return None
    key = read_public_key(ground.signer.public_key_pem().encode())
    return all(verified_by(envelope, (key,)) for envelope in envelopes.values())


def opening(
    ground: ReleaseGround, release: Release, stage: str, calendar: tuple[CalendarRule, ...], now_us: int
) -> tuple[Verdict, ...]:
    """What a calendar says about a release at a stage. An exemption counts by its approver's signature alone."""
    signed = exempting(ground, release, stage, calendar, now_us)
    return judge(calendar, stage, now_us, release=f"{release.package} {release.version}", signed=signed)
