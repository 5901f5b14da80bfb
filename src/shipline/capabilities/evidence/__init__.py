"""Evidence: signed statements about artifacts and releases.

Reads reports in, lists what a package consists of (SBOM), states how it was built and tested (in-toto, SLSA), signs
statements (DSSE), packs them into one bundle a release, and says in words what a bundle proves. Works offline and
without a database: values in, values out.
"""

from shipline.capabilities.evidence.bills.bill import Bill
from shipline.capabilities.evidence.bills.components import (
    comparable,
    components_in,
    components_of,
    components_of_bill,
    named,
    without_repeats,
)
from shipline.capabilities.evidence.bills.cyclonedx_document import cyclonedx_of
from shipline.capabilities.evidence.bills.difference import Change, bill_changes, diff_document
from shipline.capabilities.evidence.bills.images import image_bill
from shipline.capabilities.evidence.bills.spdx_document import spdx_of
from shipline.capabilities.evidence.bundle import BundleContents, make_bundle, read_bundle
from shipline.capabilities.evidence.checks import Check, Verification
from shipline.capabilities.evidence.comparison.difference import Difference
from shipline.capabilities.evidence.documents import (
    ApprovalsDocument,
    PlanDocument,
    SignedYes,
    StagedVerdict,
    UsedWaiver,
    VerdictsDocument,
    WaiversDocument,
    WaiverUse,
    document_bytes,
)
from shipline.capabilities.evidence.dsse import IN_TOTO, Envelope, read_envelope, sign_envelope, verified_by
from shipline.capabilities.evidence.keys import PublicKey, read_public_key
from shipline.capabilities.evidence.npm_packages import find_npm_lock, npm_bill
from shipline.capabilities.evidence.python_locks import find_python_lock
from shipline.capabilities.evidence.python_packages import python_bill
from shipline.capabilities.evidence.reports import STREAMED_BYTES_MAX, Report, read_report_bytes
from shipline.capabilities.evidence.rules import FindingCounts, facts_of, is_distribution
from shipline.capabilities.evidence.scanning.rules import (
    Planned,
    Scanned,
    ScanOrder,
    ScanState,
    is_reached,
    scan_document,
    scanner_named,
)
from shipline.capabilities.evidence.scanning.usecases import REPORT_NAME, plan_scan_of, run_scanner
from shipline.capabilities.evidence.signatures.claims import PREDICATE_BYTES_MAX, predicate_type_of, short_name_of
from shipline.capabilities.evidence.signatures.keyless import Identity, identity_of
from shipline.capabilities.evidence.signatures.keyless_signing import (
    Instance,
    SignedByIdentity,
    read_instance,
    sign_file_by_identity,
)
from shipline.capabilities.evidence.signatures.rules import Thing
from shipline.capabilities.evidence.signatures.sboms import (
    AttachedSBOM,
    attach_sbom,
    attached_sboms,
    media_type_of,
    sbom_in,
)
from shipline.capabilities.evidence.signatures.signing import (
    FILE_BYTES_MAX,
    Formats,
    Signed,
    attach_statement,
    attest_file,
    attest_image,
    file_bundle,
    sign_file,
    sign_image,
    statement_bundle,
)
from shipline.capabilities.evidence.signatures.verifying import (
    proven_statements,
    signature_beside,
    verify_file,
    verify_image,
)
from shipline.capabilities.evidence.statements import (
    Approval,
    Build,
    PlanUse,
    read_statement,
    statement_of_plan,
    statement_of_provenance,
    statement_of_sbom,
    statement_of_tests,
)
from shipline.capabilities.evidence.summaries import SUMMARY, Summary, Wanted, statement_of_summary
from shipline.capabilities.evidence.usecases import (
    OpenReport,
    compare_packed,
    compare_reports,
    is_bundle,
    is_comparable,
    open_report,
    pack_report,
    read_file,
    read_report,
    report_document,
    summarise_report,
    verify_bundle,
)
from shipline.ports.attachments import Image

__all__ = [
    "FILE_BYTES_MAX",
    "IN_TOTO",
    "PREDICATE_BYTES_MAX",
    "REPORT_NAME",
    "STREAMED_BYTES_MAX",
    "SUMMARY",
    "Approval",
    "ApprovalsDocument",
    "AttachedSBOM",
    "Bill",
    "Build",
    "BundleContents",
    "Change",
    "Check",
    "Difference",
    "Envelope",
    "FindingCounts",
    "Formats",
    "Identity",
    "Image",
    "Instance",
    "OpenReport",
    "PlanDocument",
    "PlanUse",
    "Planned",
    "PublicKey",
    "Report",
    "ScanOrder",
    "ScanState",
    "Scanned",
    "Signed",
    "SignedByIdentity",
    "SignedYes",
    "StagedVerdict",
    "Summary",
    "Thing",
    "UsedWaiver",
    "VerdictsDocument",
    "Verification",
    "WaiverUse",
    "WaiversDocument",
    "Wanted",
    "attach_sbom",
    "attach_statement",
    "attached_sboms",
    "attest_file",
    "attest_image",
    "bill_changes",
    "comparable",
    "compare_packed",
    "compare_reports",
    "components_in",
    "components_of",
    "components_of_bill",
    "cyclonedx_of",
    "diff_document",
    "document_bytes",
    "facts_of",
    "file_bundle",
    "find_npm_lock",
    "find_python_lock",
    "identity_of",
    "image_bill",
    "is_bundle",
    "is_comparable",
    "is_distribution",
    "is_reached",
    "make_bundle",
    "media_type_of",
    "named",
    "npm_bill",
    "open_report",
    "pack_report",
    "plan_scan_of",
    "predicate_type_of",
    "proven_statements",
    "python_bill",
    "read_bundle",
    "read_envelope",
    "read_file",
    "read_instance",
    "read_public_key",
    "read_report",
    "read_report_bytes",
    "read_statement",
    "report_document",
    "run_scanner",
    "sbom_in",
    "scan_document",
    "scanner_named",
    "short_name_of",
    "sign_envelope",
    "sign_file",
    "sign_file_by_identity",
    "sign_image",
    "signature_beside",
    "spdx_of",
    "statement_bundle",
    "statement_of_plan",
    "statement_of_provenance",
    "statement_of_sbom",
    "statement_of_summary",
    "statement_of_tests",
    "summarise_report",
    "verified_by",
    "verify_bundle",
    "verify_file",
    "verify_image",
    "without_repeats",
]
