"""Scanners of secrets: gitleaks and detect-secrets. What they found, and hashes of it, never comes through.

Sources: gitleaks' report.Finding (v8); detect-secrets' PotentialSecret.json and its baseline (1.x).
"""

from __future__ import annotations

from collections.abc import Iterator

from shipline.capabilities.evidence.reports.findings import Finding, Findings, line_number, listed, table, word
from shipline.capabilities.evidence.reports.report import Item, Reading
from shipline.capabilities.evidence.reports.severity import Severity
from shipline.capabilities.evidence.reports.source import ReportFile
from shipline.domain.errors import InvalidValue

SECRET = Severity.HIGH
"""Neither tool rates what it finds."""


def read_gitleaks(file: ReportFile) -> Reading:
    """Reads gitleaks' `--report-format json`, a list; an empty one where nothing was found."""
    findings = Findings("gitleaks")
    return Reading(_gitleaks(file, findings), findings)


def _gitleaks(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("")
    for each in file.items("item"):
        result = table(each)
        rule = word(result.get("RuleID"))
        if not rule:
            raise InvalidValue("a result in the gitleaks report has no 'RuleID'")
        path, commit = word(result.get("File")), word(result.get("Commit"))
        yield findings.take(
            Finding(
                rule=rule,
                severity=SECRET,
                title=result.get("Description", ""),
                path=path,
                line=line_number(result.get("StartLine")),
                # Not its own fingerprint, which ends in the line.
                identity=(rule, path, commit),
            )
        )


def read_detect_secrets(file: ReportFile) -> Reading:
    """detect-secrets' `scan` and baselines. What an audit has marked as no secret is suppressed."""
    findings = Findings("detect-secrets")
    return Reading(_detect_secrets(file, findings), findings)


def _detect_secrets(file: ReportFile, findings: Findings) -> Iterator[Item]:
    file.require("results", of="object")
    for path, found in file.members("results"):
        for result in listed(found, "a file's results"):
            kind = word(result.get("type"))
            if not kind:
                raise InvalidValue("a result in the detect-secrets report has no 'type'")
            yield findings.take(
                Finding(
                    rule=kind,
                    severity=SECRET,
                    said="verified" if result.get("is_verified") is True else "",
                    title=f"Secret of the kind {kind}",
                    path=word(path),
                    line=line_number(result.get("line_number")),
                    identity=(kind, word(path)),
                    suppressed=result.get("is_secret") is False,
                )
            )
