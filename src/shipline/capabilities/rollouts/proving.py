"""What is stated of a plan that was let be applied: signed, and kept as evidence of the release.

The statement names the plan by its digest, which is what the traffic applies by, and whoever let it be applied. It is
kept whole, so that it can be verified by whoever has the release's key.
"""

from __future__ import annotations

import hashlib

from shipline.capabilities.evidence import IN_TOTO, Approval, PlanUse, sign_envelope, statement_of_plan
from shipline.capabilities.releases import RELEASES, record_evidence
from shipline.capabilities.rollouts.steps import Ground
from shipline.domain.actor import Actor
from shipline.domain.codec import from_json
from shipline.domain.evidence import Evidence, EvidenceKind
from shipline.domain.rollout import Rollout
from shipline.engine.workflow import Save, StepContext, nothing
from shipline.ports.target import Group, Planning
from shipline.store.transaction import Transaction

LETTING = ("promote", "skip-wait", "resume")
"""The signals by which somebody lets a plan be applied before its time, or at all."""


def proved_plan(
    ground: Ground, context: StepContext, rollout: Rollout, group: Group, signed: Approval | None = None
) -> Save:
    """What keeps the statement of a group's plan; nothing where groups are no plans, or nobody signs.

    `signed` is by whom it was approved, where they had to sign; None: by whoever has just let it go on.
    """
    if not isinstance(ground.target, Planning) or ground.signer is None or rollout.release_id is None:
        return nothing
    plan = ground.target.planned(group.id)
    if plan is None:
        return nothing
    approval = signed if signed is not None else _approval(context)
    use = PlanUse(rollout.package, rollout.version, rollout.environment, rollout.id, rollout.digests, approval)
    envelope = sign_envelope(statement_of_plan(plan, use), IN_TOTO, ground.signer()).to_bytes()
    said = {"plan": plan.digest, "words": plan.words, "environment": rollout.environment, "rollout_id": rollout.id}
    piece = Evidence(
        id=ground.events.ids.new("evd"),
        release_id=rollout.release_id,
        kind=EvidenceKind.PLAN,
        tool=plan.tool,
        format="in-toto",
        digest=f"sha256:{hashlib.sha256(envelope).hexdigest()}",
        created_us=context.now_us,
        subjects=(plan.digest,),
        summary=said | {"approved_by": "" if approval is None else str(approval.actor), "envelope": envelope.decode()},
    )

    def save(tx: Transaction) -> None:
        release = RELEASES.find(tx, piece.release_id)
        if release is not None:
            record_evidence(tx, ground.events, release, piece)

    return save


def _approval(context: StepContext) -> Approval | None:
    """Who has just let it go on; None where its time was over by itself."""
    said = [signal for signal in context.signals if signal.kind in LETTING and "actor" in signal.body]
    if not said:
        return None
    body = said[-1].body
    return Approval(from_json(Actor, body["actor"]), context.now_us, str(body.get("reason", "")))
