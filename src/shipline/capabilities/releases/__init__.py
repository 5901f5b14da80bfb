"""Room `releases`: ReleasePlan + Verdict -> Release + Artifacts.

Promises: a version's bytes are built once, from the tagged commit, and published only after every gate has said PASS;
a release that was cut off goes on from where it stopped, also from an empty store; nothing is published twice; what
is public is taken back everywhere it went, and what nobody can take back is said.
Does not decide versions (`plans`) or gates (`gates`), and does not deploy (`rollouts`).

The face is lazy (PEP 562): a command that looks at one release does not wait for all that carries releases out.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shipline.capabilities.releases.ahead import AHEAD, Ahead, filed_ahead
    from shipline.capabilities.releases.approving import (
        SignedApproval,
        approval_digest,
        approvals_of,
        approvers_by_role,
        check_approval,
        count_approvals,
        record_approval,
    )
    from shipline.capabilities.releases.asking import ask_gates, asked_release, explain_gates
    from shipline.capabilities.releases.backport import Backport, BackportGround, BackportWish, bring_back, named_commit
    from shipline.capabilities.releases.begun import Begun, begun_versions
    from shipline.capabilities.releases.bundling import Besides, whole_bundle
    from shipline.capabilities.releases.candidates import Candidate
    from shipline.capabilities.releases.catalogue import actions
    from shipline.capabilities.releases.checklists import checklists_of, tick_item, ticks_of
    from shipline.capabilities.releases.checks import moved_tag
    from shipline.capabilities.releases.components import (
        components_of_releases,
        release_components,
        releases_with,
        releases_without_components,
        save_components,
    )
    from shipline.capabilities.releases.coverage import coverages_of
    from shipline.capabilities.releases.differences import Difference
    from shipline.capabilities.releases.expediting import EXPEDITED, Expedite
    from shipline.capabilities.releases.footing import released_base
    from shipline.capabilities.releases.foresight import Foreseen, ForeseenPullRequest, foresee, foresee_pull_request
    from shipline.capabilities.releases.ground import OwnersPlace, ReleaseGround, TestRun
    from shipline.capabilities.releases.judging import opening
    from shipline.capabilities.releases.of_commits import (
        CommitQuestion,
        CommitRecord,
        records_of_commit,
        verdicts_of_commit,
    )
    from shipline.capabilities.releases.ordering import release_package, unfinished_first
    from shipline.capabilities.releases.outlets import IDLE_TODO, Outlet
    from shipline.capabilities.releases.promotion import told
    from shipline.capabilities.releases.proof import record_evidence, refusal_of
    from shipline.capabilities.releases.proof_documents import (
        EVIDENCE_SCHEMA,
        evidence_document,
        finding_document,
        finding_pages,
        findings_document,
    )
    from shipline.capabilities.releases.pull_request import Kept, keep_pull_request, release_merged, stated_version
    from shipline.capabilities.releases.pull_request_rules import branch_for
    from shipline.capabilities.releases.queries import (
        EVIDENCE,
        RELEASES,
        VERDICTS,
        all_releases,
        evidence_of,
        find_release,
        matching_releases,
        verdicts_of,
    )
    from shipline.capabilities.releases.receiving import (
        FileReceipt,
        GivenReport,
        Receipt,
        Subject,
        receipt_document,
        receive_reports,
    )
    from shipline.capabilities.releases.reevaluation import Reevaluated, reevaluate, reevaluate_all
    from shipline.capabilities.releases.retention import Keep, RetentionPlan, apply_retention, plan_retention
    from shipline.capabilities.releases.rules import Decision, Start
    from shipline.capabilities.releases.stating import Stated, state_final, state_on_the_way
    from shipline.capabilities.releases.statuses import status_of
    from shipline.capabilities.releases.stored.comparing import comparisons_of
    from shipline.capabilities.releases.stored.current import Current, current_findings
    from shipline.capabilities.releases.stored.findings import PAGE_MAX as FINDINGS_PAGE_MAX
    from shipline.capabilities.releases.stored.findings import (
        StoredFinding,
        list_findings,
        reported_among,
        total_findings,
    )
    from shipline.capabilities.releases.usecases import follow_run, has_halted
    from shipline.capabilities.releases.waiving import Findings, findings_now, objection_to_waiver
    from shipline.capabilities.releases.workflow import RELEASE_WORKFLOW, WORKFLOWS
    from shipline.capabilities.releases.yank import (
        YankOrder,
        adopt_release,
        check_revert,
        named_release,
        order_yank,
        order_yank_after_rollback,
        verify_yank,
        yank_subject,
    )

__all__ = [
    "AHEAD",
    "EVIDENCE",
    "EVIDENCE_SCHEMA",
    "EXPEDITED",
    "FINDINGS_PAGE_MAX",
    "IDLE_TODO",
    "RELEASES",
    "RELEASE_WORKFLOW",
    "VERDICTS",
    "WORKFLOWS",
    "Ahead",
    "Backport",
    "BackportGround",
    "BackportWish",
    "Begun",
    "Besides",
    "Candidate",
    "CommitQuestion",
    "CommitRecord",
    "Current",
    "Decision",
    "Difference",
    "Expedite",
    "FileReceipt",
    "Findings",
    "Foreseen",
    "ForeseenPullRequest",
    "GivenReport",
    "Keep",
    "Kept",
    "Outlet",
    "OwnersPlace",
    "Receipt",
    "Reevaluated",
    "ReleaseGround",
    "RetentionPlan",
    "SignedApproval",
    "Start",
    "Stated",
    "StoredFinding",
    "Subject",
    "TestRun",
    "YankOrder",
    "actions",
    "adopt_release",
    "all_releases",
    "apply_retention",
    "approval_digest",
    "approvals_of",
    "approvers_by_role",
    "ask_gates",
    "asked_release",
    "begun_versions",
    "branch_for",
    "bring_back",
    "check_approval",
    "check_revert",
    "checklists_of",
    "comparisons_of",
    "components_of_releases",
    "count_approvals",
    "coverages_of",
    "current_findings",
    "evidence_document",
    "evidence_of",
    "explain_gates",
    "filed_ahead",
    "find_release",
    "finding_document",
    "finding_pages",
    "findings_document",
    "findings_now",
    "follow_run",
    "foresee",
    "foresee_pull_request",
    "has_halted",
    "keep_pull_request",
    "list_findings",
    "matching_releases",
    "moved_tag",
    "named_commit",
    "named_release",
    "objection_to_waiver",
    "opening",
    "order_yank",
    "order_yank_after_rollback",
    "plan_retention",
    "receipt_document",
    "receive_reports",
    "record_approval",
    "record_evidence",
    "records_of_commit",
    "reevaluate",
    "reevaluate_all",
    "refusal_of",
    "release_components",
    "release_merged",
    "release_package",
    "released_base",
    "releases_with",
    "releases_without_components",
    "reported_among",
    "save_components",
    "state_final",
    "state_on_the_way",
    "stated_version",
    "status_of",
    "tick_item",
    "ticks_of",
    "told",
    "total_findings",
    "unfinished_first",
    "verdicts_of",
    "verdicts_of_commit",
    "verify_yank",
    "whole_bundle",
    "yank_subject",
]

_HOMES = {
    "AHEAD": "ahead",
    "EVIDENCE": "queries",
    "EVIDENCE_SCHEMA": "proof_documents",
    "EXPEDITED": "expediting",
    "FINDINGS_PAGE_MAX": "stored.findings:PAGE_MAX",
    "IDLE_TODO": "outlets",
    "RELEASES": "queries",
    "RELEASE_WORKFLOW": "workflow",
    "VERDICTS": "queries",
    "WORKFLOWS": "workflow",
    "Ahead": "ahead",
    "Backport": "backport",
    "BackportGround": "backport",
    "BackportWish": "backport",
    "Begun": "begun",
    "Besides": "bundling",
    "Candidate": "candidates",
    "CommitQuestion": "of_commits",
    "CommitRecord": "of_commits",
    "Current": "stored.current",
    "Decision": "rules",
    "Difference": "differences",
    "Expedite": "expediting",
    "FileReceipt": "receiving",
    "Findings": "waiving",
    "Foreseen": "foresight",
    "ForeseenPullRequest": "foresight",
    "GivenReport": "receiving",
    "Keep": "retention",
    "Kept": "pull_request",
    "Outlet": "outlets",
    "OwnersPlace": "ground",
    "Receipt": "receiving",
    "Reevaluated": "reevaluation",
    "ReleaseGround": "ground",
    "RetentionPlan": "retention",
    "SignedApproval": "approving",
    "Start": "rules",
    "Stated": "stating",
    "StoredFinding": "stored.findings",
    "Subject": "receiving",
    "TestRun": "ground",
    "YankOrder": "yank",
    "actions": "catalogue",
    "adopt_release": "yank",
    "all_releases": "queries",
    "apply_retention": "retention",
    "approval_digest": "approving",
    "approvals_of": "approving",
    "approvers_by_role": "approving",
    "ask_gates": "asking",
    "asked_release": "asking",
    "begun_versions": "begun",
    "branch_for": "pull_request_rules",
    "bring_back": "backport",
    "check_approval": "approving",
    "check_revert": "yank",
    "checklists_of": "checklists",
    "comparisons_of": "stored.comparing",
    "components_of_releases": "components",
    "count_approvals": "approving",
    "coverages_of": "coverage",
    "current_findings": "stored.current",
    "evidence_document": "proof_documents",
    "evidence_of": "queries",
    "explain_gates": "asking",
    "filed_ahead": "ahead",
    "find_release": "queries",
    "finding_document": "proof_documents",
    "finding_pages": "proof_documents",
    "findings_document": "proof_documents",
    "findings_now": "waiving",
    "follow_run": "usecases",
    "foresee": "foresight",
    "foresee_pull_request": "foresight",
    "has_halted": "usecases",
    "keep_pull_request": "pull_request",
    "list_findings": "stored.findings",
    "matching_releases": "queries",
    "moved_tag": "checks",
    "named_commit": "backport",
    "named_release": "yank",
    "objection_to_waiver": "waiving",
    "opening": "judging",
    "order_yank": "yank",
    "order_yank_after_rollback": "yank",
    "plan_retention": "retention",
    "receipt_document": "receiving",
    "receive_reports": "receiving",
    "record_approval": "approving",
    "record_evidence": "proof",
    "records_of_commit": "of_commits",
    "reevaluate": "reevaluation",
    "reevaluate_all": "reevaluation",
    "refusal_of": "proof",
    "release_components": "components",
    "release_merged": "pull_request",
    "release_package": "ordering",
    "released_base": "footing",
    "releases_with": "components",
    "releases_without_components": "components",
    "reported_among": "stored.findings",
    "save_components": "components",
    "state_final": "stating",
    "state_on_the_way": "stating",
    "stated_version": "pull_request",
    "status_of": "statuses",
    "tick_item": "checklists",
    "ticks_of": "checklists",
    "told": "promotion",
    "total_findings": "stored.findings",
    "unfinished_first": "ordering",
    "verdicts_of": "queries",
    "verdicts_of_commit": "of_commits",
    "verify_yank": "yank",
    "whole_bundle": "bundling",
    "yank_subject": "yank",
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
