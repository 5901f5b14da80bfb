"""Gates: evidence and policy in, verdicts with reasons out.

A gate is a rule in CEL over a declared table of facts. A misspelt fact is an error when the policy is loaded; a fact
that is missing makes UNKNOWN, which blocks. The calendar closes and opens stages by time. Pure: no database, no clock,
no network.

Policies over manifests (`manifests/`) are loaded when the first of their names is asked for (PEP 562): most who use
gates need no YAML and no JMESPath.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
from shipline.domain.gate import WAIVER_NAMESPACE

if TYPE_CHECKING:
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
    "WAIVER_NAMESPACE",
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
    "REVIEW_BYTES_MAX": ("review", "BODY_BYTES_MAX"),
    "Admission": ("resources", "Admission"),
    "AdmissionDecision": ("review", "Decision"),
    "AdmissionReview": ("review", "Review"),
    "ImageDemand": ("proofs", "Demand"),
    "ImageProof": ("proofs", "Proof"),
    "ImageProofs": ("proofs", "Proofs"),
    "MANIFEST_SETS": ("sets", "NAMES"),
    "ManifestsQuestion": ("usecases", "Question"),
    "ManifestsReport": ("usecases", "Report"),
    "StandingPolicies": ("standing", "Standing"),
    "Webhook": ("webhook", "Webhook"),
    "server_names": ("webhook", "server_names"),
    "webhook_documents": ("webhook", "webhook_documents"),
    "policy_files": ("standing", "policy_files"),
    "read_review": ("review", "read_review"),
    "review_answer": ("review", "answer"),
    "stand_ready": ("standing", "stand_ready"),
    "check_manifests": ("usecases", "check_manifests"),
    "manifests_block": ("results", "blocks"),
    "manifests_document": ("results", "document"),
    "manifests_sarif": ("sarif", "sarif"),
}


def __getattr__(name: str) -> Any:
    """A name of `manifests/`, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(f"{__name__}.manifests.{module}"), attribute)
