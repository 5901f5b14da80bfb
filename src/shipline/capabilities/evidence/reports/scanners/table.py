"""The rows of the formats of findings."""

from __future__ import annotations

import re
from collections.abc import Callable

from shipline.capabilities.evidence.reports.probes import Format, Probe, marks
from shipline.capabilities.evidence.reports.report import Reading
from shipline.capabilities.evidence.reports.scanners import (
    code,
    gitlab,
    npm,
    packages,
    policies,
    sarif,
    secrets,
    snyk,
    trivy,
)
from shipline.capabilities.evidence.reports.source import WHOLE_BYTES_MAX, ReportFile
from shipline.domain.evidence import EvidenceKind

_TRIVY = [
    "SchemaVersion ArtifactName",
    *(f"ClusterName {name}" for name in ("Resources", "Vulnerabilities", "Misconfigurations", "Findings")),
]
_POLICIES = [
    f"{place}{mark}"
    for place in ("", "items.item.")
    for mark in ("kind=PolicyReport", "kind=ClusterPolicyReport", "apiVersion=openreports.io/v1alpha1")
]
_POLICY_YAML = re.compile(rb"(?m)^[ -]*apiVersion: *[\"']?(?:wgpolicyk8s\.io|openreports\.io)/")
_MYPY_TEXT = re.compile(
    rb"\A(?:[^\n]*\n){0,20}?"
    rb"(?:[^:\n]+:\d+:(?:\d+:)?(?:\d+:\d+:)? (?:error|warning|note): |Success: no issues found in )"
)


def _json(name: str, title: str, read: Callable[[ReportFile], Reading], *alternatives: str) -> Format:
    return Format(name, EvidenceKind.FINDINGS, title, Probe(json=marks(*alternatives)), read)


SCANNERS: tuple[Format, ...] = (
    _json("sarif", "SARIF 2.1", sarif.read_sarif, "runs.item.tool", "runs.item.results"),
    _json("trivy", "Trivy JSON", trivy.read_trivy, *_TRIVY),
    _json("grype", "Grype JSON", packages.read_grype, "matches.item.vulnerability", "matches descriptor.name=grype"),
    _json("snyk", "Snyk JSON", snyk.read_snyk, "ok dependencyCount", "item.ok item.dependencyCount"),
    _json("npm-audit-1", "npm audit JSON (npm 6)", npm.read_npm_audit_1, "actions advisories", "advisories metadata"),
    _json("npm-audit-2", "npm audit JSON (npm 7 and later)", npm.read_npm_audit_2, "auditReportVersion"),
    _json(
        "pip-audit",
        "pip-audit JSON",
        packages.read_pip_audit,
        "dependencies.item.vulns",
        "dependencies fixes",
        "item.vulns",
    ),
    _json("safety", "Safety JSON", packages.read_safety, "report_meta scanned_packages"),
    _json("bandit", "Bandit JSON", code.read_bandit, "errors generated_at metrics"),
    _json(
        "semgrep",
        "Semgrep JSON",
        code.read_semgrep,
        "results.item.check_id",
        "results paths.scanned",
        "results paths errors",
    ),
    _json(
        "gitleaks", "gitleaks JSON", secrets.read_gitleaks, "item.RuleID item.Fingerprint", "item.RuleID item.Secret"
    ),
    _json("detect-secrets", "detect-secrets JSON", secrets.read_detect_secrets, "plugins_used results"),
    _json(
        "osv-scanner",
        "OSV-Scanner JSON",
        packages.read_osv_scanner,
        "results.item.packages",
        "results experimental_config",
    ),
    _json(
        "checkov",
        "Checkov JSON",
        policies.read_checkov,
        "check_type results.failed_checks",
        "item.check_type item.results",
        "checkov_version failed",
    ),
    _json("hadolint", "Hadolint JSON", code.read_hadolint, "item.code item.level item.line"),
    _json(
        "gitlab",
        "GitLab security reports",
        gitlab.read_gitlab,
        "vulnerabilities scan.type",
        "version vulnerabilities remediations",
        "vulnerabilities.item.identifiers vulnerabilities.item.location",
    ),
    _json("dependabot", "Dependabot alerts", packages.read_dependabot, "item.security_advisory item.dependency"),
    _json("zizmor", "zizmor JSON", code.read_zizmor, "item.ident item.determinations"),
    _json("mypy-json", "mypy JSON", code.read_mypy_json, "file line column message severity hint"),
    Format("mypy", EvidenceKind.FINDINGS, "mypy text", Probe(text=(_MYPY_TEXT,)), code.read_mypy_text),
    Format(
        name="policy-report",
        kind=EvidenceKind.FINDINGS,
        title="policy reports (Kyverno)",
        probe=Probe(json=marks(*_POLICIES), text=(_POLICY_YAML,)),
        read=policies.read_policy_report,
        limit_bytes=WHOLE_BYTES_MAX,
    ),
)
