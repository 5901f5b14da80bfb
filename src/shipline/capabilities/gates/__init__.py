"""Gates: evidence and policy in, verdicts with reasons out.

A gate is a rule in CEL over a declared table of facts. A misspelt fact is an error when the policy is loaded; a fact
that is missing makes UNKNOWN, which blocks. The calendar closes and opens stages by time. Pure: no database, no clock,
no network.

The face is lazy (PEP 562): most who use gates need no policies over manifests, no YAML and no JMESPath.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipline.capabilities.gates.approvals import (
        NAMESPACE,
        Matter,
        Signed,
        counted,
        objection,
        read_statement,
        statement,
    )
    from shipline.capabilities.gates.calendar import (
        calendar_facts,
        check_rule,
        judge,
        opens_us,
        periods,
        periods_of,
        shown,
        standing,
    )
    from shipline.capabilities.gates.checklists import (
        CHECKLIST,
        check_checklist,
        checklist_facts,
        checklists_at,
        judge_checklists,
        open_items,
        standing_tick,
    )
    from shipline.capabilities.gates.codeowners import LOCATIONS, Need, missing_needs, owned
    from shipline.capabilities.gates.compliance import (
        FRAMEWORK_BYTES_MAX,
        FRAMEWORKS,
        ControlState,
        Coverage,
        Framework,
        Noted,
        ReleaseRecord,
        assess,
        built_in,
        compliance_verdict,
        coverage_document,
        read_framework,
    )
    from shipline.capabilities.gates.documents import POLICY_BYTES_MAX, read_gates, read_policy, verdict_document
    from shipline.capabilities.gates.explanations import Explanation, explained, explanations_document
    from shipline.capabilities.gates.facts import ISSUES, KNOWN, Fact
    from shipline.capabilities.gates.feed import CALENDAR_PERIODS_MAX, calendar_document, calendar_feed
    from shipline.capabilities.gates.manifests.proofs import Demand as ImageDemand
    from shipline.capabilities.gates.manifests.proofs import Proof as ImageProof
    from shipline.capabilities.gates.manifests.proofs import Proofs as ImageProofs
    from shipline.capabilities.gates.manifests.resources import Admission
    from shipline.capabilities.gates.manifests.results import blocks as manifests_block
    from shipline.capabilities.gates.manifests.results import document as manifests_document
    from shipline.capabilities.gates.manifests.review import BODY_BYTES_MAX as REVIEW_BYTES_MAX
    from shipline.capabilities.gates.manifests.review import Decision as AdmissionDecision
    from shipline.capabilities.gates.manifests.review import Review as AdmissionReview
    from shipline.capabilities.gates.manifests.review import answer as review_answer
    from shipline.capabilities.gates.manifests.review import read_review
    from shipline.capabilities.gates.manifests.sarif import sarif as manifests_sarif
    from shipline.capabilities.gates.manifests.sets import NAMES as MANIFEST_SETS
    from shipline.capabilities.gates.manifests.standing import Standing as StandingPolicies
    from shipline.capabilities.gates.manifests.standing import policy_files, stand_ready
    from shipline.capabilities.gates.manifests.usecases import Question as ManifestsQuestion
    from shipline.capabilities.gates.manifests.usecases import Report as ManifestsReport
    from shipline.capabilities.gates.manifests.usecases import check_manifests
    from shipline.capabilities.gates.manifests.webhook import Webhook, server_names, webhook_documents
    from shipline.capabilities.gates.rules import evaluate, facts_read
    from shipline.capabilities.gates.sets import QUALITY, SETS, gates_in
    from shipline.capabilities.gates.waivers import (
        SignedWaiver,
        WaiverRule,
        Waiving,
        day_of,
        is_about,
        read_day,
        waiver_complaint,
        waiver_objection,
        waiver_statement,
    )

__all__ = [
    "CALENDAR_PERIODS_MAX",
    "CHECKLIST",
    "FRAMEWORKS",
    "FRAMEWORK_BYTES_MAX",
    "ISSUES",
    "KNOWN",
    "LOCATIONS",
    "MANIFEST_SETS",
    "NAMESPACE",
    "POLICY_BYTES_MAX",
    "QUALITY",
    "REVIEW_BYTES_MAX",
    "SETS",
    "Admission",
    "AdmissionDecision",
    "AdmissionReview",
    "ControlState",
    "Coverage",
    "Explanation",
    "Fact",
    "Framework",
    "ImageDemand",
    "ImageProof",
    "ImageProofs",
    "ManifestsQuestion",
    "ManifestsReport",
    "Matter",
    "Need",
    "Noted",
    "ReleaseRecord",
    "Signed",
    "SignedWaiver",
    "StandingPolicies",
    "WaiverRule",
    "Waiving",
    "Webhook",
    "assess",
    "built_in",
    "calendar_document",
    "calendar_facts",
    "calendar_feed",
    "check_checklist",
    "check_manifests",
    "check_rule",
    "checklist_facts",
    "checklists_at",
    "compliance_verdict",
    "counted",
    "coverage_document",
    "day_of",
    "evaluate",
    "explained",
    "explanations_document",
    "facts_read",
    "gates_in",
    "is_about",
    "judge",
    "judge_checklists",
    "manifests_block",
    "manifests_document",
    "manifests_sarif",
    "missing_needs",
    "objection",
    "open_items",
    "opens_us",
    "owned",
    "periods",
    "periods_of",
    "policy_files",
    "read_day",
    "read_framework",
    "read_gates",
    "read_policy",
    "read_review",
    "read_statement",
    "review_answer",
    "server_names",
    "shown",
    "stand_ready",
    "standing",
    "standing_tick",
    "statement",
    "verdict_document",
    "waiver_complaint",
    "waiver_objection",
    "waiver_statement",
    "webhook_documents",
]

_HOMES = {
    "CALENDAR_PERIODS_MAX": "feed",
    "CHECKLIST": "checklists",
    "FRAMEWORKS": "compliance",
    "FRAMEWORK_BYTES_MAX": "compliance",
    "ISSUES": "facts",
    "KNOWN": "facts",
    "LOCATIONS": "codeowners",
    "MANIFEST_SETS": "manifests.sets:NAMES",
    "NAMESPACE": "approvals",
    "POLICY_BYTES_MAX": "documents",
    "QUALITY": "sets",
    "REVIEW_BYTES_MAX": "manifests.review:BODY_BYTES_MAX",
    "SETS": "sets",
    "Admission": "manifests.resources",
    "AdmissionDecision": "manifests.review:Decision",
    "AdmissionReview": "manifests.review:Review",
    "ControlState": "compliance",
    "Coverage": "compliance",
    "Explanation": "explanations",
    "Fact": "facts",
    "Framework": "compliance",
    "ImageDemand": "manifests.proofs:Demand",
    "ImageProof": "manifests.proofs:Proof",
    "ImageProofs": "manifests.proofs:Proofs",
    "ManifestsQuestion": "manifests.usecases:Question",
    "ManifestsReport": "manifests.usecases:Report",
    "Matter": "approvals",
    "Need": "codeowners",
    "Noted": "compliance",
    "ReleaseRecord": "compliance",
    "Signed": "approvals",
    "SignedWaiver": "waivers",
    "StandingPolicies": "manifests.standing:Standing",
    "WaiverRule": "waivers",
    "Waiving": "waivers",
    "Webhook": "manifests.webhook",
    "assess": "compliance",
    "built_in": "compliance",
    "calendar_document": "feed",
    "calendar_facts": "calendar",
    "calendar_feed": "feed",
    "check_checklist": "checklists",
    "check_manifests": "manifests.usecases",
    "check_rule": "calendar",
    "checklist_facts": "checklists",
    "checklists_at": "checklists",
    "compliance_verdict": "compliance",
    "counted": "approvals",
    "coverage_document": "compliance",
    "day_of": "waivers",
    "evaluate": "rules",
    "explained": "explanations",
    "explanations_document": "explanations",
    "facts_read": "rules",
    "gates_in": "sets",
    "is_about": "waivers",
    "judge": "calendar",
    "judge_checklists": "checklists",
    "manifests_block": "manifests.results:blocks",
    "manifests_document": "manifests.results:document",
    "manifests_sarif": "manifests.sarif:sarif",
    "missing_needs": "codeowners",
    "objection": "approvals",
    "open_items": "checklists",
    "opens_us": "calendar",
    "owned": "codeowners",
    "periods": "calendar",
    "periods_of": "calendar",
    "policy_files": "manifests.standing",
    "read_day": "waivers",
    "read_framework": "compliance",
    "read_gates": "documents",
    "read_policy": "documents",
    "read_review": "manifests.review",
    "read_statement": "approvals",
    "review_answer": "manifests.review:answer",
    "server_names": "manifests.webhook",
    "shown": "calendar",
    "stand_ready": "manifests.standing",
    "standing": "calendar",
    "standing_tick": "checklists",
    "statement": "approvals",
    "verdict_document": "documents",
    "waiver_complaint": "waivers",
    "waiver_objection": "waivers",
    "waiver_statement": "waivers",
    "webhook_documents": "manifests.webhook",
}

if not TYPE_CHECKING:  # Else a type checker would take every name for one of the face.

    def __getattr__(name: str) -> object:
        """A name of the face, imported from its home; from then on it is found here."""
        from importlib import import_module  # noqa: PLC0415 - the commit hook comes by here and needs none

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _HOMES[name].partition(":")
        value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), attribute or name)
        return value
