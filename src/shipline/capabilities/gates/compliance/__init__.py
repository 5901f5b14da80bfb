"""Compliance: which controls of a framework a release keeps, and what proves each. Pure.

A framework is data: controls, each with what shows that it is kept (a rule over facts, evidence, gates, events, people
who approved), or with the reason why nothing about a release can show it. Such a control is named and never counted as
kept.
"""

from shipline.capabilities.gates.compliance.documents import coverage_document
from shipline.capabilities.gates.compliance.framework import FRAMEWORK_BYTES_MAX, Control, Framework, read_framework
from shipline.capabilities.gates.compliance.frameworks import FRAMEWORKS, built_in
from shipline.capabilities.gates.compliance.rules import (
    Assessed,
    ControlState,
    Coverage,
    Noted,
    ReleaseRecord,
    Shown,
    assess,
    compliance_verdict,
)

__all__ = [
    "FRAMEWORKS",
    "FRAMEWORK_BYTES_MAX",
    "Assessed",
    "Control",
    "ControlState",
    "Coverage",
    "Framework",
    "Noted",
    "ReleaseRecord",
    "Shown",
    "assess",
    "built_in",
    "compliance_verdict",
    "coverage_document",
    "read_framework",
]
