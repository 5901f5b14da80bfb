"""Evidence: a signed statement about an artifact or a release."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EvidenceKind(StrEnum):
    """What a piece of evidence speaks of."""

    TESTS = "tests"
    COVERAGE = "coverage"
    FINDINGS = "findings"
    LICENCES = "licences"
    BENCHMARK = "benchmark"
    SIZE = "size"
    LIGHTHOUSE = "lighthouse"
    SBOM = "sbom"
    DEPENDENCIES = "dependencies"
    PROVENANCE = "provenance"
    APPROVAL = "approval"
    CANARY = "canary"
    PLAN = "plan"
    CHECKLIST = "checklist"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement. `digest` is the sha256 of the report or envelope it was read from, `subjects` are artifact
    digests, `summary` the typed figures that gates read, `tool` what made the report, `format` how it was written.

    `name` is the file's, "" where it had none. `rows` is how many of its findings have rows of their own in the store;
    None for what has no findings, and for reports of which the summary alone was kept.
    """

    id: str
    release_id: str
    kind: EvidenceKind
    tool: str
    format: str
    digest: str
    created_us: int
    subjects: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    rows: int | None = None
