"""How the words and numbers of scanners become one of five severities.

The tables are shown in the reference of formats. A word that stands in none counts as high, and the receipt says so:
what nobody has rated is not harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


UNRATED = Severity.HIGH
"""What counts for a word that no table knows, and for "unknown"."""

PLAIN: Mapping[str, Severity] = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "low": Severity.LOW,
    "negligible": Severity.INFO,
    "informational": Severity.INFO,
    "info": Severity.INFO,
    "none": Severity.INFO,
}
"""Words that say the same in all tools that rate vulnerabilities: Trivy, Grype, Snyk, npm, OSV, GitLab, Dependabot,
zizmor, Bandit, Checkov and policy reports."""

LEVELS: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
"""SARIF 2.1.0, section 3.27.10, where a rule has no `security-severity`."""

HADOLINT: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "style": Severity.INFO,
}
SEMGREP: Mapping[str, Severity] = {
    **PLAIN,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "inventory": Severity.INFO,
    "experiment": Severity.INFO,
}
MYPY: Mapping[str, Severity] = {"error": Severity.MEDIUM, "warning": Severity.LOW, "note": Severity.INFO}

_BANDS = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW))
"""The qualitative scale of CVSS v3.1, section 5, and v4.0, section 6.1."""


def of_score(score: float) -> Severity:
    """The severity of a CVSS score from 0 to 10."""
    return next((severity for least, severity in _BANDS if score >= least), Severity.INFO)
